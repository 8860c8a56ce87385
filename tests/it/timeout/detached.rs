//! Sync work on a worker, left behind at its limit.

use super::*;

/// Makes a detached call whose caller leaves at the limit, as another thread moves the clock once the work runs.
/// The work then goes on as soon as the sender that is returned says so, or is dropped.
fn leave_behind<T: Send + 'static>(
    timeout: &Timeout,
    clock: &TestClock,
    work: impl FnOnce() -> T + Send + 'static,
) -> Sender<()> {
    let (running, runs) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let limit = timeout.settings().limit;
    let out = thread::scope(|threads| {
        threads.spawn(move || {
            runs.recv().expect("the work runs");
            clock.advance(limit);
        });
        TestScope::with_clock(clock).call(|| {
            timeout.call_detached(move || {
                running.send(()).expect("the test waits");
                let _ = released.recv();
                Ok::<_, Infallible>(work())
            })
        })
    });
    assert_timed_out(&out, timeout.name());
    release
}

#[test]
fn the_caller_leaves_at_the_limit_and_the_late_result_is_dropped_and_counted() {
    let (clock, timeout) = (TestClock::new(), timeout("left-behind", SECOND));
    let (sender, dropped) = mpsc::channel();
    let result = Dropped(sender);

    let release = leave_behind(&timeout, &clock, || result);

    let running = timeout.snapshot();
    assert_eq!((running.calls, running.timed_out, running.late, running.detached), (1, 1, 0, 1));
    assert!(dropped.try_recv().is_err(), "the work has not come back yet");
    drop(release);
    dropped.recv().expect("the late result is dropped");
    let ended = timeout.snapshot();
    assert_eq!((ended.late, ended.detached), (1, 0));
}

#[test]
fn a_result_within_the_limit_is_returned() {
    let timeout = timeout("prompt", 600 * SECOND);
    assert_eq!(timeout.call_detached(|| Ok::<_, Infallible>(42)), Ok(42));
    assert_eq!(timeout.call_detached(|| Err::<(), _>("no")), Err(Failure::Inner("no")));
    let snapshot = timeout.snapshot();
    assert_eq!((snapshot.calls, snapshot.timed_out, snapshot.late, snapshot.detached), (2, 0, 0, 0));
}

#[test]
fn a_panic_within_the_limit_reaches_the_caller_with_its_payload() {
    let timeout = timeout("panics", 600 * SECOND);
    let call = || timeout.call_detached(|| -> Result<(), Infallible> { panic_any(7_u32) });
    let payload = catch_unwind(AssertUnwindSafe(call)).expect_err("the panic goes on");
    assert_eq!(payload.downcast_ref::<u32>(), Some(&7));
}

#[test]
fn a_late_panic_is_dropped_and_counted() {
    let (clock, timeout) = (TestClock::new(), timeout("panics-late", SECOND));
    let (sender, dropped) = mpsc::channel();
    let payload = Mutex::new(Dropped(sender));
    drop(leave_behind(&timeout, &clock, || panic_any(payload)));
    dropped.recv().expect("the payload is dropped");
    let snapshot = timeout.snapshot();
    assert_eq!((snapshot.late, snapshot.detached), (1, 0));
}

#[test]
fn consecutive_calls_share_workers() {
    const CALLS: usize = 500;
    let timeout = timeout("workers", 600 * SECOND);
    let worker = || timeout.call_detached(|| Ok::<_, Infallible>(thread::current().id()));
    let workers: HashSet<_> = (0..CALLS).map(|_| worker().expect("it is prompt")).collect();
    // Other tests may take a worker away between two calls, but not between all of them.
    assert!(workers.len() < CALLS / 2, "{} workers", workers.len());
    assert!(!workers.contains(&thread::current().id()));
}

#[test]
fn calls_are_refused_while_too_many_earlier_ones_still_run() {
    let clock = TestClock::new();
    let timeout = Timeout::builder("bounded").limit(SECOND).max_detached(2).build().expect("the settings are sound");
    let (sender, dropped) = mpsc::channel();
    let results = (Dropped(sender.clone()), Dropped(sender));
    let first = leave_behind(&timeout, &clock, || results.0);
    let second = leave_behind(&timeout, &clock, || results.1);

    let refused = timeout.call_detached(|| -> Result<(), Infallible> { unreachable!("the work is not started") });

    let Err(Failure::Rejected(error @ Error::TooManyDetached { max_detached: 2, .. })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.to_string(), "timeout `bounded`: 2 earlier calls are still running past their limit");
    drop(first);
    dropped.recv().expect("the first one ends");
    let admitted = TestScope::with_clock(&clock).call(|| timeout.call_detached(|| Ok::<_, Infallible>(())));
    assert_eq!(admitted, Ok(()));
    drop(second);
}

#[test]
fn work_that_was_left_behind_stops_at_a_checkpoint() {
    let (clock, timeout) = (TestClock::new(), timeout("stops-itself", SECOND));
    let (sender, stopped): (_, Receiver<Result<(), Error>>) = mpsc::channel();
    drop(leave_behind(&timeout, &clock, move || sender.send(checkpoint())));
    let error = stopped.recv().expect("the work meets a checkpoint").expect_err("the limit has passed");
    assert!(error.is_timeout());
    assert_eq!(error.name(), "stops-itself");
}

#[test]
fn the_worker_is_inside_the_scope_of_the_caller() {
    let limit = TestScope::new().call(|| {
        timeout("scoped", 600 * SECOND).call_detached(|| Ok::<_, Infallible>(Timeout::named("scoped").settings().limit))
    });
    assert_eq!(limit, Ok(600 * SECOND));
}

#[tokio::test]
async fn the_worker_is_inside_the_runtime_of_the_caller() {
    let runtime = timeout("runtime", 600 * SECOND)
        .call_detached(|| tokio::runtime::Handle::try_current().map(|runtime| runtime.id()))
        .expect("there is a runtime");
    assert_eq!(runtime, tokio::runtime::Handle::current().id());
}
