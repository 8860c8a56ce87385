//! A counting semaphore that serves threads and futures in one first-come-first-served queue, without a runtime.
//!
//! All that matters to a call that finds a permit free stands in one atomic word, so it takes no lock. Whoever has to
//! wait leaves a waker in the queue; a permit that comes back goes straight to the first in it, so nobody overtakes.

mod acquire;
#[cfg(all(test, loom))]
mod interleavings;
#[cfg(all(test, not(loom)))]
mod tests;

use std::{collections::BTreeMap, sync::PoisonError, task::Waker};

pub(crate) use acquire::{Acquire, Entered, Guarded, Limits, Permit, Refused};

use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering};

/// Permits and the queue for them. A permit is free only while nobody waits.
pub struct Semaphore {
    /// A [`Word`]. The number of waiters changes under the lock of the queue only, and equals its length there.
    word: AtomicU64,
    queue: Mutex<Queue>,
}

/// Who waits, in the order of arrival.
struct Queue {
    next: Ticket,
    wakers: BTreeMap<Ticket, Waker>,
}

/// A place in the queue. Once it is no longer in there, its owner has a permit.
type Ticket = u64;

/// What came of going to the queue.
enum Joined {
    Acquired,
    Queued(Ticket),
    Full,
}

/// The state as numbers; these are the only transitions there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Permits that are free.
    pub(crate) available: u32,
    /// Waiters in the queue.
    pub(crate) waiting: u32,
}

impl Word {
    const ONE_WAITER: u64 = 1 << 32;

    #[allow(clippy::cast_possible_truncation, reason = "takes the word apart at bit 32")]
    const fn unpack(word: u64) -> Self {
        Self { available: word as u32, waiting: (word >> 32) as u32 }
    }

    const fn pack(self) -> u64 {
        ((self.waiting as u64) << 32) | self.available as u64
    }

    fn take(self) -> Option<Self> {
        Some(Self { available: self.available.checked_sub(1)?, ..self })
    }

    fn give_back(self) -> Option<Self> {
        (self.waiting == 0).then_some(Self { available: self.available + 1, ..self })
    }

    fn wait(self, max_queue: u32) -> Option<Self> {
        (self.waiting < max_queue).then_some(Self { waiting: self.waiting + 1, ..self })
    }
}

impl Semaphore {
    pub(crate) fn new(permits: u32) -> Self {
        Self {
            word: AtomicU64::new(Word { available: permits, waiting: 0 }.pack()),
            queue: Mutex::new(Queue { next: 0, wakers: BTreeMap::new() }),
        }
    }

    /// Free permits and waiters, as of one moment.
    pub(crate) fn word(&self) -> Word {
        // Relaxed: for looking at only.
        Word::unpack(self.word.load(Ordering::Relaxed))
    }

    /// Locks the queue, which is valid between statements even if a panic came between them.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies a transition; gives the word before it, or the one that does not allow it.
    #[inline]
    fn update(&self, success: Ordering, transition: impl Fn(Word) -> Option<Word>) -> Result<Word, Word> {
        self.word
            // Relaxed on failure: what was read is tried again, or decides a refusal, and guards no data.
            .fetch_update(success, Ordering::Relaxed, |word| transition(Word::unpack(word)).map(Word::pack))
            .map(Word::unpack)
            .map_err(Word::unpack)
    }

    /// Takes a free permit; gives the word that has none otherwise.
    #[inline]
    fn take(&self) -> Result<(), Word> {
        // Acquire: pairs with the Release of `release`; what was done under the permit is seen by the next to have it.
        self.update(Ordering::Acquire, Word::take).map(|_| ())
    }

    /// Takes a place in the queue if fewer than that many wait in it, or a permit if one has come back meanwhile.
    fn join(&self, max_queue: u32, waker: Waker) -> Joined {
        let mut queue = self.lock();
        // Acquire: as in `take`.
        match self.update(Ordering::Acquire, |word| word.take().or_else(|| word.wait(max_queue))) {
            Ok(before) if before.available > 0 => Joined::Acquired,
            Ok(_) => {
                let ticket = queue.next;
                queue.next += 1;
                queue.wakers.insert(ticket, waker);
                Joined::Queued(ticket)
            }
            Err(_) => Joined::Full,
        }
    }

    /// Whether the ticket has been served; keeps the waker if it has not.
    fn served(&self, ticket: Ticket, waker: &Waker) -> bool {
        let mut waker = waker.clone();
        match self.lock().wakers.get_mut(&ticket) {
            Some(known) => std::mem::swap(known, &mut waker),
            None => return true,
        }
        // The old waker is dropped here, after the lock: it is foreign code.
        false
    }

    /// Leaves the queue; `false` if the ticket has been served, so that its owner has a permit to use or to release.
    #[must_use]
    fn cancel(&self, ticket: Ticket) -> bool {
        let mut queue = self.lock();
        let waker = queue.wakers.remove(&ticket);
        if waker.is_some() {
            // Relaxed: the count is changed, and relied upon, under the lock.
            self.word.fetch_sub(Word::ONE_WAITER, Ordering::Relaxed);
        }
        // Unlocked before the waker is dropped: it is foreign code.
        drop(queue);
        waker.is_some()
    }

    /// Gives a permit back: to the first in the queue if there is one.
    #[inline]
    fn release(&self) {
        // Release: pairs with the Acquire of `take` and `join`.
        if self.update(Ordering::Release, Word::give_back).is_err() {
            self.hand_over();
        }
    }

    #[cold]
    fn hand_over(&self) {
        let mut queue = self.lock();
        match queue.wakers.pop_first() {
            Some((_, waker)) => {
                // Relaxed: the permit changes hands by way of the lock, which the waiter takes to see that it is served.
                self.word.fetch_sub(Word::ONE_WAITER, Ordering::Relaxed);
                // Unlocked first: the waker is foreign code, and may poll the waiter right here.
                drop(queue);
                waker.wake();
            }
            // The last waiter left before the lock was ours. Release: as in `release`.
            None => {
                self.word.fetch_add(1, Ordering::Release);
            }
        }
    }
}
