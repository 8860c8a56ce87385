//! What generated code calls. Not covered by semver: only the attributes of the same version may name it.

pub mod check;
mod retries;
mod returns;

use std::fmt::Display;

pub use core::{
    default::Default,
    mem::drop,
    option::Option::{self, None, Some},
    primitive,
    time::Duration,
};

pub use inventory;

pub use self::{
    retries::{
        Repeatable, Replay, Shown, clone_for_each_attempt, error_of, exhausted, exhausted_nested, nested, plain, shown,
        told, told_now,
    },
    returns::{Body, Fallible, HoldsRefusal, IsOther, IsResult, Outcome, body},
};

pub use crate::{Bulkhead, CircuitBreaker, Resource, Retry, Timeout};
use crate::{
    Failure,
    bulkhead::{self, BulkheadGate},
    circuit_breaker::{CircuitGate, Judgement},
    contention::{self, ResourceGate},
    gate::{self, Run},
    keyed::Keyed,
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

/// The instance for one value.
pub fn keyed<P: Keyed>(instance: Handle<'_, P>, key: impl Display) -> Handle<'static, P> {
    Handle::Owned(instance.for_key(key))
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
