//! Timeouts by hand.

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

mod asynchronous {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_is_dropped_at_the_limit_before_the_caller_hears_of_it() {
        let timeout = timeout("dropped-at-limit", 2 * SECOND);
        let (sender, dropped) = mpsc::channel();
        let held = Dropped(sender);
        let mut run = pin!(timeout.run(async move {
            let _held = held;
            future::pending::<Result<(), Infallible>>().await
        }));
        let started = tokio::time::Instant::now();

        let out = run.as_mut().await;

        dropped.try_recv().expect("the work is gone although its future is still here");
        assert_eq!(started.elapsed(), 2 * SECOND);
        assert_timed_out(&out, "dropped-at-limit");
        let snapshot = timeout.snapshot();
        assert_eq!((snapshot.calls, snapshot.timed_out), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_result_that_comes_with_the_limit_wins() {
        let out = timeout("photo-finish", SECOND)
            .run(async {
                tokio::time::sleep(SECOND).await;
                Ok::<_, Infallible>("in time")
            })
            .await;
        assert_eq!(out, Ok("in time"));
    }

    #[test]
    fn a_result_that_is_there_wins_however_late() {
        let clock = TestClock::new();
        let timeout = timeout("slow-poll", SECOND);
        let scope = TestScope::with_clock(&clock);
        let run = scope.run(timeout.run(async {
            clock.advance(5 * SECOND);
            Ok::<_, Infallible>("late")
        }));
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        assert_eq!(runtime.block_on(run), Ok("late"));
    }

    #[test]
    fn work_that_is_ready_at_once_arms_no_timer() {
        let timeout = timeout("ready-at-once", SECOND);
        // This runtime has no timers: arming one would panic.
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        assert_eq!(runtime.block_on(timeout.run(async { Ok::<_, Infallible>(1) })), Ok(1));
        assert_eq!(runtime.block_on(timeout.run(async { Err::<(), _>("no") })), Err(Failure::Inner("no")));
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_counts_from_the_first_poll() {
        let timeout = timeout("lazy", SECOND);
        let run = timeout.run(async {
            tokio::time::sleep(SECOND / 2).await;
            Ok::<_, Infallible>(())
        });
        tokio::time::advance(10 * SECOND).await;
        assert_eq!(run.await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn of_nested_limits_the_shorter_one_stops_the_work() {
        let (short, long) = (timeout("short", SECOND), timeout("long", 2 * SECOND));
        let stuck = future::pending::<Result<(), Infallible>>;
        assert_timed_out(&long.run_nested(short.run(stuck())).await, "short");
        assert_timed_out(&short.run_nested(long.run(stuck())).await, "short");
        assert_eq!((short.snapshot().timed_out, long.snapshot().timed_out), (2, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_always_has_more_to_do_still_times_out() {
        let out = timeout("greedy", SECOND)
            .run(async {
                tokio::task::yield_now().await;
                tokio::time::advance(2 * SECOND).await;
                loop {
                    tokio::task::consume_budget().await;
                }
                #[expect(unreachable_code, reason = "names the type of the result")]
                Ok::<(), Infallible>(())
            })
            .await;
        assert_timed_out(&out, "greedy");
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_call_drops_its_work_and_did_not_time_out() {
        let timeout = timeout("cancelled", SECOND);
        let (sender, dropped) = mpsc::channel();
        let held = Dropped(sender);
        let mut run = Box::pin(timeout.run(async move {
            let _held = held;
            future::pending::<Result<(), Infallible>>().await
        }));
        tokio::select! {
            biased;
            _ = &mut run => unreachable!("the work is stuck"),
            () = future::ready(()) => {}
        }
        drop(run);
        dropped.try_recv().expect("the work is gone");
        let snapshot = timeout.snapshot();
        assert_eq!((snapshot.calls, snapshot.timed_out), (1, 0));
    }
}

mod detached {
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
        let timeout =
            Timeout::builder("bounded").limit(SECOND).max_detached(2).build().expect("the settings are sound");
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
            timeout("scoped", 600 * SECOND)
                .call_detached(|| Ok::<_, Infallible>(Timeout::named("scoped").settings().limit))
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
}

mod cooperative {
    use super::*;

    /// An error that no longer tells where it came from.
    #[derive(Debug, PartialEq)]
    struct Opaque;

    impl From<Error> for Opaque {
        fn from(_: Error) -> Self {
            Self
        }
    }

    fn under_clock<T>(work: impl FnOnce(&TestClock) -> T) -> T {
        let clock = TestClock::new();
        TestScope::with_clock(&clock).call(|| work(&clock))
    }

    #[test]
    fn outside_of_a_timeout_a_checkpoint_succeeds() {
        assert_eq!(checkpoint(), Ok(()));
    }

    #[test]
    fn a_checkpoint_stops_the_work_after_the_limit_and_the_failure_stays_typed() {
        under_clock(|clock| {
            let timeout = timeout("checked", 2 * SECOND);
            let mut steps = 0;
            let out = timeout.call_cooperative(|| -> Result<(), Opaque> {
                loop {
                    checkpoint()?;
                    steps += 1;
                    clock.advance(SECOND);
                }
            });
            assert_timed_out(&out, "checked");
            assert_eq!(steps, 2);
            assert_eq!(checkpoint(), Ok(()), "the deadline is gone");
            let snapshot = timeout.snapshot();
            assert_eq!((snapshot.calls, snapshot.timed_out, snapshot.overruns), (1, 1, 0));
        });
    }

    #[test]
    fn an_error_of_the_work_itself_is_its_own() {
        under_clock(|_| {
            let out = timeout("own-error", SECOND).call_cooperative(|| {
                checkpoint()?;
                Err::<(), _>(Opaque)
            });
            assert_eq!(out, Err(Failure::Inner(Opaque)));
        });
    }

    #[test]
    fn a_late_success_is_kept_counted_and_emitted() {
        let overruns = Arc::new(Mutex::new(Vec::new()));
        let seen = overruns.clone();
        let _subscription = events::subscribe(move |event| {
            if let Event::TimeoutOverrun { name, limit, overrun, .. } = event
                && name == "overrun"
            {
                seen.lock().expect("no panic").push((*limit, *overrun));
            }
        });
        under_clock(|clock| {
            let timeout = timeout("overrun", 2 * SECOND);
            let out = timeout.call_cooperative(|| {
                clock.advance(5 * SECOND);
                Ok::<_, Opaque>("done")
            });
            assert_eq!(out, Ok("done"));
            let snapshot = timeout.snapshot();
            assert_eq!((snapshot.timed_out, snapshot.overruns), (0, 1));
        });
        assert_eq!(*overruns.lock().expect("no panic"), [(2 * SECOND, 3 * SECOND)]);
    }

    #[test]
    fn a_success_in_spite_of_a_checkpoint_is_kept_and_is_no_overrun() {
        under_clock(|clock| {
            let timeout = timeout("best-effort", SECOND);
            let out = timeout.call_cooperative(|| {
                clock.advance(2 * SECOND);
                Ok::<_, Infallible>(if checkpoint().is_err() { "partial" } else { "full" })
            });
            assert_eq!(out, Ok("partial"));
            let snapshot = timeout.snapshot();
            assert_eq!((snapshot.timed_out, snapshot.overruns), (0, 0));
        });
    }

    #[test]
    fn an_inner_limit_that_passes_first_leaves_the_outer_one_in_force() {
        under_clock(|clock| {
            let (inner, outer) = (timeout("inner", SECOND), timeout("outer", 3 * SECOND));
            let out = outer.call_cooperative(|| {
                let stopped = inner.call_cooperative(|| -> Result<(), Opaque> {
                    clock.advance(2 * SECOND);
                    Ok(checkpoint()?)
                });
                assert_timed_out(&stopped, "inner");
                checkpoint().expect("the outer limit has not passed");
                clock.advance(2 * SECOND);
                Ok::<_, Opaque>(checkpoint()?)
            });
            assert_timed_out(&out, "outer");
            assert_eq!((inner.snapshot().timed_out, outer.snapshot().timed_out), (1, 1));
        });
    }

    #[test]
    fn an_inner_limit_cannot_outlast_an_outer_one() {
        under_clock(|clock| {
            let (inner, outer) = (timeout("patient", 10 * SECOND), timeout("strict", SECOND));
            let out = outer.call_cooperative_nested(|| {
                let stopped = inner.call_cooperative(|| -> Result<(), Opaque> {
                    clock.advance(2 * SECOND);
                    Ok(checkpoint()?)
                });
                assert_timed_out(&stopped, "strict");
                stopped
            });
            assert_timed_out(&out, "strict");
            assert_eq!((inner.snapshot().timed_out, outer.snapshot().timed_out), (0, 1));
        });
    }

    #[test]
    fn a_panic_takes_its_deadline_along() {
        under_clock(|clock| {
            let timeout = timeout("panics-inside", SECOND);
            let entered = AtomicBool::new(false);
            let call = || {
                timeout.call_cooperative(|| -> Result<(), Opaque> {
                    entered.store(true, Ordering::SeqCst);
                    panic!("inside")
                })
            };
            catch_unwind(AssertUnwindSafe(call)).expect_err("the panic goes on");
            assert!(entered.into_inner());
            clock.advance(2 * SECOND);
            assert_eq!(checkpoint(), Ok(()));
        });
    }
}
