//! The one state machine of retries: sync, async, by hand and by attribute differ only in how they sleep.

use std::time::Duration;

use super::{
    Retry,
    settings::{RetrySettings, WhenFull, WhenOpen},
};
use crate::{Error, Failure, random, site::Handle};

/// One call under retry.
pub struct Attempts<'a> {
    retry: Handle<'a, Retry>,
    /// The attempt that runs, or ran last; from 1.
    number: u32,
}

/// What to do after an attempt.
pub enum Step<T, E> {
    /// Return this.
    Done(Result<T, E>),
    /// Wait that long and try again.
    Wait(Duration),
}

/// Whether an error is worth another attempt.
pub enum Verdict {
    /// After the usual delay.
    Retry,
    /// After exactly this delay.
    RetryAfter(Duration),
    /// It is not.
    Stop,
}

impl<'a> Attempts<'a> {
    #[inline]
    pub(crate) fn new(retry: Handle<'a, Retry>) -> Self {
        retry.0.counts.calls.increment();
        Self { retry, number: 1 }
    }

    /// Whether there is no further attempt after this one, so that it may have the arguments themselves.
    #[inline]
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.number >= self.retry.0.settings.max_attempts
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Takes in the result of an attempt.
    #[inline]
    pub fn after<T, E>(&mut self, out: Result<T, E>, judge: impl FnOnce(&E, &RetrySettings) -> Verdict) -> Step<T, E> {
        match &out {
            Ok(_) if self.number == 1 => Step::Done(out),
            Ok(_) => {
                self.retry.0.counts.succeeded_after_retry.increment();
                Step::Done(out)
            }
            Err(error) => {
                let verdict = judge(error, &self.retry.0.settings);
                match self.wait(&verdict) {
                    Some(delay) => Step::Wait(delay),
                    None => Step::Done(out),
                }
            }
        }
    }

    /// The delay before the next attempt, if there is to be one.
    #[cold]
    fn wait(&mut self, verdict: &Verdict) -> Option<Duration> {
        let Retry(shared) = &*self.retry;
        if matches!(verdict, Verdict::Stop) {
            shared.counts.not_retried.increment();
            return None;
        }
        if self.is_last() {
            shared.counts.exhausted.increment();
            return None;
        }
        let delay = match verdict {
            Verdict::RetryAfter(delay) => *delay,
            _ => {
                let delay = shared.settings.delay(self.number);
                if delay.is_zero() { delay } else { shared.settings.jittered(delay, random::unit()) }
            }
        };
        shared.counts.retries.increment();
        shared.counts.total_wait.add(crate::clock::nanos(delay));
        self.number = self.number.saturating_add(1);
        Some(delay)
    }
}

/// The judgement of a plain error.
#[inline]
pub fn judge_plain<E>(when: impl FnOnce(&E) -> bool) -> impl FnOnce(&E, &RetrySettings) -> Verdict {
    move |error, _| if when(error) { Verdict::Retry } else { Verdict::Stop }
}

/// The judgement of a failure inside a stack: the library's own refusals are no reason to hammer on, unless asked.
#[inline]
pub fn judge_failure<E>(when: impl FnOnce(&E) -> bool) -> impl FnOnce(&Failure<E>, &RetrySettings) -> Verdict {
    move |failure, settings| match failure {
        Failure::Inner(error) if when(error) => Verdict::Retry,
        Failure::Inner(_) => Verdict::Stop,
        Failure::Rejected(error) => judge_rejection(error, settings),
    }
}

fn judge_rejection(error: &Error, settings: &RetrySettings) -> Verdict {
    match error {
        Error::TimedOut { .. } => Verdict::Retry,
        // A circuit that was forced open without an end is not worth waiting for.
        Error::CircuitOpen { retry_after, .. }
            if settings.when_open == WhenOpen::Wait && *retry_after < Duration::MAX =>
        {
            Verdict::RetryAfter(*retry_after)
        }
        Error::CircuitOpen { .. } => Verdict::Stop,
        _ if settings.when_full == WhenFull::Retry => Verdict::Retry,
        _ => Verdict::Stop,
    }
}
