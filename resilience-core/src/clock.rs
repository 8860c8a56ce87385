//! The one source of time: the test clock of a [`TestScope`](crate::testing::TestScope) if there is one, else tokio's
//! clock, which is the system's unless tokio's time is paused. All waiting of the library goes through here too.

use std::{
    cell::OnceCell,
    panic::catch_unwind,
    pin::Pin,
    sync::{
        Arc, LazyLock, Mutex, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use crate::{scope, sync::lock, testing::TestClock};

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

/// When the process first asked for the time.
static ORIGIN: LazyLock<Instant> = LazyLock::new(|| {
    let origin = Instant::now();
    // After that, so that the coarse clock never runs ahead.
    coarse::set_origin();
    origin
});

/// Now, by the clock in force.
pub(crate) fn now() -> Time {
    if let Some(clock) = scope::test_clock() {
        return clock.now();
    }
    let origin = *ORIGIN;
    Time(nanos(tokio::time::Instant::now().into_std().saturating_duration_since(origin)))
}

/// How far the coarse clock may lag behind the exact one: a tick of the slowest kernels.
pub(crate) const COARSENESS: Duration = Duration::from_millis(10);

/// Now, to a few milliseconds, never later than [`now`]: a fifth of the cost where the system has such a clock and time
/// is not virtual.
#[inline]
pub(crate) fn coarse_now() -> Time {
    if scope::is_entered() {
        return now();
    }
    coarse::now().unwrap_or_else(now)
}

/// The kernel's coarse clock.
#[cfg(target_os = "linux")]
mod coarse {
    use std::sync::atomic::{AtomicU64, Ordering};

    use rustix::time::{ClockId, clock_gettime};

    use super::Time;

    /// What the exact clock showed when the process first asked for the time, which the coarse one lags behind: so both
    /// count from the same moment. 0 before that, and [`UNUSABLE`] for good where tokio's time can be paused, which the
    /// kernel would know nothing of.
    static ORIGIN: AtomicU64 = AtomicU64::new(0);
    const UNUSABLE: u64 = u64::MAX;

    pub(super) fn set_origin() {
        let origin = if super::can_pause::tokio_can_pause() { UNUSABLE } else { read(ClockId::Monotonic) };
        // Relaxed: a thread that does not see it yet asks the exact clock.
        ORIGIN.store(origin, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn now() -> Option<Time> {
        // Relaxed: as above.
        match ORIGIN.load(Ordering::Relaxed) {
            0 | UNUSABLE => None,
            origin => Some(Time(read(ClockId::MonotonicCoarse).saturating_sub(origin))),
        }
    }

    #[inline]
    #[allow(clippy::cast_sign_loss, reason = "neither part of a monotonic time is negative")]
    fn read(clock: ClockId) -> u64 {
        let time = clock_gettime(clock);
        (time.tv_sec as u64).wrapping_mul(1_000_000_000).wrapping_add(time.tv_nsec as u64)
    }
}

#[cfg(not(target_os = "linux"))]
mod coarse {
    pub(super) fn set_origin() {}

    pub(super) fn now() -> Option<super::Time> {
        None
    }
}

/// Whether tokio was built with its `test-util` feature, which another crate may have asked for.
#[cfg(target_os = "linux")]
mod can_pause {
    use tokio::runtime::Builder;

    /// Stands in for the inherent method of the same name, which the feature adds and which is then preferred.
    #[allow(dead_code, reason = "stands in for nothing where the feature is on")]
    trait StartPaused {
        fn start_paused(&mut self, _: bool) -> &mut Self;
    }

    thread_local!(static STOOD_IN: std::cell::Cell<bool> = const { std::cell::Cell::new(false) });

    impl StartPaused for Builder {
        fn start_paused(&mut self, _: bool) -> &mut Self {
            STOOD_IN.set(true);
            self
        }
    }

    pub(super) fn tokio_can_pause() -> bool {
        STOOD_IN.set(false);
        Builder::new_current_thread().start_paused(true);
        !STOOD_IN.get()
    }
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
    let new = || Waker::from(Arc::new(Unpark(thread::current())));
    thread_local!(static WAKER: OnceCell<Waker> = const { OnceCell::new() });
    // A thread that is being torn down has none to keep.
    WAKER.try_with(|waker| waker.get_or_init(new).clone()).unwrap_or_else(|_| new())
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

    /// When it ends.
    pub(crate) fn end(&self) -> Time {
        self.until
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

/// `None` outside of tokio, and on a runtime that was built without timers. There is no way to ask for those but to try,
/// which panics; so it is tried once per runtime.
fn sleep_on_current_runtime(left: Duration) -> Option<tokio::time::Sleep> {
    static WITHOUT_TIMERS: Mutex<Vec<tokio::runtime::Id>> = Mutex::new(Vec::new());
    static ANY: AtomicBool = AtomicBool::new(false);
    let id = tokio::runtime::Handle::try_current().ok()?.id();
    if ANY.load(Ordering::SeqCst) && lock(&WITHOUT_TIMERS).contains(&id) {
        return None;
    }
    let sleep = catch_unwind(|| tokio::time::sleep(left)).ok();
    if sleep.is_none() {
        lock(&WITHOUT_TIMERS).push(id);
        ANY.store(true, Ordering::SeqCst);
    }
    sleep
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

#[cfg(all(test, target_os = "linux", not(loom)))]
mod tests {
    use rustix::time::{ClockId, clock_gettime};

    #[test]
    fn the_coarse_clock_lags_behind_the_exact_one_by_a_tick_at_most() {
        let nanos = |clock| {
            let time = clock_gettime(clock);
            i128::from(time.tv_sec) * 1_000_000_000 + i128::from(time.tv_nsec)
        };
        for _ in 0..1000 {
            let (before, coarse, after) =
                (nanos(ClockId::Monotonic), nanos(ClockId::MonotonicCoarse), nanos(ClockId::Monotonic));
            let most = i128::try_from(super::COARSENESS.as_nanos()).expect("small") * 2;
            assert!(coarse <= after && before - coarse <= most, "{} ns behind", before - coarse);
        }
    }
}
