//! What a bulkhead has done, and the counters behind it.

use std::time::Duration;

use super::{Bulkhead, BulkheadSettings};
use crate::{
    Name, clock,
    stats::{Counter, Maximum},
};

/// A bulkhead at one moment. Counts are since the bulkhead was made or last reset.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The bulkhead.
    pub name: Name,
    /// Its settings.
    pub settings: BulkheadSettings,
    /// Calls inside now.
    pub inside: u32,
    /// Calls in the queue now.
    pub queued: u32,
    /// Calls that were let in.
    pub admitted: u64,
    /// Calls that were rejected at once, because the queue was full or there is none.
    pub rejected_full: u64,
    /// Calls that were rejected after the longest wait.
    pub rejected_wait: u64,
    /// Time spent in the queue by all calls together, be they let in or rejected; a call cancelled there is left out.
    pub total_wait: Duration,
    /// The longest time that one of them spent there.
    pub longest_wait: Duration,
}

/// What is counted.
#[derive(Default)]
pub(super) struct Stats {
    pub(super) admitted: Counter,
    pub(super) rejected_full: Counter,
    pub(super) rejected_wait: Counter,
    total_wait: Counter,
    longest_wait: Maximum,
}

impl Stats {
    pub(super) fn waited(&self, wait: Duration) {
        let wait = clock::nanos(wait);
        self.total_wait.add(wait);
        self.longest_wait.record(wait);
    }

    pub(super) fn reset(&self) {
        let Self { admitted, rejected_full, rejected_wait, total_wait, longest_wait } = self;
        for counter in [admitted, rejected_full, rejected_wait, total_wait] {
            counter.reset();
        }
        longest_wait.reset();
    }

    pub(super) fn snapshot(&self, bulkhead: &Bulkhead) -> Snapshot {
        let settings = bulkhead.settings().clone();
        let word = bulkhead.0.semaphore.word();
        Snapshot {
            name: bulkhead.name().clone(),
            inside: settings.max_concurrent.saturating_sub(word.available),
            settings,
            queued: word.waiting,
            admitted: self.admitted.get(),
            rejected_full: self.rejected_full.get(),
            rejected_wait: self.rejected_wait.get(),
            total_wait: Duration::from_nanos(self.total_wait.get()),
            longest_wait: Duration::from_nanos(self.longest_wait.get()),
        }
    }
}
