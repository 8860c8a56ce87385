//! Calls again what failed and may work the next time.

pub(crate) mod attempts;
mod backoff;
mod budget;
mod call;
mod context;
mod retry_after;
pub(crate) mod rules;
mod settings;
mod snapshot;

use std::{fmt, sync::Arc, time::Duration};

pub use backoff::{Backoff, CustomBackoff, Jitter};
pub use budget::{Budget, BudgetBuilder, BudgetSettings, BudgetSnapshot};
pub use call::Call;
pub(crate) use context::Carried;
pub use context::{Attempt, attempt};
pub use retry_after::{parse_retry_after, parse_retry_after_at};
use rules::{Always, Never, Silent, Unhinted};
pub use settings::{RetryBuilder, RetrySettings, WhenFull, WhenOpen, WhichBudget};
pub use snapshot::Snapshot;

use crate::{Failure, Name, instances, registry, stats::Counter};

/// A retry: the runtime behind `#[retry]`, and the same thing by hand.
///
/// The work is called up to `max_attempts` times, the first call included, with a delay between calls that grows by
/// [`Backoff`] and is spread by [`Jitter`]. An `Err` is tried again if [`when`](Self::when) says so (by default always).
/// Of the refusals by layers inside, a time-out is tried again; an open circuit and a full bulkhead are not,
/// unless [`WhenOpen`] or [`WhenFull`] ask for it. A panic is not caught.
///
/// No wait is begun that would end after `max_elapsed`, or at or after the [`deadline`](crate::deadline) of a
/// timeout around: the call returns its error while there is time to act on it.
///
/// Handles are cheap to clone and share their statistics.
///
/// # Retries multiply
///
/// Where `a` calls `b`, `b` calls `c`, and each tries three times, one call of `a` makes up to 3 x 3 x 3 = 27 of what `c`
/// calls. [`attempt`] shows it from inside:
///
/// ```
/// use resilience_core::{Retry, attempt};
///
/// fn layer(name: &str) -> Retry {
///     Retry::builder(name).base_delay(std::time::Duration::ZERO).budget("none").build().unwrap()
/// }
/// let (a, b, c) = (layer("a"), layer("b"), layer("c"));
/// let mut requests = 0;
/// let _ = a.call(|| b.call(|| c.call(|| {
///     requests += 1;
///     assert_eq!((attempt().depth, attempt().most_calls), (3, 27));
///     Err::<(), _>("down")
/// })));
/// assert_eq!(requests, 27);
/// ```
///
/// A [`Budget`] bounds it. Each of these retries makes one retry for five calls it gets, beyond a small floor: so under load
/// the three layers together make at most 1.2 x 1.2 x 1.2 = 1.7 calls of one, and no longer 27. Better still, retry in
/// one layer only.
///
/// ```
/// use resilience_core::Retry;
///
/// fn layer(name: &str) -> Retry {
///     Retry::builder(name).base_delay(std::time::Duration::ZERO).budget_floor(0).build().unwrap()
/// }
/// let (a, b, c) = (layer("bounded a"), layer("bounded b"), layer("bounded c"));
/// let mut requests = 0;
/// for _ in 0..1000 {
///     let _ = a.call(|| b.call(|| c.call(|| {
///         requests += 1;
///         Err::<(), _>("down")
///     })));
/// }
/// assert!((1700..=1728).contains(&requests), "not 27000");
/// ```
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
    /// Counted by the threads that call, as all that a first attempt does; the rest is counted where it is rare.
    calls: Arc<budget::Calls>,
    counts: Counts,
    budget: Option<Budget>,
}

#[derive(Default)]
struct Counts {
    retried: Counter,
    retries: Counter,
    succeeded_after_retry: Counter,
    exhausted: Counter,
    not_retried: Counter,
    out_of_time: Counter,
    refused_by_budget: Counter,
    total_wait: Counter,
}

instances::policy!(Retry, "retry", RetrySettings, retries);

/// The work failed, and there are no further attempts: attempts, time or budget are used up, or the error is not one to
/// retry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{last} (after {attempts} {})", if *.attempts == 1 { "attempt" } else { "attempts" })]
#[non_exhaustive]
pub struct Exhausted<E> {
    /// How often the work was called.
    pub attempts: u32,
    /// How long retrying took: from the end of the first attempt to that of the last one. The first attempt is in it only
    /// where `max_elapsed` is set; otherwise no clock is read before something has failed.
    pub elapsed: Duration,
    /// The error of the last call.
    pub last: E,
}

impl Retry {
    /// Starts the definition of a retry.
    pub fn builder(name: &str) -> RetryBuilder {
        RetryBuilder::new(name)
    }

    pub(crate) fn create(name: Name, settings: RetrySettings) -> Self {
        let budget = match &settings.budget {
            WhichBudget::Own => Some(Budget::create(name.clone(), settings.own_budget())),
            WhichBudget::Shared(budget) => Some(registry::named::<Budget>(budget)),
            WhichBudget::None => None,
        };
        let calls = Arc::<budget::Calls>::default();
        if let Some(budget) = &budget {
            budget.join(calls.clone());
        }
        Self(Arc::new(Shared { name, settings, calls, counts: Counts::default(), budget }))
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

    /// Sets the counts to zero. Its budget goes on as it is.
    pub fn reset(&self) {
        self.0.calls.reset();
        let counts = &self.0.counts;
        for count in [
            &counts.retried,
            &counts.retries,
            &counts.succeeded_after_retry,
            &counts.exhausted,
            &counts.not_retried,
            &counts.out_of_time,
            &counts.refused_by_budget,
            &counts.total_wait,
        ] {
            count.reset();
        }
    }

    /// The delays between attempts, before jitter: one fewer than `max_attempts`. For decorrelated backoff the longest that
    /// they may be.
    ///
    /// ```
    /// use resilience_core::Retry;
    ///
    /// let delays: Vec<_> = Retry::named("defaults").planned_delays().map(|delay| delay.as_millis()).collect();
    /// assert_eq!(delays, [100, 200]);
    /// ```
    pub fn planned_delays(&self) -> impl Iterator<Item = Duration> + '_ {
        (1..self.0.settings.max_attempts).map(|wait| self.0.settings.delay(wait))
    }

    /// Calls `work` until it succeeds or there are no further attempts, blocking the thread in between.
    ///
    /// # Errors
    ///
    /// The last error, with the number of attempts.
    #[inline]
    pub fn call<T, E>(&self, work: impl FnMut() -> Result<T, E>) -> Result<T, Exhausted<E>> {
        self.with_rules().call(work)
    }

    /// Like [`call`](Self::call), for work that is itself protected: its error is a [`Failure`].
    ///
    /// # Errors
    ///
    /// The last failure.
    #[inline]
    pub fn call_nested<T, E>(&self, work: impl FnMut() -> Result<T, Failure<E>>) -> Result<T, Failure<E>> {
        self.with_rules().call_nested(work)
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
    #[inline]
    pub fn run<T, E, F>(&self, work: impl FnMut() -> F) -> impl Future<Output = Result<T, Exhausted<E>>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.with_rules().run(work)
    }

    /// Like [`run`](Self::run), for work that is itself protected: its error is a [`Failure`].
    ///
    /// # Errors
    ///
    /// The last failure.
    #[inline]
    pub fn run_nested<T, E, F>(&self, work: impl FnMut() -> F) -> impl Future<Output = Result<T, Failure<E>>>
    where
        F: Future<Output = Result<T, Failure<E>>>,
    {
        self.with_rules().run_nested(work)
    }

    /// One call with rules of its own; it starts with none.
    ///
    /// [`when`](Self::when) and its fellows are short for `with_rules().when(..)` and so on.
    #[inline]
    pub fn with_rules(&self) -> Call<'_> {
        Call::new(self)
    }

    /// One call with a say in which errors are worth another attempt; see [`Call::when`].
    ///
    /// ```
    /// use resilience_core::Retry;
    ///
    /// let refused = Retry::named("login").when(|status: &u16| *status >= 500).call(|| Err::<(), u16>(403));
    /// assert_eq!(refused.unwrap_err().attempts, 1);
    /// ```
    pub fn when<P>(&self, when: P) -> Call<'_, P> {
        self.with_rules().when(when)
    }

    /// One call that tries again some results that are no errors; see [`Call::retry_if_ok`].
    pub fn retry_if_ok<P>(&self, if_ok: P) -> Call<'_, Always, P> {
        self.with_rules().retry_if_ok(if_ok)
    }

    /// One call whose errors may say when to come back; see [`Call::retry_after`].
    pub fn retry_after<P>(&self, after: P) -> Call<'_, Always, Never, P> {
        self.with_rules().retry_after(after)
    }

    /// One call that tells of each wait; see [`Call::on_retry`].
    pub fn on_retry<H>(&self, hook: H) -> Call<'_, Always, Never, Unhinted, H> {
        self.with_rules().on_retry(hook)
    }

    /// One call with delays of its own; see [`Call::delays`].
    pub fn delays<I: IntoIterator<Item = Duration>>(
        &self,
        delays: I,
    ) -> Call<'_, Always, Never, Unhinted, Silent, I::IntoIter> {
        self.with_rules().delays(delays)
    }
}

impl fmt::Debug for Retry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Retry").field("name", self.name()).finish_non_exhaustive()
    }
}
