//! `#[circuit_breaker]`, and the same by hand.

use std::{
    pin::pin,
    sync::{Arc, Mutex},
};

use resilience::{
    CircuitBreaker, Error, Failure, circuit_breaker,
    circuit_breaker::{OnCancel, State},
    events::{self, Event},
    testing::TestScope,
};

use crate::support::{ApiError, SECOND, poll_once, run_paused, sync_scope};

#[circuit_breaker(
    name = "users",
    failure_threshold = 3,
    recovery_timeout = "10s",
    failure_when = ApiError::is_fault
)]
fn find(answer: Result<u32, ApiError>) -> Result<u32, ApiError> {
    answer
}

#[circuit_breaker(name = "users")]
async fn find_async(answer: Result<u32, ApiError>) -> Result<u32, ApiError> {
    answer
}

fn users() -> CircuitBreaker {
    CircuitBreaker::named("users")
}

#[test]
fn consecutive_failures_open_the_circuit_and_a_success_starts_the_count_anew() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        for _ in 0..1000 {
            assert_eq!(find(Ok(1)), Ok(1));
        }
        for _ in 0..10 {
            let _ = find(Err(ApiError::Down));
            let _ = find(Err(ApiError::Down));
            let _ = find(Ok(1));
        }
        assert_eq!(users().state(), State::Closed);
        for _ in 0..3 {
            assert_eq!(find(Err(ApiError::Down)), Err(ApiError::Down));
        }
        assert_eq!(users().state(), State::Open);
    });
}

#[test]
fn an_open_circuit_rejects_without_calling_and_says_when_the_next_probe_is_due() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        for _ in 0..3 {
            let _ = find(Err(ApiError::Down));
        }
        clock.advance(4 * SECOND);
        let Err(ApiError::Resilience(error)) = find(Ok(1)) else { panic!("it was admitted") };
        assert_eq!(error.to_string(), "circuit `users` is open; next probe in 6s");
        assert_eq!(users().snapshot().rejected, 1);
        assert_eq!(users().snapshot().retry_after, Some(6 * SECOND));
    });
}

#[test]
fn a_probe_after_the_recovery_timeout_decides() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        for _ in 0..3 {
            let _ = find(Err(ApiError::Down));
        }
        clock.advance(10 * SECOND);
        assert_eq!(find(Err(ApiError::Down)), Err(ApiError::Down));
        assert_eq!(users().state(), State::Open, "the probe failed");
        assert_eq!(users().snapshot().openings, 2);
        clock.advance(10 * SECOND);
        assert_eq!(find(Ok(2)), Ok(2));
        assert_eq!(users().state(), State::Closed, "the probe succeeded");
    });
}

#[test]
fn an_error_that_is_no_failure_is_a_success() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        for _ in 0..2 {
            let _ = find(Err(ApiError::Down));
        }
        assert_eq!(find(Err(ApiError::NotFound)), Err(ApiError::NotFound));
        assert_eq!(users().snapshot().consecutive_failures, 0);
        for _ in 0..3 {
            let _ = find(Err(ApiError::Down));
        }
        clock.advance(10 * SECOND);
        let _ = find(Err(ApiError::NotFound));
        assert_eq!(users().state(), State::Closed, "the service answered the probe");
    });
}

#[test]
fn async_calls_recover_under_paused_time() {
    run_paused(async {
        let circuit = CircuitBreaker::builder("paused")
            .failure_threshold(1)
            .recovery_timeout(60 * SECOND)
            .build()
            .expect("sound");
        let _ = circuit.run(async { Err::<(), _>("down") }).await;
        assert_eq!(circuit.state(), State::Open);
        tokio::time::advance(59 * SECOND).await;
        assert!(circuit.run(async { Ok::<_, &str>(1) }).await.is_err());
        tokio::time::advance(SECOND).await;
        assert_eq!(circuit.run(async { Ok::<_, &str>(1) }).await, Ok(1));
        assert_eq!(circuit.state(), State::Closed);
    });
}

#[test]
fn sync_and_async_functions_and_handles_share_a_name() {
    run_paused(async {
        let _ = find(Err(ApiError::Down));
        let _ = users().call(|| Err::<(), _>("down"));
        let _ = find_async(Err(ApiError::NotFound)).await; // no `failure_when` here, so it counts
        assert_eq!(users().state(), State::Open);
        assert_eq!(find(Ok(1)).expect_err("open").refusal(), Some("CircuitOpen"));
        assert_eq!(find_async(Ok(1)).await.expect_err("open").refusal(), Some("CircuitOpen"));
        assert!(matches!(users().call(|| Ok::<_, ()>(1)), Err(Failure::Rejected(Error::CircuitOpen { .. }))));
    });
}

async fn half_open(name: &str, calls: u16, successes: u16) -> CircuitBreaker {
    let circuit = CircuitBreaker::builder(name)
        .failure_threshold(1)
        .recovery_timeout(SECOND)
        .half_open_max_calls(calls)
        .success_threshold(successes)
        .build()
        .expect("sound");
    let _ = circuit.call(|| Err::<(), _>("down"));
    tokio::time::advance(SECOND).await;
    circuit
}

#[test]
fn no_more_probes_than_permitted_are_on_their_way() {
    run_paused(async {
        let circuit = half_open("probes", 2, 2).await;
        let mut first = pin!(circuit.run(std::future::pending::<Result<(), ()>>()));
        let mut second = pin!(circuit.run(std::future::pending::<Result<(), ()>>()));
        assert!(poll_once(first.as_mut()).is_pending());
        assert!(poll_once(second.as_mut()).is_pending());
        assert_eq!(circuit.snapshot().probes, 2);
        assert!(matches!(circuit.call(|| Ok::<_, ()>(())), Err(Failure::Rejected(_))));
    });
}

#[test]
fn as_many_probes_must_succeed_as_asked_for() {
    run_paused(async {
        let circuit = half_open("successes", 1, 3).await;
        for _ in 0..2 {
            assert_eq!(circuit.call(|| Ok::<_, ()>(())), Ok(()));
            assert_eq!(circuit.state(), State::HalfOpen);
        }
        assert_eq!(circuit.call(|| Ok::<_, ()>(())), Ok(()));
        assert_eq!(circuit.state(), State::Closed);
    });
}

#[test]
fn a_dropped_probe_gives_its_place_back_at_once() {
    run_paused(async {
        let circuit = half_open("dropped probe", 1, 1).await;
        {
            let mut probe = pin!(circuit.run(std::future::pending::<Result<(), ()>>()));
            assert!(poll_once(probe.as_mut()).is_pending());
            assert_eq!(circuit.snapshot().probes, 1);
        }
        assert_eq!(circuit.snapshot().probes, 0);
        assert_eq!(circuit.state(), State::HalfOpen, "a cancelled probe is no evidence");
        assert_eq!(circuit.call(|| Ok::<_, ()>(())), Ok(()));
        assert_eq!(circuit.state(), State::Closed);
    });
}

#[test]
fn a_hung_probe_loses_its_place_when_its_lease_ends_and_what_it_brings_still_counts() {
    run_paused(async {
        let circuit = half_open("hung probe", 1, 1).await;
        let (answer, hung) = tokio::sync::oneshot::channel::<Result<(), ()>>();
        let mut hung = pin!(circuit.run(async { hung.await.expect("sent") }));
        assert!(poll_once(hung.as_mut()).is_pending());
        assert!(matches!(circuit.call(|| Ok::<_, ()>(())), Err(Failure::Rejected(_))), "its place is taken");
        tokio::time::advance(SECOND).await;
        let mut second = pin!(circuit.run(std::future::pending::<Result<(), ()>>()));
        assert!(poll_once(second.as_mut()).is_pending(), "the lease is over");
        assert_eq!(circuit.snapshot().probes, 1);
        answer.send(Ok(())).expect("it listens");
        assert_eq!(hung.await, Ok(()));
        assert_eq!(circuit.state(), State::Closed);
    });
}

#[test]
fn a_service_that_is_well_but_slower_than_the_lease_closes_its_circuit() {
    run_paused(async {
        let circuit = half_open("slow but well", 1, 1).await;
        let slow = || async {
            tokio::time::sleep(SECOND * 12 / 10).await;
            Ok::<_, ()>(())
        };
        let mut calls = Vec::new();
        for _ in 0..20 {
            let mut call = Box::pin(circuit.run(slow()));
            if poll_once(call.as_mut()).is_pending() {
                calls.push(call);
            }
            tokio::time::advance(SECOND / 10).await;
            calls.retain_mut(|call| poll_once(call.as_mut()).is_pending());
        }
        assert_eq!(circuit.state(), State::Closed);
    });
}

#[test]
fn one_hung_probe_does_not_keep_its_place_because_others_come_and_go() {
    run_paused(async {
        let circuit = half_open("one hangs", 2, 100).await;
        let mut hung = pin!(circuit.run(std::future::pending::<Result<(), ()>>()));
        assert!(poll_once(hung.as_mut()).is_pending());
        for _ in 0..10 {
            assert_eq!(circuit.call(|| Ok::<_, ()>(())), Ok(()));
            tokio::time::advance(SECOND / 10).await;
        }
        let mut two = [(); 2].map(|()| Box::pin(circuit.run(std::future::pending::<Result<(), ()>>())));
        assert!(two.iter_mut().all(|probe| poll_once(probe.as_mut()).is_pending()), "both places are free");
    });
}

#[test]
fn a_result_from_before_the_circuit_opened_does_not_close_it() {
    run_paused(async {
        let circuit = CircuitBreaker::builder("late").failure_threshold(1).build().expect("sound");
        let (answer, slow) = tokio::sync::oneshot::channel::<()>();
        let mut slow = pin!(circuit.run(async { slow.await.map_err(drop) }));
        assert!(poll_once(slow.as_mut()).is_pending());
        let _ = circuit.call(|| Err::<(), _>(()));
        tokio::time::advance(30 * SECOND).await;
        let mut probe = pin!(circuit.run(std::future::pending::<Result<(), ()>>()));
        assert!(poll_once(probe.as_mut()).is_pending());
        answer.send(()).expect("it listens");
        assert_eq!(slow.await, Ok(()));
        assert_eq!(circuit.state(), State::HalfOpen, "only the probe decides");
        assert_eq!(circuit.snapshot().late, 1);
    });
}

#[test]
fn a_cancelled_call_counts_as_configured() {
    run_paused(async {
        for (on_cancel, expected) in [(OnCancel::Ignore, State::Closed), (OnCancel::Failure, State::Open)] {
            let circuit = CircuitBreaker::builder(&format!("{on_cancel:?}"))
                .failure_threshold(1)
                .on_cancel(on_cancel)
                .build()
                .expect("sound");
            {
                let mut call = pin!(circuit.run(std::future::pending::<Result<(), ()>>()));
                assert!(poll_once(call.as_mut()).is_pending());
            }
            assert_eq!(circuit.state(), expected);
            assert_eq!(circuit.snapshot().cancelled, 1);
        }
    });
}

#[test]
fn counts_add_up() {
    run_paused(async {
        let circuit = CircuitBreaker::builder("counts").failure_threshold(100).build().expect("sound");
        for n in 0..10 {
            let _ = circuit.call(|| if n % 3 == 0 { Err("down") } else { Ok(n) });
        }
        let refused = refusal();
        let _ = circuit.call_nested(|| Err::<(), _>(Failure::<()>::Rejected(refused)));
        let snapshot = circuit.snapshot();
        assert_eq!((snapshot.calls, snapshot.successes, snapshot.failures, snapshot.ignored), (11, 6, 4, 1));
        assert_eq!(
            snapshot.calls,
            snapshot.successes + snapshot.failures + snapshot.ignored + snapshot.cancelled,
            "every call ended one way"
        );
        circuit.reset();
        assert_eq!(circuit.snapshot().calls, 0);
    });
}

/// A refusal of another circuit.
fn refusal() -> Error {
    let other = half_open_and_taken();
    match other.call(|| Ok::<_, ()>(())) {
        Err(Failure::Rejected(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn half_open_and_taken() -> CircuitBreaker {
    let circuit = CircuitBreaker::builder("other").failure_threshold(1).build().expect("sound");
    let _ = circuit.call(|| Err::<(), _>("down"));
    circuit
}

#[test]
fn reset_closes_and_makes_what_is_inside_late() {
    run_paused(async {
        let circuit = half_open("reset", 1, 1).await;
        let (answer, slow) = tokio::sync::oneshot::channel::<()>();
        let mut slow = pin!(circuit.run(async { slow.await.map_err(drop).and(Err::<(), ()>(())) }));
        assert!(poll_once(slow.as_mut()).is_pending());
        circuit.reset();
        assert_eq!(circuit.state(), State::Closed);
        answer.send(()).expect("it listens");
        assert!(slow.await.is_err());
        assert_eq!(circuit.state(), State::Closed, "the failure belongs to an earlier epoch");
        for _ in 0..300 {
            circuit.reset();
        }
        let _ = circuit.call(|| Err::<(), _>(()));
        assert_eq!(circuit.state(), State::Open, "it still works after many resets");
    });
}

#[test]
fn state_changes_are_events_that_say_why() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let _subscription = events::subscribe({
        let seen = seen.clone();
        move |event| {
            if let Event::CircuitStateChanged { name, from, to, why, .. } = event
                && name == "observed"
            {
                seen.lock().expect("no panic").push(format!("{from} to {to}: {why}"));
            }
        }
    });
    let (scope, clock) = sync_scope();
    scope.call(|| {
        let circuit = CircuitBreaker::builder("observed").failure_threshold(2).build().expect("sound");
        for _ in 0..2 {
            let _ = circuit.call(|| Err::<(), _>(()));
        }
        clock.advance(30 * SECOND);
        let _ = circuit.call(|| Ok::<_, ()>(()));
    });
    assert_eq!(
        *seen.lock().expect("no panic"),
        [
            "closed to open: 2 consecutive failures",
            "open to half-open: the recovery timeout has passed",
            "half-open to closed: a probe succeeded",
        ]
    );
}

#[test]
fn a_subscriber_that_panics_does_not_fail_the_call() {
    let subscription = events::subscribe(|event| {
        if let Event::CircuitStateChanged { name, .. } = event {
            assert_ne!(name, "faulty subscriber");
        }
    });
    TestScope::new().call(|| {
        let circuit = CircuitBreaker::builder("faulty subscriber").failure_threshold(1).build().expect("sound");
        assert_eq!(circuit.call(|| Err::<(), _>(1)), Err(Failure::Inner(1)));
        assert_eq!(circuit.state(), State::Open);
    });
    drop(subscription);
}

#[test]
fn a_builder_refuses_what_cannot_be_meant() {
    let faults = [
        CircuitBreaker::builder("c").failure_threshold(0).build(),
        CircuitBreaker::builder("c").half_open_max_calls(0).build(),
        CircuitBreaker::builder("c").success_threshold(0).build(),
        CircuitBreaker::builder("").build(),
    ]
    .map(|built| built.expect_err("refused").to_string());
    assert_eq!(
        faults,
        [
            "circuit breaker `c`: `failure_threshold` must be at least 1",
            "circuit breaker `c`: `half_open_max_calls` must be from 1 to 4095",
            "circuit breaker `c`: `success_threshold` must be from 1 to 4095",
            "circuit breaker ``: `name` must not be empty",
        ]
    );
}
