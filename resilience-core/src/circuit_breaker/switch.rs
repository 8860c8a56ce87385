//! A circuit's machine behind atomics: the machine in one word, the end of its phase in another.
//!
//! Admission to a closed circuit, the settlement of a success and the rejection by an open or fully probed one only read.
//! Failures of a closed circuit are counted by compare-and-exchange, under a lock of their own where there is a window. Changes
//! of phase and the coming and going of probes are
//! rare and take a lock, so that the word, the end, the probes' leases and the history change together.

use std::time::Duration;

use super::{journal::Journal, machine::Machine, trial::Trial};
use crate::{
    clock::Time,
    sync::{AtomicU64, Mutex, MutexGuard, Ordering, unpoisoned},
};

pub(super) struct Switch {
    word: AtomicU64,
    /// A [`PhaseEnd`].
    end: AtomicU64,
    details: Mutex<Details>,
}

/// What changes together with the phase.
pub(super) struct Details {
    pub(super) journal: Journal,
    pub(super) trial: Trial,
}

impl Switch {
    pub(super) fn new(start: Machine, journal: Journal) -> Self {
        Self {
            word: AtomicU64::new(start.pack()),
            end: AtomicU64::new(0),
            details: Mutex::new(Details { journal, trial: Trial::default() }),
        }
    }

    /// The packed machine.
    #[inline]
    pub(super) fn word(&self) -> u64 {
        self.word.load(Ordering::SeqCst)
    }

    pub(super) fn machine(&self) -> Machine {
        Machine::unpack(self.word())
    }

    /// The machine with the end of its phase.
    pub(super) fn now_and_end(&self) -> (Machine, Time) {
        let machine = self.machine();
        let end = PhaseEnd(self.end.load(Ordering::SeqCst));
        if end.belongs_to(machine.epoch) {
            return (machine, end.time());
        }
        // Read in the midst of a change of phase: whoever changes it holds the lock until both words agree.
        let _details = self.details();
        self.now_and_end_locked()
    }

    /// As [`now_and_end`](Self::now_and_end), for a caller that holds the lock.
    pub(super) fn now_and_end_locked(&self) -> (Machine, Time) {
        (self.machine(), PhaseEnd(self.end.load(Ordering::SeqCst)).time())
    }

    /// Makes the machine `to`; `false` if it is no longer `from`. Where the phase or the probes change, the caller holds
    /// the lock and sets the end.
    pub(super) fn replace(&self, from: Machine, to: Machine) -> bool {
        self.word.compare_exchange(from.pack(), to.pack(), Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Sets the end of an epoch's phase, under the lock.
    pub(super) fn set_end(&self, epoch: u32, end: Time) {
        self.end.store(PhaseEnd::new(epoch, end).0, Ordering::SeqCst);
    }

    pub(super) fn details(&self) -> MutexGuard<'_, Details> {
        unpoisoned(self.details.lock())
    }
}

/// The end of a phase that does not end by itself.
pub(super) const NEVER: Time = Time::from_nanos(PhaseEnd::TIME_MASK);

/// Time until the end of a phase; [`Duration::MAX`] if it does not end by itself.
pub(super) fn time_left(ends: Time, now: Time) -> Duration {
    if ends >= NEVER { Duration::MAX } else { ends.since(now) }
}

/// A time, tagged with the epoch it belongs to: `epoch:4 | nanoseconds:60`, good for 36 years.
///
/// The tag tells the end of this phase from that of the one before, which is all that a reader can mistake it for: the
/// next change waits for the lock that this one holds until the end is written.
#[derive(Clone, Copy)]
struct PhaseEnd(u64);

impl PhaseEnd {
    const TIME_BITS: u32 = 60;
    const TIME_MASK: u64 = (1 << Self::TIME_BITS) - 1;

    fn new(epoch: u32, time: Time) -> Self {
        Self(u64::from(epoch) << Self::TIME_BITS | time.nanos().min(Self::TIME_MASK))
    }

    fn time(self) -> Time {
        Time::from_nanos(self.0 & Self::TIME_MASK)
    }

    fn belongs_to(self, epoch: u32) -> bool {
        self.0 >> Self::TIME_BITS == u64::from(epoch) & 0xF
    }
}
