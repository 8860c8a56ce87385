//! What a call has to do besides counting, in one word, so that the closed path asks no lock for the settings.

use super::{
    meter::Step,
    settings::{CircuitBreakerSettings, Window},
};
use crate::clock::Time;

/// `steps:8 | shift:8 | generation:8 | flags:8`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan(u64);

impl Plan {
    const TIMED: u64 = 1;
    const CALLS: u64 = 2;
    const TIME: u64 = 4;

    pub(super) fn new(settings: &CircuitBreakerSettings, generation: u8) -> Self {
        let timed = if settings.is_timed() { Self::TIMED } else { 0 };
        let window = match settings.window {
            _ if !settings.has_rate() => 0,
            Window::Calls(_) => Self::CALLS,
            Window::Time(time) => {
                let nanos = crate::clock::nanos(time);
                // A power of two, so that a step is a shift away: a tenth of the window, or up to twice as fine.
                let shift = (nanos / 10).max(1).ilog2();
                let steps = nanos.div_ceil(1 << shift);
                Self::TIME | u64::from(shift) << 16 | steps << 24
            }
        };
        Self(window | timed | u64::from(generation) << 8)
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

    #[allow(clippy::cast_possible_truncation, reason = "takes its eight bits")]
    pub(super) fn generation(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// Which window: that of an epoch, under settings that shape it the same.
    #[inline]
    pub(super) fn key(self, epoch: u32) -> u64 {
        // The low bits are the tag of steps, which has room for eight.
        u64::from(self.generation()) << 32 | u64::from(epoch.wrapping_add(u32::from(self.generation()) << 4))
    }

    #[inline]
    pub(super) fn step(self, epoch: u32, now: Time) -> Step {
        let shift = self.0 >> 16 & 0xFF;
        Step { key: self.key(epoch), number: now.nanos() >> shift, steps: self.0 >> 24 & 0xFF }
    }
}
