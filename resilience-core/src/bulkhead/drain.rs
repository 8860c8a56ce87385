//! Emptying a bulkhead, as before a shutdown: nobody comes in, and those inside finish.

use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};

use super::Bulkhead;
use crate::{
    Name,
    clock::{self, Sleep},
    semaphore::Watched,
};

/// A bulkhead was not empty in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bulkhead `{name}` still has {inside} inside")]
#[non_exhaustive]
pub struct StillInside {
    /// The bulkhead.
    pub name: Name,
    /// Calls inside when the wait ended.
    pub inside: u32,
}

impl Bulkhead {
    /// Lets nobody in from the first poll on, and waits until those inside have left, for at most `deadline`.
    ///
    /// New calls are rejected with [`Error::BulkheadDraining`](crate::Error::BulkheadDraining), and so are those in the
    /// queue, at once: they are not inside yet, and may still go elsewhere. The bulkhead stays so until
    /// [`resume`](Self::resume), whatever comes of the wait. Bulkheads for single values are not drained with it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the wait only; the bulkhead still lets nobody in.
    ///
    /// # Errors
    ///
    /// [`StillInside`] if calls are inside at the deadline, or when the bulkhead is resumed; they are not disturbed.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use resilience_core::Bulkhead;
    ///
    /// let uploads = Bulkhead::named("uploads");
    /// uploads.drain(Duration::from_secs(10)).await?;
    /// assert!(uploads.call(|| Ok::<_, String>(())).is_err());
    /// uploads.resume();
    /// assert!(uploads.call(|| Ok::<_, String>(())).is_ok());
    /// # Ok(()) }
    /// ```
    pub async fn drain(&self, deadline: Duration) -> Result<(), StillInside> {
        self.0.semaphore.close();
        let mut timer = pin!(Sleep::new(deadline));
        let empty = poll_fn(|cx| match self.0.semaphore.watch(cx.waker()) {
            Watched::AllBack => Poll::Ready(true),
            Watched::Open => Poll::Ready(false),
            Watched::Held => timer.as_mut().poll(cx).map(|()| false),
        });
        self.drained(empty.await)
    }

    /// [`drain`](Self::drain) for sync code: blocks the thread while it waits.
    ///
    /// # Errors
    ///
    /// As for [`drain`](Self::drain).
    pub fn drain_blocking(&self, deadline: Duration) -> Result<(), StillInside> {
        self.0.semaphore.close();
        let (until, waker) = (clock::now().after(deadline), clock::thread_waker());
        let mut passed = false;
        loop {
            match self.0.semaphore.watch(&waker) {
                Watched::AllBack => return Ok(()),
                Watched::Held if !passed => passed = clock::park_until(until),
                Watched::Held | Watched::Open => return self.drained(false),
            }
        }
    }

    /// Lets calls in again after a drain. A drain that still waits ends.
    pub fn resume(&self) {
        self.0.semaphore.open();
    }

    fn drained(&self, empty: bool) -> Result<(), StillInside> {
        if empty {
            return Ok(());
        }
        let (inside, _) = self.0.semaphore.held();
        Err(StillInside { name: self.name().clone(), inside })
    }
}
