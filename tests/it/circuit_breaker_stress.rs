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

/// Tells how many threads were in a piece of work at once, at most.
#[derive(Default)]
struct Inside {
    now: AtomicU32,
    most: AtomicU32,
}

impl Inside {
    fn work<T>(&self, work: impl FnOnce() -> T) -> T {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let out = work();
        self.now.fetch_sub(1, Ordering::SeqCst);
        out
    }

    fn most(&self) -> u32 {
        self.most.load(Ordering::SeqCst)
    }
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
        let inside = Inside::default();
        // Now and then all are inside at once, so that they go on from there side by side.
        let meeting = Barrier::new(usize::try_from(THREADS).expect("few"));
        on_threads(|thread| {
            for n in 0..CALLS {
                let failing = (n + thread).is_multiple_of(100);
                let _ = circuit.call(|| {
                    inside.work(|| {
                        if n.is_multiple_of(1000) {
                            meeting.wait();
                        }
                        if failing { Err("down") } else { Ok(n) }
                    })
                });
            }
        });
        let snapshot = circuit.snapshot();
        assert_eq!(u64::from(inside.most()), THREADS, "the threads met");
        assert_eq!(snapshot.successes, THREADS * CALLS * 99 / 100, "{}", snapshot.name);
        assert_eq!(snapshot.failures, THREADS * CALLS / 100, "{}", snapshot.name);
        assert_eq!((snapshot.calls, snapshot.late, snapshot.rejected), (THREADS * CALLS, 0, 0), "{}", snapshot.name);
        if snapshot.name == "time window" {
            assert_eq!(snapshot.window_calls, THREADS * CALLS, "none is lost");
        }
    }
}

#[test]
fn no_more_probes_than_permitted_are_inside() {
    const PROBES: u16 = 2;
    const ROUNDS: u64 = 500;
    // So many successes that the circuit stays half-open: every call that is admitted is a probe.
    let circuit = build(
        CircuitBreaker::builder("permits")
            .failure_threshold(1)
            .recovery_timeout(Duration::from_nanos(1))
            .half_open_max_calls(PROBES)
            .success_threshold(4095),
    );
    let _ = circuit.call(|| Err::<(), _>(()));
    let inside = Inside::default();
    on_threads(|_| {
        for _ in 0..ROUNDS {
            let _ = circuit.call(|| {
                inside.work(thread::yield_now);
                Ok::<_, ()>(())
            });
        }
    });
    let snapshot = circuit.snapshot();
    assert_eq!(inside.most(), u32::from(PROBES), "all places were taken at once, and never more");
    assert_eq!((snapshot.state, snapshot.probes), (State::HalfOpen, 0), "every place came back");
    assert!(snapshot.rejected > 0, "some calls met taken places");
    assert_eq!(snapshot.calls + snapshot.rejected, THREADS * ROUNDS + 1);
}

#[test]
fn opening_and_recovering_over_and_over_loses_nothing() {
    const ROUNDS: u64 = 2_000;
    let circuit = build(
        CircuitBreaker::builder("churn")
            .failure_threshold(1)
            .recovery_timeout(Duration::from_nanos(1))
            .half_open_max_calls(2)
            .success_threshold(3),
    );
    let [ok, failed, rejected] = [0; 3].map(AtomicU64::new);
    on_threads(|thread| {
        for n in 0..ROUNDS {
            let out = circuit.call(|| {
                thread::yield_now();
                if (n + thread).is_multiple_of(5) { Err(()) } else { Ok(()) }
            });
            let count = match out {
                Ok(()) => &ok,
                Err(Failure::Inner(())) => &failed,
                Err(Failure::Rejected(_)) => &rejected,
            };
            count.fetch_add(1, Ordering::SeqCst);
        }
    });
    let snapshot = circuit.snapshot();
    assert_eq!(
        [snapshot.successes, snapshot.failures, snapshot.rejected],
        [ok, failed, rejected].map(AtomicU64::into_inner)
    );
    assert_eq!(snapshot.calls + snapshot.rejected, THREADS * ROUNDS);
    assert!(snapshot.openings > 10, "it opened and recovered over and over: {}", snapshot.openings);
    assert!(snapshot.late > 0, "some results came back after a change of state");
    assert!(snapshot.rejected > 0, "some calls met an open circuit");
}

#[test]
fn looking_at_a_circuit_changes_nothing() {
    let done = AtomicU32::new(0);
    let circuit = build(CircuitBreaker::builder("looked at").failure_rate(1.0).window(4).minimum_calls(4));
    let looks = AtomicU64::new(0);
    thread::scope(|scope| {
        let (circuit, done, looks) = (&circuit, &done, &looks);
        scope.spawn(move || {
            while done.load(Ordering::SeqCst) == 0 {
                let _ = circuit.snapshot();
                looks.fetch_add(1, Ordering::SeqCst);
            }
        });
        let before = || looks.load(Ordering::SeqCst);
        while before() == 0 {
            thread::yield_now();
        }
        for _ in 0..20_000 {
            for _ in 0..4 {
                let _ = circuit.call(|| Err::<(), _>(()));
            }
            assert_eq!(circuit.state(), State::Open);
            circuit.force_closed();
        }
        done.store(1, Ordering::SeqCst);
    });
    assert!(looks.into_inner() > 100, "somebody looked all the time");
}

#[test]
fn a_thread_that_is_being_torn_down_can_still_call() {
    struct Last(CircuitBreaker);
    impl Drop for Last {
        fn drop(&mut self) {
            for key in ["a", "b"] {
                assert_eq!(self.0.for_key(key).call(|| Ok::<_, ()>(())), Ok(()));
            }
            assert_eq!(self.0.call(|| Ok::<_, ()>(())), Ok(()));
        }
    }
    thread_local!(static LAST: std::cell::OnceCell<Last> = const { std::cell::OnceCell::new() });
    for rate in [None, Some(0.5)] {
        let name = format!("last words {rate:?}");
        let mut circuit = CircuitBreaker::builder(&name);
        if let Some(rate) = rate {
            circuit = circuit.failure_rate(rate);
        }
        let circuit = build(circuit);
        for first in [true, false] {
            let circuit = circuit.clone();
            let thread = thread::spawn(move || {
                if first {
                    assert_eq!(circuit.call(|| Ok::<_, ()>(())), Ok(()));
                }
                LAST.with(|last| drop(last.set(Last(circuit.clone()))));
                if !first {
                    assert_eq!(circuit.call(|| Ok::<_, ()>(())), Ok(()));
                }
            });
            thread.join().expect("no panic");
        }
        assert_eq!(circuit.snapshot().successes, 4);
    }
}
