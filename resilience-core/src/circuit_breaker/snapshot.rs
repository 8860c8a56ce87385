//! What a circuit shows of itself.

use std::{fmt, time::Duration};

use super::settings::CircuitBreakerSettings;
use crate::Name;

/// The state of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Calls pass.
    Closed,
    /// Calls are rejected until the recovery timeout has passed.
    Open,
    /// A few calls pass as probes; what they bring decides.
    HalfOpen,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        })
    }
}

/// A circuit at one moment.
///
/// Once no call is inside, `calls = successes + failures + ignored + cancelled`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The circuit's name; the function's path where it has none of its own.
    pub name: Name,
    /// What defines it.
    pub settings: CircuitBreakerSettings,
    /// Its state. An open circuit whose time has come turns half-open with its next call, not before.
    pub state: State,
    /// Failures in a row, while closed.
    pub consecutive_failures: u32,
    /// Probes on their way, while half-open.
    pub probes: u16,
    /// Time until the next probe, while open.
    pub retry_after: Option<Duration>,
    /// Calls that were admitted.
    pub calls: u64,
    /// Calls that counted as successes.
    pub successes: u64,
    /// Calls that counted as failures, panics included.
    pub failures: u64,
    /// Calls that a layer inside refused, which says nothing about the service.
    pub ignored: u64,
    /// Calls whose future was dropped before it was ready.
    pub cancelled: u64,
    /// Calls among those above that came back after the state had changed, so that they decided nothing.
    pub late: u64,
    /// Calls that were not admitted.
    pub rejected: u64,
    /// How often the circuit opened.
    pub openings: u64,
}
