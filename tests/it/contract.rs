//! What each layer makes of what comes from inside: the service's own errors are evidence, the library's refusals are
//! not.

use std::{
    cell::Cell,
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
};

use resilience::{
    Bulkhead, CircuitBreaker, Resource, Retry, bulkhead, circuit_breaker,
    circuit_breaker::{Snapshot, State},
    detect_contention, retry, timeout,
};

use crate::support::{ApiError, SECOND, poll_once, run_paused, sync_scope};

fn circuit(name: &str) -> Snapshot {
    CircuitBreaker::named(name).snapshot()
}

fn attempts(name: &str) -> u64 {
    Retry::named(name).snapshot().attempts
}

#[circuit_breaker(name = "outer", failure_threshold = 1, failure_when = ApiError::is_fault)]
#[timeout("1s")]
async fn circuit_around_timeout(hang: bool) -> Result<(), ApiError> {
    if hang { pending().await } else { Err(ApiError::NotFound) }
}

#[test]
fn a_timeout_inside_is_a_failure_for_the_circuit_whatever_its_predicate_says() {
    run_paused(async {
        let _ = circuit_around_timeout(false).await;
        assert_eq!(circuit("outer").successes, 1, "the predicate judges the function's own errors");
        let _ = circuit_around_timeout(true).await;
        assert_eq!((circuit("outer").failures, circuit("outer").state), (1, State::Open));
    });
}

#[retry(name = "retry", max_attempts = 3, when = |_| false)]
#[timeout("1s")]
async fn retry_around_timeout() -> Result<(), ApiError> {
    pending().await
}

#[test]
fn a_timeout_inside_is_retried_whatever_the_predicate_says() {
    run_paused(async {
        let _ = retry_around_timeout().await;
        assert_eq!(attempts("retry"), 3);
    });
}

/// One circuit around another, by hand: one function carries each attribute once.
#[test]
fn an_open_circuit_inside_is_ignored_by_the_circuit_outside() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        let outside = CircuitBreaker::builder("outside").failure_threshold(1).build().expect("sound");
        let inside = CircuitBreaker::builder("inside").failure_threshold(1).build().expect("sound");
        let _ = inside.call(|| Err::<(), _>(()));
        let refused = outside.call_nested(|| inside.call(|| Ok::<_, ()>(())));
        assert_eq!(
            refused.expect_err("refused").rejection().map(|error| error.name().to_string()),
            Some("inside".into())
        );
        assert_eq!((circuit("outside").ignored, circuit("outside").state), (1, State::Closed));
    });
}

#[retry(name = "retry", max_attempts = 3)]
#[circuit_breaker(name = "inner", failure_threshold = 1)]
fn retry_around_circuit() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[test]
fn an_open_circuit_inside_is_not_hammered() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        // The first attempt opens the circuit, the second finds it open, and there is no third.
        assert_eq!(retry_around_circuit().expect_err("open").refusal(), Some("CircuitOpen"));
        assert_eq!(attempts("retry"), 2);
        assert_eq!(circuit("inner").rejected, 1);
        assert!(clock.elapsed() < SECOND);
    });
}

#[retry(name = "waiting", max_attempts = 3, when_open = "wait")]
#[circuit_breaker(name = "slow to recover", failure_threshold = 1, recovery_timeout = "20s")]
fn retry_that_waits(calls: &Cell<u32>) -> Result<u32, ApiError> {
    calls.set(calls.get() + 1);
    if calls.get() == 1 { Err(ApiError::Down) } else { Ok(calls.get()) }
}

#[test]
fn an_open_circuit_inside_is_waited_out_when_asked() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        assert_eq!(retry_that_waits(&Cell::new(0)), Ok(2));
        let elapsed = clock.elapsed();
        assert!(elapsed >= 20 * SECOND && elapsed < 21 * SECOND, "{elapsed:?}");
    });
}

#[timeout("5s")]
#[retry(max_attempts = 3, when_open = "wait")]
#[circuit_breaker(name = "slow to recover", failure_threshold = 1, recovery_timeout = "20s")]
async fn retry_that_waits_in_vain() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[test]
fn a_circuit_that_opens_again_after_the_deadline_is_not_waited_for() {
    run_paused(async {
        let start = tokio::time::Instant::now();
        assert_eq!(retry_that_waits_in_vain().await.expect_err("open").refusal(), Some("CircuitOpen"));
        assert!(start.elapsed() < SECOND, "{:?}", start.elapsed());
    });
}

#[circuit_breaker(name = "outer", failure_threshold = 1)]
#[retry(name = "retry")]
#[bulkhead(name = "full", max_concurrent = 1)]
async fn around_bulkhead() -> Result<(), ApiError> {
    Ok(())
}

#[retry(name = "asked", when_full = "retry", base_delay = "1s")]
#[bulkhead(name = "full", max_concurrent = 1)]
async fn asked_around_bulkhead() -> Result<(), ApiError> {
    Ok(())
}

#[test]
fn a_full_bulkhead_inside_is_ignored_by_the_circuit_and_not_retried_unless_asked() {
    run_paused(async {
        let bulkhead = Bulkhead::builder("full").max_concurrent(1).build().expect("sound");
        let mut holder = pin!(bulkhead.run(pending::<Result<(), ()>>()));
        assert!(poll_once(holder.as_mut()).is_pending());
        assert_eq!(around_bulkhead().await.expect_err("full").refusal(), Some("BulkheadFull"));
        assert_eq!((circuit("outer").ignored, circuit("outer").state), (1, State::Closed));
        assert_eq!(attempts("retry"), 1);
        assert_eq!(asked_around_bulkhead().await.expect_err("full").refusal(), Some("BulkheadFull"));
        assert_eq!(attempts("asked"), 3);
    });
}

#[circuit_breaker(name = "outer", failure_threshold = 1)]
#[retry(name = "retry")]
#[detect_contention(name = "held", max_wait = "1s")]
async fn around_contention() -> Result<(), ApiError> {
    Ok(())
}

#[test]
fn a_contention_timeout_inside_is_ignored_by_the_circuit_and_not_retried() {
    run_paused(async {
        let resource = Resource::builder("held").max_wait(SECOND).build().expect("sound");
        let mut holder = pin!(resource.run(pending::<Result<(), ()>>()));
        assert!(poll_once(holder.as_mut()).is_pending());
        assert_eq!(around_contention().await.expect_err("held").refusal(), Some("ContentionTimeout"));
        assert_eq!((circuit("outer").ignored, circuit("outer").state), (1, State::Closed));
        assert_eq!(attempts("retry"), 1);
    });
}

#[circuit_breaker(name = "cancelled", failure_threshold = 1)]
async fn hangs() -> Result<(), ApiError> {
    pending().await
}

#[circuit_breaker(name = "cancelled as failure", failure_threshold = 1, on_cancel = "failure")]
async fn hangs_as_failure() -> Result<(), ApiError> {
    pending().await
}

#[test]
fn a_cancelled_call_is_ignored_unless_it_counts_as_failure() {
    run_paused(async {
        {
            let mut call = pin!(hangs());
            assert!(poll_once(call.as_mut()).is_pending());
            let mut call = pin!(hangs_as_failure());
            assert!(poll_once(call.as_mut()).is_pending());
        }
        assert_eq!((circuit("cancelled").cancelled, circuit("cancelled").state), (1, State::Closed));
        assert_eq!(
            (circuit("cancelled as failure").cancelled, circuit("cancelled as failure").state),
            (1, State::Open)
        );
    });
}

#[circuit_breaker(name = "outer", failure_threshold = 1)]
#[retry(name = "retry")]
fn panics() -> Result<(), ApiError> {
    panic!("on purpose")
}

#[circuit_breaker(name = "outer async", failure_threshold = 1)]
#[retry(name = "retry async")]
async fn panics_async() -> Result<(), ApiError> {
    panic!("on purpose")
}

#[test]
fn a_panic_is_a_failure_for_the_circuit_is_not_retried_and_goes_on() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        assert!(catch_unwind(panics).is_err());
        assert_eq!((circuit("outer").failures, circuit("outer").state), (1, State::Open));
        assert_eq!(attempts("retry"), 1);
    });
    run_paused(async {
        let mut call = Box::pin(panics_async());
        assert!(catch_unwind(AssertUnwindSafe(|| poll_once(call.as_mut()))).is_err());
        assert_eq!((circuit("outer async").failures, circuit("outer async").state), (1, State::Open));
        drop(call);
        assert_eq!(circuit("outer async").cancelled, 0, "it has ended once");
        assert_eq!(attempts("retry async"), 1);
    });
}
