//! The return type of a protected function and its error, as generated code knows them.

use std::{
    convert::Infallible,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{Error, Failure};

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
