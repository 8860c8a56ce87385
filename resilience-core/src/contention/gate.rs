//! The way to a resource: a permit of its semaphore, timed, with its holder on record.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use super::{Resource, holders::SlotId, origin::OriginId};
use crate::{
    Error, Failure,
    events::{self, Event},
    gate::{Abandoned, Gate, Judge},
    semaphore::{Acquire, Entered, Limits, Permit, Refused},
    site::Handle,
};

/// Gets a call its resource. Not covered by semver.
#[doc(hidden)]
pub struct ResourceGate<'a> {
    acquire: Acquire<'a, Resource>,
    origin: OriginId,
}

/// The gate of one call.
#[inline]
pub(crate) fn gate(resource: Handle<'_, Resource>, origin: OriginId) -> ResourceGate<'_> {
    ResourceGate { acquire: Acquire::new(resource), origin }
}

impl<'a> Gate for ResourceGate<'a> {
    type Permit = Hold<'a>;

    #[inline]
    fn poll_enter(&mut self, cx: &mut Context<'_>) -> Poll<Result<Hold<'a>, Error>> {
        let limits = self.acquire.owner().limits();
        let polled = self.acquire.poll(limits, cx);
        polled.map(|out| self.hold(out))
    }

    #[inline]
    fn enter_blocking(&mut self) -> Result<Hold<'a>, Error> {
        let limits = self.acquire.owner().limits();
        let out = self.acquire.block(limits);
        self.hold(out)
    }

    #[inline]
    fn abandon(&self, permit: Self::Permit, _: Abandoned) {
        drop(permit);
    }
}

impl<E> Judge<E> for ResourceGate<'_> {
    #[inline]
    fn leave(&self, permit: Self::Permit, _: Option<&Failure<E>>) {
        drop(permit);
    }
}

impl<'a> ResourceGate<'a> {
    #[inline]
    fn hold(&self, out: Result<Entered<'a, Resource>, Refused>) -> Result<Hold<'a>, Error> {
        let resource = self.acquire.owner();
        match out {
            Ok(Entered { permit, waited }) => {
                let hold = Hold { slot: resource.0.holders.take(self.origin), permit };
                match waited {
                    None => resource.0.stats.immediate.increment(),
                    Some(waited) => resource.contended(self.origin, waited),
                }
                Ok(hold)
            }
            Err(Refused { waited }) => Err(resource.timed_out(self.origin, waited.unwrap_or_default())),
        }
    }
}

impl Resource {
    /// A queue without a bound: how long anyone waits is bounded by time.
    #[inline]
    fn limits(&self) -> Limits {
        Limits { max_queue: u32::MAX, max_wait: self.settings().max_wait }
    }

    #[cold]
    fn contended(&self, origin: OriginId, waited: Duration) {
        let stats = &self.0.stats;
        stats.contended.increment();
        stats.waited(waited);
        self.report(origin, waited, true);
    }

    fn report(&self, origin: OriginId, waited: Duration, acquired: bool) {
        let threshold = self.settings().contention_threshold;
        if waited > threshold {
            events::emit(|| Event::ContentionDetected {
                name: self.name().clone(),
                function: origin.name(),
                waited,
                threshold,
                acquired,
            });
        }
    }

    #[cold]
    fn timed_out(&self, origin: OriginId, waited: Duration) -> Error {
        let stats = &self.0.stats;
        stats.timeouts.increment();
        stats.waited(waited);
        self.report(origin, waited, false);
        Error::ContentionTimeout { name: self.name().clone(), waited, holders: self.0.holders.list() }
    }
}

/// Held while a call has the resource. Not covered by semver.
#[doc(hidden)]
pub struct Hold<'a> {
    slot: SlotId,
    permit: Permit<'a, Resource>,
}

impl Drop for Hold<'_> {
    #[inline]
    fn drop(&mut self) {
        // Before the permit, which is dropped after this: there are never more holders on record than permits.
        self.permit.owner().0.holders.give_back(self.slot);
    }
}
