//! What defines a retry.

use std::time::Duration;

use super::{
    Retry,
    backoff::{Backoff, Jitter},
    budget::BudgetSettings,
};
use crate::{Name, settings::settings};

/// What a retry does when a circuit inside it is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenOpen {
    /// It returns at once: the circuit knows that the service is down.
    #[default]
    Fail,
    /// It waits until the circuit admits its next probe, and tries again.
    Wait,
}

/// What a retry does when a bulkhead or a contended resource inside it has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// It returns at once: trying again adds to the crowd.
    #[default]
    Fail,
    /// It tries again after the usual delay.
    Retry,
}

/// Which budget a retry takes its retries from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhichBudget {
    /// One of its own, with the `budget_ratio` and `budget_floor` of the retry.
    #[default]
    Own,
    /// The [`Budget`](super::Budget) of that name, shared with every retry that names it.
    Shared(Name),
    /// None: every retry that the other settings allow is made.
    None,
}

impl From<&str> for WhichBudget {
    /// `"none"` is [`WhichBudget::None`], everything else a name.
    fn from(name: &str) -> Self {
        if name == "none" { Self::None } else { Self::Shared(Name::interned(name)) }
    }
}

settings! {
    /// Settings of a [`Retry`].
    RetrySettings, RetryBuilder for Retry {
        /// Calls in all, the first included, at least 1. Default: 3.
        max_attempts: u32 = 3;
        /// The longest time for all attempts and waits together: no wait is begun that would end later, counted from the
        /// beginning of the call. An attempt that runs is not cut; that is what a timeout is for. With it, every call reads
        /// the clock once. Default: none.
        max_elapsed: Option<Duration>, from Duration = None;
        /// How delays grow. Default: exponential.
        backoff: Backoff = Backoff::Exponential;
        /// The first delay, before jitter. Default: 100 ms.
        base_delay: Duration = Duration::from_millis(100);
        /// Growth of exponential (default 2) and linear (default 1) backoff; finite and above 0.
        multiplier: Option<f64>, from f64 = None;
        /// The longest delay, jitter included. An error that asks for a longer one by `retry_after` is not retried. Only the
        /// wait for an open circuit may be longer. Default: 30 s.
        max_delay: Duration = Duration::from_secs(30);
        /// How delays are spread. Default: full.
        jitter: Jitter = Jitter::Full;
        /// Width of proportional jitter, from 0 to 1. Default: 0.5.
        jitter_factor: f64 = 0.5;
        /// What to do when a circuit inside is open. Default: fail at once.
        when_open: WhenOpen = WhenOpen::Fail;
        /// What to do when a bulkhead or resource inside has no room. Default: fail at once.
        when_full: WhenFull = WhenFull::Fail;
        /// The budget that retries are taken from: the name of a [`Budget`](super::Budget), or `"none"`. Default: one of its own.
        budget: WhichBudget, from &str = WhichBudget::Own;
        /// The retry's own budget: retries for each call, from 0 to 1. Default: 0.2.
        budget_ratio: Option<f64>, from f64 = None;
        /// The retry's own budget: retries per second that are there however few calls there are. Default: 10.
        budget_floor: Option<u32>, from u32 = None;
    }
}

impl RetrySettings {
    /// What defines the retry's own budget.
    pub(super) fn own_budget(&self) -> BudgetSettings {
        let default = BudgetSettings::default();
        let (ratio, floor) = (self.budget_ratio.unwrap_or(default.ratio), self.budget_floor.unwrap_or(default.floor));
        default.ratio(ratio).floor(floor)
    }

    pub(crate) fn fault(&self) -> Option<(&'static str, &'static str)> {
        const NOT_OWN: &str = "is that of the retry's own budget; remove it, or the other budget";
        if self.max_attempts == 0 {
            Some(("max_attempts", "must be at least 1, which is the first call"))
        } else if !self.multiplier.is_none_or(|multiplier| multiplier.is_finite() && multiplier > 0.0) {
            Some(("multiplier", "must be a finite number above 0"))
        } else if !(0.0..=1.0).contains(&self.jitter_factor) {
            Some(("jitter_factor", "must be from 0 to 1"))
        } else if self.max_elapsed.is_some_and(|most| most.is_zero()) {
            Some(("max_elapsed", "must be longer than zero"))
        } else if matches!(&self.budget, WhichBudget::Shared(name) if name.is_empty()) {
            Some(("budget", "must not be empty"))
        } else if self.budget != WhichBudget::Own && self.budget_ratio.is_some() {
            Some(("budget_ratio", NOT_OWN))
        } else if self.budget != WhichBudget::Own && self.budget_floor.is_some() {
            Some(("budget_floor", NOT_OWN))
        } else if self.own_budget().fault().is_some() {
            Some(("budget_ratio", "must be from 0 to 1"))
        } else {
            None
        }
    }
}
