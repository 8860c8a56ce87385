//! Calls again what failed and may work the next time.

mod attempts;
mod backoff;
mod settings;
mod snapshot;

use std::{fmt, sync::Arc};

pub use attempts::{Attempts, Step, Verdict, judge_failure, judge_plain};
pub use backoff::{Backoff, Jitter};
pub use settings::{RetryBuilder, RetrySettings, WhenFull, WhenOpen};
pub use snapshot::Snapshot;

use crate::{
    Failure, Name,
    classified::Classified,
    clock::{self, Sleep},
    instances, private,
    site::Handle,
    stats::Counter,
};

/// A retry: the runtime behind `#[retry]`, and the same thing by hand.
///
/// The work is called up to `max_attempts` times, the first call included, with a delay between calls that grows by
/// [`Backoff`] and is spread by [`Jitter`]. An `Err` is tried again if [`when`](Self::when) says so (by default always).
/// Of the refusals by layers inside, a time-out is tried again; an open circuit and a full bulkhead are not,
/// unless [`WhenOpen`] or [`WhenFull`] ask for it. A panic is not caught.
///
/// Handles are cheap to clone and share their statistics.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use resilience_core::Retry;
///
/// let retry = Retry::builder("inventory").max_attempts(4).base_delay(Duration::from_micros(10)).build()?;
/// let mut calls = 0;
/// let stock = retry.call(|| {
///     calls += 1;
///     if calls < 3 { Err("busy") } else { Ok(7) }
/// });
/// assert_eq!((stock, calls), (Ok(7), 3));
/// # Ok::<(), resilience_core::InvalidSetting>(())
/// ```
#[derive(Clone)]
pub struct Retry(Arc<Shared>);

struct Shared {
    name: Name,
    settings: RetrySettings,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    calls: Counter,
    retries: Counter,
    succeeded_after_retry: Counter,
    exhausted: Counter,
    not_retried: Counter,
    total_wait: Counter,
}

instances::policy!(Retry, "retry", RetrySettings, retries);

/// The work failed, and there are no further attempts: they are used up, or the error is not one to retry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{last} (after {attempts} {})", if *.attempts == 1 { "attempt" } else { "attempts" })]
#[non_exhaustive]
pub struct Exhausted<E> {
    /// How often the work was called.
    pub attempts: u32,
    /// The error of the last call.
    pub last: E,
}

impl Retry {
    /// Starts the definition of a retry.
    pub fn builder(name: &str) -> RetryBuilder {
        RetryBuilder::new(name)
    }

    pub(crate) fn create(name: Name, settings: RetrySettings) -> Self {
        Self(Arc::new(Shared { name, settings, counts: Counts::default() }))
    }

    /// The retry's name; the function's path where it has none of its own.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.0.name
    }

    /// What defines it.
    #[must_use]
    pub fn settings(&self) -> &RetrySettings {
        &self.0.settings
    }

    /// Counts now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.0)
    }

    /// Sets the counts to zero.
    pub fn reset(&self) {
        let counts = &self.0.counts;
        for count in [
            &counts.calls,
            &counts.retries,
            &counts.succeeded_after_retry,
            &counts.exhausted,
            &counts.not_retried,
            &counts.total_wait,
        ] {
            count.reset();
        }
    }

    /// The delays between attempts, before jitter: one fewer than `max_attempts`.
    ///
    /// ```
    /// use resilience_core::Retry;
    ///
    /// let delays: Vec<_> = Retry::named("defaults").delays().map(|delay| delay.as_millis()).collect();
    /// assert_eq!(delays, [100, 200]);
    /// ```
    pub fn delays(&self) -> impl Iterator<Item = std::time::Duration> + '_ {
        (1..self.0.settings.max_attempts).map(|wait| self.0.settings.delay(wait))
    }

    /// Calls `work` until it succeeds or there are no further attempts, blocking the thread in between.
    ///
    /// # Errors
    ///
    /// The last error, with the number of attempts.
    pub fn call<T, E>(&self, work: impl FnMut() -> Result<T, E>) -> Result<T, Exhausted<E>> {
        self.when(private::every::<E>).call(work)
    }

    /// Like [`call`](Self::call), for work that is itself protected: its error is a [`Failure`].
    ///
    /// # Errors
    ///
    /// The last failure.
    pub fn call_nested<T, E>(&self, work: impl FnMut() -> Result<T, Failure<E>>) -> Result<T, Failure<E>> {
        self.when(private::every::<E>).call_nested(work)
    }

    /// Runs the futures that `work` makes until one succeeds or there are no further attempts.
    ///
    /// # Cancel safety
    ///
    /// Dropping the returned future drops the attempt, or the wait, that is on its way; nothing is left behind.
    ///
    /// # Errors
    ///
    /// The last error, with the number of attempts.
    ///
    /// # Examples
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
    /// let answer = resilience_core::Retry::named("search").run(async || Ok::<_, String>(42)).await;
    /// assert_eq!(answer, Ok(42));
    /// # });
    /// ```
    pub async fn run<T, E, F>(&self, work: impl FnMut() -> F) -> Result<T, Exhausted<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.when(private::every::<E>).run(work).await
    }

    /// Like [`run`](Self::run), for work that is itself protected: its error is a [`Failure`].
    ///
    /// # Errors
    ///
    /// The last failure.
    pub async fn run_nested<T, E, F>(&self, work: impl FnMut() -> F) -> Result<T, Failure<E>>
    where
        F: Future<Output = Result<T, Failure<E>>>,
    {
        self.when(private::every::<E>).run_nested(work).await
    }

    /// The same retry, with a say in which errors are worth another attempt.
    ///
    /// ```
    /// use resilience_core::Retry;
    ///
    /// let refused = Retry::named("login").when(|status: &u16| *status >= 500).call(|| Err::<(), u16>(403));
    /// assert_eq!(refused.unwrap_err().attempts, 1);
    /// ```
    pub fn when<P>(&self, when: P) -> Classified<'_, Self, P> {
        Classified { policy: self, predicate: when }
    }
}

impl<P> Classified<'_, Retry, P> {
    /// As [`Retry::call`].
    ///
    /// # Errors
    ///
    /// As [`Retry::call`].
    pub fn call<T, E>(self, work: impl FnMut() -> Result<T, E>) -> Result<T, Exhausted<E>>
    where
        P: Fn(&E) -> bool,
    {
        let (out, attempts) = self.drive(work, |when| judge_plain(when));
        out.map_err(|last| Exhausted { attempts, last })
    }

    /// As [`Retry::call_nested`].
    ///
    /// # Errors
    ///
    /// As [`Retry::call_nested`].
    pub fn call_nested<T, E>(self, work: impl FnMut() -> Result<T, Failure<E>>) -> Result<T, Failure<E>>
    where
        P: Fn(&E) -> bool,
    {
        self.drive(work, |when| judge_failure(when)).0
    }

    /// As [`Retry::run`].
    ///
    /// # Errors
    ///
    /// As [`Retry::run`].
    pub async fn run<T, E, F>(self, work: impl FnMut() -> F) -> Result<T, Exhausted<E>>
    where
        F: Future<Output = Result<T, E>>,
        P: Fn(&E) -> bool,
    {
        let (out, attempts) = self.drive_async(work, |when| judge_plain(when)).await;
        out.map_err(|last| Exhausted { attempts, last })
    }

    /// As [`Retry::run_nested`].
    ///
    /// # Errors
    ///
    /// As [`Retry::run_nested`].
    pub async fn run_nested<T, E, F>(self, work: impl FnMut() -> F) -> Result<T, Failure<E>>
    where
        F: Future<Output = Result<T, Failure<E>>>,
        P: Fn(&E) -> bool,
    {
        self.drive_async(work, |when| judge_failure(when)).await.0
    }

    fn drive<'p, T, E, J>(
        &'p self,
        mut work: impl FnMut() -> Result<T, E>,
        judge: impl Fn(&'p P) -> J,
    ) -> (Result<T, E>, u32)
    where
        J: FnOnce(&E, &RetrySettings) -> Verdict,
    {
        let mut attempts = Attempts::new(Handle::Ref(self.policy));
        loop {
            match attempts.after(work(), judge(&self.predicate)) {
                Step::Done(out) => return (out, attempts.number()),
                Step::Wait(delay) => clock::sleep_blocking(delay),
            }
        }
    }

    async fn drive_async<'p, T, E, F, J>(
        &'p self,
        mut work: impl FnMut() -> F,
        judge: impl Fn(&'p P) -> J,
    ) -> (Result<T, E>, u32)
    where
        F: Future<Output = Result<T, E>>,
        J: FnOnce(&E, &RetrySettings) -> Verdict,
    {
        let mut attempts = Attempts::new(Handle::Ref(self.policy));
        loop {
            // The step is gone before the wait: it holds a result, which need not be `Send`.
            let delay = match attempts.after(work().await, judge(&self.predicate)) {
                Step::Done(out) => return (out, attempts.number()),
                Step::Wait(delay) => delay,
            };
            Sleep::new(delay).await;
        }
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry").field("name", self.name()).finish_non_exhaustive()
    }
}
