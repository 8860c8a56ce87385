//! Letting nobody in, and waiting until the last has left.

use std::task::Waker;

use super::Semaphore;
use crate::sync::Ordering;

/// What a watcher sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watched {
    /// Every permit has come back.
    AllBack,
    /// Some are still held; the waker is kept.
    Held,
    /// The semaphore is open again.
    Open,
}

impl Semaphore {
    /// Lets nobody in from now on. Waiters are woken, to see that they are turned away.
    pub(crate) fn close(&self) {
        let queue = self.lock();
        if self.is_closed() {
            return;
        }
        // Relaxed, here and below: whoever relies on it has had the lock since.
        self.closed.store(1, Ordering::Relaxed);
        let wakers: Vec<Waker> = queue.wakers.values().cloned().collect();
        self.change_permits(queue, -i64::from(self.permits()));
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Lets calls in again.
    pub(crate) fn open(&self) {
        let mut queue = self.lock();
        if !self.is_closed() {
            return;
        }
        self.closed.store(0, Ordering::Relaxed);
        let watchers = std::mem::take(&mut queue.watchers);
        self.change_permits(queue, self.permits().into());
        watchers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn is_closed(&self) -> bool {
        // Relaxed: a waiter asks after it had the lock, so it sees what came before; others only name their refusal.
        self.closed.load(Ordering::Relaxed) == 1
    }

    /// Whether every permit of a closed semaphore has come back.
    pub(crate) fn watch(&self, waker: &Waker) -> Watched {
        let mut queue = self.lock();
        if !self.is_closed() {
            return Watched::Open;
        }
        // Acquire: pairs with the Release of `release`; what was done under the permits is seen by who watched.
        if super::Word::unpack(self.word.load(Ordering::Acquire)).available == 0 {
            return Watched::AllBack;
        }
        if !queue.watchers.iter().any(|known| known.will_wake(waker)) {
            queue.watchers.push(waker.clone());
        }
        Watched::Held
    }

    /// The last permit that was held beyond what there is has come back.
    #[cold]
    pub(super) fn debt_is_paid(&self) {
        let watchers = std::mem::take(&mut self.lock().watchers);
        watchers.into_iter().for_each(Waker::wake);
    }
}
