//! Sync work that ends itself at a checkpoint.

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
