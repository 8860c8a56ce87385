//! Batches of several threads. They must run side by side: threads that the system puts on one core, one after the other,
//! would seem to cost as little as one alone.

use std::{
    hint::spin_loop,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::batch::{Batch, once, timed};

/// How much of their time the threads must have in common.
const OVERLAP: f64 = 0.9;
/// How often a batch is repeated for it, before the best one is taken.
const ATTEMPTS: usize = 10;

static BATCHES: AtomicUsize = AtomicUsize::new(0);
static APART: AtomicUsize = AtomicUsize::new(0);

/// Calls that succeed, made by so many threads, each of which makes all `calls`. The time is that of the slowest thread.
pub(crate) fn threads<T, E>(count: usize, call: impl Fn(u64) -> Result<T, E> + Sync + 'static) -> Batch {
    Box::new(move |calls| {
        let mut best = side_by_side(count, calls, &call);
        for _ in 1..ATTEMPTS {
            if best.overlap >= OVERLAP {
                break;
            }
            let next = side_by_side(count, calls, &call);
            if next.overlap > best.overlap {
                best = next;
            }
        }
        BATCHES.fetch_add(1, Ordering::Relaxed);
        APART.fetch_add((best.overlap < OVERLAP).into(), Ordering::Relaxed);
        assert!(once(&mut &call).is_ok(), "a call that was to succeed did not");
        best.took
    })
}

/// Of how many batches, how many did not get their threads to run side by side.
pub(crate) fn apart() -> (usize, usize) {
    (APART.load(Ordering::Relaxed), BATCHES.load(Ordering::Relaxed))
}

struct Run {
    took: Duration,
    /// The part of `took` in which all threads ran.
    overlap: f64,
}

fn side_by_side<R>(count: usize, calls: u64, call: &(impl Fn(u64) -> R + Sync)) -> Run {
    let arrived = AtomicUsize::new(0);
    let thread = || {
        // Who sleeps until the others arrive is likely to be woken on the core of the last of them. So wait awake.
        arrived.fetch_add(1, Ordering::SeqCst);
        while arrived.load(Ordering::SeqCst) < count {
            spin_loop();
        }
        let start = Instant::now();
        let took = timed(calls, &mut |n| call(n));
        (start, took)
    };
    let spans: Vec<(Instant, Duration)> = thread::scope(|scope| {
        let running: Vec<_> = (0..count).map(|_| scope.spawn(thread)).collect();
        running.into_iter().map(|thread| thread.join().expect("no call panics")).collect()
    });
    let took = spans.iter().map(|(_, took)| *took).max().unwrap_or_default();
    let last_start = spans.iter().map(|(start, _)| *start).max();
    let first_end = spans.iter().map(|(start, took)| *start + *took).min();
    let common = first_end.zip(last_start).map(|(end, start)| end.saturating_duration_since(start)).unwrap_or_default();
    Run { took, overlap: common.as_secs_f64() / took.as_secs_f64() }
}
