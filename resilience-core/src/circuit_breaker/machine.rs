//! The state machine of a circuit: pure functions over one small value, which packs into one atomic word.
//!
//! Every change of phase starts a new epoch. A permit carries the epoch it was admitted in, so a result that comes
//! back after a change is recognised and decides nothing.

use std::time::Duration;

use super::settings::CircuitBreakerSettings;
use crate::clock::Time;

/// The whole of a circuit's state but the time its phase ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    /// Counts changes of phase, modulo 2^30.
    pub(super) epoch: u32,
    pub(super) phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Closed { failures: u32 },
    Open,
    HalfOpen { in_flight: u16, successes: u16 },
}

/// What a call that ended says about the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Evidence {
    Success,
    Failure,
    Nothing,
}

/// The answer to a call that wants to enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It enters, and the machine stays as it is.
    Enter,
    /// It enters as a probe, and the machine becomes this; the phase ends a lease from now.
    Probe(Machine),
    /// It has to stay out, for at least this long.
    Reject(Duration),
}

/// The effect of a call that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settlement {
    /// Nothing changes.
    Keep,
    /// The machine becomes this.
    Become(Machine),
    /// The call was admitted in an earlier epoch: it decides nothing.
    Late,
}

const EPOCH_BITS: u32 = 30;
const PHASE_SHIFT: u32 = 32;
const EPOCH_SHIFT: u32 = 34;
const PHASE_CLOSED: u64 = 0;
const PHASE_OPEN: u64 = 1;

impl Machine {
    pub(super) const CLOSED: Self = Self { epoch: 0, phase: Phase::Closed { failures: 0 } };

    /// `epoch:30 | phase:2 | failures:32` or, half-open, `epoch:30 | phase:2 | in_flight:16 | successes:16`.
    pub(super) fn pack(self) -> u64 {
        let (phase, detail) = match self.phase {
            Phase::Closed { failures } => (PHASE_CLOSED, failures),
            Phase::Open => (PHASE_OPEN, 0),
            Phase::HalfOpen { in_flight, successes } => (2, u32::from(in_flight) << 16 | u32::from(successes)),
        };
        u64::from(self.epoch) << EPOCH_SHIFT | phase << PHASE_SHIFT | u64::from(detail)
    }

    #[allow(clippy::cast_possible_truncation, reason = "each cast takes exactly the bits of its field")]
    pub(super) fn unpack(word: u64) -> Self {
        let detail = word as u32;
        let phase = match word >> PHASE_SHIFT & 0b11 {
            PHASE_CLOSED => Phase::Closed { failures: detail },
            PHASE_OPEN => Phase::Open,
            _ => Phase::HalfOpen { in_flight: (detail >> 16) as u16, successes: detail as u16 },
        };
        Self { epoch: (word >> EPOCH_SHIFT) as u32, phase }
    }

    /// The same circuit in another phase, one epoch later.
    pub(super) fn into_phase(self, phase: Phase) -> Self {
        Self { epoch: (self.epoch + 1) & ((1 << EPOCH_BITS) - 1), phase }
    }

    /// May a call enter now? `ends` is when the open phase, or the lease of the probes, is over.
    pub(super) fn admit(self, now: Time, ends: Time, settings: &CircuitBreakerSettings) -> Admission {
        match self.phase {
            Phase::Closed { .. } => Admission::Enter,
            Phase::HalfOpen { in_flight, successes } if in_flight < settings.half_open_max_calls => {
                Admission::Probe(Self { phase: Phase::HalfOpen { in_flight: in_flight + 1, successes }, ..self })
            }
            Phase::Open | Phase::HalfOpen { .. } if now < ends => Admission::Reject(ends.since(now)),
            Phase::Open => Admission::Probe(self.into_phase(Phase::HalfOpen { in_flight: 1, successes: 0 })),
            // Probes that hang past their lease lose their places. The new epoch makes whatever they bring late.
            Phase::HalfOpen { successes, .. } => {
                Admission::Probe(self.into_phase(Phase::HalfOpen { in_flight: 1, successes }))
            }
        }
    }

    /// What does a call that was admitted in `epoch` change when it ends?
    pub(super) fn settle(self, epoch: u32, evidence: Evidence, settings: &CircuitBreakerSettings) -> Settlement {
        if epoch != self.epoch {
            return Settlement::Late;
        }
        let phase = match (self.phase, evidence) {
            (Phase::Closed { failures: 0 }, Evidence::Success)
            | (Phase::Closed { .. }, Evidence::Nothing)
            | (Phase::Open, _) => return Settlement::Keep,
            (Phase::Closed { .. }, Evidence::Success) => Phase::Closed { failures: 0 },
            (Phase::Closed { failures }, Evidence::Failure) => {
                let failures = failures.saturating_add(1);
                if failures >= settings.failure_threshold {
                    return Settlement::Become(self.into_phase(Phase::Open));
                }
                Phase::Closed { failures }
            }
            (Phase::HalfOpen { .. }, Evidence::Failure) => {
                return Settlement::Become(self.into_phase(Phase::Open));
            }
            (Phase::HalfOpen { in_flight, successes }, Evidence::Success) => {
                let successes = successes.saturating_add(1);
                if successes >= settings.success_threshold {
                    return Settlement::Become(self.into_phase(Phase::Closed { failures: 0 }));
                }
                Phase::HalfOpen { in_flight: in_flight.saturating_sub(1), successes }
            }
            (Phase::HalfOpen { in_flight, successes }, Evidence::Nothing) => {
                Phase::HalfOpen { in_flight: in_flight.saturating_sub(1), successes }
            }
        };
        Settlement::Become(Self { phase, ..self })
    }
}
