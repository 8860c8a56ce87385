//! Circuit breakers: calls that pass a closed circuit, and calls that an open one rejects.

use std::time::Duration;

use circuitbreaker_rs::DefaultPolicy;
use failsafe::{CircuitBreaker as _, StateMachine, backoff, failure_policy, futures};
use layered::{Execute, Stack};
use recloser::{AsyncRecloser, Recloser};
use resilience::CircuitBreaker;
use seatbelt::breaker::Breaker;
use tower::{Layer, service_fn};
use tower_resilience::circuitbreaker::CircuitBreakerLayer;

use crate::{
    batch::{rejected, succeeding},
    case::Case,
    peers::{LIMIT, recovery, seatbelt, seatbelt_context, tower},
    target::Target,
    threads::threads,
    work::{Fault, complete, failing, ready, work},
};

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = vec![closed("closed, sync", &circuit("closed sync"), 0.35)];
    cases.extend(windows());
    cases.extend([closed_async(), by_attribute(), two_threads(), open()]);
    cases
}

/// The sliding windows, against recloser's ring buffer.
fn windows() -> [Case; 2] {
    let rate = |name: &str| CircuitBreaker::builder(name).failure_rate(0.5);
    let calls = rate("count window").window(100).build().expect("sound");
    let time = rate("time window").window(Duration::from_secs(10)).build().expect("sound");
    [closed("closed, count window, sync", &calls, 0.6), closed("closed, time window, sync", &time, 0.6)]
}

fn closed(name: &'static str, ours: &CircuitBreaker, limit: f64) -> Case {
    let ours = ours.clone();
    let (recloser, failsafe, circuitbreaker_rs) = (Recloser::default(), failsafe(5), circuitbreaker_rs(5));
    Case::new(name, succeeding(work), succeeding(move |n| ours.call(|| work(n))))
        .peer("recloser", succeeding(move |n| recloser.call(|| work(n))))
        .peer("failsafe", succeeding(move |n| failsafe.call(|| work(n))))
        .peer("circuitbreaker-rs", succeeding(move |n| circuitbreaker_rs.call(|| work(n))))
        .target(Target::OfOne(limit, "recloser"))
}

fn closed_async() -> Case {
    let ours = circuit("closed async");
    let recloser = AsyncRecloser::from(Recloser::default());
    let failsafe = failsafe(5);
    let seatbelt_breaker = Breaker::layer("closed", &seatbelt_context())
        .recovery_with(|out, _| recovery(out))
        .rejected_input_error(|_, _| Fault::REFUSED);
    let tower_breaker = CircuitBreakerLayer::builder().consecutive_failures(5).build().expect("sound");
    let floor = succeeding(|n| complete(ready(n)));
    Case::new("closed, async", floor, succeeding(move |n| complete(ours.run(ready(n)))))
        .peer("recloser", succeeding(move |n| complete(recloser.call(ready(n)))))
        .peer("failsafe", succeeding(move |n| complete(futures::CircuitBreaker::call(&failsafe, ready(n)))))
        .peer("seatbelt", seatbelt((seatbelt_breaker, Execute::new(ready)).into_service()))
        .peer("tower-resilience", tower(tower_breaker.layer(service_fn(ready))))
        .target(Target::OfOne(0.4, "recloser"))
}

fn by_attribute() -> Case {
    let by_hand = circuit("by hand");
    Case::new("by attribute, sync", succeeding(work), succeeding(annotated))
        .variant("by hand", succeeding(move |n| by_hand.call(|| work(n))))
        .target(Target::Above(2.0, "by hand"))
}

#[resilience::circuit_breaker(failure_threshold = 5)]
fn annotated(n: u64) -> Result<u64, Fault> {
    work(n)
}

fn two_threads() -> Case {
    let (ours, alone) = (circuit("two threads"), circuit("one thread"));
    let (recloser, failsafe, circuitbreaker_rs) = (Recloser::default(), failsafe(5), circuitbreaker_rs(5));
    Case::new("closed, two threads", threads(2, work), threads(2, move |n| ours.call(|| work(n))))
        .variant("one thread", threads(1, move |n| alone.call(|| work(n))))
        .peer("recloser", threads(2, move |n| recloser.call(|| work(n))))
        .peer("failsafe", threads(2, move |n| failsafe.call(|| work(n))))
        .peer("circuitbreaker-rs", threads(2, move |n| circuitbreaker_rs.call(|| work(n))))
        .target(Target::OfOne(1.3, "one thread"))
        .target(Target::OfBest(0.15))
}

fn open() -> Case {
    let ours = CircuitBreaker::builder("open").failure_threshold(1).recovery_timeout(LIMIT).build().expect("sound");
    let recloser = Recloser::custom().closed_len(1).open_wait(LIMIT).build();
    let (failsafe, circuitbreaker_rs) = (failsafe(1), circuitbreaker_rs(1));
    // A full window opens recloser's circuit, so it takes one failure more.
    for _ in 0..2 {
        let _ = ours.call(failing);
        let _ = recloser.call(failing);
        let _ = failsafe.call(failing);
        let _ = circuitbreaker_rs.call(failing);
    }
    Case::new("open, rejected", succeeding(work), rejected(move |n| ours.call(|| work(n))))
        .peer("recloser", rejected(move |n| recloser.call(|| work(n))))
        .peer("failsafe", rejected(move |n| failsafe.call(|| work(n))))
        .peer("circuitbreaker-rs", rejected(move |n| circuitbreaker_rs.call(|| work(n))))
        .target(Target::OfBest(0.5))
        .target(Target::NoAllocation)
}

fn circuit(name: &str) -> CircuitBreaker {
    CircuitBreaker::builder(name).failure_threshold(5).build().expect("sound")
}

fn failsafe(failures: u32) -> StateMachine<impl failsafe::FailurePolicy + 'static, ()> {
    let policy = failure_policy::consecutive_failures(failures, backoff::constant(LIMIT));
    failsafe::Config::new().failure_policy(policy).build()
}

fn circuitbreaker_rs(failures: u64) -> circuitbreaker_rs::CircuitBreaker<DefaultPolicy, Fault> {
    circuitbreaker_rs::CircuitBreaker::<DefaultPolicy, Fault>::builder()
        .consecutive_failures(failures)
        .cooldown(LIMIT)
        .build()
}
