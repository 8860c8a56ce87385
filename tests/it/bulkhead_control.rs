//! Bulkheads in operation: another size while calls are inside, and a drain before the service stops.

use std::{thread, time::Duration};

use resilience::{Error, Failure};

use crate::{
    bulkhead::{Out, assert_empty, bulkhead, enter, occupy, occupy_on_a_thread, wait_until},
    support::{SECOND, poll_once},
};

#[tokio::test(start_paused = true)]
async fn a_larger_size_lets_the_waiting_in_by_their_order() {
    let bulkhead = bulkhead("bh-grow", 1, 10);
    let calls = [occupy(&bulkhead).await, occupy(&bulkhead).await, occupy(&bulkhead).await, occupy(&bulkhead).await];
    let mut last = Box::pin(enter(&bulkhead));
    assert!(poll_once(last.as_mut()).is_pending());
    bulkhead.resize(3).expect("valid");
    let seen = bulkhead.snapshot();
    assert_eq!((seen.settings.max_concurrent, seen.inside, seen.queued), (3, 3, 2));
    bulkhead.resize(10).expect("valid");
    assert_eq!(bulkhead.snapshot().queued, 0);
    last.await.expect("let in");
    for call in calls {
        call.leave().await;
    }
    assert_empty(&bulkhead);
}

#[tokio::test(start_paused = true)]
async fn a_smaller_size_disturbs_nobody_inside_and_holds_once_they_have_left() {
    let bulkhead = bulkhead("bh-shrink", 3, 10);
    let [first, second, third] = [occupy(&bulkhead).await, occupy(&bulkhead).await, occupy(&bulkhead).await];
    bulkhead.resize(1).expect("valid");
    assert_eq!(bulkhead.snapshot().inside, 3);
    let mut queued = Box::pin(enter(&bulkhead));
    for call in [first, second] {
        assert!(poll_once(queued.as_mut()).is_pending());
        call.leave().await;
    }
    assert!(poll_once(queued.as_mut()).is_pending(), "one is inside, and that is all there may be");
    third.leave().await;
    queued.await.expect("let in");
    assert_empty(&bulkhead);
    let refused = bulkhead.resize(0).expect_err("no places");
    assert_eq!(refused.to_string(), "bulkhead `bh-shrink`: `max_concurrent` must be at least 1");
    assert_eq!(bulkhead.settings().max_concurrent, 1);
}

#[test]
fn a_refusal_after_a_resize_tells_the_size_in_force() {
    let bulkhead = bulkhead("bh-resized-full", 5, 0);
    bulkhead.resize(1).expect("valid");
    let out: Out<Out<()>> = bulkhead.call(|| Ok(bulkhead.call(|| Ok(()))));
    let Err(Failure::Rejected(error)) = out.expect("let in") else { panic!("let in") };
    assert_eq!(error.to_string(), "bulkhead `bh-resized-full` is full: 1 call inside, no queue");
}

fn is_draining(out: Out<()>) -> bool {
    matches!(out, Err(Failure::Rejected(Error::BulkheadDraining { .. })))
}

#[tokio::test(start_paused = true)]
async fn a_drain_turns_everybody_away_and_waits_for_those_inside() {
    let bulkhead = bulkhead("bh-drain", 1, 10);
    let inside = occupy(&bulkhead).await;
    let mut queued = Box::pin(enter(&bulkhead));
    assert!(poll_once(queued.as_mut()).is_pending());
    let mut drain = Box::pin(bulkhead.drain(10 * SECOND));
    assert!(poll_once(drain.as_mut()).is_pending());
    assert!(is_draining(queued.await), "at once, not after its longest wait");
    assert!(is_draining(enter(&bulkhead).await));
    assert!(is_draining(bulkhead.call(|| Ok(()))));
    let seen = bulkhead.snapshot();
    assert_eq!((seen.draining, seen.inside, seen.queued, seen.rejected_draining), (true, 1, 0, 3));
    inside.leave().await;
    assert_eq!(drain.await, Ok(()));
    bulkhead.resize(2).expect("valid");
    assert!(is_draining(enter(&bulkhead).await), "it stays so");
    bulkhead.resume();
    enter(&bulkhead).await.expect("let in");
    assert_eq!(bulkhead.settings().max_concurrent, 2);
    assert_empty(&bulkhead);
}

#[tokio::test(start_paused = true)]
async fn a_drain_ends_at_its_deadline_or_when_the_bulkhead_is_resumed() {
    let bulkhead = bulkhead("bh-drain-late", 1, 0);
    let inside = occupy(&bulkhead).await;
    let started = tokio::time::Instant::now();
    let late = bulkhead.drain(10 * SECOND).await.expect_err("one is inside");
    assert_eq!((started.elapsed().as_secs(), late.inside), (10, 1));
    assert_eq!(late.to_string(), "bulkhead `bh-drain-late` still has 1 inside");
    let mut drain = Box::pin(bulkhead.drain(10 * SECOND));
    assert!(poll_once(drain.as_mut()).is_pending());
    bulkhead.resume();
    assert!(drain.await.is_err());
    inside.leave().await;
    enter(&bulkhead).await.expect("let in");
}

#[test]
fn a_thread_waits_for_those_inside() {
    let bulkhead = bulkhead("bh-drain-sync", 1, 1);
    thread::scope(|threads| {
        let end = occupy_on_a_thread(threads, &bulkhead);
        let queued = threads.spawn(|| bulkhead.call(|| Ok(())));
        wait_until(&bulkhead, |seen| seen.queued == 1);
        assert_eq!(bulkhead.drain_blocking(Duration::ZERO).expect_err("one is inside").inside, 1);
        assert!(is_draining(queued.join().expect("no panic")));
        let drain = threads.spawn(|| bulkhead.drain_blocking(Duration::from_secs(3600)));
        end.send(()).expect("still inside");
        assert_eq!(drain.join().expect("no panic"), Ok(()));
    });
    assert_empty(&bulkhead);
}
