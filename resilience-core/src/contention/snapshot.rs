//! How contended a resource has been, and the counters behind it.

use std::time::Duration;

use super::{Resource, ResourceSettings};
use crate::{
    Holder, Name, clock,
    stats::{Counter, Maximum},
};

/// A resource at one moment. Counts are since the resource was made or last reset.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The resource.
    pub name: Name,
    /// Its settings.
    pub settings: ResourceSettings,
    /// How many calls may hold it at the same time.
    pub capacity: u32,
    /// Who holds it now, in no particular order.
    pub holders: Vec<Holder>,
    /// Calls that wait for it now.
    pub waiting: u32,
    /// Calls that got it, at once or after a wait.
    pub acquisitions: u64,
    /// Calls among them that had to wait.
    pub contended: u64,
    /// Calls that did not get it within the longest wait.
    pub timeouts: u64,
    /// Time spent waiting by all calls together, timeouts included; a call cancelled while it waited is left out.
    pub total_wait: Duration,
    /// The longest time that one of them waited.
    pub longest_wait: Duration,
}

impl Snapshot {
    /// The share of calls that had to wait, timeouts included, from 0 to 1; 0 before the first call.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a share needs no more than 52 bits")]
    pub fn contention_rate(&self) -> f64 {
        match self.acquisitions + self.timeouts {
            0 => 0.0,
            calls => self.waits() as f64 / calls as f64,
        }
    }

    /// How long a call that had to wait waited on average, timeouts included; zero if none had to.
    #[must_use]
    pub fn average_wait(&self) -> Duration {
        match self.waits() {
            0 => Duration::ZERO,
            waits => Duration::from_nanos(clock::nanos(self.total_wait) / waits),
        }
    }

    fn waits(&self) -> u64 {
        self.contended + self.timeouts
    }
}

/// What is counted. No count includes another, so that a snapshot never shows a part larger than its whole.
#[derive(Default)]
pub(super) struct Stats {
    /// Acquisitions without a wait.
    pub(super) immediate: Counter,
    /// Acquisitions after a wait.
    pub(super) contended: Counter,
    pub(super) timeouts: Counter,
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
        let Self { immediate, contended, timeouts, total_wait, longest_wait } = self;
        for counter in [immediate, contended, timeouts, total_wait] {
            counter.reset();
        }
        longest_wait.reset();
    }

    pub(super) fn snapshot(&self, resource: &Resource) -> Snapshot {
        let contended = self.contended.get();
        Snapshot {
            name: resource.name().clone(),
            settings: resource.settings().clone(),
            capacity: resource.settings().max_concurrent,
            holders: resource.0.holders.list(),
            waiting: resource.0.semaphore.word().waiting,
            acquisitions: self.immediate.get() + contended,
            contended,
            timeouts: self.timeouts.get(),
            total_wait: Duration::from_nanos(self.total_wait.get()),
            longest_wait: Duration::from_nanos(self.longest_wait.get()),
        }
    }
}
