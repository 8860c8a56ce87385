//! A circuit's counts, owned by the threads that count.
//!
//! Each thread adds to cells of its own with a plain load and store, so no call waits for a cache line of another. A
//! reader adds the cells up; since only its owner writes a cell and no cell ever goes away, no addition is lost.

// Not those that loom looks at: a cell has one writer, and what hands the cells out is no part of loom's world.
use std::sync::{
    Mutex, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use thread_local::ThreadLocal;

use crate::sync::lock;

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
pub(super) struct Meter {
    cells: ThreadLocal<Cells>,
    /// Totals at the last reset, which readers take off.
    before: Mutex<Totals>,
}

/// All counts at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals([u64; COUNTS]);

impl Totals {
    pub(super) fn get(self, count: Count) -> u64 {
        self.0[count as usize]
    }
}

/// One thread's counts, in a cache line that no other thread writes.
#[derive(Default)]
#[repr(align(64))]
struct Cells {
    counts: [AtomicU64; COUNTS],
    /// Calls in the window of this epoch: `epoch:25 | calls:39`.
    window: AtomicU64,
    /// Where there is a window of time: see [`Steps`].
    steps: OnceLock<Box<Steps>>,
}

/// One thread's calls in a window of time, by step: `tag:32 | calls:32` each.
#[derive(Default)]
#[repr(align(64))]
struct Steps {
    calls: [AtomicU64; SLOTS],
}

/// Only the owner of a cell writes it, so load and store make an addition.
#[inline]
fn add(cell: &AtomicU64, by: u64) {
    // Relaxed, both: a count orders nothing.
    cell.store(cell.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
}

const CALLS_BITS: u32 = 39;

impl Meter {
    #[inline]
    pub(super) fn count(&self, count: Count) {
        add(&self.cells().counts[count as usize], 1);
    }

    /// The calling thread's cells.
    #[inline]
    fn cells(&self) -> &Cells {
        match self.cells.get() {
            Some(cells) => cells,
            None => self.first_cells(),
        }
    }

    #[cold]
    #[inline(never)]
    fn first_cells(&self) -> &Cells {
        self.cells.get_or_default()
    }

    /// Counts a call that ended, and one more in the window of the last calls.
    #[inline]
    pub(super) fn count_in_window(&self, count: Count, epoch: u32) {
        let cells = self.cells();
        add(&cells.counts[count as usize], 1);
        // Relaxed: only this thread writes the cell.
        let word = cells.window.load(Ordering::Relaxed);
        let next = if word >> CALLS_BITS == u64::from(epoch) { word + 1 } else { u64::from(epoch) << CALLS_BITS | 1 };
        // Release: pairs with the Acquire in `calls_in_window`; see there.
        cells.window.store(next, Ordering::Release);
    }

    /// Calls that ended in this epoch so far.
    pub(super) fn calls_in_window(&self, epoch: u32) -> u64 {
        self.cells
            .iter()
            // Acquire: pairs with the Release in `count_in_window`, so that a reader who sees a thread's later call
            // sees whatever that thread counted before.
            .map(|cells| cells.window.load(Ordering::Acquire))
            .filter(|word| word >> CALLS_BITS == u64::from(epoch))
            .map(|word| word & ((1 << CALLS_BITS) - 1))
            .sum()
    }

    /// Counts a call that ended, and one more in the present step of the window of time.
    #[inline]
    pub(super) fn count_in_step(&self, count: Count, step: Step) {
        let cells = self.cells();
        add(&cells.counts[count as usize], 1);
        let cell = &cells.steps.get_or_init(Box::default).calls[step.slot()];
        // Relaxed and Release: as in `count_in_window`.
        let word = cell.load(Ordering::Relaxed);
        let next = if word >> 32 == step.tag() { word + 1 } else { step.tag() << 32 | 1 };
        cell.store(next, Ordering::Release);
    }

    /// Calls that ended in the window of time whose last step is this one.
    pub(super) fn calls_in_steps(&self, last: Step) -> u64 {
        let steps = last.window();
        self.cells
            .iter()
            .filter_map(|cells| cells.steps.get())
            .flat_map(|own| steps.clone().map(|step| (own.calls[step.slot()].load(Ordering::Acquire), step)))
            .filter(|(word, step)| word >> 32 == step.tag())
            .map(|(word, _)| word & u64::from(u32::MAX))
            .sum()
    }

    fn sum(&self) -> Totals {
        let mut totals = Totals::default();
        for cells in &self.cells {
            for (total, cell) in totals.0.iter_mut().zip(&cells.counts) {
                *total = total.wrapping_add(cell.load(Ordering::Relaxed)); // Relaxed: as in `add`.
            }
        }
        totals
    }

    /// Every count since the last reset.
    pub(super) fn totals(&self) -> Totals {
        let before = *lock(&self.before);
        let mut totals = self.sum();
        for (total, before) in totals.0.iter_mut().zip(before.0) {
            *total = total.wrapping_sub(before);
        }
        totals
    }

    pub(super) fn reset(&self) {
        let mut before = lock(&self.before);
        *before = self.sum();
    }
}

/// A step of a window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// Which window: steps of another one do not count.
    pub(super) key: u64,
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

    /// Tells this step from those that had the same slot before: 8 bits of the window, 24 of the step's number.
    fn tag(self) -> u64 {
        (self.key & 0xFF) << 24 | (self.number / SLOTS as u64) & 0xFF_FFFF
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
