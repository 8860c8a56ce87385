//! One call by hand, with rules of its own.

use std::time::Duration;

use super::{
    Exhausted, Retry, RetrySettings,
    attempts::{Attempts, Planned, Step},
    rules::{Always, Hook, Never, Rules, Says, Silent, Told, Unhinted, Verdict, rules},
};
use crate::Failure;

/// One call under a [`Retry`], with rules of its own: which outcomes are worth another attempt, who is told of waits, and
/// how long they are.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use resilience_core::Retry;
///
/// #[derive(Debug)]
/// enum ApiError {
///     NotFound,
///     TooMany { retry_after: Duration },
/// }
///
/// let retry = Retry::builder("orders").base_delay(Duration::ZERO).build()?;
/// let mut answers = [Err(ApiError::TooMany { retry_after: Duration::from_millis(1) }), Ok("pending"), Ok("paid")].into_iter();
/// let state = retry
///     .when(|error: &ApiError| !matches!(error, ApiError::NotFound))
///     .retry_if_ok(|state: &&str| *state == "pending")
///     .retry_after(|error: &ApiError| match error {
///         ApiError::TooMany { retry_after } => Some(*retry_after),
///         ApiError::NotFound => None,
///     })
///     .on_retry(|attempt: u32, error: &ApiError, delay: Duration| println!("{attempt}: {error:?}, again in {delay:?}"))
///     .call(|| answers.next().unwrap());
/// assert_eq!(state.unwrap(), "paid");
/// # Ok::<(), resilience_core::InvalidSetting>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it calls or runs something"]
pub struct Call<'a, W = Always, O = Never, A = Unhinted, H = Silent, D = ByBackoff> {
    retry: &'a Retry,
    rules: Rules<W, O, A>,
    hook: H,
    delays: D,
}

/// Delays are those of the retry's backoff.
#[derive(Clone, Copy, Debug)]
pub struct ByBackoff;

/// Where the delays of one call come from. Not to be implemented outside.
#[doc(hidden)]
pub trait Delays {
    fn next(&mut self) -> Planned;
}

impl Delays for ByBackoff {
    #[inline]
    fn next(&mut self) -> Planned {
        Planned::ByBackoff
    }
}

impl<I: Iterator<Item = Duration>> Delays for I {
    #[inline]
    fn next(&mut self) -> Planned {
        self.next().map_or(Planned::End, Planned::Delay)
    }
}

impl<'a> Call<'a> {
    #[inline]
    pub(super) fn new(retry: &'a Retry) -> Self {
        Self { retry, rules: rules(), hook: Silent, delays: ByBackoff }
    }
}

impl<'a, W, O, A, H, D> Call<'a, W, O, A, H, D> {
    /// Which errors are worth another attempt, from `&E` to `bool`. By default all are.
    pub fn when<P>(self, when: P) -> Call<'a, P, O, A, H, D> {
        let Self { retry, rules, hook, delays } = self;
        Call { retry, rules: rules.when(when), hook, delays }
    }

    /// Which results are errors in disguise, from `&T` to `bool`: `Ok("pending")`, say. They are tried again like an error; the
    /// last one is returned as it is. By default none are.
    pub fn retry_if_ok<P>(self, if_ok: P) -> Call<'a, W, P, A, H, D> {
        let Self { retry, rules, hook, delays } = self;
        Call { retry, rules: rules.if_ok(if_ok), hook, delays }
    }

    /// When the service wants us back, from `&E` to `Option<Duration>`: what an HTTP response says by `Retry-After`, for
    /// instance, which [`parse_retry_after`](super::parse_retry_after) reads.
    ///
    /// The wait is at least that long. If that is more than `max_delay`, or there is no time for it, the error is returned at
    /// once.
    pub fn retry_after<P>(self, after: P) -> Call<'a, W, O, P, H, D> {
        let Self { retry, rules, hook, delays } = self;
        Call { retry, rules: rules.after(after), hook, delays }
    }

    /// Who is told of each wait before it begins: a closure of the number of the attempt that failed (`u32`, from 1), its error
    /// (`&E`, or `&Failure<E>` for nested work), and the delay to come ([`Duration`]). A wait that an `Ok` causes has no error, and
    /// is not told.
    ///
    /// For [`run`](Self::run) the closure may return a future, which is awaited before the wait. It cannot borrow from the
    /// error: `|_, error: &ApiError, _| { let text = error.to_string(); async move { .. } }`.
    pub fn on_retry<P>(self, hook: P) -> Call<'a, W, O, A, P, D> {
        let Self { retry, rules, delays, .. } = self;
        Call { retry, rules, hook, delays }
    }

    /// Delays of the call's own instead of the retry's backoff. They are spread by the retry's jitter, and cut to its
    /// `max_delay`. Where they end, so do the attempts, at `max_attempts` at the latest.
    ///
    /// ```
    /// use std::time::Duration;
    /// use resilience_core::{Retry, retry::Jitter};
    ///
    /// let retry = Retry::builder("probe").max_attempts(10).jitter(Jitter::None).build()?;
    /// let failed = retry.delays([0, 1, 2].map(Duration::from_millis)).call(|| Err::<(), _>("down"));
    /// assert_eq!(failed.unwrap_err().attempts, 4);
    /// # Ok::<(), resilience_core::InvalidSetting>(())
    /// ```
    pub fn delays<I: IntoIterator<Item = Duration>>(self, delays: I) -> Call<'a, W, O, A, H, I::IntoIter> {
        let Self { retry, rules, hook, .. } = self;
        Call { retry, rules, hook, delays: delays.into_iter() }
    }

    /// As [`Retry::call`].
    ///
    /// # Errors
    ///
    /// As [`Retry::call`].
    #[inline]
    pub fn call<T, E>(self, work: impl FnMut() -> Result<T, E>) -> Result<T, Exhausted<E>>
    where
        W: Says<E, bool>,
        O: Says<T, bool>,
        A: Says<E, Option<Duration>>,
        H: Hook<E, ()>,
        D: Delays,
    {
        let Self { retry, rules, hook, delays } = self;
        let mut attempts = Attempts::new(retry);
        match drive(&mut attempts, work, |out, _| rules.plain(out), &hook, delays) {
            Ok(value) => Ok(value),
            Err(last) => Err(exhausted(&attempts, last)),
        }
    }

    /// As [`Retry::call_nested`].
    ///
    /// # Errors
    ///
    /// As [`Retry::call_nested`].
    #[inline]
    pub fn call_nested<T, E>(self, work: impl FnMut() -> Result<T, Failure<E>>) -> Result<T, Failure<E>>
    where
        W: Says<E, bool>,
        O: Says<T, bool>,
        A: Says<E, Option<Duration>>,
        H: Hook<Failure<E>, ()>,
        D: Delays,
    {
        let Self { retry, rules, hook, delays } = self;
        let mut attempts = Attempts::new(retry);
        drive(&mut attempts, work, |out, settings| rules.nested(out, settings), &hook, delays)
    }

    /// As [`Retry::run`].
    ///
    /// # Cancel safety
    ///
    /// As [`Retry::run`].
    ///
    /// # Errors
    ///
    /// As [`Retry::run`].
    #[inline]
    pub fn run<T, E, F, R, M>(self, work: impl FnMut() -> F) -> impl Future<Output = Result<T, Exhausted<E>>>
    where
        F: Future<Output = Result<T, E>>,
        W: Says<E, bool>,
        O: Says<T, bool>,
        A: Says<E, Option<Duration>>,
        H: Hook<E, R>,
        R: Told<M>,
        D: Delays,
    {
        let Self { retry, rules, hook, delays } = self;
        let finish = |attempts: &Attempts<'_>, out| match out {
            Ok(value) => Ok(value),
            Err(last) => Err(exhausted(attempts, last)),
        };
        drive_async(retry, work, move |out, _| rules.plain(out), hook, delays, finish)
    }

    /// As [`Retry::run_nested`].
    ///
    /// # Cancel safety
    ///
    /// As [`Retry::run`].
    ///
    /// # Errors
    ///
    /// As [`Retry::run_nested`].
    #[inline]
    pub fn run_nested<T, E, F, R, M>(self, work: impl FnMut() -> F) -> impl Future<Output = Result<T, Failure<E>>>
    where
        F: Future<Output = Result<T, Failure<E>>>,
        W: Says<E, bool>,
        O: Says<T, bool>,
        A: Says<E, Option<Duration>>,
        H: Hook<Failure<E>, R>,
        R: Told<M>,
        D: Delays,
    {
        let Self { retry, rules, hook, delays } = self;
        drive_async(retry, work, move |out, settings| rules.nested(out, settings), hook, delays, |_, out| out)
    }
}

#[cold]
fn exhausted<E>(attempts: &Attempts<'_>, last: E) -> Exhausted<E> {
    Exhausted { attempts: attempts.number(), elapsed: attempts.elapsed(), last }
}

#[inline]
fn drive<T, E>(
    attempts: &mut Attempts<'_>,
    mut work: impl FnMut() -> Result<T, E>,
    judge: impl Fn(Result<&T, &E>, &RetrySettings) -> Verdict,
    hook: &impl Hook<E, ()>,
    mut delays: impl Delays,
) -> Result<T, E> {
    loop {
        let out = {
            let _attempt = attempts.enter();
            work()
        };
        match attempts.after_planned(out, &judge, || delays.next()) {
            Step::Done(out) | Step::GaveUp(out) => return out,
            Step::Wait(out, delay) => {
                if let Err(error) = &out {
                    hook.tell(attempts.failed(), error, delay);
                }
                drop(out);
                attempts.pause_blocking();
            }
        }
    }
}

#[inline]
#[allow(clippy::manual_async_fn, reason = "an `async fn` moves all its arguments once more when it is first polled")]
fn drive_async<T, E, F, R, M, Out>(
    retry: &Retry,
    mut work: impl FnMut() -> F,
    judge: impl Fn(Result<&T, &E>, &RetrySettings) -> Verdict,
    hook: impl Hook<E, R>,
    mut delays: impl Delays,
    finish: impl FnOnce(&Attempts<'_>, Result<T, E>) -> Out,
) -> impl Future<Output = Out>
where
    F: Future<Output = Result<T, E>>,
    R: Told<M>,
{
    async move {
        let mut attempts = Attempts::new(retry);
        loop {
            let out = attempts.start(&mut work).await;
            // The result is gone before the wait: it need not be `Send`, nor be kept.
            let told = match attempts.after_planned(out, &judge, || delays.next()) {
                Step::Done(out) | Step::GaveUp(out) => break finish(&attempts, out),
                Step::Wait(out, delay) => out.err().map(|error| hook.tell(attempts.failed(), &error, delay)),
            };
            if let Some(told) = told {
                told.told().await;
            }
            attempts.pause().await;
        }
    }
}
