//! The sliding window behind the rates.
//!
//! A success only makes rates smaller, so it needs no more than a count that its thread owns. Failures and slow calls are
//! rare; each is noted with its place in the sequence of calls, or in time, and leaves the window when that has moved
//! on far enough. A rate is looked at when one of them comes in, by successes while there are too few calls yet, and, in a
//! window of time with bad calls, once in every step.

use std::collections::VecDeque;

use super::{machine::WindowSays, reason::Reason, settings::CircuitBreakerSettings};

/// The bad calls in the window, oldest first.
#[derive(Default)]
pub(super) struct Log {
    /// Whose marks these are; those of another epoch are forgotten.
    epoch: u32,
    marks: VecDeque<Mark>,
    failures: u64,
    slow: u64,
}

/// Bad calls at one place: the number of the call, or the step in time.
struct Mark {
    at: u64,
    failures: u64,
    slow: u64,
}

/// How much the window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) calls: u64,
    pub(super) failures: u64,
    pub(super) slow: u64,
}

/// What a call adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mishap {
    pub(super) failure: bool,
    pub(super) slow: bool,
}

impl Log {
    /// Starts anew if the epoch is another one.
    pub(super) fn open(&mut self, epoch: u32) {
        if self.epoch != epoch {
            *self = Self { epoch, ..Self::default() };
        }
    }

    /// What is in the window, for somebody who only looks.
    pub(super) fn peek(&self, epoch: u32, first: u64, calls: u64) -> Content {
        let mut content = Content { calls, ..Content::default() };
        if self.epoch == epoch {
            for mark in self.marks.iter().filter(|mark| mark.at >= first) {
                content.failures += mark.failures;
                content.slow += mark.slow;
            }
        }
        content
    }

    /// Notes a bad call at its place.
    pub(super) fn note(&mut self, at: u64, mishap: Mishap) {
        let (failures, slow) = (u64::from(mishap.failure), u64::from(mishap.slow));
        self.failures += failures;
        self.slow += slow;
        match self.marks.back_mut() {
            // Calls that end at once may find their places in either order.
            Some(last) if last.at >= at => {
                last.failures += failures;
                last.slow += slow;
            }
            _ => self.marks.push_back(Mark { at, failures, slow }),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// What is in the window if it begins at `first` and holds that many calls.
    pub(super) fn content(&mut self, first: u64, calls: u64) -> Content {
        while let Some(oldest) = self.marks.front()
            && oldest.at < first
        {
            self.failures -= oldest.failures;
            self.slow -= oldest.slow;
            self.marks.pop_front();
        }
        // A call is noted after it was counted, but a count taken by several threads may lag behind.
        Content { calls: calls.max(self.failures).max(self.slow), failures: self.failures, slow: self.slow }
    }
}

impl Content {
    #[allow(clippy::cast_precision_loss, reason = "counts of calls in a window are far below 2^52")]
    fn share(self, part: u64) -> f64 {
        if self.calls == 0 { 0.0 } else { part as f64 / self.calls as f64 }
    }

    pub(super) fn failure_rate(self) -> f64 {
        self.share(self.failures)
    }

    pub(super) fn slow_call_rate(self) -> f64 {
        self.share(self.slow)
    }

    /// The rule that this opens the circuit by, if any.
    pub(super) fn judge(self, settings: &CircuitBreakerSettings) -> (WindowSays, Option<Reason>) {
        if self.calls < settings.least_calls() {
            let watch = if self.failures + self.slow > 0 { WindowSays::Watch } else { WindowSays::Nothing };
            return (watch, None);
        }
        let Self { calls, failures, slow } = self;
        if let Some(threshold) = settings.failure_rate
            && self.failure_rate() >= threshold
        {
            return (WindowSays::Open, Some(Reason::FailureRate { failures, calls, threshold }));
        }
        if let (Some(threshold), Some(slow_call)) = (settings.slow_call_rate, settings.slow_call)
            && self.slow_call_rate() >= threshold
        {
            return (WindowSays::Open, Some(Reason::SlowCallRate { slow, calls, threshold, slow_call }));
        }
        (WindowSays::Nothing, None)
    }
}
