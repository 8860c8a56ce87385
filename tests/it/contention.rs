//! Resources by hand: what is known about waits and holders, and that a resource always comes back.

use std::{
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use resilience::{
    Error, Failure, Resource,
    contention::Snapshot,
    events::{self, Event, Subscription},
    testing::{TestClock, TestScope},
};
use tokio::{task::yield_now, time::sleep};

use crate::support::SECOND;

fn resource(name: &str, max_concurrent: u32) -> Resource {
    Resource::builder(name)
        .max_concurrent(max_concurrent)
        .max_wait(5 * SECOND)
        .contention_threshold(SECOND)
        .build()
        .expect("valid settings")
}

/// Yields until the resource looks like that, as another thread makes it.
fn wait_until(resource: &Resource, condition: impl Fn(&Snapshot) -> bool) {
    for _ in 0..50_000_000_u64 {
        if condition(&resource.snapshot()) {
            return;
        }
        thread::yield_now();
    }
    panic!("never came: {:?}", resource.snapshot());
}

/// Holds the resource for that long.
async fn hold(resource: &Resource, time: Duration) -> Result<(), Failure<String>> {
    let work = async {
        sleep(time).await;
        Ok(())
    };
    resource.run(work).await
}

/// Contention of that resource, as it is reported.
fn watch(name: &'static str) -> (Arc<Mutex<Vec<Event>>>, Subscription) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    let subscription = events::subscribe(move |event| {
        if matches!(event, Event::ContentionDetected { name: of, .. } if *of == name) {
            log.lock().expect("no panic").push(event.clone());
        }
    });
    (seen, subscription)
}

fn broken() -> Result<(), String> {
    panic!("the work is broken")
}

fn assert_free(resource: &Resource) {
    let seen = resource.snapshot();
    assert_eq!((seen.holders.len(), seen.waiting), (0, 0), "{seen:?}");
}

#[test]
fn an_uncontended_resource_is_had_without_a_wait() {
    let resource = resource("ct-free", 1);
    for _ in 0..3 {
        resource.call(|| Ok::<_, String>(())).expect("let in");
    }
    let seen = resource.snapshot();
    assert_eq!((seen.acquisitions, seen.contended, seen.timeouts, seen.capacity), (3, 0, 0, 1));
    assert_eq!((seen.total_wait, seen.average_wait(), seen.longest_wait), Default::default());
    assert_eq!(seen.contention_rate().to_bits(), 0.0_f64.to_bits());
}

#[tokio::test(start_paused = true)]
async fn waits_are_measured_from_the_arrival_to_the_turn() {
    let resource = resource("ct-stats", 1);
    let calls = (1..=3).map(|_| {
        let resource = resource.clone();
        tokio::spawn(async move { hold(&resource, Duration::from_millis(500)).await })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("no panic").expect("let in");
    }
    let seen = resource.snapshot();
    assert_eq!((seen.acquisitions, seen.contended, seen.timeouts), (3, 2, 0));
    assert!((seen.contention_rate() - 2.0 / 3.0).abs() < 1e-9);
    // Tokio's timers round up to the next millisecond.
    assert!((1500..=1510).contains(&seen.total_wait.as_millis()), "{seen:?}");
    assert!((750..=755).contains(&seen.average_wait().as_millis()), "{seen:?}");
    assert!((1000..=1005).contains(&seen.longest_wait.as_millis()), "{seen:?}");
    resource.reset();
    assert_eq!((resource.snapshot().acquisitions, resource.snapshot().total_wait), (0, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_wait_over_the_threshold_is_reported_once_the_resource_is_had() {
    let (events, _subscription) = watch("ct-event");
    let resource = resource("ct-event", 1);
    let holder = {
        let resource = resource.clone();
        tokio::spawn(async move { hold(&resource, 2 * SECOND).await })
    };
    yield_now().await;
    let line = line!() + 1;
    resource.run(async { Ok::<_, String>(()) }).await.expect("let in");
    holder.await.expect("no panic").expect("let in");
    let events = events.lock().expect("no panic");
    let [Event::ContentionDetected { function, waited, threshold, .. }] = &events[..] else { panic!("{events:?}") };
    assert_eq!(function.as_str(), format!("{}:{line}", file!()));
    assert_eq!((waited.as_secs(), *threshold), (2, SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_wait_below_the_threshold_is_not_reported() {
    let (events, _subscription) = watch("ct-no-event");
    let resource = resource("ct-no-event", 1);
    let (first, second) =
        tokio::join!(hold(&resource, Duration::from_millis(900)), hold(&resource, Duration::from_millis(1)),);
    first.and(second).expect("let in");
    assert_eq!(resource.snapshot().contended, 1);
    assert_eq!(*events.lock().expect("no panic"), []);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_too_long_names_the_holder() {
    let resource = resource("ct-timeout", 1);
    let line = line!() + 3;
    let holder = {
        let resource = resource.clone();
        tokio::spawn(async move { resource.run(pending::<Result<(), String>>()).await })
    };
    sleep(SECOND).await;
    let Err(Failure::Rejected(error)) = hold(&resource, SECOND).await else { panic!("had it") };
    let Error::ContentionTimeout { waited, holders, .. } = &error else { panic!("{error}") };
    assert_eq!((waited.as_secs(), holders.len()), (5, 1));
    assert_eq!(holders[0].function.as_str(), format!("{}:{line}", file!()));
    assert_eq!(holders[0].held_for.as_secs(), 6);
    let message = error.to_string();
    assert!(message.starts_with("resource `ct-timeout` still held after 5"), "{message}");
    assert!(message.contains(&format!(" by `{}:{line}` (for 6", file!())), "{message}");
    let seen = resource.snapshot();
    assert_eq!((seen.acquisitions, seen.contended, seen.timeouts), (1, 0, 1));
    assert_eq!((seen.contention_rate(), seen.longest_wait.as_secs()), (0.5, 5));
    holder.abort();
    assert!(holder.await.is_err());
    assert_free(&resource);
}

#[test]
fn a_thread_gives_up_by_the_test_clock() {
    let clock = TestClock::new();
    let scope = TestScope::with_clock(&clock);
    let resource = scope.call(|| resource("ct-thread", 1));
    let line = line!() + 2;
    let out = scope.call(|| {
        resource.call(|| {
            clock.advance(SECOND);
            thread::scope(|threads| {
                let waiter = threads.spawn(|| scope.call(|| resource.call(|| Ok::<_, String>(()))));
                wait_until(&resource, |seen| seen.waiting == 1);
                clock.advance(5 * SECOND);
                Ok::<_, String>(waiter.join().expect("no panic"))
            })
        })
    });
    let Err(Failure::Rejected(error)) = out.expect("let in") else { panic!("had it") };
    let expected = format!("resource `ct-thread` still held after 5s by `{}:{line}` (for 6s)", file!());
    assert_eq!(error.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_resource_of_two_has_two_holders_and_the_third_waits() {
    let resource = resource("ct-two", 2);
    let calls: Vec<_> = (0..3)
        .map(|_| {
            let resource = resource.clone();
            tokio::spawn(async move { hold(&resource, SECOND).await })
        })
        .collect();
    sleep(SECOND / 2).await;
    let seen = resource.snapshot();
    assert_eq!((seen.holders.len(), seen.waiting, seen.capacity), (2, 1, 2));
    assert!(seen.holders.iter().all(|holder| holder.held_for.as_millis() / 10 == 50), "{seen:?}");
    for call in calls {
        call.await.expect("no panic").expect("let in");
    }
    let seen = resource.snapshot();
    assert_eq!((seen.acquisitions, seen.contended), (3, 1));
    assert_free(&resource);
}

#[test]
fn more_holders_than_fit_the_first_chunk_of_the_table_are_all_known() {
    fn nested(resource: &Resource, left: usize) -> Result<usize, Failure<String>> {
        match left {
            0 => Ok(resource.snapshot().holders.len()),
            _ => resource.call_nested(|| nested(resource, left - 1)),
        }
    }
    let resource = resource("ct-many", u32::MAX);
    assert_eq!(nested(&resource, 100), Ok(100));
    assert_eq!(nested(&resource, 100), Ok(100));
    assert_free(&resource);
}

#[test]
fn a_panic_in_sync_work_gives_the_resource_back() {
    let resource = resource("ct-panic-sync", 1);
    assert!(catch_unwind(AssertUnwindSafe(|| resource.call(broken))).is_err());
    assert_free(&resource);
    resource.call(|| Ok::<_, String>(())).expect("let in");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_async_work_gives_the_resource_back() {
    let resource = resource("ct-panic-async", 1);
    let held = resource.clone();
    assert!(tokio::spawn(async move { held.run(async { broken() }).await }).await.is_err());
    assert_free(&resource);
    hold(&resource, SECOND).await.expect("let in");
}

#[tokio::test(start_paused = true)]
async fn calls_cancelled_at_random_leave_neither_holder_nor_waiter() {
    let resource = resource("ct-random", 2);
    for round in 0..200_u64 {
        let calls: Vec<_> = (0..10_u64)
            .map(|n| {
                let resource = resource.clone();
                let (work, patience) = ((round * 7 + n * 13) % 11, (round * 5 + n * 3) % 17);
                let call = async move { hold(&resource, Duration::from_millis(work)).await };
                tokio::spawn(tokio::time::timeout(Duration::from_millis(patience), call))
            })
            .collect();
        for call in calls {
            let _cancelled_or_done = call.await.expect("no panic");
        }
        assert_free(&resource);
    }
    let seen = resource.snapshot();
    assert!(seen.acquisitions >= seen.contended && seen.contended > 0, "{seen:?}");
}

#[test]
fn a_resource_that_nobody_may_hold_is_not_built() {
    let fault = Resource::builder("ct-none").max_concurrent(0).build().expect_err("a fault");
    assert_eq!(fault.to_string(), "resource `ct-none`: `max_concurrent` must be at least 1");
}

#[tokio::test(start_paused = true)]
async fn a_wait_in_vain_over_the_threshold_is_reported_too() {
    let resource = Resource::builder("ct-in-vain")
        .max_wait(2 * SECOND)
        .contention_threshold(SECOND)
        .build()
        .expect("the settings are sound");
    let (seen, _subscription) = watch("ct-in-vain");
    let (held, refused) = tokio::join!(hold(&resource, 5 * SECOND), resource.run(async { Ok::<_, String>(()) }));
    assert!(held.is_ok() && refused.is_err());
    let events = seen.lock().expect("no panic");
    assert!(matches!(events[..], [Event::ContentionDetected { acquired: false, waited, .. }] if waited == 2 * SECOND));
}
