//! Real threads on one circuit. Each test fails too if the races that it is about did not happen.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use resilience::{
    CircuitBreaker, Failure,
    circuit_breaker::{CircuitBreakerBuilder, State},
    testing::TestScope,
};

const THREADS: u64 = 4;

fn build(circuit: CircuitBreakerBuilder) -> CircuitBreaker {
    TestScope::new().call(|| circuit.build().expect("sound"))
}

fn on_threads(work: impl Fn(u64) + Sync) {
    let start = Barrier::new(usize::try_from(THREADS).expect("few"));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (work, start) = (&work, &start);
            scope.spawn(move || {
                start.wait();
                work(thread);
            });
        }
    });
}

#[test]
fn every_count_is_exact_however_many_threads_add_to_it() {
    const CALLS: u64 = 100_000;
    for circuit in [
        CircuitBreaker::builder("plain").failure_threshold(u32::MAX),
        CircuitBreaker::builder("count window").failure_rate(1.0).window(1000).minimum_calls(1000),
        CircuitBreaker::builder("time window").failure_rate(1.0).window(Duration::from_secs(3600)),
    ] {
        let circuit = build(circuit);
        on_threads(|thread| {
            for n in 0..CALLS {
                let failing = (n + thread).is_multiple_of(100);
                let _ = circuit.call(|| if failing { Err("down") } else { Ok(n) });
            }
        });
        let snapshot = circuit.snapshot();
        assert_eq!(snapshot.successes, THREADS * CALLS * 99 / 100, "{}", snapshot.name);
        assert_eq!(snapshot.failures, THREADS * CALLS / 100, "{}", snapshot.name);
        assert_eq!((snapshot.calls, snapshot.late, snapshot.rejected), (THREADS * CALLS, 0, 0), "{}", snapshot.name);
        if snapshot.name == "time window" {
            assert_eq!(snapshot.window_calls, THREADS * CALLS, "none is lost");
        }
    }
}

#[test]
fn no_more_probes_than_permitted_are_inside_and_none_is_lost() {
    const PROBES: u16 = 2;
    const ROUNDS: u32 = 2_000;
    let circuit = build(
        CircuitBreaker::builder("probes")
            .failure_threshold(1)
            .recovery_timeout(Duration::from_nanos(1))
            .half_open_max_calls(PROBES)
            .success_threshold(3),
    );
    let (inside, most) = (AtomicU32::new(0), AtomicU32::new(0));
    let (ok, failed, rejected) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    on_threads(|thread| {
        for n in 0..ROUNDS {
            let half_open_before = circuit.state() == State::HalfOpen;
            let out = circuit.call(|| {
                let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
                if half_open_before && circuit.state() == State::HalfOpen {
                    most.fetch_max(now, Ordering::SeqCst);
                }
                thread::yield_now();
                inside.fetch_sub(1, Ordering::SeqCst);
                if (u64::from(n) + thread).is_multiple_of(5) { Err(()) } else { Ok(()) }
            });
            match out {
                Ok(()) => ok.fetch_add(1, Ordering::SeqCst),
                Err(Failure::Inner(())) => failed.fetch_add(1, Ordering::SeqCst),
                Err(Failure::Rejected(_)) => rejected.fetch_add(1, Ordering::SeqCst),
            };
        }
    });
    let snapshot = circuit.snapshot();
    assert_eq!(snapshot.successes, ok.into_inner());
    assert_eq!(snapshot.failures, failed.into_inner());
    assert_eq!(snapshot.rejected, rejected.into_inner());
    assert_eq!(snapshot.calls + snapshot.rejected, THREADS * u64::from(ROUNDS));
    assert!(snapshot.openings > 10, "it opened and recovered over and over: {}", snapshot.openings);
    assert!(snapshot.late > 0, "some results came back after a change of state");
    assert!(snapshot.rejected > 0, "some calls met a taken place");
    if snapshot.state == State::HalfOpen {
        assert_eq!(snapshot.probes, 0, "every place came back");
    }
}
