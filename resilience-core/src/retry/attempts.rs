//! The one state machine of retries: sync, async, by hand and by attribute differ only in how they sleep.

use std::time::Duration;

use super::{
    Retry, Shared,
    context::{Attempting, Entered, Starting},
    rules::Verdict,
    settings::RetrySettings,
};
use crate::{
    clock::{self, Sleep, Time},
    timeout::deadline,
};

/// One call under retry.
pub struct Attempts<'a> {
    retry: &'a Shared,
    progress: Progress,
}

/// How far a call is.
#[derive(Clone, Copy)]
struct Progress {
    /// The attempt that runs, or ran last; from 1.
    number: u32,
    /// When the call began, where its time is limited; else when the first attempt had failed. [`UNKNOWN`] until then.
    since: Time,
    /// The wait before this attempt, in nanoseconds; what decorrelated backoff grows from.
    previous: u64,
    /// When the wait before this attempt ends. What a hook takes is part of the wait, so it ends in time all the same.
    until: Time,
}

const UNKNOWN: Time = Time::from_nanos(u64::MAX);

/// What to do after an attempt.
pub enum Step<T, E> {
    /// Return this.
    Done(Result<T, E>),
    /// Return this, which was worth another attempt: attempts, time or budget are used up.
    GaveUp(Result<T, E>),
    /// Wait that long and try again.
    Wait(Result<T, E>, Duration),
}

/// Where the delay before jitter comes from.
#[derive(Clone, Copy, Debug)]
pub enum Planned {
    /// The retry's backoff.
    ByBackoff,
    /// Delays of the call's own.
    Delay(Duration),
    /// They have come to their end.
    End,
}

enum Decision {
    Done,
    GiveUp,
    Wait(Duration),
}

impl<'a> Attempts<'a> {
    #[inline]
    pub(crate) fn new(retry: &'a Retry) -> Self {
        let retry = &*retry.0;
        retry.calls.increment(0);
        let since = if retry.settings.max_elapsed.is_some() { clock::now() } else { UNKNOWN };
        Self { retry, progress: Progress { number: 1, since, previous: 0, until: Time::ORIGIN } }
    }

    /// Whether there is no further attempt after this one, so that it may have the arguments themselves.
    #[inline]
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.retry.is_last(self.progress)
    }

    /// The attempt that runs, or ran last; from 1.
    #[inline]
    #[must_use]
    pub fn number(&self) -> u32 {
        self.progress.number
    }

    /// The attempt before the one that is to come.
    #[must_use]
    pub fn failed(&self) -> u32 {
        self.progress.number - 1
    }

    /// Waits until the next attempt.
    #[must_use]
    pub fn pause(&self) -> Sleep {
        Sleep::until(self.progress.until)
    }

    /// Waits until the next attempt, blocking the thread.
    pub fn pause_blocking(&self) {
        clock::sleep_blocking(self.progress.until.since(clock::now()));
    }

    /// The time since the first attempt had failed, or since the call began where `max_elapsed` is set.
    pub(super) fn elapsed(&self) -> Duration {
        let since = self.progress.since;
        if since == UNKNOWN { Duration::ZERO } else { clock::now().since(since) }
    }

    /// Begins an attempt of sync work, which ends when what is returned is dropped.
    #[inline]
    pub fn enter(&self) -> Entered {
        Entered::new(self.progress.number, self.retry.settings.max_attempts)
    }

    /// Wraps an attempt of async work.
    #[inline]
    pub fn attempt<F>(&self, work: F) -> Attempting<F> {
        Attempting::new(self.progress.number, self.retry.settings.max_attempts, work)
    }

    /// As [`attempt`](Self::attempt), for work that is yet to be made.
    #[inline]
    pub(super) fn start<'w, W: FnMut() -> F, F>(&self, work: &'w mut W) -> Starting<'w, W, F> {
        Starting::new(self.progress.number, self.retry.settings.max_attempts, work)
    }

    /// Takes in the result of an attempt.
    #[inline]
    pub fn after<T, E>(
        &mut self,
        out: Result<T, E>,
        judge: impl FnOnce(Result<&T, &E>, &RetrySettings) -> Verdict,
    ) -> Step<T, E> {
        self.after_planned(out, judge, || Planned::ByBackoff)
    }

    /// As [`after`](Self::after), with delays of the call's own, which are asked for before each wait.
    #[inline]
    pub(super) fn after_planned<T, E>(
        &mut self,
        out: Result<T, E>,
        judge: impl FnOnce(Result<&T, &E>, &RetrySettings) -> Verdict,
        planned: impl FnOnce() -> Planned,
    ) -> Step<T, E> {
        let verdict = judge(out.as_ref(), &self.retry.settings);
        if verdict == Verdict::Good && self.progress.number == 1 {
            return Step::Done(out);
        }
        let wanted = matches!(verdict, Verdict::Retry(_)) && !self.is_last();
        let planned = if wanted { planned() } else { Planned::ByBackoff };
        match self.retry.decide(&mut self.progress, verdict, planned) {
            Decision::Done => Step::Done(out),
            Decision::GiveUp => Step::GaveUp(out),
            Decision::Wait(delay) => Step::Wait(out, delay),
        }
    }
}

impl Shared {
    #[inline]
    fn is_last(&self, progress: Progress) -> bool {
        progress.number >= self.settings.max_attempts
    }

    #[cold]
    #[inline(never)]
    fn decide(&self, progress: &mut Progress, verdict: Verdict, planned: Planned) -> Decision {
        let (settings, counts) = (&self.settings, &self.counts);
        let asked = match verdict {
            Verdict::Good => {
                counts.succeeded_after_retry.increment();
                return Decision::Done;
            }
            Verdict::Stop => {
                counts.not_retried.increment();
                return Decision::Done;
            }
            Verdict::Retry(least) => (least, None),
            Verdict::RetryAfter(delay) => (Duration::ZERO, Some(delay)),
        };
        let now = clock::now();
        if progress.since == UNKNOWN {
            progress.since = now;
        }
        if self.is_last(*progress) || matches!(planned, Planned::End) {
            counts.exhausted.increment();
            return Decision::GiveUp;
        }
        let delay = match (asked, planned) {
            ((_, Some(exactly)), _) => Some(exactly),
            // Neither longer than the longest delay, nor shorter than the service asks for: if not both, then none.
            ((least, None), _) if least > settings.max_delay => None,
            ((least, None), Planned::Delay(delay)) => Some(settings.spread(delay.min(settings.max_delay)).max(least)),
            ((least, None), _) => {
                let previous = Duration::from_nanos(progress.previous);
                Some(settings.wait(progress.number, previous).max(least))
            }
        };
        let Some(delay) = delay.filter(|delay| self.has_time(progress.since, now, *delay)) else {
            counts.out_of_time.increment();
            return Decision::GiveUp;
        };
        // Last, so that only retries that are made are paid for.
        if let Some(budget) = &self.budget
            && !budget.spend(&self.name)
        {
            counts.refused_by_budget.increment();
            return Decision::GiveUp;
        }
        if progress.number == 1 {
            counts.retried.increment();
        }
        counts.retries.increment();
        progress.previous = clock::nanos(delay);
        progress.until = now.after(delay);
        counts.total_wait.add(progress.previous);
        progress.number = progress.number.saturating_add(1);
        Decision::Wait(delay)
    }

    /// Whether a wait would end in time: within `max_elapsed`, and before the deadline of every timeout around us.
    fn has_time(&self, since: Time, now: Time, delay: Duration) -> bool {
        let end = now.after(delay);
        self.settings.max_elapsed.is_none_or(|most| end <= since.after(most))
            && deadline().is_none_or(|left| delay < left)
    }
}
