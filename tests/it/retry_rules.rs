//! What a function says about its retries: which outcomes, when to come back, who is told, what to return at last, and
//! what the body can know of it.

use std::{
    cell::{Cell, RefCell},
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Mutex,
    time::Duration,
};

use resilience::{
    Failure, Retry, attempt, bulkhead, circuit_breaker, retry,
    retry::{Attempt, Backoff, Jitter},
    timeout,
};

use crate::support::{ApiError, SECOND, poll_once, run_paused, sync_scope};

#[derive(Clone, Debug, PartialEq)]
enum HttpError {
    Timeout,
    Status(u16),
    Busy { retry_after: Option<Duration> },
    GaveUp { attempts: u32, last: String },
    Refused(String),
}

impl HttpError {
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after } => *retry_after,
            _ => None,
        }
    }

    fn gave_up(attempts: u32, last: Self) -> Self {
        Self::GaveUp { attempts, last: format!("{last:?}") }
    }
}

impl From<resilience::Error> for HttpError {
    fn from(error: resilience::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

/// Returns one answer after the other, the last one for ever.
struct Script<T>(RefCell<Vec<T>>, Cell<u32>);

impl<T: Clone> Script<T> {
    fn new(answers: impl IntoIterator<Item = T>) -> Self {
        let mut answers: Vec<T> = answers.into_iter().collect();
        answers.reverse();
        Self(RefCell::new(answers), Cell::new(0))
    }

    fn next(&self) -> T {
        self.1.set(self.1.get() + 1);
        let mut answers = self.0.borrow_mut();
        if answers.len() > 1 { answers.pop() } else { answers.last().cloned() }.expect("an answer")
    }

    fn calls(&self) -> u32 {
        self.1.get()
    }
}

#[retry(max_attempts = 5, base_delay = "1ms", retry_on = HttpError::Timeout | HttpError::Status(500..=599))]
fn on_pattern(script: &Script<HttpError>) -> Result<(), HttpError> {
    Err(script.next())
}

#[retry(max_attempts = 5, base_delay = "1ms", abort_on = HttpError::Status(..=500))]
async fn but_pattern(script: &Script<HttpError>) -> Result<(), HttpError> {
    Err(script.next())
}

#[retry(max_attempts = 5, base_delay = "1ms", retry_on = HttpError::Status(500..), abort_on = HttpError::Status(501))]
#[circuit_breaker(failure_threshold = 100)]
fn both_patterns(script: &Script<HttpError>) -> Result<(), HttpError> {
    Err(script.next())
}

#[test]
fn patterns_say_which_errors_are_tried_again() {
    use HttpError::{Status, Timeout};

    let (scope, _) = sync_scope();
    scope.call(|| {
        let script = Script::new([Timeout, Status(503), Status(404)]);
        assert_eq!((on_pattern(&script), script.calls()), (Err(Status(404)), 3));
        let script = Script::new([Status(503), Status(599), Status(501)]);
        assert_eq!((both_patterns(&script), script.calls()), (Err(Status(501)), 3));
        let script = Script::new([Timeout]);
        assert_eq!((both_patterns(&script), script.calls()), (Err(Timeout), 1));
    });
    run_paused(async {
        let script = Script::new([Timeout, Status(501), Status(499)]);
        assert_eq!((but_pattern(&script).await, script.calls()), (Err(Status(499)), 3));
        let script = Script::new([Timeout]);
        assert_eq!((but_pattern(&script).await, script.calls()), (Err(Timeout), 5));
    });
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Job {
    Pending,
    Done(u32),
}

impl Job {
    fn is_pending(&self) -> bool {
        *self == Self::Pending
    }
}

#[retry(name = "job", max_attempts = 3, base_delay = "1ms", retry_if_ok = Job::is_pending)]
fn poll_job(script: &Script<Job>) -> Result<Job, HttpError> {
    Ok(script.next())
}

#[retry(max_attempts = 3, base_delay = "1ms", retry_if_ok = |job| job.is_pending())]
#[bulkhead(max_concurrent = 1)]
async fn poll_job_async(script: &Script<Job>) -> Result<Job, HttpError> {
    Ok(script.next())
}

#[test]
fn a_result_that_is_an_error_in_disguise_is_tried_again_and_the_last_one_returned() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        assert_eq!(poll_job(&Script::new([Job::Pending, Job::Done(7)])), Ok(Job::Done(7)));
        let script = Script::new([Job::Pending]);
        assert_eq!((poll_job(&script), script.calls()), (Ok(Job::Pending), 3));
        let seen = Retry::named("job").snapshot();
        assert_eq!((seen.calls, seen.attempts, seen.succeeded_after_retry, seen.exhausted), (2, 5, 1, 1));
    });
    run_paused(async {
        assert_eq!(poll_job_async(&Script::new([Job::Pending, Job::Done(7)])).await, Ok(Job::Done(7)));
    });
}

#[retry(max_attempts = 2, base_delay = "1s", jitter = "none", max_delay = "10s", retry_after = HttpError::retry_after)]
fn hinted(script: &Script<HttpError>) -> Result<(), HttpError> {
    Err(script.next())
}

#[test]
fn the_service_may_ask_for_a_longer_wait_but_not_for_a_shorter_one() {
    let waited = |retry_after| {
        let (scope, clock) = sync_scope();
        let script = Script::new([HttpError::Busy { retry_after }]);
        let _ = scope.call(|| hinted(&script));
        (clock.elapsed(), script.calls())
    };
    assert_eq!(waited(None), (SECOND, 2));
    assert_eq!(waited(Some(SECOND / 2)), (SECOND, 2));
    assert_eq!(waited(Some(7 * SECOND)), (7 * SECOND, 2));
    assert_eq!(waited(Some(10 * SECOND)), (10 * SECOND, 2));
    assert_eq!(waited(Some(11 * SECOND)), (Duration::ZERO, 1), "longer than the longest delay");
    assert_eq!(waited(Some(Duration::MAX)), (Duration::ZERO, 1));
}

type Log = Vec<(u32, String, Duration)>;

static LOG: Mutex<Log> = Mutex::new(Vec::new());

fn note(attempt: u32, error: &HttpError, delay: Duration) {
    LOG.lock().expect("a log").push((attempt, format!("{error:?}"), delay));
}

async fn note_async(attempt: u32, error: &HttpError, delay: Duration) {
    tokio::task::yield_now().await;
    note(attempt, error, delay);
}

#[retry(max_attempts = 3, base_delay = "1s", jitter = "none", on_retry = note)]
fn told(script: &Script<HttpError>) -> Result<(), HttpError> {
    Err(script.next())
}

#[retry(max_attempts = 3, base_delay = "1s", jitter = "none", on_retry = note_async)]
async fn told_async(script: &Script<HttpError>) -> Result<(), HttpError> {
    Err(script.next())
}

#[retry(max_attempts = 3, base_delay = "1s", jitter = "none", on_retry = async |attempt, error, delay| {
    note_async(attempt, error, delay).await;
})]
#[timeout("1s")]
async fn told_of_refusals(script: &Script<Option<HttpError>>) -> Result<(), HttpError> {
    match script.next() {
        Some(error) => Err(error),
        None => pending().await,
    }
}

#[test]
fn a_hook_is_told_of_each_wait_before_it_begins() {
    let taken = || std::mem::take(&mut *LOG.lock().expect("a log"));
    let expected = [(1, "Timeout".to_owned(), SECOND), (2, "Status(503)".to_owned(), 2 * SECOND)];
    let script = || Script::new([HttpError::Timeout, HttpError::Status(503)]);
    let (scope, _) = sync_scope();
    let _ = scope.call(|| told(&script()));
    assert_eq!(taken(), expected);
    run_paused(async {
        let _ = told_async(&script()).await;
        assert_eq!(taken(), expected);
        let _ = told_of_refusals(&Script::new([Some(HttpError::Timeout), None])).await;
        let [(1, first, _), (2, second, _)] = &*taken() else { panic!("two waits") };
        assert_eq!(first, "Timeout");
        assert!(second.contains("no result within 1s"), "{second}");
    });
}

#[test]
fn by_hand_a_hook_may_be_async_too() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        let told = RefCell::new(Vec::new());
        let retry = Retry::builder("told").base_delay(SECOND).jitter(Jitter::None).build().expect("sound");
        let hook =
            |attempt: u32, error: &&'static str, delay: Duration| told.borrow_mut().push((attempt, *error, delay));
        let failed = retry.on_retry(hook).call(|| Err::<(), _>("down")).expect_err("down");
        assert_eq!(*told.borrow(), [(1, "down", SECOND), (2, "down", 2 * SECOND)]);
        assert_eq!((failed.attempts, failed.elapsed), (3, 3 * SECOND));
    });
    run_paused(async {
        let told = RefCell::new(Vec::new());
        let retry = Retry::builder("told").base_delay(SECOND).jitter(Jitter::None).build().expect("sound");
        let hook = |attempt: u32, error: &Failure<String>, _: Duration| {
            let text = error.to_string();
            let told = &told;
            async move {
                tokio::time::sleep(SECOND).await;
                told.borrow_mut().push((attempt, text));
            }
        };
        let start = tokio::time::Instant::now();
        let _ = retry.on_retry(hook).run_nested(async || Err::<(), _>(Failure::Inner("down".to_owned()))).await;
        assert_eq!(*told.borrow(), [(1, "down".to_owned()), (2, "down".to_owned())]);
        assert_eq!(start.elapsed(), 3 * SECOND, "what a hook takes is part of the wait");
    });
}

#[retry(base_delay = "1ms", when = |error| *error != HttpError::Status(404), exhausted = HttpError::gave_up)]
fn maps(script: &Script<HttpError>) -> Result<(), HttpError> {
    Err(script.next())
}

#[retry(base_delay = "1ms", exhausted = |attempts, last| HttpError::gave_up(attempts, last))]
#[timeout("1s")]
async fn maps_refusals(hang: bool) -> Result<(), HttpError> {
    if hang { pending().await } else { Err(HttpError::Timeout) }
}

#[retry(base_delay = "1ms", exhausted = HttpError::gave_up)]
#[circuit_breaker(failure_threshold = 2)]
fn maps_no_open_circuit() -> Result<(), HttpError> {
    Err(HttpError::Timeout)
}

#[test]
fn the_last_error_can_be_mapped_where_attempts_are_used_up() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        let gave_up = Err(HttpError::GaveUp { attempts: 3, last: "Timeout".into() });
        assert_eq!(maps(&Script::new([HttpError::Timeout])), gave_up);
        let not_found = Err(HttpError::Status(404));
        assert_eq!(maps(&Script::new([HttpError::Timeout, HttpError::Status(404)])), not_found, "not worth a retry");
        assert!(matches!(maps_no_open_circuit(), Err(HttpError::Refused(_))), "what is no evidence stays what it is");
    });
    run_paused(async {
        let gave_up = Err(HttpError::GaveUp { attempts: 3, last: "Timeout".into() });
        assert_eq!(maps_refusals(false).await, gave_up);
        let Err(HttpError::GaveUp { attempts: 3, last }) = maps_refusals(true).await else { panic!("mapped") };
        assert!(last.contains("no result within 1s"), "{last}");
    });
}

fn squares(attempt: u32) -> Duration {
    SECOND * attempt * attempt
}

#[retry(name = "by path", max_attempts = 4, backoff = squares, jitter = "none")]
fn by_path(script: &Script<HttpError>) -> Result<(), HttpError> {
    Err(script.next())
}

#[retry(max_attempts = 4, backoff = |attempt| SECOND * (10 - attempt), jitter = "none")]
async fn by_closure(script: &Script<HttpError>) -> Result<(), HttpError> {
    Err(script.next())
}

#[test]
fn delays_can_be_a_function_of_the_attempt() {
    let (scope, clock) = sync_scope();
    let _ = scope.call(|| by_path(&Script::new([HttpError::Timeout])));
    assert_eq!(clock.elapsed(), (1 + 4 + 9) * SECOND);
    run_paused(async {
        let start = tokio::time::Instant::now();
        let _ = by_closure(&Script::new([HttpError::Timeout])).await;
        assert_eq!(start.elapsed(), (9 + 8 + 7) * SECOND);
    });
}

#[test]
fn by_hand_delays_can_be_any_iterator_and_attempts_end_with_it() {
    let (scope, clock) = sync_scope();
    scope.call(|| {
        let retry = Retry::builder("delays").max_attempts(9).max_delay(4 * SECOND).jitter(Jitter::None);
        let retry = retry.build().expect("sound");
        let failed = retry.delays([SECOND, 3 * SECOND, 5 * SECOND]).call(|| Err::<(), _>(())).expect_err("down");
        assert_eq!((failed.attempts, clock.elapsed()), (4, 8 * SECOND), "the third is cut to the longest delay");
        let endless = std::iter::repeat(Duration::ZERO);
        assert_eq!(retry.delays(endless).call(|| Err::<(), _>(())).expect_err("down").attempts, 9);
        assert_eq!(retry.snapshot().exhausted, 2);
    });
}

#[test]
fn decorrelated_delays_grow_from_the_one_before_and_repeat_for_a_seed() {
    let waits = |seed| {
        let (scope, clock) = sync_scope();
        scope.seeded(seed).call(|| {
            let retry = Retry::builder("decorrelated").max_attempts(30).backoff(Backoff::Decorrelated);
            let retry = retry.base_delay(SECOND).build().expect("sound");
            let at = RefCell::new(Vec::new());
            let _ = retry.call(|| {
                at.borrow_mut().push(clock.elapsed());
                Err::<(), _>(())
            });
            at.into_inner().windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
        })
    };
    let first = waits(1);
    assert_eq!(first.len(), 29);
    assert!(first[0] >= SECOND && first[0] <= 3 * SECOND);
    for pair in first.windows(2) {
        assert!(pair[1] >= SECOND && pair[1] <= (3 * pair[0]).min(30 * SECOND), "{pair:?}");
    }
    assert!(first.iter().any(|wait| *wait > 10 * SECOND));
    assert_eq!(first, waits(1));
    assert_ne!(first, waits(2));
}

fn numbers(now: Attempt) -> (u32, u32, u32, u64) {
    (now.number, now.max_attempts, now.depth, now.most_calls)
}

#[retry(base_delay = "0s", budget = "none")]
fn inner(log: &RefCell<Vec<Attempt>>) -> Result<(), ApiError> {
    log.borrow_mut().push(attempt());
    Err(ApiError::Down)
}

#[retry(max_attempts = 2, base_delay = "0s", budget = "none")]
fn outer(log: &RefCell<Vec<Attempt>>) -> Result<(), ApiError> {
    assert_eq!(attempt().depth, 1);
    inner(log)
}

#[test]
fn the_body_knows_its_attempt_and_the_retries_around() {
    let (scope, _) = sync_scope();
    scope.call(|| {
        let outside = attempt();
        assert_eq!((numbers(outside), outside.is_last(), outside.is_last_of_all()), ((1, 1, 0, 1), true, true));
        let log = RefCell::new(Vec::new());
        let _ = outer(&log);
        let log = log.into_inner();
        assert_eq!(log.iter().map(|now| now.number).collect::<Vec<_>>(), [1, 2, 3, 1, 2, 3]);
        assert!(log.iter().all(|now| numbers(*now) == (now.number, 3, 2, 6)));
        assert_eq!(log.iter().map(Attempt::is_last).collect::<Vec<_>>(), [false, false, true, false, false, true]);
        assert_eq!(log.iter().filter(|now| now.is_last_of_all()).count(), 1);
        assert!(log[5].is_last_of_all());
        assert_eq!(attempt(), outside);
    });
}

#[retry(max_attempts = 1)]
fn panics() -> Result<(), ApiError> {
    panic!("on purpose")
}

#[test]
fn a_panic_ends_the_attempt_for_those_outside() {
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    assert_eq!(attempt().depth, 0);
}

#[retry(max_attempts = 2, base_delay = "1s", jitter = "none")]
async fn interleaved(log: &RefCell<Vec<(u32, u32)>>, id: u32) -> Result<(), ApiError> {
    for _ in 0..2 {
        log.borrow_mut().push((id, attempt().number));
        tokio::task::yield_now().await;
    }
    if id == 0 { Ok(()) } else { Err(ApiError::Down) }
}

#[test]
fn interleaved_async_calls_each_know_their_own_attempt() {
    run_paused(async {
        let log = RefCell::new(Vec::new());
        let mut first = pin!(interleaved(&log, 1));
        assert!(poll_once(first.as_mut()).is_pending());
        assert_eq!(attempt().depth, 0, "between polls nothing is set");
        tokio::join!(async { drop(first.await) }, async { drop(interleaved(&log, 0).await) });
        let of = |id| log.borrow().iter().filter(|entry| entry.0 == id).map(|entry| entry.1).collect::<Vec<_>>();
        assert_eq!((of(1), of(0)), (vec![1, 1, 2, 2], vec![1, 1]));
        let by_hand = Retry::named("async by hand");
        let made = by_hand.run(|| {
            let before = attempt().depth;
            async move { Ok::<_, ()>((before, attempt().depth)) }
        });
        assert_eq!(made.await, Ok((1, 1)), "what makes the future is part of the attempt");
    });
}
