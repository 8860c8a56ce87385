//! What a test needs: registries of its own, a clock it moves by hand, random numbers that repeat.
//!
//! Async tests need none of this for time: under `#[tokio::test(start_paused = true)]` circuits recover, retries wait
//! and timeouts fire in virtual time. For sync code there is [`TestClock`].

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use rand::{SeedableRng, rngs::SmallRng};

use crate::{
    clock::Time,
    scope::{self, Scope},
    sync::lock,
};

/// Registries of a test's own: inside, names resolve to fresh instances that no other test sees.
///
/// Annotated functions resolve in the scope too. A scope holds on the thread that entered it; enter it again on
/// other threads and tasks that belong to the test.
///
/// # Examples
///
/// ```
/// use resilience_core::{CircuitBreaker, testing::TestScope};
///
/// let scope = TestScope::new();
/// scope.call(|| {
///     let _ = CircuitBreaker::named("payments").call(|| Err::<(), _>("down"));
///     assert_eq!(CircuitBreaker::named("payments").snapshot().failures, 1);
/// });
/// assert_eq!(CircuitBreaker::named("payments").snapshot().failures, 0);
/// ```
#[derive(Clone)]
pub struct TestScope(Arc<Scope>);

impl TestScope {
    /// Fresh registries; time and random numbers stay the process's.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Scope::default()))
    }

    /// Fresh registries, with time by this clock.
    #[must_use]
    pub fn with_clock(clock: &TestClock) -> Self {
        Self(Arc::new(Scope { clock: Some(clock.clone()), ..Scope::default() }))
    }

    /// The same clock, fresh registries, and random numbers (jitter) that repeat for the same seed.
    #[must_use]
    pub fn seeded(&self, seed: u64) -> Self {
        Self(Arc::new(Scope {
            clock: self.0.clock.clone(),
            random: Some(Mutex::new(SmallRng::seed_from_u64(seed))),
            ..Scope::default()
        }))
    }

    /// Runs a closure inside the scope.
    pub fn call<T>(&self, work: impl FnOnce() -> T) -> T {
        let _entered = scope::enter(self.0.clone());
        work()
    }

    /// Runs a future inside the scope, on whatever threads it is polled.
    pub fn run<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        InScope { scope: self.0.clone(), work }
    }
}

impl Default for TestScope {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TestScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestScope").field("clock", &self.0.clock).finish_non_exhaustive()
    }
}

pin_project_lite::pin_project! {
    struct InScope<F> {
        scope: Arc<Scope>,
        #[pin]
        work: F,
    }
}

impl<F: Future> Future for InScope<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = scope::enter(this.scope.clone());
        this.work.poll(cx)
    }
}

/// A clock that a test moves by hand, for use with [`TestScope::with_clock`].
///
/// A blocking wait between retries advances the clock by itself and returns at once. Waits for somebody else (a place
/// in a bulkhead, a contended resource, a detached worker) last until that somebody comes or another thread
/// calls [`advance`](Self::advance). So do the waits of async code under this clock; for async tests tokio's paused clock is
/// simpler.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use resilience_core::{CircuitBreaker, circuit_breaker::State, testing::{TestClock, TestScope}};
///
/// let clock = TestClock::new();
/// TestScope::with_clock(&clock).call(|| {
///     let circuit = CircuitBreaker::builder("db").failure_threshold(1).build().unwrap();
///     let _ = circuit.call(|| Err::<(), _>("down"));
///     assert_eq!(circuit.state(), State::Open);
///     clock.advance(Duration::from_secs(30));
///     assert!(circuit.call(|| Ok::<_, ()>("up")).is_ok());
/// });
/// ```
#[derive(Clone, Default)]
pub struct TestClock(Arc<Mutex<ClockState>>);

struct ClockState {
    now: Time,
    sleepers: Vec<(Time, Waker)>,
}

impl Default for ClockState {
    fn default() -> Self {
        Self { now: Time::ORIGIN, sleepers: Vec::new() }
    }
}

impl TestClock {
    /// A clock that stands at zero.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock and wakes everyone whose time has come.
    pub fn advance(&self, by: Duration) {
        let due = {
            let mut state = lock(&self.0);
            let now = state.now.after(by);
            state.now = now;
            let (due, later) = std::mem::take(&mut state.sleepers).into_iter().partition(|(at, _)| *at <= now);
            state.sleepers = later;
            due
        };
        let due: Vec<(Time, Waker)> = due;
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// Time since the clock was made.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now().since(Time::ORIGIN)
    }

    pub(crate) fn now(&self) -> Time {
        lock(&self.0).now
    }

    /// Ready once the time has come; until then the waker is kept and woken by [`Self::advance`].
    pub(crate) fn wake_at(&self, at: Time, waker: &Waker) -> Poll<()> {
        let mut state = lock(&self.0);
        if state.now >= at {
            return Poll::Ready(());
        }
        if !state.sleepers.iter().any(|(due, known)| *due == at && known.will_wake(waker)) {
            state.sleepers.push((at, waker.clone()));
        }
        Poll::Pending
    }
}

impl fmt::Debug for TestClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TestClock").field(&self.elapsed()).finish()
    }
}
