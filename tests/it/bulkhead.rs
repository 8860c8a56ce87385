//! Bulkheads by hand: who gets in, in which order, and that every place comes back.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use resilience::{
    Bulkhead, Durations, Error, Failure,
    bulkhead::Snapshot,
    testing::{TestClock, TestScope},
};
use tokio::{
    sync::oneshot,
    task::{JoinHandle, yield_now},
};

use crate::support::{SECOND, poll_once, sync_scope};

pub(crate) type Out<T> = Result<T, Failure<String>>;

pub(crate) fn bulkhead(name: &str, max_concurrent: u32, max_queue: u32) -> Bulkhead {
    Bulkhead::builder(name)
        .max_concurrent(max_concurrent)
        .max_queue(max_queue)
        .max_wait(5 * SECOND)
        .build()
        .expect("valid settings")
}

/// Yields until the bulkhead looks like that, as another thread makes it.
pub(crate) fn wait_until(bulkhead: &Bulkhead, condition: impl Fn(&Snapshot) -> bool) {
    for _ in 0..50_000_000_u64 {
        if condition(&bulkhead.snapshot()) {
            return;
        }
        thread::yield_now();
    }
    panic!("never came: {:?}", bulkhead.snapshot());
}

/// A call that stays inside until told to leave.
pub(crate) struct Occupant {
    end: oneshot::Sender<()>,
    call: JoinHandle<Out<()>>,
}

impl Occupant {
    pub(crate) async fn leave(self) {
        self.end.send(()).expect("still inside");
        self.call.await.expect("no panic").expect("let in");
    }
}

/// A task that is inside, or in the queue, when this is done.
pub(crate) async fn occupy(bulkhead: &Bulkhead) -> Occupant {
    let (end, ended) = oneshot::channel();
    let bulkhead = bulkhead.clone();
    let call = tokio::spawn(async move {
        bulkhead
            .run(async {
                let _ = ended.await;
                Ok(())
            })
            .await
    });
    yield_now().await;
    Occupant { end, call }
}

/// A thread that is inside until the channel is told.
pub(crate) fn occupy_on_a_thread<'scope>(
    threads: &'scope thread::Scope<'scope, '_>,
    bulkhead: &Bulkhead,
) -> mpsc::Sender<()> {
    let (end, ended) = mpsc::channel();
    let place = bulkhead.clone();
    threads.spawn(move || {
        place.call(|| {
            let _ = ended.recv();
            Ok::<_, String>(())
        })
    });
    wait_until(bulkhead, |seen| seen.inside == 1);
    end
}

pub(crate) async fn enter(bulkhead: &Bulkhead) -> Out<()> {
    bulkhead.run(async { Ok(()) }).await
}

fn broken() -> Result<(), String> {
    panic!("the work is broken")
}

pub(crate) fn assert_empty(bulkhead: &Bulkhead) {
    let seen = bulkhead.snapshot();
    assert_eq!((seen.inside, seen.queued), (0, 0), "{seen:?}");
}

#[test]
fn without_a_queue_a_call_too_many_is_rejected_at_once() {
    let bulkhead = bulkhead("bh-no-queue", 1, 0);
    let out: Out<Out<()>> = bulkhead.call(|| Ok(bulkhead.call(|| Ok(()))));
    let Err(Failure::Rejected(error)) = out.expect("let in") else { panic!("let in") };
    assert_eq!(error.to_string(), "bulkhead `bh-no-queue` is full: 1 call inside, no queue");
    assert!(matches!(error, Error::BulkheadFull { max_concurrent: 1, max_queue: 0, waited: None, .. }));
    let seen = bulkhead.snapshot();
    assert_eq!((seen.inside, seen.admitted, seen.rejected_full, seen.rejected_wait), (0, 1, 1, 0));
    assert_eq!((seen.waits, seen.durations), (Durations::default(), None));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_rejects_at_once() {
    let bulkhead = bulkhead("bh-full-queue", 1, 1);
    let inside = occupy(&bulkhead).await;
    let mut queued = Box::pin(enter(&bulkhead));
    assert!(poll_once(queued.as_mut()).is_pending());
    let Err(Failure::Rejected(error)) = enter(&bulkhead).await else { panic!("let in") };
    assert_eq!(error.to_string(), "bulkhead `bh-full-queue` is full: 1 call inside, 1 waiting");
    inside.leave().await;
    queued.await.expect("let in");
    assert_empty(&bulkhead);
}

#[tokio::test(start_paused = true)]
async fn a_future_gives_up_after_the_longest_wait() {
    let bulkhead = bulkhead("bh-wait-async", 1, 1);
    let inside = occupy(&bulkhead).await;
    let started = tokio::time::Instant::now();
    let Err(Failure::Rejected(error)) = enter(&bulkhead).await else { panic!("let in") };
    assert_eq!(started.elapsed().as_secs(), 5);
    assert_eq!(error.to_string(), "bulkhead `bh-wait-async` is full: 1 call inside, no place within 5s");
    let seen = bulkhead.snapshot();
    assert_eq!((seen.inside, seen.queued, seen.rejected_full, seen.rejected_wait), (1, 0, 0, 1));
    assert_eq!((seen.waits.count, seen.waits.mean.as_secs(), seen.waits.longest.as_secs()), (1, 5, 5));
    inside.leave().await;
    assert_empty(&bulkhead);
}

#[test]
fn a_thread_gives_up_after_the_longest_wait() {
    let clock = TestClock::new();
    let scope = TestScope::with_clock(&clock);
    let bulkhead = scope.call(|| bulkhead("bh-wait-sync", 1, 1));
    scope
        .call(|| {
            bulkhead.call(|| {
                thread::scope(|threads| {
                    let waiter = threads.spawn(|| scope.call(|| bulkhead.call(|| Ok::<_, String>(()))));
                    wait_until(&bulkhead, |seen| seen.queued == 1);
                    clock.advance(5 * SECOND - Duration::from_nanos(1));
                    assert_eq!(bulkhead.snapshot().queued, 1);
                    clock.advance(Duration::from_nanos(1));
                    let Err(Failure::Rejected(error)) = waiter.join().expect("no panic") else { panic!("let in") };
                    assert!(matches!(error, Error::BulkheadFull { waited: Some(waited), .. } if waited == 5 * SECOND));
                });
                Ok::<_, String>(())
            })
        })
        .expect("let in");
    assert_empty(&bulkhead);
}

#[test]
fn threads_and_futures_are_served_in_the_order_of_their_arrival() {
    let bulkhead = bulkhead("bh-order", 1, 10);
    let order = Arc::new(Mutex::new(Vec::new()));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("a runtime");
    thread::scope(|threads| {
        let end = occupy_on_a_thread(threads, &bulkhead);
        for n in 0..6 {
            let (place, order) = (bulkhead.clone(), order.clone());
            if n % 2 == 0 {
                threads.spawn(move || {
                    place.call(|| {
                        order.lock().expect("no panic").push(n);
                        Ok::<_, String>(())
                    })
                });
            } else {
                runtime.spawn(async move {
                    let work = async {
                        order.lock().expect("no panic").push(n);
                        Ok::<_, String>(())
                    };
                    place.run(work).await
                });
            }
            wait_until(&bulkhead, |seen| seen.queued == n + 1);
        }
        end.send(()).expect("still inside");
    });
    wait_until(&bulkhead, |seen| seen.inside == 0);
    assert_eq!(*order.lock().expect("no panic"), [0, 1, 2, 3, 4, 5]);
    let seen = bulkhead.snapshot();
    assert_eq!((seen.admitted, seen.rejected_full, seen.rejected_wait), (7, 0, 0));
    assert_eq!(seen.waits.count, 6);
    assert!(seen.waits.mean > Duration::ZERO && seen.waits.longest >= seen.waits.mean);
}

#[tokio::test(start_paused = true)]
async fn a_call_cancelled_inside_gives_its_place_to_the_next() {
    let bulkhead = bulkhead("bh-cancel-inside", 1, 1);
    let inside = occupy(&bulkhead).await;
    let mut queued = Box::pin(enter(&bulkhead));
    assert!(poll_once(queued.as_mut()).is_pending());
    inside.call.abort();
    queued.await.expect("let in");
    assert_empty(&bulkhead);
}

#[tokio::test(start_paused = true)]
async fn a_call_cancelled_in_the_queue_leaves_it() {
    let bulkhead = bulkhead("bh-cancel-queued", 1, 1);
    let inside = occupy(&bulkhead).await;
    {
        let mut queued = Box::pin(enter(&bulkhead));
        assert!(poll_once(queued.as_mut()).is_pending());
        assert_eq!(bulkhead.snapshot().queued, 1);
    }
    assert_eq!(bulkhead.snapshot().queued, 0);
    inside.leave().await;
    enter(&bulkhead).await.expect("let in");
    assert_empty(&bulkhead);
}

#[tokio::test(start_paused = true)]
async fn a_call_cancelled_when_its_turn_has_come_passes_the_turn_on() {
    let bulkhead = bulkhead("bh-cancel-served", 1, 2);
    let inside = occupy(&bulkhead).await;
    let [mut first, mut second] = [Box::pin(enter(&bulkhead)), Box::pin(enter(&bulkhead))];
    assert!(poll_once(first.as_mut()).is_pending() && poll_once(second.as_mut()).is_pending());
    inside.leave().await;
    drop(first);
    second.await.expect("let in");
    assert_empty(&bulkhead);
}

#[test]
fn a_panic_in_sync_work_gives_the_place_back() {
    let bulkhead = bulkhead("bh-panic-sync", 1, 0);
    let panicked = catch_unwind(AssertUnwindSafe(|| bulkhead.call(broken)));
    assert!(panicked.is_err());
    assert_empty(&bulkhead);
    bulkhead.call(|| Ok::<_, String>(())).expect("let in");
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_async_work_gives_the_place_back() {
    let bulkhead = bulkhead("bh-panic-async", 1, 0);
    let place = bulkhead.clone();
    let panicked = tokio::spawn(async move { place.run(async { broken() }).await });
    assert!(panicked.await.is_err());
    assert_empty(&bulkhead);
}

#[tokio::test(start_paused = true)]
async fn calls_cancelled_at_random_leave_every_place_behind() {
    let bulkhead = bulkhead("bh-random", 3, 20);
    for round in 0..200_u64 {
        let calls: Vec<_> = (0..20_u64)
            .map(|n| {
                let bulkhead = bulkhead.clone();
                let (work, patience) = ((round * 7 + n * 13) % 11, (round * 5 + n * 3) % 17);
                let call = async move {
                    let work = async {
                        tokio::time::sleep(Duration::from_millis(work)).await;
                        Ok::<_, String>(())
                    };
                    bulkhead.run(work).await
                };
                tokio::spawn(tokio::time::timeout(Duration::from_millis(patience), call))
            })
            .collect();
        for call in calls {
            let _cancelled_or_done = call.await.expect("no panic");
        }
        assert_empty(&bulkhead);
    }
    assert!(bulkhead.snapshot().admitted > 0);
}

#[test]
fn a_nested_failure_comes_through_as_it_is() {
    let [outer, inner] = [bulkhead("bh-outer", 1, 0), bulkhead("bh-inner", 1, 0)];
    let out = outer.call_nested(|| inner.call(|| Err::<(), _>("down")));
    assert_eq!(out, Err(Failure::Inner("down")));
}

#[test]
fn reset_clears_the_counts_and_leaves_calls_alone() {
    let bulkhead = bulkhead("bh-reset", 2, 0);
    bulkhead
        .call(|| {
            bulkhead.reset();
            let seen = bulkhead.snapshot();
            assert_eq!((seen.inside, seen.admitted), (1, 0));
            Ok::<_, String>(())
        })
        .expect("let in");
    assert_empty(&bulkhead);
}

#[tokio::test(start_paused = true)]
async fn waits_are_shown_with_mean_percentiles_and_the_longest() {
    let bulkhead = bulkhead("bh-waits", 1, 100);
    let stay = || async {
        bulkhead
            .run(async {
                tokio::time::sleep(Duration::from_millis(10)).await;
                Ok::<_, String>(())
            })
            .await
    };
    let calls = futures_util::future::join_all((0..101).map(|_| stay())).await;
    assert!(calls.iter().all(Result::is_ok));
    // One does not wait; the others wait for 10, 20, ... 1000 ms.
    let waits = bulkhead.snapshot().waits;
    assert_eq!((waits.count, waits.mean.as_millis(), waits.longest.as_millis()), (100, 505, 1000));
    for (measured, exact) in [(waits.p50, 500), (waits.p95, 950), (waits.p99, 990)] {
        assert!((exact..=exact * 9 / 8 + 1).contains(&measured.as_millis()), "{measured:?} for {exact} ms");
    }
    bulkhead.reset();
    assert_eq!(bulkhead.snapshot().waits, Durations::default());
}

#[test]
fn time_inside_is_measured_where_asked_for_however_the_call_ends() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        let bulkhead = Bulkhead::builder("bh-inside").measure_durations(true).build().expect("valid settings");
        assert_eq!(bulkhead.snapshot().durations, Some(Durations::default()));
        let stay = |millis, out| {
            bulkhead.call(|| {
                clock.advance(Duration::from_millis(millis));
                out
            })
        };
        stay(10, Ok(())).expect("let in");
        stay(20, Err("down")).expect_err("it failed");
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            bulkhead.call(|| {
                clock.advance(Duration::from_millis(60));
                broken()
            })
        }));
        assert!(panicked.is_err());
        let inside = bulkhead.snapshot().durations.expect("measured");
        assert_eq!((inside.count, inside.mean.as_millis(), inside.longest.as_millis()), (3, 30, 60));
        bulkhead.reset();
        assert_eq!(bulkhead.snapshot().durations, Some(Durations::default()));
    });
}

#[test]
fn a_bulkhead_without_places_is_not_built() {
    let fault = Bulkhead::builder("bh-none").max_concurrent(0).build().expect_err("a fault");
    assert_eq!(fault.to_string(), "bulkhead `bh-none`: `max_concurrent` must be at least 1");
}
