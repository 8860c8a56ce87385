//! The shape that circuit breaker, bulkhead and contention share: ask to enter, run, leave with what happened.
//!
//! A permit that is dropped instead of left is a call that was cancelled.

use std::{
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{Error, Failure};

/// Decides whether a call may enter.
pub trait Gate: Unpin {
    /// What a call inside holds.
    type Permit: Permit + Unpin;

    /// Enters, or registers the waker and waits for a place.
    fn poll_enter(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Permit, Error>>;

    /// Enters, blocking the thread while there is no place.
    fn enter_blocking(self) -> Result<Self::Permit, Error>;
}

/// Held while a call is inside. Dropping it means that the call was cancelled.
pub trait Permit: Sized {
    /// The work panicked.
    fn panicked(self);
}

/// A permit that learns from the result of the work.
pub trait Leave<E>: Permit {
    /// The work returned.
    fn leave<T>(self, out: &Result<T, Failure<E>>);
}

/// Runs sync work behind a gate.
#[inline]
pub(crate) fn call<G, T, E>(gate: G, work: impl FnOnce() -> Result<T, Failure<E>>) -> Result<T, Failure<E>>
where
    G: Gate,
    G::Permit: Leave<E>,
{
    let inside = Inside(Some(gate.enter_blocking().map_err(Failure::Rejected)?));
    let out = work();
    if let Some(permit) = inside.disarm() {
        permit.leave(&out);
    }
    out
}

/// A permit around code that may panic.
struct Inside<P: Permit>(Option<P>);

impl<P: Permit> Inside<P> {
    #[inline]
    fn disarm(mut self) -> Option<P> {
        self.0.take()
    }
}

impl<P: Permit> Drop for Inside<P> {
    #[inline]
    fn drop(&mut self) {
        if let Some(permit) = self.0.take() {
            permit.panicked();
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
        // Before the stage: work that is dropped is gone when its permit comes back.
        #[pin]
        work: F,
        stage: Stage<G, G::Permit>,
    }
}

enum Stage<G, P> {
    Entering(G),
    Inside(P),
    Done,
}

impl<G: Gate, F> Run<G, F> {
    #[inline]
    pub(crate) fn new(gate: G, work: F) -> Self {
        Self { work, stage: Stage::Entering(gate) }
    }
}

impl<G, F, T, E> Future for Run<G, F>
where
    G: Gate,
    G::Permit: Leave<E>,
    F: Future<Output = Result<T, Failure<E>>>,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let permit = match mem::replace(this.stage, Stage::Done) {
            Stage::Inside(permit) => permit,
            Stage::Entering(mut gate) => match gate.poll_enter(cx) {
                Poll::Ready(Ok(permit)) => permit,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Failure::Rejected(error))),
                Poll::Pending => {
                    *this.stage = Stage::Entering(gate);
                    return Poll::Pending;
                }
            },
            // Polled after completion: whatever the work says to that.
            Stage::Done => return this.work.poll(cx),
        };
        let inside = Inside(Some(permit));
        let polled = this.work.poll(cx);
        let permit = inside.disarm();
        match (polled, permit) {
            (Poll::Ready(out), Some(permit)) => {
                permit.leave(&out);
                Poll::Ready(out)
            }
            (Poll::Pending, Some(permit)) => {
                *this.stage = Stage::Inside(permit);
                Poll::Pending
            }
            (polled, None) => polled,
        }
    }
}
