//! A counting semaphore that serves threads and futures in one first-come-first-served queue, without a runtime.
//!
//! All that matters to a call that finds a permit free stands in one atomic word, so it takes no lock. Whoever has to
//! wait leaves a waker in the queue; a permit that comes back goes straight to the first in it, so nobody overtakes.
//! Where permits are taken away that somebody has, the semaphore is in debt, and those that come back first are gone.

mod acquire;
mod closing;
#[cfg(all(test, loom))]
mod interleavings;
#[cfg(all(test, not(loom)))]
mod tests;

use std::{collections::BTreeMap, task::Waker};

pub(crate) use acquire::{Acquire, Entered, Guarded, Limits, Permit, Refused};
pub(crate) use closing::Watched;

use crate::sync::{AtomicU32, AtomicU64, Mutex, MutexGuard, Ordering, unpoisoned};

/// Permits and the queue for them. A permit is free only while nobody waits.
pub(crate) struct Semaphore {
    /// A [`Word`]. The number of waiters changes under the lock of the queue only, and equals its length there.
    word: AtomicU64,
    /// How many permits there are, held ones included. Changes under the lock of the queue only.
    permits: AtomicU32,
    /// 1: nobody is let in. The word then counts as if there were no permits, so those held are a debt. Changes under the
    /// lock of the queue only.
    closed: AtomicU32,
    queue: Mutex<Queue>,
}

/// Who waits, in the order of arrival.
struct Queue {
    next: Ticket,
    wakers: BTreeMap<Ticket, Waker>,
    /// Who waits until the last permit has come back.
    watchers: Vec<Waker>,
}

/// A place in the queue. Once it is no longer in there, its owner has a permit.
type Ticket = u64;

/// What came of going to the queue.
enum Joined {
    Acquired,
    Queued(Ticket),
    Full,
}

/// The state as numbers; these are the only transitions there are. While anybody waits, no permit is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Permits that are free. Below zero: so many are held beyond what there is, and vanish when they come back.
    pub(crate) available: i64,
    /// Waiters in the queue.
    pub(crate) waiting: u32,
}

impl Word {
    /// Bits of the free permits: room for every `u32` on both sides of zero.
    const AVAILABLE_BITS: u32 = 34;
    const ONE_WAITER: u64 = 1 << Self::AVAILABLE_BITS;
    /// As many as the other bits can count, which take more memory than there is.
    const MOST_WAITING: u32 = (1 << (64 - Self::AVAILABLE_BITS)) - 1;

    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "takes the word apart at bit 34")]
    const fn unpack(word: u64) -> Self {
        let unused = 64 - Self::AVAILABLE_BITS;
        // Shifted to the top and back, so that the sign is kept.
        Self { available: ((word << unused) as i64) >> unused, waiting: (word >> Self::AVAILABLE_BITS) as u32 }
    }

    #[allow(clippy::cast_sign_loss, reason = "the sign is among the bits that are kept")]
    const fn pack(self) -> u64 {
        ((self.waiting as u64) << Self::AVAILABLE_BITS) | (self.available as u64 & (Self::ONE_WAITER - 1))
    }

    fn take(self) -> Option<Self> {
        (self.available > 0).then_some(Self { available: self.available - 1, ..self })
    }

    /// The permit pays a debt, or is free; `None` if it belongs to the first in the queue.
    fn give_back(self) -> Option<Self> {
        (self.waiting == 0 || self.available < 0).then_some(Self { available: self.available + 1, ..self })
    }

    /// [`give_back`](Self::give_back), or else one waiter has the permit.
    fn hand_over(self) -> Self {
        self.give_back().unwrap_or(Self { waiting: self.waiting.saturating_sub(1), ..self })
    }

    fn wait(self, max_queue: u32) -> Option<Self> {
        (self.waiting < max_queue.min(Self::MOST_WAITING)).then_some(Self { waiting: self.waiting + 1, ..self })
    }

    /// With so many permits more, or fewer. What is then free goes to the waiters first; the second is how many are served.
    fn resize(self, by: i64) -> (Self, u32) {
        let available = self.available + by;
        let served = u32::try_from(available.max(0)).unwrap_or(u32::MAX).min(self.waiting);
        (Self { available: available - i64::from(served), waiting: self.waiting - served }, served)
    }
}

impl Semaphore {
    pub(crate) fn new(permits: u32) -> Self {
        Self {
            word: AtomicU64::new(Word { available: permits.into(), waiting: 0 }.pack()),
            permits: AtomicU32::new(permits),
            closed: AtomicU32::new(0),
            queue: Mutex::new(Queue { next: 0, wakers: BTreeMap::new(), watchers: Vec::new() }),
        }
    }

    /// Free permits and waiters, as of one moment.
    pub(crate) fn word(&self) -> Word {
        // Relaxed: for looking at only.
        Word::unpack(self.word.load(Ordering::Relaxed))
    }

    /// How many permits there are, held ones included.
    pub(crate) fn permits(&self) -> u32 {
        // Relaxed: for looking at only.
        self.permits.load(Ordering::Relaxed)
    }

    /// Permits that are held, and waiters, as of one moment.
    pub(crate) fn held(&self) -> (u32, u32) {
        // Under the lock, so that the two numbers belong together.
        let queue = self.lock();
        let (permits, word) = (self.permits_in_force(&queue), self.word());
        (u32::try_from(i64::from(permits) - word.available).unwrap_or(0), word.waiting)
    }

    /// Changes how many permits there are. New ones go to the waiters first, in their order; of those that are held, none
    /// is taken away: so many fewer come back.
    pub(crate) fn resize(&self, permits: u32) {
        let queue = self.lock();
        let before = self.permits_in_force(&queue);
        // Relaxed: as in `permits`; others that change it have the lock.
        self.permits.store(permits, Ordering::Relaxed);
        let by = i64::from(self.permits_in_force(&queue)) - i64::from(before);
        self.change_permits(queue, by);
    }

    /// As many as the word counts with.
    fn permits_in_force(&self, _: &MutexGuard<'_, Queue>) -> u32 {
        if self.is_closed() { 0 } else { self.permits() }
    }

    fn change_permits(&self, mut queue: MutexGuard<'_, Queue>, by: i64) {
        // AcqRel: pairs with the Release of `release`, since a permit that paid a debt may be what a waiter now gets by
        // way of the lock, and with the Acquire of `take`. The update always yields a value, so it cannot fail.
        let (Ok(before) | Err(before)) = self.update(Ordering::AcqRel, |word| Some(word.resize(by).0));
        let (_, served) = before.resize(by);
        let wakers: Vec<Waker> = (0..served).map_while(|_| queue.wakers.pop_first()).map(|(_, waker)| waker).collect();
        // Unlocked first: as in `hand_over`.
        drop(queue);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Locks the queue, which is valid between statements even if a panic came between them.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        unpoisoned(self.queue.lock())
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
            Ok(_) if self.is_closed() => {
                // Relaxed: as in `cancel`.
                self.word.fetch_sub(Word::ONE_WAITER, Ordering::Relaxed);
                Joined::Full
            }
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
        match self.update(Ordering::Release, Word::give_back) {
            Ok(before) if before.available == -1 => self.debt_is_paid(),
            Ok(_) => {}
            Err(_) => self.hand_over(),
        }
    }

    #[cold]
    fn hand_over(&self) {
        let mut queue = self.lock();
        // By the lock the waiters are those in the queue, but a debt may have come up, or the last waiter may have left.
        // AcqRel: as in `change_permits`, for a permit that paid a debt before this one came back. It cannot fail, as there.
        let (Ok(before) | Err(before)) = self.update(Ordering::AcqRel, |word| Some(word.hand_over()));
        if before.give_back().is_none()
            && let Some((_, waker)) = queue.wakers.pop_first()
        {
            // The permit changes hands by way of the lock, which the waiter takes to see that it is served.
            // Unlocked first: the waker is foreign code, and may poll the waiter right here.
            drop(queue);
            waker.wake();
        } else if before.available == -1 {
            drop(queue);
            self.debt_is_paid();
        }
    }
}
