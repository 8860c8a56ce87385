//! `#[retry]`, and the same by hand.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use resilience::{
    Retry, retry,
    retry::{Backoff, Jitter},
    testing::{TestClock, TestScope},
};

use crate::support::{ApiError, SECOND, poll_once, run_paused, sync_scope};

/// Fails until the `nth` call.
fn works_at(calls: &Cell<u32>, nth: u32) -> Result<u32, ApiError> {
    calls.set(calls.get() + 1);
    if calls.get() < nth { Err(ApiError::Down) } else { Ok(calls.get()) }
}

#[retry(name = "sync", max_attempts = 4, base_delay = "2s", jitter = "none", max_delay = "1h")]
fn fetch(calls: &Cell<u32>, nth: u32) -> Result<u32, ApiError> {
    works_at(calls, nth)
}

#[retry(name = "async", max_attempts = 4, base_delay = "2s", jitter = "none", max_delay = "1h")]
async fn fetch_async(calls: &Cell<u32>, nth: u32) -> Result<u32, ApiError> {
    works_at(calls, nth)
}

#[test]
fn the_first_call_counts_as_an_attempt() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        let calls = Cell::new(0);
        assert_eq!(fetch(&calls, 5), Err(ApiError::Down));
        assert_eq!(calls.get(), 4);
        let snapshot = Retry::named("sync").snapshot();
        assert_eq!((snapshot.calls, snapshot.attempts, snapshot.exhausted), (1, 4, 1));
    });
}

#[test]
fn a_sync_retry_waits_by_its_backoff() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        assert_eq!(fetch(&Cell::new(0), 4), Ok(4));
        assert_eq!(clock.elapsed(), (2 + 4 + 8) * SECOND);
        let snapshot = Retry::named("sync").snapshot();
        assert_eq!(snapshot.total_wait, 14 * SECOND);
        assert_eq!(snapshot.succeeded_after_retry, 1);
    });
}

#[test]
fn an_async_retry_waits_by_its_backoff() {
    run_paused(async {
        let start = tokio::time::Instant::now();
        assert_eq!(fetch_async(&Cell::new(0), 4).await, Ok(4));
        assert_eq!(start.elapsed().as_secs(), 14);
    });
}

#[test]
fn a_success_at_first_waits_for_nothing() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        assert_eq!(fetch(&Cell::new(0), 1), Ok(1));
        assert_eq!(clock.elapsed(), Duration::ZERO);
        assert_eq!(Retry::named("sync").snapshot().retries, 0);
    });
}

#[retry(when = |error| error.is_fault())]
fn only_faults(calls: &Cell<u32>, error: ApiError) -> Result<(), ApiError> {
    calls.set(calls.get() + 1);
    Err(error)
}

#[test]
fn errors_that_are_not_worth_it_are_not_retried() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        let calls = Cell::new(0);
        assert_eq!(only_faults(&calls, ApiError::NotFound), Err(ApiError::NotFound));
        assert_eq!(calls.get(), 1);
        assert_eq!(clock.elapsed(), Duration::ZERO);
        assert_eq!(only_faults(&calls, ApiError::Down), Err(ApiError::Down));
        assert_eq!(calls.get(), 4);
        let snapshot = Retry::all().into_iter().map(|retry| retry.snapshot()).find(|s| s.name.ends_with("only_faults"));
        let snapshot = snapshot.expect("it is listed");
        assert_eq!((snapshot.not_retried, snapshot.exhausted), (1, 1));
    });
}

/// Counts its clones.
struct Parcel(Arc<AtomicU32>);

impl Clone for Parcel {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, Ordering::Relaxed);
        Self(self.0.clone())
    }
}

#[retry(max_attempts = 3, base_delay = "1ms")]
fn deliver(parcel: Parcel, fail: bool) -> Result<Parcel, ApiError> {
    if fail { Err(ApiError::Down) } else { Ok(parcel) }
}

#[retry(max_attempts = 3, base_delay = "1ms")]
async fn deliver_async(parcel: Parcel, fail: bool) -> Result<Parcel, ApiError> {
    if fail { Err(ApiError::Down) } else { Ok(parcel) }
}

#[test]
fn owned_arguments_are_cloned_per_attempt_and_moved_into_the_last() {
    let (scope, _) = sync_scope();
    let clones = Arc::new(AtomicU32::new(0));
    scope.call(|| assert!(deliver(Parcel(clones.clone()), true).is_err()));
    assert_eq!(clones.swap(0, Ordering::Relaxed), 2, "three attempts, the last one moves");
    run_paused(async { assert!(deliver_async(Parcel(clones.clone()), true).await.is_err()) });
    assert_eq!(clones.swap(0, Ordering::Relaxed), 2);
}

#[derive(Clone, Default)]
struct Batch {
    items: Vec<u32>,
}

impl Batch {
    #[retry(max_attempts = 3, base_delay = "1ms")]
    fn consume(mut self, log: &RefCell<Vec<usize>>) -> Result<Vec<u32>, ApiError> {
        self.items.push(0);
        log.borrow_mut().push(self.items.len());
        let shown = format!("{self}");
        assert_eq!(shown, format!("{} items", self.items.len()));
        if log.borrow().len() < 3 { Err(ApiError::Down) } else { Ok(self.items) }
    }

    #[retry(max_attempts = 3, base_delay = "1ms")]
    async fn append(&mut self, extra: &mut Vec<u32>, mut text: &str) -> Result<usize, ApiError> {
        assert_eq!(text, "abc");
        text = &text[1..];
        assert_eq!(text, "bc");
        self.items.append(extra);
        extra.push(1);
        if self.items.len() < 3 { Err(ApiError::Down) } else { Ok(self.items.len()) }
    }
}

impl std::fmt::Display for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} items", self.items.len())
    }
}

#[test]
fn an_owned_self_starts_each_attempt_as_it_came() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        let log = RefCell::new(Vec::new());
        assert_eq!(Batch::default().consume(&log), Ok(vec![0]));
        assert_eq!(*log.borrow(), [1, 1, 1]);
    });
}

#[test]
fn mutable_borrows_pass_from_attempt_to_attempt() {
    run_paused(async {
        let mut batch = Batch::default();
        let mut extra = vec![1];
        assert_eq!(batch.append(&mut extra, "abc").await, Ok(3));
    });
}

#[test]
fn dropping_a_retry_that_waits_leaves_nothing_behind() {
    run_paused(async {
        let calls = Cell::new(0);
        {
            let mut call = pin!(fetch_async(&calls, 4));
            assert!(poll_once(call.as_mut()).is_pending());
        }
        tokio::time::advance(60 * SECOND).await;
        assert_eq!(calls.get(), 1);
    });
}

#[test]
fn by_hand_the_error_tells_the_attempts_and_the_last_error() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        let calls = Cell::new(0);
        let exhausted = Retry::named("by hand").call(|| works_at(&calls, 9)).expect_err("it never works");
        assert_eq!((exhausted.attempts, &exhausted.last), (3, &ApiError::Down));
        assert_eq!(exhausted.to_string(), "the service is down (after 3 attempts)");
        let once = Retry::named("by hand").when(|_: &ApiError| false).call(|| works_at(&calls, 9));
        assert_eq!(once.expect_err("it never works").to_string(), "the service is down (after 1 attempt)");
    });
    run_paused(async {
        let calls = Cell::new(0);
        let retry = Retry::named("by hand");
        assert_eq!(retry.run(async || works_at(&calls, 3)).await, Ok(3));
        let exhausted = retry.run(async || works_at(&calls, 9)).await.expect_err("it never works");
        assert_eq!(exhausted.attempts, 3);
    });
}

#[test]
fn jitter_spreads_and_repeats_for_a_seed() {
    let waits = |seed: u64| {
        let clock = TestClock::new();
        TestScope::with_clock(&clock).seeded(seed).call(|| {
            let retry = Retry::builder("jitter")
                .max_attempts(20)
                .backoff(Backoff::Fixed)
                .base_delay(SECOND)
                .jitter(Jitter::Full)
                .build()
                .expect("sound");
            let mut at = Vec::new();
            let _ = retry.call(|| {
                at.push(clock.elapsed());
                Err::<(), _>(())
            });
            at.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
        })
    };
    let first = waits(7);
    assert!(first.iter().all(|wait| *wait < SECOND));
    assert!(first.iter().any(|wait| *wait > SECOND / 2) && first.iter().any(|wait| *wait < SECOND / 2));
    assert_eq!(first, waits(7));
    assert_ne!(first, waits(8));
}

#[test]
fn a_builder_refuses_what_cannot_be_meant() {
    let faults = [
        Retry::builder("r").max_attempts(0).build(),
        Retry::builder("r").multiplier(f64::NAN).build(),
        Retry::builder("r").multiplier(0.0).build(),
        Retry::builder("r").jitter_factor(1.5).build(),
    ]
    .map(|built| built.expect_err("refused").to_string());
    assert_eq!(
        faults,
        [
            "retry `r`: `max_attempts` must be at least 1, which is the first call",
            "retry `r`: `multiplier` must be a finite number above 0",
            "retry `r`: `multiplier` must be a finite number above 0",
            "retry `r`: `jitter_factor` must be from 0 to 1",
        ]
    );
}

#[test]
fn by_hand_a_retry_can_be_spawned() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().expect("a runtime");
    let out = runtime.block_on(async {
        let query = String::from("query");
        let search = async |text: &str| Ok::<_, ApiError>(text.len());
        let task = async move { Retry::named("spawned").when(ApiError::is_fault).run(|| search(&query)).await };
        tokio::spawn(task).await.expect("no panic")
    });
    assert_eq!(out, Ok(5));
}

#[retry(max_attempts = 2, base_delay = "1ns")]
async fn error_that_cannot_be_sent() -> Result<u8, Box<dyn std::error::Error>> {
    Ok(1)
}

#[test]
fn a_retry_takes_send_from_no_future() {
    fn send<F: Future + Send>(work: F) -> F {
        work
    }
    let call = send(async { error_that_cannot_be_sent().await.map_err(|error| error.to_string()) });
    assert_eq!(run_paused(call), Ok(1));
    let by_hand = send(async {
        let local = Retry::named("local").run(async || Ok::<_, ()>(std::rc::Rc::new(1))).await;
        local.map(|value| *value)
    });
    assert_eq!(run_paused(by_hand), Ok(1));
}

#[derive(Clone)]
struct Literal {
    limit: Duration,
}

impl Literal {
    #[retry(max_attempts = 1)]
    fn texts(self) -> Result<[String; 3], ApiError> {
        let own = self;
        Ok(["{self}".into(), concat!("{self}", "!").into(), format!("{{self}} {}", own.limit.as_secs())])
    }

    #[retry(max_attempts = 2)]
    #[resilience::timeout(limit = self.limit)]
    async fn limited(self) -> Result<(), ApiError> {
        let _own = self;
        std::future::pending().await
    }
}

#[test]
fn an_owned_self_leaves_text_alone_and_serves_the_limit_of_a_timeout_inside() {
    let literal = Literal { limit: SECOND };
    assert_eq!(literal.clone().texts(), Ok(["{self}".into(), "{self}!".into(), "{self} 1".into()]));
    run_paused(async {
        assert_eq!(literal.limited().await.expect_err("it hangs").refusal(), Some("TimedOut"));
    });
}

#[retry(max_attempts = 1)]
fn just_once(calls: &Cell<u32>) -> Result<u32, ApiError> {
    works_at(calls, 2)
}

#[test]
fn one_attempt_is_no_retry() {
    let calls = Cell::new(0);
    assert_eq!(just_once(&calls), Err(ApiError::Down));
    assert_eq!(calls.get(), 1);
}
