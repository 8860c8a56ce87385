//! What every contender protects: a function that costs next to nothing, so that the protection is what is measured.

use std::{
    error::Error,
    fmt,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

/// The error of the work: a word, like its value, so that a result travels in two registers and nobody is charged for
/// how it is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault(u64);

impl Fault {
    /// The service failed.
    const SERVICE: Self = Self(500);
    /// The service was not asked, or not waited for.
    pub(crate) const REFUSED: Self = Self(503);
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.0)
    }
}

impl Error for Fault {}

impl From<resilience::Error> for Fault {
    fn from(_: resilience::Error) -> Self {
        Self::REFUSED
    }
}

/// The bare function. It is not inlined, so that no contender is optimised together with it.
#[inline(never)]
pub(crate) fn work(n: u64) -> Result<u64, Fault> {
    if n == u64::MAX { Err(Fault::SERVICE) } else { Ok(n) }
}

/// Fails always.
pub(crate) fn failing() -> Result<u64, Fault> {
    work(u64::MAX)
}

/// A future that is ready at its first poll.
pub(crate) async fn ready(n: u64) -> Result<u64, Fault> {
    work(n)
}

/// A future that is pending at its first poll, wakes itself, and is ready at its second.
pub(crate) async fn pending_once(n: u64) -> Result<u64, Fault> {
    Yield { yielded: false }.await;
    work(n)
}

struct Yield {
    yielded: bool,
}

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The executor of every async contender: polls until ready, with a waker that does nothing.
#[inline]
pub(crate) fn complete<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(out) = future.as_mut().poll(&mut cx) {
            return out;
        }
    }
}
