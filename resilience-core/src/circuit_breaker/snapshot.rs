//! What a circuit shows of itself.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use super::{
    FailureKind,
    journal::{Change, Times},
    settings::CircuitBreakerSettings,
};
use crate::{Name, histogram::Durations};

/// The state of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Calls pass.
    Closed,
    /// Calls are rejected until the recovery timeout has passed.
    Open,
    /// A few calls pass as probes; what they bring decides.
    HalfOpen,
    /// Calls are rejected because somebody said so; see [`force_open`](super::CircuitBreaker::force_open).
    ForcedOpen,
    /// Calls pass and are counted, and nothing opens the circuit; see [`disable`](super::CircuitBreaker::disable).
    Disabled,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
            Self::ForcedOpen => "forced open",
            Self::Disabled => "disabled",
        })
    }
}

/// A circuit at one moment.
///
/// `calls = successes + failures + ignored + cancelled`. After a [`reset`](super::CircuitBreaker::reset) all counts start at
/// zero; calls that were inside then are counted when they end.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The circuit's name; the function's path where it has none of its own.
    pub name: Name,
    /// What defines it.
    pub settings: CircuitBreakerSettings,
    /// Its state. An open circuit whose time has come turns half-open with its next call, not before.
    pub state: State,
    /// Failures in a row, while closed and if there is a rule about them.
    pub consecutive_failures: u32,
    /// Probes on their way, while half-open.
    pub probes: u16,
    /// Time until the next probe, while open; `None` also while forced open without an end.
    pub retry_after: Option<Duration>,
    /// The share of calls admitted, from 0 to 1: below 1 while a closed circuit ramps up.
    pub admitted_share: f64,
    /// Calls that were admitted and have ended.
    pub calls: u64,
    /// Calls that counted as successes.
    pub successes: u64,
    /// Calls that counted as failures, panics included.
    pub failures: u64,
    /// The failures that were classified, by kind; see [`FailureKind`].
    pub failure_kinds: Vec<(FailureKind, u64)>,
    /// Calls that a layer inside refused, which says nothing about the service.
    pub ignored: u64,
    /// Calls whose future was dropped before it was ready.
    pub cancelled: u64,
    /// Calls among those above that took at least `slow_call`.
    pub slow: u64,
    /// Calls among those above that came back after the state had changed, so that they decided nothing.
    pub late: u64,
    /// Calls that were not admitted.
    pub rejected: u64,
    /// Calls in the window now; 0 without a rule that needs it.
    pub window_calls: u64,
    /// Share of failures in the window now, from 0 to 1.
    pub failure_rate: f64,
    /// Share of slow calls in the window now, from 0 to 1.
    pub slow_call_rate: f64,
    /// How often the circuit opened.
    pub openings: u64,
    /// When it opened last.
    pub opened_at: Option<SystemTime>,
    /// When a call last counted as a failure.
    pub last_failure_at: Option<SystemTime>,
    /// Time spent in each state.
    pub time_in: Times,
    /// The latest changes of state, oldest first.
    pub changes: Vec<Change>,
    /// Durations of calls, where they are measured.
    pub durations: Option<Durations>,
}
