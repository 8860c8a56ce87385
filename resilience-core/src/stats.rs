//! Counters behind the snapshots.

// Not those that loom looks at: a cell has one writer, and what hands the cells out is no part of loom's world.
use std::{
    cell::Cell,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use thread_local::ThreadLocal;

use crate::sync::lock;

/// A count that loses nothing, however many threads add to it.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, by: u64) {
        // Relaxed: a count orders nothing; readers see each addition once the threads' other synchronisation does.
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    pub(crate) fn increment(&self) {
        self.add(1);
    }

    pub(crate) fn get(&self) -> u64 {
        // Relaxed: as in `add`.
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn reset(&self) {
        // Relaxed: as in `add`.
        self.0.store(0, Ordering::Relaxed);
    }
}

/// The largest value seen.
#[derive(Debug, Default)]
pub(crate) struct Maximum(AtomicU64);

impl Maximum {
    pub(crate) fn record(&self, value: u64) {
        // Relaxed: as in `Counter::add`.
        self.0.fetch_max(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        // Relaxed: as in `Counter::add`.
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn reset(&self) {
        // Relaxed: as in `Counter::add`.
        self.0.store(0, Ordering::Relaxed);
    }
}

/// Counts that belong to the threads that count.
///
/// Each thread adds to cells of its own with a plain load and store, so no call waits for a cache line of another. A
/// reader adds the cells up; since only its owner writes a cell and no cell ever goes away, no addition is lost.
///
/// `X` is whatever else a thread keeps beside its counts.
pub(crate) struct Counts<const N: usize, X: Send = ()> {
    cells: ThreadLocal<Cells<N, X>>,
    /// Counts of threads that are being torn down, and have no cells any more.
    leftover: [AtomicU64; N],
    /// Totals at the last reset, which readers take off.
    before: Mutex<[u64; N]>,
}

fn zeros<const N: usize>() -> [AtomicU64; N] {
    std::array::from_fn(|_| AtomicU64::new(0))
}

thread_local! {
    /// Whether this thread is being torn down: asking for its cells would then panic. Has no destructor of its own.
    static GONE: Cell<bool> = const { Cell::new(false) };
    static TEARDOWN: Teardown = const { Teardown };
}

struct Teardown;

impl Drop for Teardown {
    fn drop(&mut self) {
        GONE.set(true);
    }
}

/// One thread's counts, in a cache line that no other thread writes.
#[repr(align(64))]
pub(crate) struct Cells<const N: usize, X> {
    counts: [AtomicU64; N],
    pub(crate) beside: X,
}

impl<const N: usize, X: Send + Default> Default for Counts<N, X> {
    fn default() -> Self {
        Self { cells: ThreadLocal::new(), leftover: zeros(), before: Mutex::new([0; N]) }
    }
}

impl<const N: usize, X> Cells<N, X> {
    #[inline]
    pub(crate) fn increment(&self, count: usize) {
        let cell = &self.counts[count];
        // Relaxed, both: a count orders nothing. Only the owner of a cell writes it, so load and store make an addition.
        cell.store(cell.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }
}

impl<const N: usize, X: Send + Sync + Default> Counts<N, X> {
    #[inline]
    pub(crate) fn increment(&self, count: usize) {
        match self.own() {
            Some(cells) => cells.increment(count),
            None => self.increment_leftover(count),
        }
    }

    /// Counts for a thread without cells.
    #[cold]
    pub(crate) fn increment_leftover(&self, count: usize) {
        // Relaxed: as in `Counter::add`.
        self.leftover[count].fetch_add(1, Ordering::Relaxed);
    }

    /// The calling thread's cells; `None` while it is being torn down.
    #[inline]
    pub(crate) fn own(&self) -> Option<&Cells<N, X>> {
        if GONE.get() {
            return None;
        }
        match self.cells.get() {
            Some(cells) => Some(cells),
            None => Some(self.first()),
        }
    }

    #[cold]
    #[inline(never)]
    fn first(&self) -> &Cells<N, X> {
        let cells = self.cells.get_or(|| Cells { counts: zeros(), beside: X::default() });
        // After the cells, so that it goes before what hands them out.
        let _ = TEARDOWN.try_with(|_| ());
        cells
    }

    /// What each thread keeps beside its counts.
    pub(crate) fn beside(&self) -> impl Iterator<Item = &X> {
        self.cells.iter().map(|cells| &cells.beside)
    }

    /// Every count since the beginning.
    pub(crate) fn sums(&self) -> [u64; N] {
        // Relaxed: as in `Counter::add`.
        let mut sums = std::array::from_fn(|count| self.leftover[count].load(Ordering::Relaxed));
        for cells in &self.cells {
            for (sum, cell) in sums.iter_mut().zip(&cells.counts) {
                *sum = sum.wrapping_add(cell.load(Ordering::Relaxed)); // Relaxed: as in `Cells::increment`.
            }
        }
        sums
    }

    /// Every count since the last reset.
    pub(crate) fn totals(&self) -> [u64; N] {
        let before = *lock(&self.before);
        let mut totals = self.sums();
        for (total, before) in totals.iter_mut().zip(before) {
            *total = total.wrapping_sub(before);
        }
        totals
    }

    pub(crate) fn reset(&self) {
        let mut before = lock(&self.before);
        *before = self.sums();
    }
}
