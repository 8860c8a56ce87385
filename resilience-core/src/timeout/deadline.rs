//! The deadline that running work is under: set by every timeout around sync work on its thread, and around each poll of
//! async work, so that layers inside know what time they have.

use std::{cell::Cell, time::Duration};

use crate::clock::{self, Time};

/// Later than every time: no deadline.
const NEVER: Time = Time::from_nanos(u64::MAX);

thread_local!(static CURRENT: Cell<Time> = const { Cell::new(NEVER) });

/// The time left until the nearest enclosing [`Timeout`](crate::Timeout) ends; zero once it has passed, `None` outside of
/// all.
///
/// It knows the timeouts around the code that asks, as it runs: sync ones on this thread, and async ones around this
/// task's future. A task that was spawned inside of a timeout is not inside of it.
///
/// It costs one read of the clock inside of a timeout, and none outside.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use resilience_core::{Timeout, deadline};
///
/// assert_eq!(deadline(), None);
/// let left = Timeout::named("report").call_cooperative(|| Ok::<_, ()>(deadline()));
/// assert!(left.unwrap().unwrap() <= Timeout::named("report").settings().limit);
/// ```
#[must_use]
pub fn deadline() -> Option<Duration> {
    match CURRENT.get() {
        NEVER => None,
        at => Some(at.since(clock::now())),
    }
}

/// Sets a deadline for this thread until it is dropped; an earlier one that is in force stays so.
pub(super) struct Within {
    outer: Time,
}

/// The deadline of this thread, to be carried to another one.
pub(super) fn current() -> Time {
    CURRENT.get()
}

impl Within {
    #[inline]
    pub(super) fn enter(at: Time) -> Self {
        let outer = CURRENT.get();
        CURRENT.set(outer.min(at));
        Self { outer }
    }
}

impl Drop for Within {
    #[inline]
    fn drop(&mut self) {
        CURRENT.set(self.outer);
    }
}
