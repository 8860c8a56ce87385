//! What happened to a circuit: its latest changes, and the time it spent in each state.

use std::{
    collections::VecDeque,
    fmt::Write,
    time::{Duration, SystemTime},
};

use super::{reason::Reason, snapshot::State};
use crate::clock::Time;

/// How many changes are remembered.
const REMEMBERED: usize = 16;

/// One change of a circuit's state.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The state before.
    pub from: State,
    /// The state after.
    pub to: State,
    /// Why.
    pub why: Reason,
    /// When, by the system's clock.
    pub at: SystemTime,
}

pub(super) struct Journal {
    changes: VecDeque<(Time, Change)>,
    state: State,
    since: Time,
    times: Times,
    /// When the circuit opened last, and how often it did.
    pub(super) opened_at: Option<SystemTime>,
    pub(super) openings: u64,
    /// How often probes failed since the circuit was last closed.
    pub(super) reopenings: u32,
    /// Calls that were rejected when the state last changed, so that those since can be told.
    rejected_before: u64,
}

/// Time spent in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Times {
    /// While calls passed, the ramp after closing included.
    pub closed: Duration,
    /// While calls were rejected until the recovery timeout.
    pub open: Duration,
    /// While probes decided.
    pub half_open: Duration,
    /// While it was forced open.
    pub forced_open: Duration,
    /// While it was disabled.
    pub disabled: Duration,
}

impl Times {
    fn of(&mut self, state: State) -> &mut Duration {
        match state {
            State::Closed => &mut self.closed,
            State::Open => &mut self.open,
            State::HalfOpen => &mut self.half_open,
            State::ForcedOpen => &mut self.forced_open,
            State::Disabled => &mut self.disabled,
        }
    }
}

impl Journal {
    pub(super) fn new(now: Time) -> Self {
        Self {
            changes: VecDeque::new(),
            state: State::Closed,
            since: now,
            times: Times::default(),
            opened_at: None,
            openings: 0,
            reopenings: 0,
            rejected_before: 0,
        }
    }

    /// Notes a change, and gives it back for those who subscribed.
    pub(super) fn note(&mut self, now: Time, to: State, why: Reason, rejected: u64) -> Change {
        let at = SystemTime::now();
        *self.times.of(self.state) += now.since(self.since);
        match (self.state, to) {
            (State::HalfOpen, State::Open) => self.reopenings = self.reopenings.saturating_add(1),
            (_, State::Open | State::HalfOpen) => {}
            _ => self.reopenings = 0,
        }
        if matches!(to, State::Open | State::ForcedOpen) {
            self.opened_at = Some(at);
            self.openings += 1;
        }
        let change = Change { from: self.state, to, why, at };
        if self.changes.len() == REMEMBERED {
            self.changes.pop_front();
        }
        self.changes.push_back((now, change.clone()));
        (self.state, self.since, self.rejected_before) = (to, now, rejected);
        change
    }

    /// Time spent in each state until now.
    pub(super) fn times(&self, now: Time) -> Times {
        let mut times = self.times;
        *times.of(self.state) += now.since(self.since);
        times
    }

    pub(super) fn changes(&self) -> Vec<Change> {
        self.changes.iter().map(|(_, change)| change.clone()).collect()
    }

    /// Forgets what was counted; the latest changes stay.
    pub(super) fn reset(&mut self, now: Time) {
        self.times = Times::default();
        self.since = now;
        self.openings = 0;
        self.opened_at = None;
        self.rejected_before = 0;
    }

    /// The story in words: the present first, then what led to it.
    pub(super) fn explain(&self, present: &str, now: Time, rejected: u64) -> String {
        let mut story = String::from(present);
        let turned_away = rejected.saturating_sub(self.rejected_before);
        if turned_away > 0 {
            let calls = if turned_away == 1 { "call" } else { "calls" };
            let _ = write!(story, "; {turned_away} {calls} turned away since the last change");
        }
        if self.changes.is_empty() {
            story.push_str("\nnothing has changed since it was made");
        }
        for (at, Change { from, to, why, .. }) in self.changes.iter().rev() {
            let ago = crate::error::Seconds(&now.since(*at)).to_string();
            let _ = write!(story, "\n{ago} ago: {from} to {to}, because {why}");
        }
        story
    }
}
