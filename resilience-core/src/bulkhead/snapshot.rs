//! What a bulkhead has done, and the counters behind it.

use std::{sync::OnceLock, time::Duration};

use super::{Bulkhead, BulkheadSettings};
use crate::{
    Name,
    histogram::{Durations, Histogram},
    stats::Counter,
};

/// A bulkhead at one moment. Counts are since the bulkhead was made or last reset.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The bulkhead.
    pub name: Name,
    /// Its settings.
    pub settings: BulkheadSettings,
    /// Calls inside now; after a [`resize`](Bulkhead::resize) they may be more than `max_concurrent` for a while.
    pub inside: u32,
    /// Calls in the queue now.
    pub queued: u32,
    /// Calls that were let in.
    pub admitted: u64,
    /// Calls that were rejected at once, because the queue was full or there is none.
    pub rejected_full: u64,
    /// Calls that were rejected after the longest wait.
    pub rejected_wait: u64,
    /// Calls that were rejected because the bulkhead was draining.
    pub rejected_draining: u64,
    /// Whether it lets nobody in; see [`drain`](Bulkhead::drain).
    pub draining: bool,
    /// Time spent in the queue, by calls that were let in and by calls that were rejected after it. Calls that did not
    /// have to wait are left out, and so are those cancelled in the queue.
    pub waits: Durations,
    /// Time spent inside, however the calls ended, where it is measured: see
    /// [`measure_durations`](BulkheadSettings::measure_durations).
    pub durations: Option<Durations>,
}

/// What is counted.
#[derive(Default)]
pub(super) struct Stats {
    pub(super) admitted: Counter,
    pub(super) rejected_full: Counter,
    pub(super) rejected_wait: Counter,
    pub(super) rejected_draining: Counter,
    /// Made when the first call has waited: many bulkheads never see one.
    waits: OnceLock<Histogram>,
    /// Made when the first call that is measured ends.
    durations: OnceLock<Histogram>,
}

impl Stats {
    #[cold]
    pub(super) fn waited(&self, wait: Duration) {
        self.waits.get_or_init(Histogram::new).record(wait);
    }

    pub(super) fn stayed(&self, duration: Duration) {
        self.durations.get_or_init(Histogram::new).record(duration);
    }

    pub(super) fn reset(&self) {
        let Self { admitted, rejected_full, rejected_wait, rejected_draining, waits, durations } = self;
        for counter in [admitted, rejected_full, rejected_wait, rejected_draining] {
            counter.reset();
        }
        for histogram in [waits, durations] {
            if let Some(histogram) = histogram.get() {
                histogram.reset();
            }
        }
    }

    pub(super) fn snapshot(&self, bulkhead: &Bulkhead) -> Snapshot {
        let settings = bulkhead.settings();
        let (inside, queued) = bulkhead.0.semaphore.held();
        Snapshot {
            name: bulkhead.name().clone(),
            inside,
            queued,
            admitted: self.admitted.get(),
            rejected_full: self.rejected_full.get(),
            rejected_wait: self.rejected_wait.get(),
            rejected_draining: self.rejected_draining.get(),
            draining: bulkhead.0.semaphore.is_closed(),
            waits: self.waits.get().map(Histogram::durations).unwrap_or_default(),
            durations: settings
                .measure_durations
                .then(|| self.durations.get().map(Histogram::durations).unwrap_or_default()),
            settings,
        }
    }
}
