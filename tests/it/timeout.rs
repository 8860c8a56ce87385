//! Timeouts by hand.

mod asynchronous;
mod cooperative;
mod detached;

use std::{
    collections::HashSet,
    convert::Infallible,
    future,
    panic::{AssertUnwindSafe, catch_unwind, panic_any},
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use resilience::{
    Error, Failure, Timeout, checkpoint,
    events::{self, Event},
    testing::{TestClock, TestScope},
};

const SECOND: Duration = Duration::from_secs(1);

fn timeout(name: &str, limit: Duration) -> Timeout {
    Timeout::builder(name).limit(limit).build().expect("the settings are sound")
}

/// Tells a channel that it was dropped.
struct Dropped(Sender<()>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

#[track_caller]
fn assert_timed_out<T, E>(out: &Result<T, Failure<E>>, by: &str) {
    match out {
        Err(Failure::Rejected(Error::TimedOut { name, .. })) => assert_eq!(name, by),
        Err(Failure::Rejected(error)) => panic!("rejected, but not by a time-out: {error}"),
        Err(Failure::Inner(_)) => panic!("failed by itself"),
        Ok(_) => panic!("succeeded"),
    }
}

#[test]
fn settings_that_cannot_be_meant_are_refused() {
    let faults =
        [Timeout::builder("faulty").limit(Duration::ZERO).build(), Timeout::builder("faulty").max_detached(0).build()]
            .map(|built| built.expect_err("it is refused").to_string());
    assert_eq!(faults[0], "timeout `faulty`: `limit` must be longer than zero");
    assert_eq!(faults[1], "timeout `faulty`: `max_detached` must be at least 1");
}
