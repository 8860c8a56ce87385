//! No retry waits longer than there is time: its own, or that of the timeouts around it.

use std::{cell::Cell, future::pending, time::Duration};

use resilience::{Failure, Retry, Timeout, deadline, retry, retry::Jitter, timeout};

use crate::support::{ApiError, SECOND, run_paused, sync_scope};

#[retry(name = "limited time", max_attempts = 9, base_delay = "1s", jitter = "none", max_elapsed = "7s")]
fn elapsed(took: &dyn Fn()) -> Result<(), ApiError> {
    took();
    Err(ApiError::Down)
}

#[test]
fn no_wait_is_begun_that_would_end_after_the_longest_time() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        // Waits of 1, 2 and 4 s end at 7 s exactly; the next one would not.
        assert_eq!(elapsed(&|| {}), Err(ApiError::Down));
        assert_eq!(clock.elapsed(), 7 * SECOND);
        let seen = Retry::named("limited time").snapshot();
        assert_eq!((seen.attempts, seen.out_of_time, seen.exhausted), (4, 1, 0));
        // The first attempt counts.
        let start = clock.elapsed();
        let _ = elapsed(&|| clock.advance(3 * SECOND));
        assert_eq!(clock.elapsed() - start, (3 + 1 + 3) * SECOND);
    });
}

#[test]
fn by_hand_the_error_tells_how_long_it_took() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        let work = || {
            clock.advance(SECOND);
            Err::<(), _>("down")
        };
        let retry = Retry::builder("by hand").base_delay(SECOND).jitter(Jitter::None);
        let failed = retry.clone().build().expect("sound").call(work).expect_err("down");
        assert_eq!(failed.elapsed, (1 + 1 + 2 + 1) * SECOND, "from the first failure on");
        let limited = Retry::builder("limited").base_delay(SECOND).jitter(Jitter::None).max_elapsed(60 * SECOND);
        let failed = limited.build().expect("sound").call(work).expect_err("down");
        assert_eq!(failed.elapsed, (1 + 1 + 1 + 2 + 1) * SECOND, "from the beginning");
    });
}

#[timeout("10s")]
#[retry(name = "within timeout", max_attempts = 9, base_delay = "1s", jitter = "none")]
async fn within_timeout(calls: &Cell<u32>) -> Result<(), ApiError> {
    calls.set(calls.get() + 1);
    Err(ApiError::Down)
}

#[test]
fn a_retry_under_an_async_timeout_returns_its_error_rather_than_wait_for_the_deadline() {
    run_paused(async {
        let start = tokio::time::Instant::now();
        let calls = Cell::new(0);
        assert_eq!(within_timeout(&calls).await, Err(ApiError::Down));
        // Waits of 1, 2 and 4 s; the one of 8 s would end after the deadline.
        assert_eq!((calls.get(), start.elapsed()), (4, 7 * SECOND));
        assert_eq!(Retry::named("within timeout").snapshot().out_of_time, 1);
    });
}

#[timeout("7s", mode = "cooperative")]
#[retry(max_attempts = 9, base_delay = "1s", jitter = "none")]
fn within_cooperative(calls: &Cell<u32>) -> Result<(), ApiError> {
    calls.set(calls.get() + 1);
    Err(ApiError::Down)
}

#[timeout("7s", mode = "detach")]
#[retry(name = "within detached", max_attempts = 9, base_delay = "1s", jitter = "none")]
fn within_detached() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[test]
fn so_does_one_under_a_sync_timeout() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        let calls = Cell::new(0);
        assert_eq!(within_cooperative(&calls), Err(ApiError::Down));
        // A wait that ends with the deadline leaves no time for an attempt.
        assert_eq!((calls.get(), clock.elapsed()), (3, 3 * SECOND));
        let start = clock.elapsed();
        assert_eq!(within_detached(), Err(ApiError::Down));
        assert_eq!(clock.elapsed() - start, 3 * SECOND);
        assert_eq!(Retry::named("within detached").snapshot().out_of_time, 1);
    });
}

#[test]
fn the_nearest_deadline_is_in_force_and_ends_with_its_timeout() {
    run_paused(async {
        let limit = |name: &str, seconds: u32| Timeout::builder(name).limit(seconds * SECOND).build().expect("sound");
        let (short, long) = (limit("short", 2), limit("long", 20));
        assert_eq!(deadline(), None);
        let inside = async {
            tokio::time::sleep(SECOND).await;
            Ok::<_, Failure<()>>(deadline())
        };
        assert_eq!(short.run_nested(long.run_nested(inside)).await, Ok(Some(SECOND)));
        let inside = async {
            let _ = short.run(pending::<Result<(), ()>>()).await;
            Ok::<_, ()>(deadline())
        };
        assert_eq!(long.run(inside).await, Ok(Some(18 * SECOND)));
        assert_eq!(deadline(), None);
        let spawned = async { Ok::<_, ()>(tokio::spawn(async { deadline() }).await) };
        assert_eq!(long.run(spawned).await.map(Result::unwrap), Ok(None), "a task of its own is not inside");
    });
    let (scope, clock) = sync_scope();
    scope.call(|| {
        let seen = Timeout::named("sync").call_cooperative(|| {
            clock.advance(Duration::from_secs(3));
            Ok::<_, ()>(deadline())
        });
        let limit = Timeout::named("sync").settings().limit;
        assert_eq!(seen, Ok(Some(limit - 3 * SECOND)));
        assert_eq!(deadline(), None);
    });
}
