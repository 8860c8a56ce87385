//! What defines a retry.

use std::time::Duration;

use super::{
    Retry,
    backoff::{Backoff, Jitter},
};
use crate::settings::settings;

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

settings! {
    /// Settings of a [`Retry`].
    RetrySettings, RetryBuilder for Retry {
        /// Calls in all, the first included, at least 1. Default: 3.
        max_attempts: u32 = 3;
        /// How delays grow. Default: exponential.
        backoff: Backoff = Backoff::Exponential;
        /// The first delay, before jitter. Default: 100 ms.
        base_delay: Duration = Duration::from_millis(100);
        /// Growth of exponential (default 2) and linear (default 1) backoff; finite and above 0.
        multiplier: Option<f64>, from f64 = None;
        /// The longest delay, jitter included. Default: 30 s.
        max_delay: Duration = Duration::from_secs(30);
        /// How delays are spread. Default: full.
        jitter: Jitter = Jitter::Full;
        /// Width of proportional jitter, from 0 to 1. Default: 0.5.
        jitter_factor: f64 = 0.5;
        /// What to do when a circuit inside is open. Default: fail at once.
        when_open: WhenOpen = WhenOpen::Fail;
        /// What to do when a bulkhead or resource inside has no room. Default: fail at once.
        when_full: WhenFull = WhenFull::Fail;
    }
}

impl RetrySettings {
    pub(crate) fn fault(&self) -> Option<(&'static str, &'static str)> {
        if self.max_attempts == 0 {
            Some(("max_attempts", "must be at least 1, which is the first call"))
        } else if !self.multiplier.is_none_or(|multiplier| multiplier.is_finite() && multiplier > 0.0) {
            Some(("multiplier", "must be a finite number above 0"))
        } else if !(0.0..=1.0).contains(&self.jitter_factor) {
            Some(("jitter_factor", "must be from 0 to 1"))
        } else {
            None
        }
    }
}
