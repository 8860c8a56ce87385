//! A circuit's counts and windows, owned by the threads that count: see [`Counts`].

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use crate::stats::Counts;

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Count {
    Successes,
    Failures,
    Ignored,
    Cancelled,
    Slow,
    Rejected,
    Late,
}

/// As many counts as there are variants of [`Count`].
const COUNTS: usize = 7;
/// Slots for the steps of a window of time, of which there are 11 to 21.
const SLOTS: usize = 32;

#[derive(Default)]
pub(super) struct Meter(Counts<COUNTS, InWindow>);

/// All counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals([u64; COUNTS]);

impl Totals {
    pub(super) fn get(self, count: Count) -> u64 {
        self.0[count as usize]
    }
}

/// One thread's calls in the window.
#[derive(Default)]
struct InWindow {
    /// The epoch that the calls belong to.
    epoch: AtomicU64,
    calls: AtomicU64,
    /// Where there is a window of time: see [`Steps`].
    steps: OnceLock<Box<Steps>>,
}

/// One thread's calls in a window of time, by step.
#[derive(Default)]
#[repr(align(64))]
struct Steps {
    /// The epoch that the calls belong to.
    epoch: AtomicU64,
    /// `turn:32 | calls:32` each; the turn tells a step from those that had the same slot before.
    calls: [AtomicU64; SLOTS],
}

/// Stands for an epoch while a thread changes from one to another.
const NONE: u64 = u64::MAX;

/// Makes a thread's own cells those of this epoch.
#[inline]
fn renew(epoch: &AtomicU64, now: u32, calls: &[AtomicU64]) {
    // Relaxed: only this thread writes the cells.
    if epoch.load(Ordering::Relaxed) != u64::from(now) {
        start(epoch, now, calls);
    }
}

#[cold]
fn start(epoch: &AtomicU64, now: u32, calls: &[AtomicU64]) {
    // SeqCst: a reader who sees calls of the new epoch, or none yet, does not take them for those of the old one.
    epoch.store(NONE, Ordering::SeqCst);
    calls.iter().for_each(|calls| calls.store(0, Ordering::SeqCst));
    epoch.store(u64::from(now), Ordering::SeqCst);
}

impl Meter {
    #[inline]
    pub(super) fn count(&self, count: Count) {
        self.0.increment(count as usize);
    }

    /// Counts a call that ended, and one more in the window of the last calls.
    #[inline]
    pub(super) fn count_in_window(&self, count: Count, epoch: u32) {
        let Some(cells) = self.0.own() else { return self.0.increment_leftover(count as usize) };
        cells.increment(count as usize);
        let InWindow { epoch: own, calls, .. } = &cells.beside;
        renew(own, epoch, std::slice::from_ref(calls));
        // Relaxed: only this thread writes the cell. Release: pairs with the Acquire in `calls_in_window`; see there.
        calls.store(calls.load(Ordering::Relaxed) + 1, Ordering::Release);
    }

    /// Calls that ended in this epoch so far.
    pub(super) fn calls_in_window(&self, epoch: u32) -> u64 {
        let of_epoch = |window: &&InWindow| window.epoch.load(Ordering::SeqCst) == u64::from(epoch);
        // Acquire: pairs with the Release in `count_in_window`, so that a reader who sees a thread's later call sees
        // whatever that thread counted before.
        self.0.beside().filter(of_epoch).map(|window| window.calls.load(Ordering::Acquire)).sum()
    }

    /// Counts a call that ended, and one more in the present step of the window of time.
    #[inline]
    pub(super) fn count_in_step(&self, count: Count, step: Step) {
        let Some(cells) = self.0.own() else { return self.0.increment_leftover(count as usize) };
        cells.increment(count as usize);
        let steps = cells.beside.steps.get_or_init(Box::default);
        renew(&steps.epoch, step.epoch, &steps.calls);
        let cell = &steps.calls[step.slot()];
        // Relaxed and Release: as in `count_in_window`.
        let word = cell.load(Ordering::Relaxed);
        let next = if word >> 32 == step.turn() { word + 1 } else { step.turn() << 32 | 1 };
        cell.store(next, Ordering::Release);
    }

    /// Calls that ended in the window of time whose last step is this one.
    pub(super) fn calls_in_steps(&self, last: Step) -> u64 {
        let steps = last.window();
        self.0
            .beside()
            .filter_map(|window| window.steps.get())
            .filter(|own| own.epoch.load(Ordering::SeqCst) == u64::from(last.epoch))
            .flat_map(|own| steps.clone().map(|step| (own.calls[step.slot()].load(Ordering::Acquire), step)))
            .filter(|(word, step)| word >> 32 == step.turn())
            .map(|(word, _)| word & u64::from(u32::MAX))
            .sum()
    }

    /// Every count since the last reset.
    pub(super) fn totals(&self) -> Totals {
        Totals(self.0.totals())
    }

    pub(super) fn reset(&self) {
        self.0.reset();
    }
}

/// A step of a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Which window: calls of another epoch do not count.
    pub(super) epoch: u32,
    /// Steps since the clock began.
    pub(super) number: u64,
    /// Steps in the window.
    pub(super) steps: u64,
}

impl Step {
    #[allow(clippy::cast_possible_truncation, reason = "below the number of slots")]
    fn slot(self) -> usize {
        self.number as usize % SLOTS
    }

    /// How often the slots were gone through before this step.
    fn turn(self) -> u64 {
        (self.number / SLOTS as u64) & u64::from(u32::MAX)
    }

    /// The number of the step before the window that ends with this one, plus one: 0 if there is none.
    pub(super) fn first(self) -> u64 {
        (self.number + 1).saturating_sub(self.steps)
    }

    /// The steps of the window that ends with this one.
    fn window(self) -> impl Iterator<Item = Self> + Clone {
        (self.first()..=self.number).map(move |number| Self { number, ..self })
    }
}
