//! Counters behind the snapshots.

use crate::sync::{AtomicU64, Ordering};

/// A count that loses nothing, however many threads add to it.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, by: u64) {
        // Relaxed: a count orders nothing; readers see each addition once the threads' other synchronisation does.
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    pub(crate) fn increment(&self) {
        self.add(1);
    }

    pub(crate) fn get(&self) -> u64 {
        // Relaxed: as in `add`.
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn reset(&self) {
        // Relaxed: as in `add`.
        self.0.store(0, Ordering::Relaxed);
    }
}

/// The largest value seen.
#[derive(Debug, Default)]
pub(crate) struct Maximum(AtomicU64);

impl Maximum {
    pub(crate) fn record(&self, value: u64) {
        // Relaxed: as in `Counter::add`.
        self.0.fetch_max(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        // Relaxed: as in `Counter::add`.
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn reset(&self) {
        // Relaxed: as in `Counter::add`.
        self.0.store(0, Ordering::Relaxed);
    }
}
