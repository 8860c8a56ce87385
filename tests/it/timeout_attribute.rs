//! `#[timeout]`; what it does by hand is tested in `timeout`.

use std::{
    future::pending,
    sync::{Arc, mpsc},
    time::Duration,
};

use resilience::{Timeout, checkpoint, timeout};

use crate::support::{ApiError, SECOND, run_paused, sync_scope};

#[timeout("2s")]
async fn hangs() -> Result<(), ApiError> {
    pending().await
}

struct Client {
    patience: Duration,
}

impl Client {
    #[timeout(limit = self.patience * factor)]
    async fn ask(&self, factor: u32) -> Result<(), ApiError> {
        pending().await
    }

    #[timeout(self.patience, mode = "cooperative")]
    fn count(&self, tick: impl Fn()) -> Result<u32, ApiError> {
        for _ in 0..100 {
            checkpoint()?;
            tick();
        }
        Ok(100)
    }
}

async fn elapsed(work: impl Future<Output = Result<(), ApiError>>) -> Duration {
    let start = tokio::time::Instant::now();
    assert_eq!(work.await.expect_err("it hangs").refusal(), Some("TimedOut"));
    Duration::from_millis(start.elapsed().as_millis().try_into().expect("short"))
}

#[test]
fn an_async_function_ends_at_its_limit() {
    run_paused(async {
        assert_eq!(elapsed(hangs()).await, 2 * SECOND);
        let error = hangs().await.expect_err("it hangs");
        assert_eq!(error.to_string(), "timeout `it::timeout_attribute::hangs`: no result within 2s");
    });
}

#[test]
fn a_limit_may_depend_on_the_arguments() {
    run_paused(async {
        let client = Client { patience: 3 * SECOND };
        assert_eq!(elapsed(client.ask(1)).await, 3 * SECOND);
        assert_eq!(elapsed(client.ask(5)).await, 15 * SECOND);
    });
}

#[timeout("4s", name = "shared")]
async fn defines() -> Result<(), ApiError> {
    pending().await
}

#[timeout(name = "shared")]
async fn joins() -> Result<(), ApiError> {
    pending().await
}

#[test]
fn a_function_that_names_a_timeout_has_its_limit() {
    run_paused(async {
        assert_eq!(elapsed(joins()).await, 4 * SECOND);
        assert_eq!(elapsed(defines()).await, 4 * SECOND);
        assert_eq!(Timeout::named("shared").snapshot().timed_out, 2);
    });
}

#[timeout("1s", mode = "detach")]
fn blocks(started: mpsc::Sender<()>, go_on: Arc<std::sync::Mutex<mpsc::Receiver<()>>>) -> Result<(), ApiError> {
    started.send(()).expect("the test listens");
    let _ = go_on.lock().expect("no panic").recv();
    Ok(())
}

#[test]
fn a_detached_function_is_left_at_its_limit() {
    let (scope, clock) = sync_scope();
    let (started, running) = mpsc::channel();
    let (finish, go_on) = mpsc::channel();
    let timer = std::thread::spawn(move || {
        running.recv().expect("it starts");
        clock.advance(SECOND);
    });
    let out = scope.call(|| blocks(started, Arc::new(std::sync::Mutex::new(go_on))));
    assert_eq!(out.expect_err("it blocks").refusal(), Some("TimedOut"));
    timer.join().expect("no panic");
    finish.send(()).expect("it still runs");
}

#[test]
fn a_cooperative_function_ends_at_its_next_checkpoint() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        let client = Client { patience: 3 * SECOND };
        assert_eq!(client.count(|| {}), Ok(100));
        let out = client.count(|| clock.advance(SECOND));
        assert_eq!(out.expect_err("too slow").refusal(), Some("TimedOut"));
        assert_eq!(clock.elapsed(), 3 * SECOND);
    });
}

#[resilience::retry(max_attempts = 3, base_delay = "1ms")]
#[timeout("1h", mode = "detach")]
fn detached_attempts(seen: mpsc::Sender<(u32, bool, Option<Duration>)>) -> Result<(), ApiError> {
    let attempt = resilience::attempt();
    seen.send((attempt.number, attempt.is_last(), resilience::deadline())).expect("the test listens");
    Err(ApiError::Down)
}

#[test]
fn a_detached_body_knows_its_attempt_and_the_deadline_around_it() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        let (sender, seen) = mpsc::channel();
        let around = Timeout::builder("around").limit(60 * SECOND).build().expect("sound");
        let out = around.call_cooperative(|| detached_attempts(sender));
        assert!(out.is_err());
        let seen: Vec<_> = seen.iter().collect();
        assert_eq!(
            seen.iter().map(|(number, last, _)| (*number, *last)).collect::<Vec<_>>(),
            [(1, false), (2, false), (3, true)]
        );
        assert!(seen.iter().all(|(.., left)| left.is_some_and(|left| left <= 60 * SECOND)), "{seen:?}");
    });
}
