//! What a bulkhead can be told, and what cannot be meant.

use std::time::Duration;

use super::Bulkhead;
use crate::settings::settings;

settings! {
    /// How a [`Bulkhead`] is set up.
    BulkheadSettings, BulkheadBuilder for Bulkhead {
        /// How many calls may be inside at the same time, at least 1; default 10.
        max_concurrent: u32 = 10;
        /// How many calls may wait for a place; one more is rejected at once. Default 0: nobody waits.
        max_queue: u32 = 0;
        /// How long a call may wait in the queue, where there is one; default 30 s.
        max_wait: Duration = Duration::from_secs(30);
        /// Whether the time that calls spend inside is measured, for mean and percentiles in the snapshot. Default: no.
        measure_durations: bool = false;
        /// Bulkheads per value of a key at most; see [`for_key`](Bulkhead::for_key). Default: 10 000.
        max_keys: u32 = 10_000;
    }
}

impl BulkheadSettings {
    /// The first setting that cannot be meant, with the reason.
    pub(crate) fn fault(&self) -> Option<(&'static str, &'static str)> {
        (self.max_concurrent == 0).then_some(("max_concurrent", "must be at least 1"))
    }
}
