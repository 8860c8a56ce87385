//! The rules of `#[circuit_breaker]`: rates, slow calls, recovery, probes and the ramp after closing.

use std::{pin::pin, time::Duration};

use resilience::{
    CircuitBreaker, Error, Failure, circuit_breaker,
    circuit_breaker::{CircuitBreakerBuilder, FailureKind, State},
    testing::{TestClock, TestScope},
};

use crate::support::{ApiError, SECOND, poll_once, run_paused, sync_scope};

pub(crate) fn build(circuit: CircuitBreakerBuilder) -> CircuitBreaker {
    circuit.build().expect("sound")
}

pub(crate) fn succeed(circuit: &CircuitBreaker, times: u32) {
    (0..times).for_each(|_| assert_eq!(circuit.call(|| Ok::<_, ()>(())), Ok(())));
}

pub(crate) fn fail(circuit: &CircuitBreaker, times: u32) {
    (0..times).for_each(|_| assert_eq!(circuit.call(|| Err::<(), _>(())), Err(Failure::Inner(()))));
}

/// Runs with a clock of its own, which calls move by as long as they take.
pub(crate) fn timed(test: impl FnOnce(&TestClock)) {
    let (scope, clock) = sync_scope();
    scope.call(|| test(&clock));
}

#[test]
fn a_window_of_calls_slides() {
    timed(|_| {
        let circuit = build(CircuitBreaker::builder("calls").failure_rate(0.5).window(10).minimum_calls(10));
        succeed(&circuit, 1000);
        fail(&circuit, 4);
        assert_eq!(circuit.state(), State::Closed);
        assert_eq!((circuit.snapshot().window_calls, circuit.snapshot().failure_rate), (10, 0.4));
        succeed(&circuit, 6);
        fail(&circuit, 4);
        assert_eq!(circuit.state(), State::Closed, "the four before have left the window");
        fail(&circuit, 1);
        assert_eq!(circuit.state(), State::Open);
        let Some(change) = circuit.snapshot().changes.pop() else { panic!("it changed") };
        assert_eq!(change.why.to_string(), "5 of the last 10 calls failed, 50% with a limit of 50%");
    });
}

#[test]
fn a_rate_does_not_count_before_there_are_enough_calls() {
    timed(|_| {
        let circuit = build(CircuitBreaker::builder("few").failure_rate(0.5).window(10).minimum_calls(4));
        fail(&circuit, 3);
        assert_eq!(circuit.state(), State::Closed);
        succeed(&circuit, 1);
        assert_eq!(circuit.state(), State::Open, "a success can be the call that makes them enough");
    });
}

#[test]
fn a_window_of_time_slides() {
    timed(|clock| {
        let circuit = build(CircuitBreaker::builder("time").failure_rate(0.5).window(10 * SECOND).minimum_calls(4));
        fail(&circuit, 3);
        clock.advance(11 * SECOND);
        fail(&circuit, 3);
        assert_eq!(circuit.state(), State::Closed, "the three before have left the window");
        fail(&circuit, 1);
        assert_eq!(circuit.state(), State::Open);
    });
}

#[test]
fn a_rate_that_grows_because_successes_age_opens_the_circuit_with_the_next_call() {
    timed(|clock| {
        let circuit = build(CircuitBreaker::builder("aging").failure_rate(0.5).window(10 * SECOND).minimum_calls(4));
        succeed(&circuit, 100);
        clock.advance(6 * SECOND);
        fail(&circuit, 5);
        clock.advance(5 * SECOND);
        let _ = circuit.snapshot(); // Looking at it changes nothing.
        assert_eq!(circuit.state(), State::Closed);
        succeed(&circuit, 1);
        assert_eq!(circuit.state(), State::Open, "five of the last six");
    });
}

#[test]
fn slow_calls_open_the_circuit_alone_or_with_failures() {
    timed(|clock| {
        let rule = |name| CircuitBreaker::builder(name).slow_call(2 * SECOND).slow_call_rate(0.5).minimum_calls(4);
        let slow = |circuit: &CircuitBreaker| {
            let _ = circuit.call(|| {
                clock.advance(2 * SECOND);
                Ok::<_, ()>(())
            });
        };
        let alone = build(rule("slow alone"));
        fail(&alone, 10);
        assert_eq!(alone.state(), State::Closed, "there is no rule about failures");
        (0..10).for_each(|_| slow(&alone));
        assert_eq!(alone.state(), State::Open);
        assert_eq!(alone.snapshot().slow, 10);
        let why = alone.snapshot().changes.pop().expect("it changed").why;
        assert_eq!(why.to_string(), "10 of the last 20 calls took 2s or longer, 50% with a limit of 50%");

        let both = build(rule("slow or failing").failure_rate(0.5));
        fail(&both, 4);
        assert_eq!(both.state(), State::Open);
        clock.advance(30 * SECOND);
        slow(&both);
        assert_eq!(both.state(), State::Open, "a slow probe is a failed one");
    });
}

#[test]
fn durations_are_measured_where_asked() {
    timed(|clock| {
        let circuit = build(CircuitBreaker::builder("measured").measure_durations(true));
        for ms in 1..=100 {
            let _ = circuit.call(|| {
                clock.advance(Duration::from_millis(ms));
                Ok::<_, ()>(())
            });
        }
        let durations = circuit.snapshot().durations.expect("measured");
        assert_eq!((durations.count, durations.longest), (100, Duration::from_millis(100)));
        assert!(durations.p50 >= Duration::from_millis(50) && durations.p50 < Duration::from_millis(57));
        assert_eq!(build(CircuitBreaker::builder("not measured")).snapshot().durations, None);
    });
}

#[test]
fn the_recovery_timeout_grows_while_probes_fail_and_starts_anew_after_closing() {
    timed(|clock| {
        let circuit = build(
            CircuitBreaker::builder("backoff")
                .failure_threshold(1)
                .recovery_timeout(10 * SECOND)
                .recovery_backoff(2.0)
                .recovery_jitter(0.0)
                .max_recovery_timeout(35 * SECOND),
        );
        fail(&circuit, 1);
        for seconds in [10, 20, 35, 35] {
            assert_eq!(circuit.snapshot().retry_after, Some(seconds * SECOND));
            clock.advance(seconds * SECOND);
            fail(&circuit, 1);
        }
        clock.advance(35 * SECOND);
        succeed(&circuit, 1);
        fail(&circuit, 1);
        assert_eq!(circuit.snapshot().retry_after, Some(10 * SECOND));
    });
}

#[test]
fn the_recovery_timeout_is_jittered_so_that_a_fleet_does_not_probe_in_step() {
    let clock = TestClock::new();
    TestScope::with_clock(&clock).seeded(1).call(|| {
        let timeouts: Vec<f64> = (0..100)
            .map(|n| {
                let circuit = build(
                    CircuitBreaker::builder(&format!("fleet {n}"))
                        .failure_threshold(1)
                        .recovery_timeout(10 * SECOND)
                        .recovery_backoff(2.0),
                );
                fail(&circuit, 1);
                circuit.snapshot().retry_after.expect("open").as_secs_f64()
            })
            .collect();
        assert!(timeouts.iter().all(|timeout| (9.0..=11.0).contains(timeout)), "a tenth by default");
        assert!(timeouts.iter().any(|timeout| *timeout < 9.5) && timeouts.iter().any(|timeout| *timeout > 10.5));
    });
}

#[test]
fn the_longest_recovery_timeout_is_jittered_too() {
    let clock = TestClock::new();
    TestScope::with_clock(&clock).seeded(2).call(|| {
        let timeouts: Vec<f64> = (0..50)
            .map(|n| {
                let circuit = build(
                    CircuitBreaker::builder(&format!("grown {n}"))
                        .failure_threshold(1)
                        .recovery_timeout(10 * SECOND)
                        .recovery_backoff(2.0)
                        .max_recovery_timeout(60 * SECOND),
                );
                for _ in 0..8 {
                    fail(&circuit, 1);
                    clock.advance(60 * SECOND);
                }
                fail(&circuit, 1);
                circuit.snapshot().retry_after.expect("open").as_secs_f64()
            })
            .collect();
        assert!(timeouts.iter().all(|timeout| *timeout <= 60.0));
        assert!(timeouts.iter().any(|timeout| *timeout < 52.0) && timeouts.iter().any(|timeout| *timeout > 57.0));
    });
}

#[test]
fn a_failure_rate_from_the_ramp_is_not_forgotten_at_its_end() {
    let clock = TestClock::new();
    TestScope::with_clock(&clock).seeded(7).call(|| {
        let circuit = build(
            CircuitBreaker::builder("after the ramp")
                .failure_rate(0.5)
                .window(10)
                .minimum_calls(4)
                .ramp_up(10 * SECOND),
        );
        fail(&circuit, 4);
        clock.advance(30 * SECOND);
        succeed(&circuit, 1);
        let mut failed = 0;
        while failed < 3 {
            failed += u32::from(matches!(circuit.call(|| Err::<(), _>(())), Err(Failure::Inner(()))));
        }
        clock.advance(10 * SECOND);
        succeed(&circuit, 1);
        assert_eq!(circuit.state(), State::Open, "three of four failed");
    });
}

#[test]
fn a_rejection_on_the_ramp_does_not_send_everybody_to_its_end() {
    let clock = TestClock::new();
    TestScope::with_clock(&clock).seeded(1).call(|| {
        let circuit = build(CircuitBreaker::builder("on the ramp").failure_threshold(1).ramp_up(100 * SECOND));
        fail(&circuit, 1);
        clock.advance(30 * SECOND);
        succeed(&circuit, 1);
        let rejected = loop {
            if let Err(Failure::Rejected(Error::CircuitOpen { retry_after, .. })) = circuit.call(|| Ok::<_, ()>(())) {
                break retry_after;
            }
        };
        assert_eq!(rejected, 10 * SECOND);
    });
}

#[test]
fn some_failed_probes_may_be_tolerated() {
    timed(|clock| {
        let circuit = build(
            CircuitBreaker::builder("tolerant").failure_threshold(1).half_open_max_failures(2).success_threshold(2),
        );
        fail(&circuit, 1);
        clock.advance(30 * SECOND);
        fail(&circuit, 2);
        succeed(&circuit, 1);
        assert_eq!(circuit.state(), State::HalfOpen);
        succeed(&circuit, 1);
        assert_eq!(circuit.state(), State::Closed);
        fail(&circuit, 1);
        clock.advance(30 * SECOND);
        fail(&circuit, 3);
        assert_eq!(circuit.state(), State::Open);
        let why = circuit.snapshot().changes.pop().expect("it changed").why;
        assert_eq!(why.to_string(), "3 probes failed");
    });
}

#[test]
fn a_probe_has_as_long_as_its_timeout_says() {
    run_paused(async {
        let circuit = build(CircuitBreaker::builder("leases").failure_threshold(1).probe_timeout(5 * SECOND));
        fail(&circuit, 1);
        tokio::time::advance(30 * SECOND).await;
        let mut hung = pin!(circuit.run(std::future::pending::<Result<(), ()>>()));
        assert!(poll_once(hung.as_mut()).is_pending());
        tokio::time::advance(4 * SECOND).await;
        let refused = circuit.call(|| Ok::<_, ()>(())).expect_err("its place is taken");
        assert!(matches!(refused, Failure::Rejected(Error::CircuitOpen { retry_after: SECOND, .. })), "{refused:?}");
        tokio::time::advance(SECOND).await;
        succeed(&circuit, 1);
        assert_eq!(circuit.state(), State::Closed);
    });
}

#[test]
fn after_closing_the_share_of_admitted_calls_grows() {
    let clock = TestClock::new();
    TestScope::with_clock(&clock).seeded(3).call(|| {
        let circuit = build(CircuitBreaker::builder("ramp").failure_threshold(1).ramp_up(10 * SECOND));
        fail(&circuit, 1);
        clock.advance(30 * SECOND);
        succeed(&circuit, 1);
        let admitted = || (0..1000).filter(|_| circuit.call(|| Ok::<_, ()>(())).is_ok()).count();
        assert_eq!(circuit.state(), State::Closed);
        assert!((circuit.snapshot().admitted_share - 0.1).abs() < 1e-9);
        assert!((50..150).contains(&admitted()), "about a tenth");
        clock.advance(5 * SECOND);
        assert!((circuit.snapshot().admitted_share - 0.55).abs() < 1e-9);
        assert!((500..600).contains(&admitted()), "about half");
        clock.advance(5 * SECOND);
        assert_eq!(admitted(), 1000);
        assert_eq!(circuit.snapshot().admitted_share, 1.0);
        fail(&circuit, 1);
        assert_eq!(circuit.state(), State::Open);
    });
}

#[test]
fn a_failure_on_the_ramp_counts() {
    let clock = TestClock::new();
    TestScope::with_clock(&clock).seeded(5).call(|| {
        let circuit = build(CircuitBreaker::builder("ramp fails").failure_threshold(2).ramp_up(10 * SECOND));
        fail(&circuit, 2);
        clock.advance(30 * SECOND);
        succeed(&circuit, 1);
        let mut calls = 0;
        while circuit.state() == State::Closed {
            let _ = circuit.call(|| Err::<(), _>(()));
            calls += 1;
            assert!(calls < 10_000, "a tenth of them is admitted");
        }
        assert_eq!(circuit.snapshot().changes.pop().expect("it changed").why.to_string(), "2 consecutive failures");
    });
}

impl ApiError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Down => FailureKind::Connection,
            _ => FailureKind::Other,
        }
    }
}

#[circuit_breaker(name = "classified", failure_threshold = 100, classify = ApiError::kind)]
async fn classified(answer: Result<(), ApiError>) -> Result<(), ApiError> {
    answer
}

#[circuit_breaker(
    name = "classified",
    failure_threshold = 100,
    failure_when = ApiError::is_fault,
    classify = |error| if error.is_fault() { FailureKind::Http } else { FailureKind::Validation }
)]
#[resilience::timeout("1s")]
async fn classified_by_closure(answer: Option<ApiError>) -> Result<(), ApiError> {
    match answer {
        Some(error) => Err(error),
        None => std::future::pending().await,
    }
}

#[test]
fn failures_are_counted_by_kind() {
    run_paused(async {
        let _ = classified(Err(ApiError::Down)).await;
        let _ = classified(Err(ApiError::NotFound)).await;
        let _ = classified_by_closure(Some(ApiError::Down)).await;
        let _ = classified_by_closure(Some(ApiError::NotFound)).await;
        let _ = classified_by_closure(None).await;
        let kinds = CircuitBreaker::named("classified").snapshot().failure_kinds;
        let counted: Vec<_> = kinds.into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(
            counted,
            [(FailureKind::Timeout, 1), (FailureKind::Connection, 1), (FailureKind::Http, 1), (FailureKind::Other, 1),]
        );
    });
}

#[test]
fn rules_that_cannot_be_meant_are_refused() {
    let fault = |circuit: CircuitBreakerBuilder| circuit.build().expect_err("refused").to_string();
    let circuit = || CircuitBreaker::builder("c");
    let faults = [
        fault(circuit().failure_rate(0.0)),
        fault(circuit().failure_rate(f64::NAN)),
        fault(circuit().slow_call_rate(0.5)),
        fault(circuit().window(10)),
        fault(circuit().minimum_calls(10)),
        fault(circuit().failure_rate(0.5).window(0)),
        fault(circuit().failure_rate(0.5).window(Duration::from_millis(99))),
        fault(circuit().failure_rate(0.5).window(10).minimum_calls(11)),
        fault(circuit().recovery_backoff(0.5)),
        fault(circuit().recovery_backoff(2.0).recovery_timeout(10 * SECOND).max_recovery_timeout(SECOND)),
        fault(circuit().recovery_jitter(2.0)),
        fault(circuit().half_open_max_calls(5000)),
    ];
    assert_eq!(
        faults.map(|fault| fault.replace("circuit breaker `c`: ", "")),
        [
            "`failure_rate` must be above 0 and at most 1",
            "`failure_rate` must be above 0 and at most 1",
            "`slow_call_rate` needs `slow_call`",
            "`window` needs `failure_rate` or `slow_call_rate`",
            "`minimum_calls` needs `failure_rate` or `slow_call_rate`",
            "`window` must be from 1 to 1 000 000 calls, or a time of at least 100 ms",
            "`window` must be from 1 to 1 000 000 calls, or a time of at least 100 ms",
            "`minimum_calls` must not be above the `window`, or no rate ever counts",
            "`recovery_backoff` must be at least 1",
            "`max_recovery_timeout` must not be below `recovery_timeout`",
            "`recovery_jitter` must be from 0 to 1",
            "`half_open_max_calls` must be from 1 to 4095",
        ]
    );
}

const RATE: f64 = 0.25;
const WINDOW: u32 = 8;

#[circuit_breaker(name = "all rules", failure_rate = RATE, window = WINDOW, minimum_calls = 4, slow_call = "2s",
    slow_call_rate = 0.8, recovery_timeout = "10s", recovery_backoff = 2, max_recovery_timeout = "1m",
    recovery_jitter = 0.0, half_open_max_failures = 1, probe_timeout = "3s", ramp_up = "5s", measure_durations = true)]
fn all_rules(fail: bool) -> Result<(), ApiError> {
    if fail { Err(ApiError::Down) } else { Ok(()) }
}

#[circuit_breaker(name = "timed window", failure_rate = 0.5, window = "10s")]
fn timed_window() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[test]
fn an_attribute_takes_every_rule() {
    timed(|_| {
        let circuit = CircuitBreaker::named("all rules");
        let settings = circuit.settings();
        assert_eq!((settings.failure_rate, settings.window), (Some(0.25), WINDOW.into()));
        assert_eq!((settings.probe_timeout, settings.ramp_up), (Some(3 * SECOND), 5 * SECOND));
        assert_eq!(settings.failure_threshold, None);
        for _ in 0..3 {
            assert_eq!(all_rules(false), Ok(()));
        }
        let _ = all_rules(true);
        assert_eq!(circuit.state(), State::Open, "one of four is a quarter");
        (0..10).for_each(|_| drop(timed_window()));
        assert_eq!(CircuitBreaker::named("timed window").state(), State::Open);
    });
}
