//! What has happened under a timeout so far.

use super::{Timeout, TimeoutSettings};
use crate::{
    Name,
    stats::Counter,
    sync::{AtomicU32, Ordering},
};

/// What has happened under a [`Timeout`] since it was made or [reset](Timeout::reset).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The timeout.
    pub name: Name,
    /// What defines it.
    pub settings: TimeoutSettings,
    /// Calls whose work was started.
    pub calls: u64,
    /// Calls that were stopped, or left, at their limit.
    pub timed_out: u64,
    /// Results, panics included, of detached runs that came after their caller had left; they were dropped.
    pub late: u64,
    /// Cooperative runs that came back after their limit without having met a checkpoint.
    pub overruns: u64,
    /// Detached runs that still go on, right now, after their caller has left.
    pub detached: u32,
}

/// What snapshots are made of.
#[derive(Default)]
pub(super) struct Statistics {
    pub(super) calls: Counter,
    pub(super) timed_out: Counter,
    pub(super) late: Counter,
    pub(super) overruns: Counter,
    detached: AtomicU32,
}

impl Statistics {
    /// A caller leaves its run; the run reports back by [`Self::came_late`].
    pub(super) fn left(&self) {
        // Relaxed: both ends of a run's time alone happen under that run's lock, so they come in this order.
        self.detached.fetch_add(1, Ordering::Relaxed);
    }

    /// A run that was left has come to its end.
    pub(super) fn came_late(&self) {
        self.late.increment();
        // Relaxed: as in `left`.
        self.detached.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn detached(&self) -> u32 {
        // Relaxed: nothing else is read on the strength of it.
        self.detached.load(Ordering::Relaxed)
    }

    pub(super) fn snapshot(&self, timeout: &Timeout) -> Snapshot {
        Snapshot {
            name: timeout.name().clone(),
            settings: timeout.settings().clone(),
            calls: self.calls.get(),
            timed_out: self.timed_out.get(),
            late: self.late.get(),
            overruns: self.overruns.get(),
            detached: self.detached(),
        }
    }

    pub(super) fn reset(&self) {
        for counter in [&self.calls, &self.timed_out, &self.late, &self.overruns] {
            counter.reset();
        }
    }
}
