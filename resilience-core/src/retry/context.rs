//! Which attempt the running code belongs to: set on its thread around each attempt, and around each poll of an async one.

use std::{
    cell::Cell,
    pin::Pin,
    task::{Context, Poll},
};

/// Which attempt of which retry the running code belongs to; see [`attempt`].
///
/// Retries nest and multiply: a function that tries three times a function that tries three times a third one that does
/// the same calls the service 27 times for one call of its own. Inside, that is [`most_calls`](Self::most_calls).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The number of this attempt of the innermost retry, from 1.
    pub number: u32,
    /// How many attempts the innermost retry makes at most.
    pub max_attempts: u32,
    /// How many retries there are around this code: 0 outside of all.
    pub depth: u32,
    /// How often this code may run for one call from outside of all retries: the product of all their `max_attempts`.
    /// Saturates.
    pub most_calls: u64,
    /// How many of the retries around this code may make an attempt after this one.
    unfinished: u32,
}

impl Attempt {
    /// Whether the innermost retry makes no attempt after this one, whatever comes of it.
    ///
    /// `false` promises none: the retry may have no time, or no budget, for another attempt, or the error may be none to
    /// retry.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.number >= self.max_attempts
    }

    /// Whether no retry around this code, however far out, makes an attempt after this one.
    #[must_use]
    pub fn is_last_of_all(&self) -> bool {
        self.unfinished == 0
    }
}

/// An [`Attempt`] in whole words: what is written in halves and read back in one piece stalls the processor for longer
/// than all the rest takes.
#[derive(Clone, Copy)]
struct Frame {
    /// `number:32 | max_attempts:32`.
    attempt: u64,
    /// `depth:32 | unfinished:32`.
    levels: u64,
    most_calls: u64,
}

impl Frame {
    /// Outside of all retries.
    const NONE: Self = Self { attempt: 1 << 32 | 1, levels: 0, most_calls: 1 };

    /// An attempt inside of this one.
    #[inline]
    fn inside(self, number: u32, max_attempts: u32) -> Self {
        Self {
            attempt: u64::from(number) << 32 | u64::from(max_attempts),
            levels: self.levels + (1 << 32) + u64::from(number < max_attempts),
            most_calls: self.most_calls.saturating_mul(max_attempts.into()),
        }
    }
}

thread_local!(static CURRENT: Cell<Frame> = const { Cell::new(Frame::NONE) });

/// Both halves of a word.
#[allow(clippy::cast_possible_truncation, reason = "cuts a word in halves")]
fn halves(word: u64) -> (u32, u32) {
    ((word >> 32) as u32, word as u32)
}

/// Which attempt the running code belongs to. Outside of every retry this is attempt 1 of 1, at depth 0.
///
/// It knows the retries around the code that asks, as it runs: sync ones on this thread, and async ones around this task's
/// future. A thread or task that was spawned inside of an attempt is not inside of it.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use resilience_core::{Retry, attempt};
///
/// let retry = Retry::builder("greeting").base_delay(Duration::ZERO).build()?;
/// let answer = retry.call(|| match attempt() {
///     now if now.is_last() => Ok(format!("at attempt {} of {}", now.number, now.max_attempts)),
///     _ => Err("not yet"),
/// });
/// assert_eq!(answer.as_deref(), Ok("at attempt 3 of 3"));
/// # Ok::<(), resilience_core::InvalidSetting>(())
/// ```
#[must_use]
pub fn attempt() -> Attempt {
    let Frame { attempt, levels, most_calls } = CURRENT.get();
    let ((number, max_attempts), (depth, unfinished)) = (halves(attempt), halves(levels));
    Attempt { number, max_attempts, depth, most_calls, unfinished }
}

/// Makes an attempt the current one of this thread until it is dropped.
#[must_use = "dropping it ends the attempt"]
pub struct Entered {
    outer: Frame,
}

impl Entered {
    #[inline]
    pub(super) fn new(number: u32, max_attempts: u32) -> Self {
        let outer = CURRENT.get();
        CURRENT.set(outer.inside(number, max_attempts));
        Self { outer }
    }
}

/// The context of a thread, to be carried to another one that works for it.
#[derive(Clone, Copy)]
pub(crate) struct Carried(Frame);

impl Carried {
    pub(crate) fn of_thread() -> Self {
        Self(CURRENT.get())
    }

    /// Puts it in force on this thread until the guard is dropped.
    pub(crate) fn enter(self) -> Entered {
        Entered { outer: CURRENT.replace(self.0) }
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        CURRENT.set(self.outer);
    }
}

pin_project_lite::pin_project! {
    /// One attempt of async work.
    #[must_use = "futures do nothing unless awaited"]
    pub struct Attempting<F> {
        number: u32,
        max_attempts: u32,
        #[pin]
        work: F,
    }
}

impl<F> Attempting<F> {
    #[inline]
    pub(super) fn new(number: u32, max_attempts: u32, work: F) -> Self {
        Self { number, max_attempts, work }
    }
}

impl<F: Future> Future for Attempting<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = Entered::new(*this.number, *this.max_attempts);
        this.work.poll(cx)
    }
}

pin_project_lite::pin_project! {
    /// One attempt of async work whose future is yet to be made, as a part of the attempt.
    pub(super) struct Starting<'w, W, F> {
        number: u32,
        max_attempts: u32,
        start: &'w mut W,
        #[pin]
        work: Option<F>,
    }
}

impl<'w, W, F> Starting<'w, W, F> {
    #[inline]
    pub(super) fn new(number: u32, max_attempts: u32, start: &'w mut W) -> Self {
        Self { number, max_attempts, start, work: None }
    }
}

impl<W: FnMut() -> F, F: Future> Future for Starting<'_, W, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let _entered = Entered::new(*this.number, *this.max_attempts);
        if this.work.is_none() {
            this.work.set(Some((this.start)()));
        }
        match this.work.as_pin_mut() {
            Some(work) => work.poll(cx),
            None => Poll::Pending,
        }
    }
}
