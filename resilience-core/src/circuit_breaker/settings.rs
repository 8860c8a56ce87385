//! What defines a circuit breaker.

use std::time::Duration;

use super::CircuitBreaker;
use crate::settings::settings;

/// What a cancelled call (a dropped future) says about the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnCancel {
    /// Nothing: neither a success nor a failure. The permit is given back.
    #[default]
    Ignore,
    /// It counts as a failure, as for a caller that gives up because the service is slow.
    Failure,
}

/// Which calls a rate is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Window {
    /// The last so many calls.
    Calls(u32),
    /// The calls of the last so long, at least 100 ms, in steps of a tenth of it or less.
    Time(Duration),
}

impl From<u32> for Window {
    fn from(calls: u32) -> Self {
        Self::Calls(calls)
    }
}

impl From<Duration> for Window {
    fn from(time: Duration) -> Self {
        Self::Time(time)
    }
}

/// Shorter ones would have steps that the coarse clock cannot tell apart.
const SHORTEST_WINDOW: Duration = Duration::from_millis(100);

/// Half-open counts have twelve bits each in the circuit's word.
pub(super) const MOST_PROBES: u16 = 4095;

settings! {
    /// Settings of a [`CircuitBreaker`].
    CircuitBreakerSettings, CircuitBreakerBuilder for CircuitBreaker {
        /// Consecutive failures that open the circuit, at least 1. Default: 5 if there is no other rule, else none.
        failure_threshold: Option<u32>, from u32 = None;
        /// Share of failures in the window that opens the circuit, above 0 and at most 1. Default: no such rule.
        failure_rate: Option<f64>, from f64 = None;
        /// The last so many calls (up to 1 000 000), or the calls of the last so long, that rates are taken over.
        /// Default: 100 calls.
        window: Window, from impl Into<Window> = Window::Calls(100);
        /// Calls that must be in the window before a rate counts. Default: 10, or the window if that is smaller.
        minimum_calls: Option<u32>, from u32 = None;
        /// From how long on a call is slow. Calls are then timed. Default: no call is slow.
        slow_call: Option<Duration>, from Duration = None;
        /// Share of slow calls in the window that opens the circuit, above 0 and at most 1. Default: no such rule.
        slow_call_rate: Option<f64>, from f64 = None;
        /// How long the circuit stays open before it lets probes through, above zero. Default: 30 s.
        recovery_timeout: Duration = Duration::from_secs(30);
        /// Growth of the recovery timeout each time that probes fail, at least 1. Default: 1.
        recovery_backoff: f64 = 1.0;
        /// The longest that the recovery timeout grows, jitter included. Default: 10 min.
        max_recovery_timeout: Duration = Duration::from_secs(600);
        /// Spread of the recovery timeout, from 0 to 1: it is multiplied by `U(1-j, 1+j)`, so that a fleet does not
        /// probe in step. Default: 0.1 with `recovery_backoff`, else 0.
        recovery_jitter: Option<f64>, from f64 = None;
        /// Probes that may be on their way at once while half-open, from 1 to 4095. Default: 1.
        half_open_max_calls: u16 = 1;
        /// Successful probes that close the circuit, from 1 to 4095. Default: 1.
        success_threshold: u16 = 1;
        /// Failed probes that are tolerated while half-open, at most 4095. Default: 0, so that the first one opens the
        /// circuit again.
        half_open_max_failures: u16 = 0;
        /// How long a probe may be on its way before its place is given to another one. Default: the recovery timeout,
        /// at least 1 s.
        probe_timeout: Option<Duration>, from Duration = None;
        /// After closing, the time over which the share of admitted calls grows from a tenth to all. Default: 0.
        ramp_up: Duration = Duration::ZERO;
        /// What a cancelled call counts as. Default: nothing.
        on_cancel: OnCancel = OnCancel::Ignore;
        /// Circuits per value of a key at most; see [`for_key`](CircuitBreaker::for_key). One takes about a kilobyte, and
        /// about 200 bytes more for each thread that uses it. Default: 10 000.
        max_keys: u32 = 10_000;
        /// Whether calls are timed, for mean and percentiles in the snapshot. Default: only with `slow_call`.
        measure_durations: bool = false;
    }
}

impl CircuitBreakerSettings {
    pub(crate) fn fault(&self) -> Option<(&'static str, &'static str)> {
        const SHARE: &str = "must be above 0 and at most 1";
        const PROBES: &str = "must be from 1 to 4095";
        let is_share = |share: Option<f64>| share.is_none_or(|share| share > 0.0 && share <= 1.0);
        let probes = 1..=MOST_PROBES;
        let has_rate = self.failure_rate.is_some() || self.slow_call_rate.is_some();
        let fault = [
            (self.failure_threshold != Some(0), "failure_threshold", "must be at least 1"),
            (is_share(self.failure_rate), "failure_rate", SHARE),
            (is_share(self.slow_call_rate), "slow_call_rate", SHARE),
            (self.slow_call_rate.is_none() || self.slow_call.is_some(), "slow_call_rate", "needs `slow_call`"),
            (self.window_is_sound(), "window", "must be from 1 to 1 000 000 calls, or a time of at least 100 ms"),
            (has_rate || self.window == Window::Calls(100), "window", "needs `failure_rate` or `slow_call_rate`"),
            (has_rate || self.minimum_calls.is_none(), "minimum_calls", "needs `failure_rate` or `slow_call_rate`"),
            (self.minimum_calls != Some(0), "minimum_calls", "must be at least 1"),
            (
                !matches!((self.window, self.minimum_calls), (Window::Calls(calls), Some(least)) if least > calls),
                "minimum_calls",
                "must not be above the `window`, or no rate ever counts",
            ),
            (
                self.recovery_backoff >= 1.0 && self.recovery_backoff.is_finite(),
                "recovery_backoff",
                "must be at least 1",
            ),
            (
                self.recovery_backoff == 1.0 || self.max_recovery_timeout >= self.recovery_timeout,
                "max_recovery_timeout",
                "must not be below `recovery_timeout`",
            ),
            (self.recovery_jitter.is_none_or(|j| (0.0..=1.0).contains(&j)), "recovery_jitter", "must be from 0 to 1"),
            (!self.recovery_timeout.is_zero(), "recovery_timeout", "must be longer than zero"),
            (self.probe_timeout.is_none_or(|time| !time.is_zero()), "probe_timeout", "must be longer than zero"),
            (probes.contains(&self.half_open_max_calls), "half_open_max_calls", PROBES),
            (probes.contains(&self.success_threshold), "success_threshold", PROBES),
            (self.half_open_max_failures <= MOST_PROBES, "half_open_max_failures", "must be at most 4095"),
        ]
        .into_iter()
        .find(|(sound, ..)| !sound);
        fault.map(|(_, setting, reason)| (setting, reason))
    }

    fn window_is_sound(&self) -> bool {
        match self.window {
            Window::Calls(calls) => (1..=1_000_000).contains(&calls),
            Window::Time(time) => time >= SHORTEST_WINDOW,
        }
    }

    /// Consecutive failures that open the circuit, if there is such a rule: by default only where there is no other.
    pub(super) fn consecutive_failures(&self) -> Option<u32> {
        self.failure_threshold.or(if self.has_rate() { None } else { Some(5) })
    }

    /// Whether there is a rule that needs the window.
    pub(super) fn has_rate(&self) -> bool {
        self.failure_rate.is_some() || (self.slow_call_rate.is_some() && self.slow_call.is_some())
    }

    pub(super) fn is_timed(&self) -> bool {
        self.measure_durations || self.slow_call.is_some()
    }

    pub(super) fn least_calls(&self) -> u64 {
        let least = self.minimum_calls.unwrap_or(10);
        u64::from(match self.window {
            Window::Calls(calls) => least.min(calls),
            Window::Time(_) => least,
        })
    }

    pub(super) fn lease(&self) -> Duration {
        self.probe_timeout.unwrap_or(self.recovery_timeout.max(Duration::from_secs(1)))
    }

    /// How long to stay open the `opening`-th time in a row, from 0; `unit` is drawn uniformly from [0, 1).
    ///
    /// `min(timeout * backoff^opening, max / (1+j)) * U(1-j, 1+j)`: exponential backoff with proportional jitter, which
    /// spreads at the longest time too.
    pub(super) fn recovery(&self, opening: u32, unit: f64) -> Duration {
        let grows = self.recovery_backoff > 1.0;
        let jitter = self.recovery_jitter.unwrap_or(if grows { 0.1 } else { 0.0 });
        if jitter == 0.0 && !grows {
            return self.recovery_timeout;
        }
        let timeout = self.recovery_timeout.as_secs_f64();
        let most = if grows {
            self.max_recovery_timeout.max(self.recovery_timeout).as_secs_f64() / (1.0 + jitter)
        } else {
            timeout
        };
        let base = (timeout * self.recovery_backoff.powf(f64::from(opening))).min(most);
        Duration::try_from_secs_f64(base * (1.0 + jitter * (2.0 * unit - 1.0))).unwrap_or(self.max_recovery_timeout)
    }
}
