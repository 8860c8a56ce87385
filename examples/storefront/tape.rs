//! What happened to every shopper, written down as they leave: the one source of the live view and of the report.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

/// How a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Order placed, page complete.
    Full,
    /// Order placed, page without recommendations.
    Degraded,
    /// The shop said that it cannot take the order.
    Failed,
    /// The shopper left without an answer.
    GaveUp,
}

impl Outcome {
    pub(crate) fn is_served(self) -> bool {
        matches!(self, Self::Full | Self::Degraded)
    }
}

/// One shopper, in time since the run began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit {
    pub(crate) arrived: Duration,
    pub(crate) left: Duration,
    pub(crate) outcome: Outcome,
}

impl Visit {
    pub(crate) fn waited(&self) -> Duration {
        self.left.saturating_sub(self.arrived)
    }
}

/// Where visits are written down.
#[derive(Default)]
pub(crate) struct Tape {
    visits: Mutex<Vec<Visit>>,
    inside: AtomicU32,
}

impl Tape {
    pub(crate) fn arrive(&self, at: Duration) -> Duration {
        self.inside.fetch_add(1, Ordering::SeqCst);
        at
    }

    pub(crate) fn leave(&self, arrived: Duration, left: Duration, outcome: Outcome) {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner).push(Visit { arrived, left, outcome });
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }

    /// Shoppers who wait for an answer now.
    pub(crate) fn waiting(&self) -> u32 {
        self.inside.load(Ordering::SeqCst)
    }

    /// All visits so far, in the order in which they ended.
    pub(crate) fn visits(&self) -> Vec<Visit> {
        self.visits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
