//! The way into a bulkhead: a permit of its semaphore, counted.

use std::task::{Context, Poll};

use super::Bulkhead;
use crate::{
    Error, Failure,
    gate::{Abandoned, Gate, Judge},
    semaphore::{Acquire, Entered, Limits, Permit, Refused},
    site::Handle,
};

/// Admits a call to a bulkhead. Not covered by semver.
#[doc(hidden)]
pub struct BulkheadGate<'a>(Acquire<'a, Bulkhead>);

/// The gate of one call.
#[inline]
pub(crate) fn gate(bulkhead: Handle<'_, Bulkhead>) -> BulkheadGate<'_> {
    BulkheadGate(Acquire::new(bulkhead))
}

impl<'a> Gate for BulkheadGate<'a> {
    type Permit = Permit<'a, Bulkhead>;

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
        let settings = self.settings();
        Limits { max_queue: settings.max_queue, max_wait: settings.max_wait }
    }
}

#[inline]
fn count<'a>(bulkhead: &Bulkhead, out: Result<Entered<'a, Bulkhead>, Refused>) -> Result<Permit<'a, Bulkhead>, Error> {
    let stats = &bulkhead.0.stats;
    match out {
        Ok(Entered { permit, waited }) => {
            stats.admitted.increment();
            if let Some(waited) = waited {
                stats.waited(waited);
            }
            Ok(permit)
        }
        Err(Refused { waited }) => {
            match waited {
                None => stats.rejected_full.increment(),
                Some(waited) => {
                    stats.rejected_wait.increment();
                    stats.waited(waited);
                }
            }
            let settings = bulkhead.settings();
            Err(Error::BulkheadFull {
                name: bulkhead.name().clone(),
                max_concurrent: settings.max_concurrent,
                max_queue: settings.max_queue,
                waited,
            })
        }
    }
}
