//! After the first call, a call that finds everything in order allocates nothing.

use std::pin::pin;

use allocation_counter::measure;
use resilience::{Bulkhead, CircuitBreaker, Resource, Retry, Timeout};

use crate::support::{ApiError, poll_once, run_paused};

#[resilience::circuit_breaker(name = "allocation async")]
#[resilience::retry]
#[resilience::bulkhead(name = "allocation async")]
#[resilience::timeout("1h")]
#[resilience::detect_contention(name = "allocation async")]
async fn five_async(n: u32) -> Result<u32, ApiError> {
    Ok(n)
}

#[resilience::circuit_breaker(name = "allocation")]
#[resilience::retry]
#[resilience::bulkhead(name = "allocation")]
#[resilience::timeout("1h", mode = "cooperative")]
#[resilience::detect_contention(name = "allocation")]
fn five_sync(n: u32) -> Result<u32, ApiError> {
    Ok(n)
}

#[track_caller]
fn assert_free_after_first(call: impl Fn()) {
    call();
    let measured = measure(|| (0..100).for_each(|_| call()));
    assert_eq!(measured.count_total, 0, "{measured:?}");
}

#[test]
fn a_sync_stack_of_five_allocates_nothing() {
    assert_free_after_first(|| assert_eq!(five_sync(7), Ok(7)));
}

#[test]
fn an_async_stack_of_five_allocates_nothing() {
    assert_free_after_first(|| {
        let mut call = pin!(five_async(7));
        assert_eq!(poll_once(call.as_mut()), std::task::Poll::Ready(Ok(7)));
    });
}

#[test]
fn calls_by_hand_allocate_nothing() {
    let circuit = CircuitBreaker::named("by hand");
    let bulkhead = Bulkhead::named("by hand");
    let resource = Resource::named("by hand");
    let retry = Retry::named("by hand");
    let timeout = Timeout::named("by hand");
    assert_free_after_first(|| {
        assert_eq!(circuit.call(|| Ok::<_, ()>(1)), Ok(1));
        assert_eq!(bulkhead.call(|| Ok::<_, ()>(1)), Ok(1));
        assert_eq!(resource.call(|| Ok::<_, ()>(1)), Ok(1));
        assert_eq!(retry.call(|| Ok::<_, ()>(1)), Ok(1));
        assert_eq!(timeout.call_cooperative(|| Ok::<_, ()>(1)), Ok(1));
    });
}

#[test]
fn a_rejection_by_an_open_circuit_allocates_nothing() {
    let circuit = CircuitBreaker::builder("rejects").failure_threshold(1).build().expect("sound");
    let _ = circuit.call(|| Err::<(), _>(()));
    assert_free_after_first(|| assert!(circuit.call(|| Ok::<_, ()>(())).is_err()));
}

#[resilience::retry(name = "waits", base_delay = "1h", jitter = "none", budget = "none")]
async fn fails(n: usize) -> Result<(), ApiError> {
    if n == usize::MAX { Ok(()) } else { Err(ApiError::Down) }
}

/// The timer of a wait is part of its future: a million waits hold a million futures, and nothing beside.
#[test]
fn ten_thousand_waits_between_attempts_hold_nothing_but_their_futures() {
    run_paused(async {
        let mut calls: Vec<_> = (0..10_000).map(|n| Box::pin(fails(n))).collect();
        let mut first = Box::pin(fails(0));
        assert!(poll_once(first.as_mut()).is_pending());
        let measured = measure(|| {
            for call in &mut calls {
                assert!(poll_once(call.as_mut()).is_pending());
            }
        });
        assert_eq!(Retry::named("waits").snapshot().retries, 10_001, "each of them waits");
        assert_eq!(measured.count_total, 0, "{measured:?}");
        let size = size_of_val(&*first);
        assert!(size <= 512, "a call that waits is {size} bytes");
        drop((first, calls));
    });
}
