//! Async work: dropped at its limit.

use super::*;

#[tokio::test(start_paused = true)]
async fn work_is_dropped_at_the_limit_before_the_caller_hears_of_it() {
    let timeout = timeout("dropped-at-limit", 2 * SECOND);
    let (sender, dropped) = mpsc::channel();
    let held = Dropped(sender);
    let mut run = pin!(timeout.run(async move {
        let _held = held;
        future::pending::<Result<(), Infallible>>().await
    }));
    let started = tokio::time::Instant::now();

    let out = run.as_mut().await;

    dropped.try_recv().expect("the work is gone although its future is still here");
    assert_eq!(started.elapsed(), 2 * SECOND);
    assert_timed_out(&out, "dropped-at-limit");
    let snapshot = timeout.snapshot();
    assert_eq!((snapshot.calls, snapshot.timed_out), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_result_that_comes_with_the_limit_wins() {
    let out = timeout("photo-finish", SECOND)
        .run(async {
            tokio::time::sleep(SECOND).await;
            Ok::<_, Infallible>("in time")
        })
        .await;
    assert_eq!(out, Ok("in time"));
}

#[test]
fn a_result_that_is_there_wins_however_late() {
    let clock = TestClock::new();
    let timeout = timeout("slow-poll", SECOND);
    let scope = TestScope::with_clock(&clock);
    let run = scope.run(timeout.run(async {
        clock.advance(5 * SECOND);
        Ok::<_, Infallible>("late")
    }));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert_eq!(runtime.block_on(run), Ok("late"));
}

#[test]
fn work_that_is_ready_at_once_arms_no_timer() {
    let timeout = timeout("ready-at-once", SECOND);
    // This runtime has no timers: arming one would panic.
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert_eq!(runtime.block_on(timeout.run(async { Ok::<_, Infallible>(1) })), Ok(1));
    assert_eq!(runtime.block_on(timeout.run(async { Err::<(), _>("no") })), Err(Failure::Inner("no")));
}

#[tokio::test(start_paused = true)]
async fn the_limit_counts_from_the_first_poll() {
    let timeout = timeout("lazy", SECOND);
    let run = timeout.run(async {
        tokio::time::sleep(SECOND / 2).await;
        Ok::<_, Infallible>(())
    });
    tokio::time::advance(10 * SECOND).await;
    assert_eq!(run.await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn of_nested_limits_the_shorter_one_stops_the_work() {
    let (short, long) = (timeout("short", SECOND), timeout("long", 2 * SECOND));
    let stuck = future::pending::<Result<(), Infallible>>;
    assert_timed_out(&long.run_nested(short.run(stuck())).await, "short");
    assert_timed_out(&short.run_nested(long.run(stuck())).await, "short");
    assert_eq!((short.snapshot().timed_out, long.snapshot().timed_out), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn work_that_always_has_more_to_do_still_times_out() {
    let out = timeout("greedy", SECOND)
        .run(async {
            tokio::task::yield_now().await;
            tokio::time::advance(2 * SECOND).await;
            loop {
                tokio::task::consume_budget().await;
            }
            #[expect(unreachable_code, reason = "names the type of the result")]
            Ok::<(), Infallible>(())
        })
        .await;
    assert_timed_out(&out, "greedy");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_drops_its_work_and_did_not_time_out() {
    let timeout = timeout("cancelled", SECOND);
    let (sender, dropped) = mpsc::channel();
    let held = Dropped(sender);
    let mut run = Box::pin(timeout.run(async move {
        let _held = held;
        future::pending::<Result<(), Infallible>>().await
    }));
    tokio::select! {
        biased;
        _ = &mut run => unreachable!("the work is stuck"),
        () = future::ready(()) => {}
    }
    drop(run);
    dropped.try_recv().expect("the work is gone");
    let snapshot = timeout.snapshot();
    assert_eq!((snapshot.calls, snapshot.timed_out), (1, 0));
}
