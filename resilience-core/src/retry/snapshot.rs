//! What a retry shows of itself.

use std::time::Duration;

use super::{Shared, settings::RetrySettings};
use crate::Name;

/// A retry at one moment.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The retry's name; the function's path where it has none of its own.
    pub name: Name,
    /// What defines it.
    pub settings: RetrySettings,
    /// Calls from outside.
    pub calls: u64,
    /// Calls to the work, retries included.
    pub attempts: u64,
    /// Attempts after the first.
    pub retries: u64,
    /// Calls that were tried again at least once.
    pub retried: u64,
    /// Calls that succeeded, but not at first.
    pub succeeded_after_retry: u64,
    /// Calls that failed with all their attempts used up.
    pub exhausted: u64,
    /// Calls that failed with an error that is not retried.
    pub not_retried: u64,
    /// Calls that returned an error worth another attempt since there was no time for the wait: it would have passed
    /// `max_elapsed` or the deadline of a timeout around, or `retry_after` asked for more than `max_delay`.
    pub out_of_time: u64,
    /// Calls that returned an error worth another attempt since the budget had none.
    pub refused_by_budget: u64,
    /// Time spent waiting between attempts, by all calls together. A wait counts in full when it begins.
    pub total_wait: Duration,
}

impl Snapshot {
    pub(super) fn of(shared: &Shared) -> Self {
        let counts = &shared.counts;
        let retries = counts.retries.get();
        let [calls] = shared.calls.totals();
        Self {
            name: shared.name.clone(),
            settings: shared.settings.clone(),
            calls,
            attempts: calls + retries,
            retries,
            retried: counts.retried.get(),
            succeeded_after_retry: counts.succeeded_after_retry.get(),
            exhausted: counts.exhausted.get(),
            not_retried: counts.not_retried.get(),
            out_of_time: counts.out_of_time.get(),
            refused_by_budget: counts.refused_by_budget.get(),
            total_wait: Duration::from_nanos(counts.total_wait.get()),
        }
    }
}
