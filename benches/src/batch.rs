//! A batch is one contender: it makes a number of calls and says how long they took.

use std::{
    hint::black_box,
    sync::OnceLock,
    time::{Duration, Instant},
};

use tokio::runtime::{Builder, Runtime};

/// Makes as many calls as it is told, and measures them.
pub(crate) type Batch = Box<dyn FnMut(u64) -> Duration>;

const INPUT: u64 = 7;

/// Calls that succeed, one after the other. After each batch one more, unmeasured call shows that they still do.
pub(crate) fn succeeding<T, E>(mut call: impl FnMut(u64) -> Result<T, E> + 'static) -> Batch {
    Box::new(move |calls| {
        let took = timed(calls, &mut call);
        assert!(once(&mut call).is_ok(), "a call that was to succeed did not");
        took
    })
}

/// Calls that are rejected, one after the other.
pub(crate) fn rejected<T, E>(mut call: impl FnMut(u64) -> Result<T, E> + 'static) -> Batch {
    Box::new(move |calls| {
        let took = timed(calls, &mut call);
        assert!(once(&mut call).is_err(), "a call that was to be rejected was not");
        took
    })
}

/// The same loop for all.
pub(crate) fn timed<R>(calls: u64, call: &mut impl FnMut(u64) -> R) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        // By reference: moving the result through memory once more would cost more than some contenders do.
        black_box(&once(call));
    }
    start.elapsed()
}

/// The one place that calls. Out of line, so that each contender is optimised as a function of its own, as it would be
/// in a program, and not as part of a loop.
#[inline(never)]
pub(crate) fn once<R>(call: &mut impl FnMut(u64) -> R) -> R {
    call(black_box(INPUT))
}

/// The runtime that timers belong to. Its thread is this one, and no contender lets it run: all are polled by hand.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_current_thread().enable_time().build().expect("timers need nothing to start"))
}
