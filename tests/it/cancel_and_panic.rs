//! A dropped future and a panicking body give every permit back, in every layer position.

use std::{
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
};

use resilience::{Bulkhead, CircuitBreaker, Resource, circuit_breaker::State};

use crate::support::{ApiError, poll_once, run_paused, sync_scope};

#[derive(Clone, Copy, PartialEq)]
enum Body {
    Hangs,
    Panics,
}

impl Body {
    async fn run(self) -> Result<(), ApiError> {
        match self {
            Self::Hangs => pending().await,
            Self::Panics => panic!("on purpose"),
        }
    }
}

/// The five attributes in each of the five rotations, so that each stands in each position once.
macro_rules! rotations {
    ($($name:ident: $([$($attr:tt)*])*;)*) => {$(
        $(#[resilience::$($attr)*])*
        async fn $name(body: Body) -> Result<(), ApiError> {
            assert_inside();
            body.run().await
        }
    )*};
}

rotations! {
    first:
        [circuit_breaker(name = "c", failure_threshold = 1, recovery_timeout = "1ns")]
        [retry(max_attempts = 2)] [bulkhead(name = "b", max_concurrent = 1)] [timeout("1h")] [detect_contention(name = "r")];
    second:
        [retry(max_attempts = 2)] [bulkhead(name = "b", max_concurrent = 1)] [timeout("1h")] [detect_contention(name = "r")]
        [circuit_breaker(name = "c", failure_threshold = 1, recovery_timeout = "1ns")];
    third:
        [bulkhead(name = "b", max_concurrent = 1)] [timeout("1h")] [detect_contention(name = "r")]
        [circuit_breaker(name = "c", failure_threshold = 1, recovery_timeout = "1ns")] [retry(max_attempts = 2)];
    fourth:
        [timeout("1h")] [detect_contention(name = "r")]
        [circuit_breaker(name = "c", failure_threshold = 1, recovery_timeout = "1ns")]
        [retry(max_attempts = 2)] [bulkhead(name = "b", max_concurrent = 1)];
    fifth:
        [detect_contention(name = "r")] [circuit_breaker(name = "c", failure_threshold = 1, recovery_timeout = "1ns")]
        [retry(max_attempts = 2)] [bulkhead(name = "b", max_concurrent = 1)] [timeout("1h")];
}

/// Every gate holds one permit: the body asserts it, so that giving back is shown and not merely never having had.
fn assert_inside() {
    assert_eq!(CircuitBreaker::named("c").snapshot().probes, 1);
    assert_eq!(Bulkhead::named("b").snapshot().inside, 1);
    assert_eq!(Resource::named("r").snapshot().holders.len(), 1);
}

fn assert_all_back() {
    assert_eq!(CircuitBreaker::named("c").snapshot().probes, 0);
    assert_eq!(Bulkhead::named("b").snapshot().inside, 0);
    assert_eq!(Resource::named("r").snapshot().holders.len(), 0);
    assert_eq!(Bulkhead::named("b").call(|| Ok::<_, ()>(())), Ok(()), "the one place is free");
    assert_eq!(Resource::named("r").call(|| Ok::<_, ()>(())), Ok(()), "the resource is free");
}

/// Half-open, so that the circuit has permits that can be lost.
async fn half_open() {
    let _ = CircuitBreaker::named("c").call(|| Err::<(), _>(()));
    tokio::time::advance(std::time::Duration::from_millis(1)).await;
}

type Call = fn(Body) -> Pin<Box<dyn Future<Output = Result<(), ApiError>>>>;

fn rotations() -> [Call; 5] {
    [
        |body| Box::pin(first(body)),
        |body| Box::pin(second(body)),
        |body| Box::pin(third(body)),
        |body| Box::pin(fourth(body)),
        |body| Box::pin(fifth(body)),
    ]
}

#[test]
fn a_dropped_call_gives_every_permit_back() {
    for call in rotations() {
        run_paused(async {
            half_open().await;
            let mut call = call(Body::Hangs);
            assert!(poll_once(call.as_mut()).is_pending());
            assert_inside();
            drop(call);
            assert_all_back();
            assert_eq!(CircuitBreaker::named("c").state(), State::HalfOpen);
        });
    }
}

#[test]
fn a_panicking_call_gives_every_permit_back_before_its_future_is_dropped() {
    for call in rotations() {
        run_paused(async {
            half_open().await;
            let mut call = call(Body::Panics);
            assert!(catch_unwind(AssertUnwindSafe(|| poll_once(call.as_mut()))).is_err());
            assert_all_back();
            assert_eq!(CircuitBreaker::named("c").state(), State::Open, "a panic is a failure");
        });
    }
}

#[test]
fn a_call_that_was_never_polled_took_nothing() {
    for call in rotations() {
        run_paused(async {
            half_open().await;
            drop(call(Body::Hangs));
            assert_all_back();
            assert_eq!(CircuitBreaker::named("c").snapshot().calls, 1, "the one that opened it");
        });
    }
}

/// The same five rotations for sync functions, which can panic but not be dropped.
macro_rules! sync_rotations {
    ($($name:ident: $([$($attr:tt)*])*;)*) => {
        $(
            $(#[resilience::$($attr)*])*
            fn $name() -> Result<(), ApiError> {
                assert_inside();
                panic!("on purpose")
            }
        )*
        const SYNC: [fn() -> Result<(), ApiError>; 5] = [$($name),*];
    };
}

sync_rotations! {
    sync_first:
        [circuit_breaker(name = "c", failure_threshold = 1, recovery_timeout = "1ns")] [retry(max_attempts = 2)]
        [bulkhead(name = "b", max_concurrent = 1)] [timeout("1h", mode = "cooperative")] [detect_contention(name = "r")];
    sync_second:
        [retry(max_attempts = 2)] [bulkhead(name = "b", max_concurrent = 1)] [timeout("1h", mode = "detach")]
        [detect_contention(name = "r")] [circuit_breaker(name = "c", failure_threshold = 1, recovery_timeout = "1ns")];
    sync_third:
        [bulkhead(name = "b", max_concurrent = 1)] [timeout("1h", mode = "cooperative")] [detect_contention(name = "r")]
        [circuit_breaker(name = "c", failure_threshold = 1, recovery_timeout = "1ns")] [retry(max_attempts = 2)];
    sync_fourth:
        [timeout("1h", mode = "detach")] [detect_contention(name = "r")]
        [circuit_breaker(name = "c", failure_threshold = 1, recovery_timeout = "1ns")]
        [retry(max_attempts = 2)] [bulkhead(name = "b", max_concurrent = 1)];
    sync_fifth:
        [detect_contention(name = "r")] [circuit_breaker(name = "c", failure_threshold = 1, recovery_timeout = "1ns")]
        [retry(max_attempts = 2)] [bulkhead(name = "b", max_concurrent = 1)] [timeout("1h", mode = "cooperative")];
}

#[test]
fn a_panicking_sync_call_gives_every_permit_back() {
    for call in SYNC {
        let (scope, clock) = sync_scope();
        scope.call(|| {
            let _ = CircuitBreaker::named("c").call(|| Err::<(), _>(()));
            clock.advance(std::time::Duration::from_millis(1));
            assert!(catch_unwind(call).is_err());
            assert_all_back();
            assert_eq!(CircuitBreaker::named("c").state(), State::Open, "a panic is a failure");
        });
    }
}
