//! What generated code calls. Not covered by semver: only the attributes of the same version may name it.

use std::{
    convert::Infallible,
    fmt::Display,
    marker::PhantomData,
    ops::Deref,
    pin::Pin,
    task::{Context, Poll},
};

pub use core::{
    default::Default,
    mem::drop,
    option::Option::{self, None, Some},
    primitive,
    time::Duration,
};

pub use inventory;

pub use crate::{Bulkhead, CircuitBreaker, Resource, Retry, Timeout};
use crate::{
    Error, Failure,
    bulkhead::{self, BulkheadGate},
    circuit_breaker::{CircuitGate, Judgement},
    clock::{self, Sleep},
    contention::{self, ResourceGate},
    gate::{self, Run},
    timeout,
};
pub use crate::{
    bulkhead::BulkheadSettings,
    circuit_breaker::{CircuitBreakerSettings, FailureKind, OnCancel},
    contention::{Origin, ResourceSettings},
    instances::{AnySite, Sites},
    retry::{
        Backoff, Jitter, RetrySettings, WhenFull, WhenOpen,
        attempts::{Attempts, Step},
        rules::{Rules, Says, Told, Verdict, rules},
    },
    site::{Handle, Place, Site, function_of},
    timeout::TimeoutSettings,
};

/// The return type of a protected function: `Result<T, E>`, however it is spelled.
///
/// All code around a body knows the function's result through this trait alone. So where a function returns something
/// else, the one bound that fails is the one error.
#[diagnostic::on_unimplemented(
    message = "a function under an attribute of `resilience` must return a `Result`, and this one returns `{Self}`",
    label = "not a `Result`",
    note = "without an `Err` the attribute could neither see a failure nor return a refusal of its own; \
            write `-> Result<{Self}, YourError>`"
)]
pub trait Fallible: Sized {
    type Ok;
    type Err;
    /// [`IsResult`]; see [`Outcome`].
    type Told;

    fn into_result(self) -> Result<Self::Ok, Self::Err>;

    fn from_result(out: Result<Self::Ok, Self::Err>) -> Self;

    /// Stands for the function's result in a `return` that is never reached, so that the type of the body is pinned.
    #[must_use]
    fn pinned() -> Self {
        unreachable!("names a type, is never called")
    }

    /// Calls the function's own body; its error is no refusal.
    #[inline]
    fn call_body(work: impl FnOnce() -> Self) -> Result<Self::Ok, Failure<Self::Err>> {
        match work().into_result() {
            Ok(value) => Ok(value),
            Err(error) => Err(Failure::Inner(error)),
        }
    }

    /// Calls the body of a function that only retries.
    #[inline]
    fn call_plain(work: impl FnOnce() -> Self) -> Self {
        work()
    }

    /// Runs the function's own body; its error is no refusal.
    #[inline]
    fn body<F: Future<Output = Self>>(work: F) -> Body<F, Self::Told> {
        Body { work, told: PhantomData }
    }

    /// The outer edge of a stack: a refusal becomes the function's own error, by [`HoldsRefusal::from_refusal`].
    #[inline]
    fn edge(out: Result<Self::Ok, Failure<Self::Err>>, hold: impl FnOnce(Error) -> Self::Err) -> Self {
        Self::from_result(match out {
            Ok(value) => Ok(value),
            Err(Failure::Inner(error)) => Err(error),
            Err(Failure::Rejected(error)) => Err(hold(error)),
        })
    }
}

#[diagnostic::do_not_recommend]
impl<T, E> Fallible for Result<T, E> {
    type Ok = T;
    type Err = E;
    type Told = IsResult;

    #[inline]
    fn into_result(self) -> Self {
        self
    }

    #[inline]
    fn from_result(out: Self) -> Self {
        out
    }
}

/// An error type that can hold a refusal of the library.
#[diagnostic::on_unimplemented(
    message = "the error type `{Self}` cannot hold a refusal of the library: it is not `From<resilience::Error>`",
    label = "`{Self}` is not `From<resilience::Error>`",
    note = "add a variant to your error enum, as in `#[error(transparent)] Resilience(#[from] resilience::Error)`, \
            or return `anyhow::Error` or `Box<dyn Error + Send + Sync>`, which need nothing"
)]
pub trait HoldsRefusal {
    fn from_refusal(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> HoldsRefusal for E {
    #[inline]
    fn from_refusal(error: Error) -> Self {
        error.into()
    }
}

/// Every error counts.
#[inline]
#[must_use]
pub fn every<E>(_: &E) -> bool {
    true
}

/// Every error is a failure.
#[inline]
#[must_use]
pub fn all_failures<E>(_: &E) -> Judgement {
    Judgement::Failure(FailureKind::Other)
}

/// Errors that `failure_when` names are failures.
#[inline]
pub fn judge<E>(failure_when: impl Fn(&E) -> bool) -> impl Fn(&E) -> Judgement {
    judge_kind(failure_when, |_| FailureKind::Other)
}

/// Errors that `failure_when` names are failures of the kind that `classify` tells.
#[inline]
pub fn judge_kind<E>(
    failure_when: impl Fn(&E) -> bool,
    classify: impl Fn(&E) -> FailureKind,
) -> impl Fn(&E) -> Judgement {
    move |error| if failure_when(error) { Judgement::Failure(classify(error)) } else { Judgement::Success }
}

/// Runs the function's own body; its error is no refusal.
#[inline]
pub fn body<F>(work: F) -> Body<F> {
    Body { work, told: PhantomData }
}

pin_project_lite::pin_project! {
    /// A future whose error is no refusal.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Body<F, O = IsResult> {
        #[pin]
        work: F,
        told: PhantomData<fn() -> O>,
    }
}

impl<F: Future<Output: Outcome<O>>, O> Future for Body<F, O> {
    type Output = Result<<F::Output as Outcome<O>>::Ok, Failure<<F::Output as Outcome<O>>::Err>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().work.poll(cx).map(|out| out.outcome().map_err(Failure::Inner))
    }
}

/// What a future comes to. `O` is [`Fallible::Told`], which the compiler cannot know for a type that is no `Result`, and
/// then finds to be [`IsOther`]: so [`Body`] is a future in any case, and the error is told by [`Fallible`] alone.
pub trait Outcome<O> {
    type Ok;
    type Err;
    fn outcome(self) -> Result<Self::Ok, Self::Err>;
}

#[derive(Debug)]
pub enum IsResult {}

#[derive(Debug)]
pub enum IsOther {}

impl<T, E> Outcome<IsResult> for Result<T, E> {
    type Ok = T;
    type Err = E;

    #[inline]
    fn outcome(self) -> Self {
        self
    }
}

impl<T> Outcome<IsOther> for T {
    type Ok = T;
    type Err = Infallible;

    fn outcome(self) -> Result<T, Infallible> {
        Ok(self)
    }
}

/// An argument that a retry hands out once per attempt: clones, and at last the argument itself.
pub struct Replay<T>(Option<T>);

impl<T> Replay<T> {
    #[inline]
    pub fn new(argument: T) -> Self {
        Self(Some(argument))
    }
}

/// An argument that can be handed out more than once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `Clone`, and `#[retry]` hands this argument to every attempt",
    label = "this argument must be `Clone`",
    note = "derive `Clone`, wrap the value in an `Arc`, or take it by reference"
)]
pub trait Repeatable: Sized {
    fn next(slot: &mut Replay<Self>, last: bool) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Repeatable for T {
    #[inline]
    fn next(slot: &mut Replay<Self>, last: bool) -> Self {
        clone_for_each_attempt(slot, last)
    }
}

/// As [`Repeatable::next`], for type parameters: the compiler then suggests the bound to write.
///
/// # Panics
///
/// Never: the loop ends with the attempt that is told to be the last.
#[inline]
pub fn clone_for_each_attempt<T: Clone>(slot: &mut Replay<T>, last: bool) -> T {
    let argument = if last { slot.0.take() } else { slot.0.clone() };
    argument.expect("no attempt follows the last one")
}

#[inline]
pub fn circuit_breaker<T, E>(
    circuit: Handle<'_, CircuitBreaker>,
    work: impl FnOnce() -> Result<T, Failure<E>>,
    judge: impl Fn(&E) -> Judgement,
) -> Result<T, Failure<E>> {
    gate::call(CircuitGate::new(circuit, judge), work)
}

#[inline]
pub fn circuit_breaker_async<T, E, F, P>(
    circuit: Handle<'_, CircuitBreaker>,
    work: F,
    judge: P,
) -> Run<CircuitGate<'_, P>, F>
where
    F: Future<Output = Result<T, Failure<E>>>,
    P: Fn(&E) -> Judgement,
{
    Run::new(CircuitGate::new(circuit, judge), work)
}

/// The circuit for one value.
pub fn keyed(circuit: Handle<'_, CircuitBreaker>, key: impl Display) -> Handle<'static, CircuitBreaker> {
    Handle::Owned(circuit.for_key(key))
}

#[inline]
#[must_use]
pub fn attempts<'a>(retry: &'a Handle<'_, Retry>) -> Attempts<'a> {
    Attempts::new(retry)
}

#[inline]
pub fn bulkhead<T, E>(
    bulkhead: Handle<'_, Bulkhead>,
    work: impl FnOnce() -> Result<T, Failure<E>>,
) -> Result<T, Failure<E>> {
    gate::call(bulkhead::gate(bulkhead), work)
}

#[inline]
pub fn bulkhead_async<T, E, F>(bulkhead: Handle<'_, Bulkhead>, work: F) -> Run<BulkheadGate<'_>, F>
where
    F: Future<Output = Result<T, Failure<E>>>,
{
    Run::new(bulkhead::gate(bulkhead), work)
}

#[inline]
pub fn detect_contention<T, E>(
    resource: Handle<'_, Resource>,
    origin: &'static Origin,
    work: impl FnOnce() -> Result<T, Failure<E>>,
) -> Result<T, Failure<E>> {
    gate::call(contention::gate(resource, origin.id()), work)
}

#[inline]
pub fn detect_contention_async<'a, T, E, F>(
    resource: Handle<'a, Resource>,
    origin: &'static Origin,
    work: F,
) -> Run<ResourceGate<'a>, F>
where
    F: Future<Output = Result<T, Failure<E>>>,
{
    Run::new(contention::gate(resource, origin.id()), work)
}

#[inline]
pub fn timeout_async<T, E, F>(timeout: Handle<'_, Timeout>, limit: Option<Duration>, work: F) -> timeout::Run<'_, F>
where
    F: Future<Output = Result<T, Failure<E>>>,
{
    let limit = limit.unwrap_or(timeout.settings().limit);
    timeout::run(timeout, limit, work)
}

pub fn timeout_detached<T, E>(
    timeout: Handle<'_, Timeout>,
    limit: Option<Duration>,
    work: impl FnOnce() -> Result<T, Failure<E>> + Send + 'static,
) -> Result<T, Failure<E>>
where
    T: Send + 'static,
    E: Send + 'static,
{
    let limit = limit.unwrap_or(timeout.settings().limit);
    timeout::detached(timeout, limit, work)
}

#[inline]
pub fn timeout_cooperative<T, E>(
    timeout: Handle<'_, Timeout>,
    limit: Option<Duration>,
    work: impl FnOnce() -> Result<T, Failure<E>>,
) -> Result<T, Failure<E>> {
    let limit = limit.unwrap_or(timeout.settings().limit);
    timeout::cooperative(timeout, limit, work)
}

/// The judgement of a plain result.
#[inline]
pub fn plain<T, E, W, O, A>(rules: Rules<W, O, A>) -> impl FnOnce(Result<&T, &E>, &RetrySettings) -> Verdict
where
    W: Says<E, bool>,
    O: Says<T, bool>,
    A: Says<E, Option<Duration>>,
{
    move |out, _| rules.plain(out)
}

/// The judgement of a result inside a stack.
#[inline]
pub fn nested<T, E, W, O, A>(rules: Rules<W, O, A>) -> impl FnOnce(Result<&T, &Failure<E>>, &RetrySettings) -> Verdict
where
    W: Says<E, bool>,
    O: Says<T, bool>,
    A: Says<E, Option<Duration>>,
{
    move |out, settings| rules.nested(out, settings)
}

/// The error of a plain result, to be shown to a hook.
pub fn error_of<T, E>(out: &Result<T, E>) -> Option<Shown<'_, E>> {
    out.as_ref().err().map(Shown::Own)
}

/// The error of a result inside a stack, to be shown to a hook as the function's own.
pub fn shown<T, E>(out: &Result<T, Failure<E>>, hold: impl FnOnce(Error) -> E) -> Option<Shown<'_, E>> {
    match out {
        Ok(_) => None,
        Err(Failure::Inner(error)) => Some(Shown::Own(error)),
        Err(Failure::Rejected(error)) => Some(Shown::Refusal(hold(error.clone()))),
    }
}

/// A function's error: its own, or one that stands for a refusal.
#[derive(Debug)]
pub enum Shown<'a, E> {
    Own(&'a E),
    Refusal(E),
}

impl<E> Deref for Shown<'_, E> {
    type Target = E;

    fn deref(&self) -> &E {
        match self {
            Self::Own(error) => error,
            Self::Refusal(error) => error,
        }
    }
}

/// Ends a hook, which may be async.
pub fn told<M>(hook: impl Told<M>) -> impl Future<Output = ()> {
    hook.told()
}

/// Ends a sync hook, which returns nothing.
#[inline]
pub fn told_now((): ()) {}

/// The error of a call that gave up.
pub fn exhausted<T, E>(out: Result<T, E>, attempts: u32, exhausted: impl FnOnce(u32, E) -> E) -> Result<T, E> {
    out.map_err(|error| exhausted(attempts, error))
}

/// The error of a call that gave up, inside a stack. A refusal other than a time-out stays one: the layers outside must not
/// take it for evidence about the service.
pub fn exhausted_nested<T, E>(
    out: Result<T, Failure<E>>,
    attempts: u32,
    exhausted: impl FnOnce(u32, E) -> E,
    hold: impl FnOnce(Error) -> E,
) -> Result<T, Failure<E>> {
    out.map_err(|failure| match failure {
        Failure::Inner(error) => Failure::Inner(exhausted(attempts, error)),
        Failure::Rejected(error) if error.is_timeout() => Failure::Inner(exhausted(attempts, hold(error))),
        refusal @ Failure::Rejected(_) => refusal,
    })
}

pub fn sleep_blocking(delay: Duration) {
    clock::sleep_blocking(delay);
}

#[must_use]
pub fn sleep(delay: Duration) -> Sleep {
    Sleep::new(delay)
}

/// Checks of constants, evaluated at compile time. A fault is shown where the constant is used.
pub mod check {
    /// # Panics
    ///
    /// At compile time, where the constant is out of range.
    #[track_caller]
    pub const fn count(value: u32, least: u32, most: u32, fault: &'static str) {
        assert!(value >= least && value <= most, "{}", fault);
    }

    /// # Panics
    ///
    /// At compile time, where the constant is not finite or not above 0.
    #[track_caller]
    pub const fn multiplier(value: f64, fault: &'static str) {
        assert!(value.is_finite() && value > 0.0, "{}", fault);
    }

    /// # Panics
    ///
    /// At compile time, where the constant is not from 0 to 1.
    #[track_caller]
    pub const fn fraction(value: f64, fault: &'static str) {
        assert!(value >= 0.0 && value <= 1.0, "{}", fault);
    }

    /// # Panics
    ///
    /// At compile time, where the constant is not finite or below 1.
    #[track_caller]
    pub const fn growth(value: f64, fault: &'static str) {
        assert!(value.is_finite() && value >= 1.0, "{}", fault);
    }

    /// # Panics
    ///
    /// At compile time, where the constant is not above 0 or above 1.
    #[track_caller]
    pub const fn share(value: f64, fault: &'static str) {
        assert!(value > 0.0 && value <= 1.0, "{}", fault);
    }
}
