//! What generated code calls. Not covered by semver: only the attributes of the same version may name it.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

pub use core::{
    default::Default,
    option::Option::{None, Some},
    time::Duration,
};

pub use inventory;

pub use crate::{Bulkhead, CircuitBreaker, Resource, Retry, Timeout};
use crate::{
    Error, Failure,
    bulkhead::{self, BulkheadGate},
    circuit_breaker::CircuitGate,
    clock::{self, Sleep},
    contention::{self, ResourceGate},
    gate::{self, Run},
    timeout,
};
pub use crate::{
    bulkhead::BulkheadSettings,
    circuit_breaker::{CircuitBreakerSettings, OnCancel},
    contention::{Origin, ResourceSettings},
    instances::{AnySite, Sites},
    retry::{Attempts, Backoff, Jitter, RetrySettings, Step, WhenFull, WhenOpen, judge_failure, judge_plain},
    site::{Handle, Place, Site, function_of},
    timeout::TimeoutSettings,
};

/// A policy together with a predicate over the function's error.
#[derive(Clone, Copy, Debug)]
#[must_use = "it does nothing until it calls or runs something"]
pub struct Classified<'a, Policy, P> {
    pub(crate) policy: &'a Policy,
    pub(crate) predicate: P,
}

/// A type that is `Result<T, E>`, however it is spelled.
#[diagnostic::on_unimplemented(
    message = "a protected function must return a `Result`, not `{Self}`",
    label = "this is not a `Result`",
    note = "the attribute needs an `Err` to see failures, and to return its own refusals; \
            write `-> Result<{Self}, YourError>`"
)]
pub trait Fallible: Sized {
    type Ok;
    type Err;
}

impl<T, E> Fallible for Result<T, E> {
    type Ok = T;
    type Err = E;
}

/// An error type that can hold a refusal of the library.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no place for a refusal of the library: it is not `From<resilience::Error>`",
    label = "cannot be made from a `resilience::Error`",
    note = "add a variant to your error enum, as in `#[error(transparent)] Resilience(#[from] resilience::Error)`, \
            or return `anyhow::Error` or `Box<dyn Error + Send + Sync>`, which need nothing"
)]
pub trait HoldsRefusal {
    fn from_refusal(error: Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<E: From<Error>> HoldsRefusal for E {
    fn from_refusal(error: Error) -> Self {
        error.into()
    }
}

/// Stands for the function's return type in a `return` that is never reached, so that the type of the body is pinned.
#[must_use]
pub fn return_type<R: Fallible>() -> R {
    unreachable!("names a type, is never called")
}

/// The outer edge of a stack: a refusal becomes the function's own error.
#[inline]
pub fn edge<T, E: HoldsRefusal>(out: Result<T, Failure<E>>) -> Result<T, E> {
    match out {
        Ok(value) => Ok(value),
        Err(Failure::Inner(error)) => Err(error),
        Err(Failure::Rejected(error)) => Err(E::from_refusal(error)),
    }
}

/// Every error counts.
#[inline]
#[must_use]
pub fn every<E>(_: &E) -> bool {
    true
}

/// Pins the type of a predicate over the error of the return type `R`.
#[inline]
pub fn predicate<R: Fallible, P: Fn(&R::Err) -> bool>(predicate: P) -> P {
    predicate
}

/// Calls the function's own body; its error is no refusal.
#[inline]
pub fn call_body<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Failure<E>> {
    work().map_err(Failure::Inner)
}

/// Calls the body of a function that only retries.
#[inline]
pub fn call_plain<T, E>(work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    work()
}

/// Runs the function's own body; its error is no refusal.
#[inline]
pub fn body<F>(work: F) -> Body<F> {
    Body { work }
}

pin_project_lite::pin_project! {
    /// A future whose error is no refusal.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Body<F> {
        #[pin]
        work: F,
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> Future for Body<F> {
    type Output = Result<T, Failure<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().work.poll(cx).map_err(Failure::Inner)
    }
}

/// An argument that a retry hands out once per attempt: clones, and at last the argument itself.
pub struct Replay<T>(Option<T>);

/// An argument that can be handed out more than once.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not `Clone`, and `#[retry]` hands this argument to every attempt",
    label = "this argument must be `Clone`",
    note = "derive `Clone`, wrap the value in an `Arc`, or take it by reference"
)]
pub trait Repeatable: Sized {
    fn repeat(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Repeatable for T {
    #[inline]
    fn repeat(&self) -> Self {
        self.clone()
    }
}

impl<T: Repeatable> Replay<T> {
    #[inline]
    pub fn new(argument: T) -> Self {
        Self(Some(argument))
    }

    /// # Panics
    ///
    /// Never: the loop ends with the attempt that is told to be the last.
    #[inline]
    pub fn next(&mut self, last: bool) -> T {
        let argument = if last { self.0.take() } else { self.0.as_ref().map(T::repeat) };
        argument.expect("no attempt follows the last one")
    }
}

#[inline]
pub fn circuit_breaker<T, E>(
    circuit: Handle<'_, CircuitBreaker>,
    work: impl FnOnce() -> Result<T, Failure<E>>,
    failure_when: impl FnOnce(&E) -> bool,
) -> Result<T, Failure<E>> {
    gate::call(CircuitGate::new(circuit, failure_when), work)
}

#[inline]
pub fn circuit_breaker_async<T, E, F, P>(
    circuit: Handle<'_, CircuitBreaker>,
    work: F,
    failure_when: P,
) -> Run<CircuitGate<'_, P>, F>
where
    F: Future<Output = Result<T, Failure<E>>>,
    P: FnOnce(&E) -> bool,
{
    Run::new(CircuitGate::new(circuit, failure_when), work)
}

#[inline]
#[must_use]
pub fn attempts(retry: Handle<'_, Retry>) -> Attempts<'_> {
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

pub fn sleep_blocking(delay: Duration) {
    clock::sleep_blocking(delay);
}

#[must_use]
pub fn sleep(delay: Duration) -> Sleep {
    Sleep::new(delay)
}

/// Checks of constants, evaluated at compile time.
pub mod check {
    macro_rules! at_least_one {
        ($($type:ident)*) => {$(
            /// # Panics
            ///
            /// At compile time, where the constant is zero.
            #[must_use]
            pub const fn $type(value: $type) -> $type {
                assert!(value >= 1, "must be at least 1");
                value
            }
        )*};
    }
    at_least_one!(u16 u32);

    /// # Panics
    ///
    /// At compile time, where the constant is not finite or not above 0.
    #[must_use]
    pub const fn multiplier(value: f64) -> f64 {
        assert!(value.is_finite() && value > 0.0, "must be a finite number above 0");
        value
    }

    /// # Panics
    ///
    /// At compile time, where the constant is not from 0 to 1.
    #[must_use]
    pub const fn fraction(value: f64) -> f64 {
        assert!(value >= 0.0 && value <= 1.0, "must be from 0 to 1");
        value
    }
}
