//! Circuits under command, with new settings while in use, and what they tell of themselves.

use resilience::{
    CircuitBreaker,
    circuit_breaker::{Reason, State, Window, explain},
};

use crate::{
    circuit_breaker_rules::{build, fail, succeed, timed},
    support::SECOND,
};

#[test]
fn a_circuit_can_be_forced_open_for_good_or_for_a_while() {
    timed(|clock| {
        let circuit = build(CircuitBreaker::builder("forced"));
        circuit.force_open(None);
        clock.advance(1_000_000 * SECOND);
        let error = circuit.call(|| Ok::<_, ()>(())).expect_err("forced open");
        assert_eq!(error.rejection().map(ToString::to_string).as_deref(), Some("circuit `forced` is forced open"));
        assert_eq!((circuit.state(), circuit.snapshot().retry_after), (State::ForcedOpen, None));
        circuit.force_open(Some(10 * SECOND));
        assert_eq!(circuit.snapshot().retry_after, Some(10 * SECOND));
        clock.advance(10 * SECOND);
        succeed(&circuit, 1);
        assert_eq!(circuit.state(), State::Closed, "probes decided");
    });
}

#[test]
fn a_circuit_can_be_forced_closed() {
    timed(|_| {
        let circuit = build(CircuitBreaker::builder("forced closed").failure_threshold(1));
        fail(&circuit, 1);
        circuit.force_closed();
        succeed(&circuit, 1);
        fail(&circuit, 1);
        assert_eq!(circuit.state(), State::Open, "the rules are in force again");
        assert_eq!(circuit.snapshot().failures, 2, "the counts stay");
    });
}

#[test]
fn a_disabled_circuit_passes_and_counts_everything() {
    timed(|_| {
        let circuit = build(CircuitBreaker::builder("disabled").failure_threshold(1));
        circuit.disable();
        fail(&circuit, 10);
        assert_eq!((circuit.state(), circuit.snapshot().failures), (State::Disabled, 10));
        circuit.reset();
        assert_eq!((circuit.state(), circuit.snapshot().failures), (State::Closed, 0));
        fail(&circuit, 1);
        assert_eq!(circuit.state(), State::Open);
    });
}

#[test]
fn a_live_circuit_takes_new_settings_and_keeps_its_state() {
    timed(|clock| {
        let circuit = build(CircuitBreaker::builder("tuned").failure_threshold(3));
        fail(&circuit, 2);
        circuit.reconfigure(|settings| settings.failure_threshold(5)).expect("sound");
        fail(&circuit, 2);
        assert_eq!((circuit.state(), circuit.snapshot().consecutive_failures), (State::Closed, 4));
        fail(&circuit, 1);
        assert_eq!(circuit.state(), State::Open);
        circuit.reconfigure(|settings| settings.recovery_timeout(SECOND).half_open_max_calls(3)).expect("sound");
        assert_eq!((circuit.state(), circuit.snapshot().failures), (State::Open, 5));
        clock.advance(30 * SECOND);
        assert_eq!(circuit.call(|| Ok::<_, ()>(())), Ok(()));

        let fault = circuit.reconfigure(|settings| settings.failure_rate(1.5)).expect_err("no such rate");
        assert_eq!(fault.to_string(), "circuit breaker `tuned`: `failure_rate` must be above 0 and at most 1");
        assert_eq!(circuit.settings().failure_rate, None, "nothing was changed");

        circuit.reconfigure(|settings| settings.failure_rate(0.5).window(4).minimum_calls(4)).expect("sound");
        succeed(&circuit, 2);
        fail(&circuit, 2);
        assert_eq!(circuit.state(), State::Open, "the new rule is in force");
    });
}

#[test]
fn a_window_of_another_length_or_kind_starts_empty() {
    timed(|_| {
        let circuit = build(CircuitBreaker::builder("reshaped").failure_rate(0.9).window(10).minimum_calls(10));
        fail(&circuit, 8);
        for window in [Window::Calls(100), (10 * SECOND).into(), 100.into()] {
            circuit.reconfigure(|settings| settings.window(window)).expect("sound");
            assert_eq!((circuit.snapshot().window_calls, circuit.snapshot().failure_rate), (0, 0.0), "{window:?}");
            succeed(&circuit, 5);
            assert_eq!(circuit.snapshot().window_calls, 5, "{window:?}");
        }
        assert_eq!(circuit.snapshot().failures, 8, "the counts stay");
    });
}

#[test]
fn windows_of_earlier_phases_never_come_back() {
    timed(|_| {
        let circuit = build(CircuitBreaker::builder("many phases").failure_rate(0.5).window(3600 * SECOND));
        succeed(&circuit, 100);
        for _ in 0..600 {
            circuit.force_closed();
            assert_eq!(circuit.snapshot().window_calls, 0);
        }
    });
}

#[test]
fn a_circuit_that_ramped_up_unseen_makes_room_for_others() {
    timed(|clock| {
        let family = build(CircuitBreaker::builder("ramped").failure_threshold(1).ramp_up(SECOND).max_keys(1));
        let recovered = family.for_key("recovered");
        fail(&recovered, 1);
        clock.advance(30 * SECOND);
        succeed(&recovered, 1);
        drop(recovered);
        clock.advance(SECOND);
        assert_eq!(family.for_key("new").name(), &"ramped[new]");
    });
}

#[test]
fn the_snapshot_tells_the_circuits_story() {
    timed(|clock| {
        let circuit = build(CircuitBreaker::builder("story").failure_threshold(1));
        clock.advance(5 * SECOND);
        fail(&circuit, 1);
        clock.advance(31 * SECOND);
        let _ = circuit.call(|| {
            clock.advance(2 * SECOND);
            Ok::<_, ()>(())
        });
        clock.advance(SECOND);
        let snapshot = circuit.snapshot();
        assert_eq!(
            [snapshot.time_in.closed, snapshot.time_in.open, snapshot.time_in.half_open],
            [6 * SECOND, 31 * SECOND, 2 * SECOND]
        );
        assert_eq!(snapshot.openings, 1);
        assert!(snapshot.opened_at.is_some());
        let ago = snapshot.last_failure_at.expect("it failed").elapsed().expect("in the past");
        assert!(ago >= 34 * SECOND && ago < 40 * SECOND, "{ago:?}");
        let reasons: Vec<Reason> = snapshot.changes.into_iter().map(|change| change.why).collect();
        assert!(matches!(reasons[1], Reason::RecoveryTimeout), "{reasons:?}");
    });
}

#[test]
fn explain_says_in_words_why_a_circuit_is_in_its_state() {
    timed(|clock| {
        let circuit = build(CircuitBreaker::builder("explained").failure_threshold(2));
        assert_eq!(circuit.explain(), "circuit `explained` is closed\nnothing has changed since it was made");
        fail(&circuit, 2);
        clock.advance(10 * SECOND);
        assert!(circuit.call(|| Ok::<_, ()>(())).is_err());
        assert_eq!(
            explain("explained").expect("it exists"),
            "circuit `explained` is open; next probe in 20s; 1 call turned away since the last change\n\
             10s ago: closed to open, because 2 consecutive failures"
        );
        clock.advance(20 * SECOND);
        fail(&circuit, 1);
        assert_eq!(
            circuit.explain(),
            "circuit `explained` is open; next probe in 30s\n\
             0s ago: half-open to open, because a probe failed\n\
             0s ago: open to half-open, because the recovery timeout has passed\n\
             30s ago: closed to open, because 2 consecutive failures"
        );
        assert_eq!(explain("nobody made this one"), None);
    });
}

#[test]
fn a_time_forced_open_is_told_as_such() {
    timed(|clock| {
        let circuit = build(CircuitBreaker::builder("told").failure_threshold(2));
        circuit.force_open(Some(10 * SECOND));
        assert!(circuit.explain().starts_with("circuit `told` is forced open; probes in 10s"));
        clock.advance(10 * SECOND);
        fail(&circuit, 1);
        assert!(
            circuit
                .explain()
                .contains("forced open to half-open, because it was forced open for a time that has passed"),
            "{}",
            circuit.explain()
        );
    });
}

#[test]
fn the_story_is_as_long_as_its_latest_chapters() {
    timed(|_| {
        let circuit = build(CircuitBreaker::builder("long story").failure_threshold(1));
        for _ in 0..100 {
            fail(&circuit, 1);
            circuit.reset();
        }
        assert_eq!(circuit.snapshot().changes.len(), 16);
    });
}

#[test]
fn a_handle_tells_of_its_own_circuit_alone() {
    use std::sync::{Arc, Mutex};

    timed(|_| {
        let (ours, other) = (
            build(CircuitBreaker::builder("heard").failure_threshold(1)),
            build(CircuitBreaker::builder("unheard").failure_threshold(1)),
        );
        let seen = Arc::new(Mutex::new(0));
        let subscription = ours.subscribe({
            let (seen, ours) = (seen.clone(), ours.clone());
            move |_| {
                // A subscriber may use the circuit: it runs outside of every lock.
                let _ = (ours.snapshot(), ours.explain());
                *seen.lock().expect("no panic") += 1;
            }
        });
        fail(&other, 1);
        fail(&ours, 1);
        assert_eq!(*seen.lock().expect("no panic"), 1);
        drop(subscription);
        ours.reset();
        assert_eq!(*seen.lock().expect("no panic"), 1);
    });
}
