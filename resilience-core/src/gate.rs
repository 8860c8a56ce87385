//! The shape that circuit breaker, bulkhead and contention share: ask to enter, run, leave with what happened.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{Error, Failure};

/// Decides whether one call may enter, and takes in how it ends.
pub trait Gate: Unpin {
    /// What a call inside holds.
    type Permit: Unpin;

    /// Enters if that needs no wait and no thought. Apart from the rest, so that this way stays in registers.
    #[inline]
    fn enter_at_once(&mut self) -> Option<Self::Permit> {
        None
    }

    /// Enters, or registers the waker and waits for a place.
    fn poll_enter(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Permit, Error>>;

    /// Enters, blocking the thread while there is no place.
    fn enter_blocking(&mut self) -> Result<Self::Permit, Error>;

    /// The work ended without a result.
    fn abandon(&self, permit: Self::Permit, end: Abandoned);
}

/// How work ends without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abandoned {
    Panicked,
    /// Its future was dropped.
    Cancelled,
}

/// A gate that learns from the result of the work.
pub trait Judge<E>: Gate {
    /// The work returned, with this failure if it did fail.
    fn leave(&self, permit: Self::Permit, failure: Option<&Failure<E>>);
}

/// Runs sync work behind a gate.
#[inline]
pub(crate) fn call<G, T, E>(mut gate: G, work: impl FnOnce() -> Result<T, Failure<E>>) -> Result<T, Failure<E>>
where
    G: Judge<E>,
{
    let permit = match gate.enter_at_once() {
        Some(permit) => permit,
        None => match gate.enter_blocking() {
            Ok(permit) => permit,
            Err(error) => return Err(Failure::Rejected(error)),
        },
    };
    let inside = Inside { gate: &gate, permit: Some(permit) };
    // Taken apart and put together again: moved as a whole, a large `Result` would be copied through memory.
    match work() {
        Ok(value) => {
            inside.leave(None);
            Ok(value)
        }
        Err(failure) => {
            inside.leave(Some(&failure));
            Err(failure)
        }
    }
}

/// A permit around code that may panic.
struct Inside<'g, G: Gate> {
    gate: &'g G,
    permit: Option<G::Permit>,
}

impl<G: Gate> Inside<'_, G> {
    #[inline]
    fn disarm(mut self) -> Option<G::Permit> {
        self.permit.take()
    }

    #[inline]
    fn leave<E>(self, failure: Option<&Failure<E>>)
    where
        G: Judge<E>,
    {
        let gate = self.gate;
        if let Some(permit) = self.disarm() {
            gate.leave(permit, failure);
        }
    }
}

impl<G: Gate> Drop for Inside<'_, G> {
    #[inline]
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.gate.abandon(permit, Abandoned::Panicked);
        }
    }
}

pin_project_lite::pin_project! {
    /// Runs a future behind a gate, which it enters when it is first polled.
    ///
    /// # Cancel safety
    ///
    /// Dropping it drops the work first and then gives the permit back, or takes the call out of the queue.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Run<G: Gate, F> {
        // `None` once it was dropped together with its permit.
        #[pin]
        work: Option<F>,
        gate: G,
        stage: Stage<G::Permit>,
    }

    impl<G: Gate, F> PinnedDrop for Run<G, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Stage::Inside(permit) = mem::replace(this.stage, Stage::Done) {
                // Work that is dropped is gone when its permit comes back.
                this.work.set(None);
                this.gate.abandon(permit, Abandoned::Cancelled);
            }
        }
    }
}

enum Stage<P> {
    Entering,
    Inside(P),
    Done,
}

impl<G: Gate, F> Run<G, F> {
    #[inline]
    pub(crate) fn new(gate: G, work: F) -> Self {
        Self { work: Some(work), gate, stage: Stage::Entering }
    }
}

impl<G, F, T, E> Future for Run<G, F>
where
    G: Judge<E>,
    F: Future<Output = Result<T, Failure<E>>>,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        // Done while the work runs: if it panics, the permit is given back by `Inside` and not once more by `drop`.
        let permit = match mem::replace(this.stage, Stage::Done) {
            Stage::Inside(permit) => Some(permit),
            Stage::Entering => match this.gate.enter_at_once() {
                Some(permit) => Some(permit),
                None => match this.gate.poll_enter(cx) {
                    Poll::Ready(Ok(permit)) => Some(permit),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(Failure::Rejected(error))),
                    Poll::Pending => {
                        *this.stage = Stage::Entering;
                        return Poll::Pending;
                    }
                },
            },
            // Polled after completion: whatever the work says to that.
            Stage::Done => None,
        };
        let Some(work) = this.work.as_mut().as_pin_mut() else { return Poll::Pending };
        let inside = Inside { gate: &*this.gate, permit };
        match work.poll(cx) {
            Poll::Ready(Ok(value)) => {
                inside.leave(None);
                Poll::Ready(Ok(value))
            }
            Poll::Ready(Err(failure)) => {
                inside.leave(Some(&failure));
                Poll::Ready(Err(failure))
            }
            Poll::Pending => {
                if let Some(permit) = inside.disarm() {
                    *this.stage = Stage::Inside(permit);
                }
                Poll::Pending
            }
        }
    }
}
