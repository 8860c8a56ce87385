//! Why a circuit changed its state: the rule, with its numbers.

use std::{fmt, time::Duration};

use crate::error::Seconds;

/// Why a circuit changed its state.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// So many failures in a row.
    #[non_exhaustive]
    ConsecutiveFailures {
        /// How many.
        failures: u32,
    },
    /// The share of failures in the window reached its threshold.
    #[non_exhaustive]
    FailureRate {
        /// Failures in the window.
        failures: u64,
        /// Calls in the window.
        calls: u64,
        /// The share that opens the circuit, from 0 to 1.
        threshold: f64,
    },
    /// The share of slow calls in the window reached its threshold.
    #[non_exhaustive]
    SlowCallRate {
        /// Slow calls in the window.
        slow: u64,
        /// Calls in the window.
        calls: u64,
        /// The share that opens the circuit, from 0 to 1.
        threshold: f64,
        /// From how long on a call is slow.
        slow_call: Duration,
    },
    /// The time to stay open is over.
    RecoveryTimeout,
    /// More probes failed than are tolerated.
    #[non_exhaustive]
    ProbesFailed {
        /// How many.
        failures: u16,
    },
    /// Enough probes succeeded.
    #[non_exhaustive]
    ProbesSucceeded {
        /// How many.
        successes: u16,
    },
    /// Somebody used [`force_open`](super::CircuitBreaker::force_open),
    /// [`force_closed`](super::CircuitBreaker::force_closed), [`disable`](super::CircuitBreaker::disable) or
    /// [`reset`](super::CircuitBreaker::reset).
    #[non_exhaustive]
    Manual {
        /// Which, as in "forced open".
        command: &'static str,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConsecutiveFailures { failures: 1 } => f.write_str("1 failure"),
            Self::ConsecutiveFailures { failures } => write!(f, "{failures} consecutive failures"),
            Self::FailureRate { failures, calls, threshold } => {
                write!(f, "{failures} of the last {calls} calls failed, {}", Limit(*failures, *calls, *threshold))
            }
            Self::SlowCallRate { slow, calls, threshold, slow_call } => {
                let limit = Limit(*slow, *calls, *threshold);
                write!(f, "{slow} of the last {calls} calls took {} or longer, {limit}", Seconds(slow_call))
            }
            Self::RecoveryTimeout => f.write_str("the recovery timeout has passed"),
            Self::ProbesFailed { failures: 1 } => f.write_str("a probe failed"),
            Self::ProbesFailed { failures } => write!(f, "{failures} probes failed"),
            Self::ProbesSucceeded { successes: 1 } => f.write_str("a probe succeeded"),
            Self::ProbesSucceeded { successes } => write!(f, "{successes} probes succeeded"),
            Self::Manual { command } => write!(f, "it was {command}"),
        }
    }
}

/// "60% with a limit of 50%".
struct Limit(u64, u64, f64);

impl fmt::Display for Limit {
    #[allow(clippy::cast_precision_loss, reason = "shown with at most one decimal")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| (share * 1000.0).round() / 10.0;
        let rate = self.0 as f64 / self.1.max(1) as f64;
        write!(f, "{}% with a limit of {}%", percent(rate), percent(self.2))
    }
}
