//! Deadlines that sync work looks at itself. The innermost one is a value of its thread; an inner deadline never
//! outlasts an outer one, so a single comparison at a checkpoint answers for all.

use std::{cell::RefCell, mem, time::Duration};

use super::{Timeout, deadline::Within};
use crate::{
    Error, Failure, Name,
    clock::{self, Time},
    events::{self, Event},
    site::Handle,
};

/// Fails once the limit of an enclosing timeout has passed; to be called now and then by long sync work.
///
/// It answers for every [`Timeout::call_cooperative`] and [`Timeout::call_detached`] that this thread is inside of, and for
/// functions with `#[timeout]` in these modes. Outside of all it succeeds. It costs one read of the clock.
///
/// # Errors
///
/// [`Error::TimedOut`] with the name and the limit of the timeout that passed first. Return it, converted into your own
/// error type as you like: the timeout recognises it.
///
/// # Examples
///
/// ```
/// fn checksum(blocks: &[Vec<u8>]) -> Result<u64, resilience_core::Error> {
///     let mut sum = 0;
///     for block in blocks {
///         resilience_core::checkpoint()?;
///         sum += block.iter().map(|byte| u64::from(*byte)).sum::<u64>();
///     }
///     Ok(sum)
/// }
/// assert_eq!(checksum(&[vec![1, 2], vec![3]]), Ok(6));
/// ```
pub fn checkpoint() -> Result<(), Error> {
    let check = |current: &RefCell<Option<Deadline>>| match &mut *current.borrow_mut() {
        Some(deadline) if clock::now() >= deadline.at => {
            deadline.tripped = true;
            Err(Error::TimedOut { name: deadline.name.clone(), limit: deadline.limit })
        }
        _ => Ok(()),
    };
    // A thread that is being torn down is inside of no timeout any more.
    CURRENT.try_with(check).unwrap_or(Ok(()))
}

/// Runs sync work on this thread, with a deadline for its checkpoints.
pub(crate) fn cooperative<T, E>(
    timeout: Handle<'_, Timeout>,
    limit: Duration,
    work: impl FnOnce() -> Result<T, Failure<E>>,
) -> Result<T, Failure<E>> {
    timeout.statistics().calls.increment();
    let deadline = clock::now().after(limit);
    let frame = Frame::enter(timeout.name().clone(), limit, deadline);
    let out = work();
    match frame.leave() {
        Some(trip) if out.is_err() => Err(Failure::Rejected(match trip {
            Trip::Own => timeout.timed_out(limit),
            Trip::Outer(error) => error,
        })),
        Some(_) => out,
        None => {
            let overrun = clock::now().since(deadline);
            if !overrun.is_zero() {
                timeout.statistics().overruns.increment();
                events::emit(|| Event::TimeoutOverrun { name: timeout.name().clone(), limit, overrun });
            }
            out
        }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<Deadline>> = const { RefCell::new(None) };
}

#[derive(Clone)]
struct Deadline {
    at: Time,
    /// The timeout that set it.
    name: Name,
    limit: Duration,
    /// Whether a checkpoint has failed because of it.
    tripped: bool,
}

/// Sets a deadline for this thread until it is left or, on a panic, dropped.
pub(super) struct Frame {
    outer: Option<Deadline>,
    /// Whether the deadline inside is the outer one's, as that comes sooner.
    inherited: bool,
    _within: Within,
}

/// Why a checkpoint inside of a frame has failed.
pub(super) enum Trip {
    /// The frame's own deadline had passed.
    Own,
    /// That of an enclosing frame had, which came first.
    Outer(Error),
}

impl Frame {
    pub(super) fn enter(name: Name, limit: Duration, at: Time) -> Self {
        let enter = |current: &RefCell<Option<Deadline>>| {
            let current = &mut *current.borrow_mut();
            let own = Deadline { at, name, limit, tripped: false };
            let sooner =
                current.clone().filter(|outer| outer.at <= at).map(|outer| Deadline { tripped: false, ..outer });
            let inherited = sooner.is_some();
            (current.replace(sooner.unwrap_or(own)), inherited)
        };
        // A thread that is being torn down keeps no deadlines for checkpoints.
        let (outer, inherited) = CURRENT.try_with(enter).unwrap_or((None, false));
        Self { outer, inherited, _within: Within::enter(at) }
    }

    pub(super) fn leave(self) -> Option<Trip> {
        let leave = |current: &RefCell<Option<Deadline>>| {
            let current = current.borrow();
            let Deadline { name, limit, .. } = current.as_ref().filter(|deadline| deadline.tripped)?;
            Some(if self.inherited {
                Trip::Outer(Error::TimedOut { name: name.clone(), limit: *limit })
            } else {
                Trip::Own
            })
        };
        CURRENT.try_with(leave).ok().flatten()
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let outer = self.outer.take();
        let restore = |current: &RefCell<Option<Deadline>>| {
            let current = &mut *current.borrow_mut();
            let inner = mem::replace(current, outer);
            if let (Some(owner), Some(inner)) = (current, inner)
                && self.inherited
            {
                owner.tripped |= inner.tripped;
            }
        };
        // Nothing to restore on a thread that is being torn down.
        let _ = CURRENT.try_with(restore);
    }
}
