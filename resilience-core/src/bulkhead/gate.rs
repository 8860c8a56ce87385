//! The way into a bulkhead: a permit of its semaphore, counted.

use std::task::{Context, Poll};

use super::Bulkhead;
use crate::{
    Error, Failure,
    clock::{self, Time},
    gate::{Abandoned, Gate, Judge},
    semaphore::{Acquire, Entered, Limits, Permit, Refused},
    site::Handle,
};

/// Admits a call to a bulkhead. Not covered by semver.
#[doc(hidden)]
pub struct BulkheadGate<'a>(Acquire<'a, Bulkhead>);

/// Held while a call is inside. Not covered by semver.
#[doc(hidden)]
pub struct Stay<'a> {
    permit: Permit<'a, Bulkhead>,
    /// Since when, where that is measured.
    since: Option<Time>,
}

impl Drop for Stay<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(since) = self.since {
            self.permit.owner().0.stats.stayed(clock::now().since(since));
        }
    }
}

/// The gate of one call.
#[inline]
pub(crate) fn gate(bulkhead: Handle<'_, Bulkhead>) -> BulkheadGate<'_> {
    BulkheadGate(Acquire::new(bulkhead))
}

impl<'a> Gate for BulkheadGate<'a> {
    type Permit = Stay<'a>;

    #[inline]
    fn poll_enter(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Permit, Error>> {
        let limits = self.0.owner().limits();
        let polled = self.0.poll(limits, cx);
        polled.map(|out| count(self.0.owner(), out))
    }

    #[inline]
    fn enter_blocking(&mut self) -> Result<Self::Permit, Error> {
        let limits = self.0.owner().limits();
        let out = self.0.block(limits);
        count(self.0.owner(), out)
    }

    #[inline]
    fn abandon(&self, permit: Self::Permit, _: Abandoned) {
        drop(permit);
    }
}

impl<E> Judge<E> for BulkheadGate<'_> {
    #[inline]
    fn leave(&self, permit: Self::Permit, _: Option<&Failure<E>>) {
        drop(permit);
    }
}

impl Bulkhead {
    #[inline]
    fn limits(&self) -> Limits {
        let settings = &self.0.settings;
        Limits { max_queue: settings.max_queue, max_wait: settings.max_wait }
    }
}

#[inline]
fn count<'a>(bulkhead: &Bulkhead, out: Result<Entered<'a, Bulkhead>, Refused>) -> Result<Stay<'a>, Error> {
    let stats = &bulkhead.0.stats;
    match out {
        Ok(Entered { permit, waited }) => {
            stats.admitted.increment();
            if let Some(waited) = waited {
                stats.waited(waited);
            }
            Ok(Stay { permit, since: bulkhead.0.settings.measure_durations.then(clock::now) })
        }
        Err(Refused { waited }) => {
            if let Some(waited) = waited {
                stats.waited(waited);
            }
            if bulkhead.0.semaphore.is_closed() {
                stats.rejected_draining.increment();
                return Err(Error::BulkheadDraining { name: bulkhead.name().clone() });
            }
            match waited {
                None => stats.rejected_full.increment(),
                Some(_) => stats.rejected_wait.increment(),
            }
            Err(Error::BulkheadFull {
                name: bulkhead.name().clone(),
                max_concurrent: bulkhead.0.semaphore.permits(),
                max_queue: bulkhead.0.settings.max_queue,
                waited,
            })
        }
    }
}
