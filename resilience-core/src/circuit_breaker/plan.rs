//! What a call has to do besides counting, in one word, so that the closed path asks no lock for the settings.

use super::{
    meter::Step,
    settings::{CircuitBreakerSettings, Window},
};
use crate::clock::Time;

/// `steps:8 | shift:8 | flags:16`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan(u64);

impl Plan {
    const TIMED: u64 = 1;
    const CALLS: u64 = 2;
    const TIME: u64 = 4;

    pub(super) fn new(settings: &CircuitBreakerSettings) -> Self {
        let timed = if settings.is_timed() { Self::TIMED } else { 0 };
        let window = match settings.window {
            _ if !settings.has_rate() => 0,
            Window::Calls(_) => Self::CALLS,
            Window::Time(time) => {
                // Below what is refused where it can be: a constant of an attribute.
                let nanos = crate::clock::nanos(time).max(1_000_000);
                // A power of two, so that a step is a shift away: a tenth of the window, or up to twice as fine.
                let shift = (nanos / 10).max(1).ilog2();
                let steps = nanos.div_ceil(1 << shift);
                Self::TIME | u64::from(shift) << 16 | steps << 24
            }
        };
        Self(window | timed)
    }

    pub(super) fn from_word(word: u64) -> Self {
        Self(word)
    }

    pub(super) fn word(self) -> u64 {
        self.0
    }

    /// Nothing but to count.
    #[inline]
    pub(super) fn is_plain(self) -> bool {
        self.0 & (Self::TIMED | Self::CALLS | Self::TIME) == 0
    }

    #[inline]
    pub(super) fn is_timed(self) -> bool {
        self.0 & Self::TIMED != 0
    }

    #[inline]
    pub(super) fn has_window(self) -> bool {
        self.0 & (Self::CALLS | Self::TIME) != 0
    }

    #[inline]
    pub(super) fn is_by_time(self) -> bool {
        self.0 & Self::TIME != 0
    }

    #[inline]
    pub(super) fn step(self, epoch: u32, now: Time) -> Step {
        let shift = self.0 >> 16 & 0xFF;
        Step { epoch, number: now.nanos() >> shift, steps: self.0 >> 24 & 0xFF }
    }
}
