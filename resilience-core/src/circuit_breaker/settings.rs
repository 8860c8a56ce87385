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

settings! {
    /// Settings of a [`CircuitBreaker`].
    CircuitBreakerSettings, CircuitBreakerBuilder for CircuitBreaker {
        /// Consecutive failures that open the circuit, at least 1. Default: 5.
        failure_threshold: u32 = 5;
        /// How long the circuit stays open before it lets probes through. Default: 30 s.
        recovery_timeout: Duration = Duration::from_secs(30);
        /// Probes that may be on their way at once while half-open, at least 1. Default: 1.
        half_open_max_calls: u16 = 1;
        /// Successful probes that close the circuit, at least 1. Default: 1.
        success_threshold: u16 = 1;
        /// What a cancelled call counts as. Default: nothing.
        on_cancel: OnCancel = OnCancel::Ignore;
    }
}

impl CircuitBreakerSettings {
    pub(crate) fn fault(&self) -> Option<(&'static str, &'static str)> {
        const POSITIVE: &str = "must be at least 1";
        if self.failure_threshold == 0 {
            Some(("failure_threshold", POSITIVE))
        } else if self.half_open_max_calls == 0 {
            Some(("half_open_max_calls", POSITIVE))
        } else if self.success_threshold == 0 {
            Some(("success_threshold", POSITIVE))
        } else {
            None
        }
    }

    /// How long a probe may be on its way before its place is given to another one: as long as the circuit would stay
    /// open, at least one second.
    pub(crate) fn lease(&self) -> Duration {
        self.recovery_timeout.max(Duration::from_secs(1))
    }
}
