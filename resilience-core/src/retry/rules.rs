//! What one call site says of outcomes, and what a retry makes of it.

use std::time::Duration;

use super::settings::{RetrySettings, WhenFull, WhenOpen};
use crate::{Error, Failure};

/// What to make of one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is good.
    Good,
    /// It is worth another attempt, after the usual delay, and that delay at least.
    Retry(Duration),
    /// It is worth another attempt, after exactly this delay.
    RetryAfter(Duration),
    /// It is an error that no attempt will mend.
    Stop,
}

/// An answer about something: a closure's, or one that is always the same.
#[diagnostic::on_unimplemented(
    message = "this retry asks a rule that does not answer: a function or closure from `&{X}` to `{R}` is needed",
    note = "write the type of the closure's parameter: `|error: &ApiError| error.is_transient()`"
)]
pub trait Says<X, R> {
    /// The answer.
    fn say(&self, of: &X) -> R;
}

impl<X, R, F: Fn(&X) -> R> Says<X, R> for F {
    #[inline]
    fn say(&self, of: &X) -> R {
        self(of)
    }
}

/// Every error is worth it.
#[derive(Clone, Copy, Debug)]
pub struct Always;

/// No `Ok` is an error in disguise.
#[derive(Clone, Copy, Debug)]
pub struct Never;

/// No error says when to come back.
#[derive(Clone, Copy, Debug)]
pub struct Unhinted;

impl<X> Says<X, bool> for Always {
    #[inline]
    fn say(&self, _: &X) -> bool {
        true
    }
}

impl<X> Says<X, bool> for Never {
    #[inline]
    fn say(&self, _: &X) -> bool {
        false
    }
}

impl<X> Says<X, Option<Duration>> for Unhinted {
    #[inline]
    fn say(&self, _: &X) -> Option<Duration> {
        None
    }
}

/// What one call site says of outcomes. Not covered by semver.
#[derive(Clone, Copy, Debug)]
pub struct Rules<W = Always, O = Never, A = Unhinted> {
    when: W,
    if_ok: O,
    after: A,
}

/// Every error is worth another attempt, and nothing else is.
#[inline]
#[must_use]
pub fn rules() -> Rules {
    Rules { when: Always, if_ok: Never, after: Unhinted }
}

impl<W, O, A> Rules<W, O, A> {
    /// Which errors are worth another attempt.
    #[inline]
    pub fn when<P>(self, when: P) -> Rules<P, O, A> {
        Rules { when, if_ok: self.if_ok, after: self.after }
    }

    /// Which results are errors in disguise.
    #[inline]
    pub fn if_ok<P>(self, if_ok: P) -> Rules<W, P, A> {
        Rules { when: self.when, if_ok, after: self.after }
    }

    /// When the service wants us back.
    #[inline]
    pub fn after<P>(self, after: P) -> Rules<W, O, P> {
        Rules { when: self.when, if_ok: self.if_ok, after }
    }

    /// The judgement of a plain result.
    #[inline]
    pub fn plain<T, E>(&self, out: Result<&T, &E>) -> Verdict
    where
        W: Says<E, bool>,
        O: Says<T, bool>,
        A: Says<E, Option<Duration>>,
    {
        match out {
            Ok(value) if self.if_ok.say(value) => Verdict::Retry(Duration::ZERO),
            Ok(_) => Verdict::Good,
            Err(error) if self.when.say(error) => Verdict::Retry(self.after.say(error).unwrap_or_default()),
            Err(_) => Verdict::Stop,
        }
    }

    /// The judgement of a result inside a stack: the library's own refusals are no reason to hammer on, unless asked.
    #[inline]
    pub fn nested<T, E>(&self, out: Result<&T, &Failure<E>>, settings: &RetrySettings) -> Verdict
    where
        W: Says<E, bool>,
        O: Says<T, bool>,
        A: Says<E, Option<Duration>>,
    {
        match out {
            Err(Failure::Rejected(error)) => judge_rejection(error, settings),
            Err(Failure::Inner(error)) => self.plain(Err::<&T, _>(error)),
            Ok(value) => self.plain(Ok::<_, &E>(value)),
        }
    }
}

#[cold]
fn judge_rejection(error: &Error, settings: &RetrySettings) -> Verdict {
    match error {
        Error::TimedOut { .. } => Verdict::Retry(Duration::ZERO),
        // A circuit that was forced open without an end is not worth waiting for.
        Error::CircuitOpen { retry_after, .. }
            if settings.when_open == WhenOpen::Wait && *retry_after < Duration::MAX =>
        {
            Verdict::RetryAfter(*retry_after)
        }
        Error::CircuitOpen { .. } => Verdict::Stop,
        _ if settings.when_full == WhenFull::Retry => Verdict::Retry(Duration::ZERO),
        _ => Verdict::Stop,
    }
}

/// Who is told of each wait before it begins.
pub trait Hook<E, R> {
    fn tell(&self, attempt: u32, error: &E, delay: Duration) -> R;
}

impl<E, R, F: Fn(u32, &E, Duration) -> R> Hook<E, R> for F {
    #[inline]
    fn tell(&self, attempt: u32, error: &E, delay: Duration) -> R {
        self(attempt, error, delay)
    }
}

/// Nobody is told.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl<E> Hook<E, ()> for Silent {
    #[inline]
    fn tell(&self, _: u32, _: &E, _: Duration) {}
}

/// What a hook returns: nothing, or a future of nothing. `M` tells which.
#[diagnostic::on_unimplemented(
    message = "`on_retry` returns `{Self}`; it must return nothing, or be async and return nothing",
    note = "end the closure with a semicolon: `|attempt, error, delay| {{ log(error); }}`"
)]
pub trait Told<M> {
    /// Ready when the hook is done.
    fn told(self) -> impl Future<Output = ()>;
}

/// A hook that is done when it returns.
#[derive(Debug)]
pub enum Now {}

/// A hook that is async.
#[derive(Debug)]
pub enum Later {}

impl Told<Now> for () {
    #[inline]
    async fn told(self) {}
}

#[diagnostic::do_not_recommend]
impl<F: Future<Output = ()>> Told<Later> for F {
    #[inline]
    fn told(self) -> impl Future<Output = ()> {
        self
    }
}
