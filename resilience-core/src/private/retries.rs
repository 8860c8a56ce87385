//! What a retry does with arguments, results and hooks.

use std::{ops::Deref, time::Duration};

use super::{Rules, Says, Told, Verdict};
use crate::{Error, Failure, retry::RetrySettings};

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
