//! The one source of time: the test clock of a [`TestScope`](crate::testing::TestScope) if there is one, else tokio's
//! clock, which is the system's unless tokio's time is paused. All waiting of the library goes through here too.

use std::{
    panic::catch_unwind,
    pin::Pin,
    sync::{Arc, LazyLock, OnceLock},
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use crate::{scope, testing::TestClock};

/// A point in time: nanoseconds since the process first asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(u64);

impl Time {
    pub(crate) const ORIGIN: Self = Self(0);

    pub(crate) const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub(crate) const fn nanos(self) -> u64 {
        self.0
    }

    /// The time that much later; saturates, which reads as "never".
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self(self.0.saturating_add(nanos(delay)))
    }

    /// The time since `earlier`; zero if it is later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A duration in whole nanoseconds, saturating after 584 years.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Now, by the clock in force.
pub(crate) fn now() -> Time {
    static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
    if let Some(clock) = scope::test_clock() {
        return clock.now();
    }
    let origin = *ORIGIN;
    Time(nanos(tokio::time::Instant::now().into_std().saturating_duration_since(origin)))
}

/// Blocks the thread for that long. Under a test clock it advances the clock instead and returns at once.
pub(crate) fn sleep_blocking(delay: Duration) {
    match scope::test_clock() {
        Some(clock) => clock.advance(delay),
        None => thread::sleep(delay),
    }
}

/// Parks the thread until it is unparked or the deadline has passed, and says whether it has. May return early, so
/// callers loop.
///
/// Under tokio's paused clock the wait is real: nothing advances that clock for a thread that blocks.
pub(crate) fn park_until(deadline: Time) -> bool {
    if let Some(clock) = scope::test_clock() {
        let passed = clock.wake_at(deadline, &thread_waker()).is_ready();
        if !passed {
            thread::park();
        }
        return passed;
    }
    let left = deadline.since(now());
    if left.is_zero() {
        return true;
    }
    let parked = Instant::now();
    thread::park_timeout(left);
    parked.elapsed() >= left
}

/// A waker that unparks the calling thread.
pub(crate) fn thread_waker() -> Waker {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    thread_local!(static WAKER: Waker = Waker::from(Arc::new(Unpark(thread::current()))));
    WAKER.with(Waker::clone)
}

pin_project_lite::pin_project! {
    /// Waits without blocking the thread; the timer itself is armed on the first poll.
    pub struct Sleep {
        until: Time,
        #[pin]
        timer: Timer,
    }
}

pin_project_lite::pin_project! {
    #[project = TimerProjection]
    enum Timer {
        Idle,
        Tokio { #[pin] sleep: tokio::time::Sleep },
        Test { clock: TestClock },
        Elapsed,
    }
}

impl Sleep {
    pub(crate) fn new(delay: Duration) -> Self {
        Self::until(now().after(delay))
    }

    pub(crate) fn until(until: Time) -> Self {
        Self { until, timer: Timer::Idle }
    }
}

impl Timer {
    fn arm(until: Time) -> Self {
        if let Some(clock) = scope::test_clock() {
            return Self::Test { clock };
        }
        let left = until.since(now());
        if let Some(sleep) = sleep_on_current_runtime(left) {
            return Self::Tokio { sleep };
        }
        if let Some(runtime) = timer_runtime() {
            let _context = runtime.enter();
            return Self::Tokio { sleep: tokio::time::sleep(left) };
        }
        // No thread left in the system to drive a timer: blocking this one keeps the promised time.
        thread::sleep(left);
        Self::Elapsed
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if matches!(*this.timer, Timer::Idle) {
            this.timer.set(Timer::arm(*this.until));
        }
        match this.timer.project() {
            TimerProjection::Idle | TimerProjection::Elapsed => Poll::Ready(()),
            TimerProjection::Tokio { sleep } => sleep.poll(cx),
            TimerProjection::Test { clock } => clock.wake_at(*this.until, cx.waker()),
        }
    }
}

/// `None` outside of tokio, and on a runtime that was built without timers; tokio panics there and has no way to ask.
fn sleep_on_current_runtime(left: Duration) -> Option<tokio::time::Sleep> {
    tokio::runtime::Handle::try_current().ok()?;
    catch_unwind(|| tokio::time::sleep(left)).ok()
}

/// A runtime that does nothing but drive timers, for executors that have none.
fn timer_runtime() -> Option<&'static tokio::runtime::Handle> {
    static HANDLE: OnceLock<Option<tokio::runtime::Handle>> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().ok()?;
            let handle = runtime.handle().clone();
            thread::Builder::new()
                .name("resilience-timer".into())
                .spawn(move || runtime.block_on(std::future::pending::<()>()))
                .ok()?;
            Some(handle)
        })
        .as_ref()
}
