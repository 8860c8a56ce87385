//! Waiting for a permit, as a thread or as a future, for no longer than allowed.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use super::{Joined, Semaphore, Ticket};
use crate::{
    clock::{self, Sleep, Time},
    site::Handle,
};

/// A policy with a semaphore inside.
pub(crate) trait Guarded: Clone {
    fn semaphore(&self) -> &Semaphore;
}

/// A permit, which goes back when dropped.
pub(crate) struct Permit<'a, P: Guarded>(Handle<'a, P>);

impl<P: Guarded> Permit<'_, P> {
    #[inline]
    pub(crate) fn owner(&self) -> &P {
        &self.0
    }
}

impl<P: Guarded> Drop for Permit<'_, P> {
    #[inline]
    fn drop(&mut self) {
        self.0.semaphore().release();
    }
}

/// How many may wait, and for how long.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_queue: u32,
    pub(crate) max_wait: Duration,
}

/// A permit, and how long it took; `None` if it was free.
pub(crate) struct Entered<'a, P: Guarded> {
    pub(crate) permit: Permit<'a, P>,
    pub(crate) waited: Option<Duration>,
}

/// No permit, after a wait of that long; `None` if the queue was full.
pub(crate) struct Refused {
    pub(crate) waited: Option<Duration>,
}

/// A call on its way to a permit. Dropping it leaves the queue.
pub(crate) struct Acquire<'a, P: Guarded> {
    owner: Handle<'a, P>,
    queued: Option<Queued>,
}

struct Queued {
    ticket: Ticket,
    since: Time,
    /// Armed by a future only; a thread watches the time itself. Boxed, so that the whole may move.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<'a, P: Guarded> Acquire<'a, P> {
    #[inline]
    pub(crate) fn new(owner: Handle<'a, P>) -> Self {
        Self { owner, queued: None }
    }

    #[inline]
    pub(crate) fn owner(&self) -> &P {
        &self.owner
    }

    /// Takes a permit, or registers the waker and waits.
    #[inline]
    pub(crate) fn poll(&mut self, limits: Limits, cx: &mut Context<'_>) -> Poll<Result<Entered<'a, P>, Refused>> {
        if self.queued.is_none()
            && let Some(out) = self.start(limits.max_queue, || cx.waker().clone())
        {
            return Poll::Ready(out);
        }
        self.poll_queued(limits.max_wait, cx)
    }

    /// Takes a permit, blocking the thread while there is none.
    #[inline]
    pub(crate) fn block(&mut self, limits: Limits) -> Result<Entered<'a, P>, Refused> {
        match self.start(limits.max_queue, clock::thread_waker) {
            Some(out) => out,
            None => self.block_queued(limits.max_wait),
        }
    }

    /// Takes a free permit, or is refused, or else joins the queue.
    #[inline]
    fn start(&mut self, max_queue: u32, waker: impl FnOnce() -> Waker) -> Option<Result<Entered<'a, P>, Refused>> {
        match self.owner.semaphore().take() {
            Ok(()) => Some(Ok(self.entered())),
            Err(word) if word.waiting >= max_queue => Some(Err(Refused { waited: None })),
            Err(_) => self.join(max_queue, waker()),
        }
    }

    #[cold]
    fn join(&mut self, max_queue: u32, waker: Waker) -> Option<Result<Entered<'a, P>, Refused>> {
        // Before the queue: for whoever sees the call in there, its time runs already.
        let since = clock::now();
        match self.owner.semaphore().join(max_queue, waker) {
            Joined::Acquired => Some(Ok(self.entered())),
            Joined::Full => Some(Err(Refused { waited: None })),
            Joined::Queued(ticket) => {
                self.queued = Some(Queued { ticket, since, timer: None });
                None
            }
        }
    }

    #[cold]
    fn poll_queued(&mut self, max_wait: Duration, cx: &mut Context<'_>) -> Poll<Result<Entered<'a, P>, Refused>> {
        if let Some(Queued { ticket, since, timer }) = &mut self.queued
            && !self.owner.semaphore().served(*ticket, cx.waker())
        {
            if self.owner.semaphore().is_closed() {
                return Poll::Ready(self.expired());
            }
            let timer = timer.get_or_insert_with(|| Box::pin(Sleep::until(since.after(max_wait))));
            ready!(timer.as_mut().poll(cx));
            return Poll::Ready(self.expired());
        }
        Poll::Ready(Ok(self.entered()))
    }

    #[cold]
    fn block_queued(&mut self, max_wait: Duration) -> Result<Entered<'a, P>, Refused> {
        let waker = clock::thread_waker();
        let mut passed = false;
        while let Some(Queued { ticket, since, .. }) = &self.queued
            && !self.owner.semaphore().served(*ticket, &waker)
        {
            if passed || self.owner.semaphore().is_closed() {
                return self.expired();
            }
            passed = clock::park_until(since.after(max_wait));
        }
        Ok(self.entered())
    }

    /// Has a permit, be it free or after a wait.
    #[inline]
    fn entered(&mut self) -> Entered<'a, P> {
        let permit = Permit(self.owner.clone());
        Entered { permit, waited: self.waited() }
    }

    /// The time is up, but a permit that was handed over at the last moment is still good.
    fn expired(&mut self) -> Result<Entered<'a, P>, Refused> {
        match &self.queued {
            Some(queued) if self.owner.semaphore().cancel(queued.ticket) => Err(Refused { waited: self.waited() }),
            _ => Ok(self.entered()),
        }
    }

    /// Ends the wait, if there was one.
    #[inline]
    fn waited(&mut self) -> Option<Duration> {
        self.queued.take().map(|queued| clock::now().since(queued.since))
    }
}

impl<P: Guarded> Drop for Acquire<'_, P> {
    #[inline]
    fn drop(&mut self) {
        if let Some(queued) = self.queued.take()
            && !self.owner.semaphore().cancel(queued.ticket)
        {
            // Handed a permit that nobody came back for: the next one gets it.
            self.owner.semaphore().release();
        }
    }
}
