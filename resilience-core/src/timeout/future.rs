//! The limit on a future. Costs one read of the clock while the work is ready at its first poll; the timer is armed, in
//! place and without allocating, when the work first has to wait.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::task::coop::unconstrained;

use super::{Timeout, deadline::Within};
use crate::{
    Failure,
    clock::{self, Sleep},
    site::Handle,
};

/// Runs a future under a limit that counts from its first poll.
#[inline]
pub(crate) fn run<F>(timeout: Handle<'_, Timeout>, limit: Duration, work: F) -> Run<'_, F> {
    Run { timeout, limit, work: Some(work), timer: None }
}

pin_project_lite::pin_project! {
    /// A future under a limit. Not covered by semver.
    #[doc(hidden)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Run<'a, F> {
        timeout: Handle<'a, Timeout>,
        limit: Duration,
        // `None` once it was dropped at the limit.
        #[pin]
        work: Option<F>,
        // `None` before the first poll.
        #[pin]
        timer: Option<Sleep>,
    }
}

impl<F, T, E> Future for Run<'_, F>
where
    F: Future<Output = Result<T, Failure<E>>>,
{
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if this.timer.is_none() {
            this.timeout.statistics().calls.increment();
            this.timer.set(Some(Sleep::until(clock::now().after(*this.limit))));
        }
        if let Some(work) = this.work.as_mut().as_pin_mut() {
            let within = this.timer.as_ref().get_ref().as_ref().map(|timer| Within::enter(timer.end()));
            if let Poll::Ready(out) = work.poll(cx) {
                return Poll::Ready(out);
            }
            drop(within);
        }
        // Unconstrained: work that uses up its task's budget at every poll would else keep the timer from ever firing.
        if let Some(timer) = this.timer.as_pin_mut()
            && Pin::new(&mut unconstrained(timer)).poll(cx).is_pending()
        {
            return Poll::Pending;
        }
        // Dropped here and not with `self`: the caller may hold on to us while it acts on the error.
        this.work.set(None);
        Poll::Ready(Err(Failure::Rejected(this.timeout.timed_out(*this.limit))))
    }
}
