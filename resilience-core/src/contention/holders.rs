//! Who holds a resource, and since when: a table of atomic slots, so that taking and giving back needs no lock.
//!
//! Slots come in chunks that double in size and are made when first needed, so a huge limit costs nothing; a slot that
//! was given back is the next to be taken. The semaphore sees to it that no more are taken than the limit says.

use std::{array, sync::OnceLock};

use super::origin::OriginId;
use crate::{
    Holder,
    clock::{self, Time},
    sync::{AtomicU32, AtomicU64, Ordering},
};

/// Slots in the first chunk, which is made with the table.
const FIRST: usize = 8;
/// Enough for a slot of every `u32`: 8 + 16 + 32 + ...
const CHUNKS: usize = 30;

/// The table of one resource.
pub(super) struct Holders {
    chunks: [OnceLock<Box<[Slot]>>; CHUNKS],
    /// How many slots were ever taken.
    used: AtomicU32,
    /// The free slots among those, as a stack: {times changed: 32 | top: 32}. The times keep a change from going
    /// unnoticed that puts the same slot on top of others than before.
    free: AtomicU64,
}

/// One hold.
#[derive(Default)]
struct Slot {
    /// Who; 0 if nobody.
    origin: AtomicU32,
    /// Since when, in nanoseconds by the clock.
    since: AtomicU64,
    /// While free: the slot below on the stack, as in `Holders::free`.
    below: AtomicU32,
}

/// A slot by its number from 1; 0 stands for none.
#[derive(Clone, Copy)]
pub(super) struct SlotId(u32);

impl Holders {
    pub(super) fn new() -> Self {
        let holders =
            Self { chunks: array::from_fn(|_| OnceLock::new()), used: AtomicU32::new(0), free: AtomicU64::new(0) };
        holders.chunk(0);
        holders
    }

    /// Enters a holder from now on.
    #[inline]
    pub(super) fn take(&self, origin: OriginId) -> SlotId {
        let id = self.pop().unwrap_or_else(|| {
            // Relaxed: only has to be unique.
            SlotId(self.used.fetch_add(1, Ordering::Relaxed) + 1)
        });
        let slot = self.slot(id);
        // Release, both: a reader who sees the new time sees that the last holder has gone, and one who sees the new
        // holder sees its time.
        slot.since.store(clock::now().nanos(), Ordering::Release);
        slot.origin.store(origin.number(), Ordering::Release);
        id
    }

    /// Strikes a holder out.
    #[inline]
    pub(super) fn give_back(&self, id: SlotId) {
        // Relaxed: the next holder of the slot comes by way of the stack.
        self.slot(id).origin.store(0, Ordering::Relaxed);
        self.push(id);
    }

    /// The holders at this moment; one that comes or goes meanwhile may be missing.
    pub(super) fn list(&self) -> Vec<Holder> {
        let now = clock::now();
        let slots = self.chunks.iter().map_while(OnceLock::get).flatten();
        slots
            .filter_map(Slot::read)
            .map(|(origin, since)| Holder { function: origin.name(), held_for: now.since(since) })
            .collect()
    }

    #[inline]
    fn pop(&self) -> Option<SlotId> {
        // AcqRel: pairs with `push`, which wrote what is below, and passes on what the last holder wrote.
        self.free
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| {
                let top = top(free);
                // Another thread may pop this slot right now and push it again later; the count then tells.
                (top.0 != 0).then(|| next(free, self.slot(top).below.load(Ordering::Relaxed)))
            })
            .ok()
            .map(top)
    }

    #[inline]
    fn push(&self, id: SlotId) {
        let below = &self.slot(id).below;
        // AcqRel: pairs with `pop`. The update always yields a value, so it cannot fail.
        let _ = self.free.fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| {
            below.store(top(free).0, Ordering::Relaxed);
            Some(next(free, id.0))
        });
    }

    #[inline]
    fn slot(&self, id: SlotId) -> &Slot {
        // Chunk k holds FIRST << k slots, and as many as that, less FIRST, lie before it.
        let n = id.0 as usize - 1 + FIRST;
        let k = n.ilog2() - FIRST.ilog2();
        &self.chunk(k as usize)[n - (FIRST << k)]
    }

    #[inline]
    fn chunk(&self, k: usize) -> &[Slot] {
        self.chunks[k].get_or_init(|| (0..FIRST << k).map(|_| Slot::default()).collect())
    }
}

#[allow(clippy::cast_possible_truncation, reason = "takes the word apart at bit 32")]
const fn top(free: u64) -> SlotId {
    SlotId(free as u32)
}

/// The stack after one more change.
const fn next(free: u64, top: u32) -> u64 {
    let times = (free >> 32).wrapping_add(1);
    (times << 32) | top as u64
}

impl Slot {
    fn read(&self) -> Option<(OriginId, Time)> {
        // Acquire, both: pairs with `take`.
        let origin = self.origin.load(Ordering::Acquire);
        let since = self.since.load(Ordering::Acquire);
        // If the slot has changed hands meanwhile, the time may be the new holder's.
        let unchanged = self.origin.load(Ordering::Relaxed) == origin;
        Some((OriginId::from_number(origin).filter(|_| unchanged)?, Time::from_nanos(since)))
    }
}

/// Every interleaving of two holders that come and go, by loom:
/// `RUSTFLAGS="--cfg loom" cargo test --release -p resilience-core --lib interleavings`
#[cfg(all(test, loom))]
mod interleavings {
    use loom::{sync::Arc, thread};

    use super::*;
    use crate::Place;

    #[test]
    fn no_two_holders_share_a_slot() {
        loom::model(|| {
            let origin = OriginId::of(Place::caller());
            let table = Arc::new((Holders::new(), [AtomicU32::new(0), AtomicU32::new(0)]));
            let come_and_go_twice = move |(holders, taken): &(Holders, [AtomicU32; 2])| {
                for _ in 0..2 {
                    let id = holders.take(origin);
                    let slot = &taken[id.0 as usize - 1];
                    assert_eq!(slot.swap(1, Ordering::Relaxed), 0);
                    slot.store(0, Ordering::Relaxed);
                    holders.give_back(id);
                }
            };
            let other = table.clone();
            let thread = thread::spawn(move || come_and_go_twice(&other));
            come_and_go_twice(&table);
            thread.join().expect("no thread panics");
            assert!(table.0.list().is_empty());
        });
    }
}
