//! The state machine of a circuit: pure functions over one small value, which packs into one atomic word.
//!
//! Every change of phase starts a new epoch. A permit carries the epoch it was admitted in, so a result that comes
//! back after a change is recognised and decides nothing.

use super::{settings::CircuitBreakerSettings, snapshot::State};
use crate::clock::Time;

/// The whole of a circuit's state but the time its phase ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    /// Counts changes of phase, modulo 2^24.
    pub(super) epoch: u32,
    /// Whether a success of the closed circuit needs no more than to be counted: no window, no time.
    pub(super) plain: bool,
    pub(super) phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Closed {
        failures: u32,
        /// A success may have to look at the window too: there are failures in it, but too few calls yet.
        watch: bool,
    },
    Open,
    HalfOpen(Probes),
    /// Closed, with a share of calls admitted that grows until the phase ends.
    Ramping {
        failures: u32,
    },
    ForcedOpen,
    Disabled,
}

/// What became of the probes of a half-open circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Probes {
    pub(super) in_flight: u16,
    pub(super) successes: u16,
    pub(super) failures: u16,
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
    /// The machine should be made this first, and then be asked again.
    Become(Machine),
    /// It enters if the half-open circuit has a place for another probe.
    Probe,
    /// It has to stay out until the phase ends.
    Reject,
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

const EPOCH_SHIFT: u32 = 40;
const EPOCHS: u32 = 1 << 24;
const NOT_PLAIN: u64 = 1 << 39;
const PHASE_SHIFT: u32 = 36;
const WATCH: u64 = 1 << 32;
const CLOSED: u64 = 0;
const OPEN: u64 = 1;
const HALF_OPEN: u64 = 2;
const RAMPING: u64 = 3;
const FORCED_OPEN: u64 = 4;
const DISABLED: u64 = 5;

impl Machine {
    pub(super) const fn new(plain: bool) -> Self {
        Self { epoch: 0, plain, phase: Phase::CLOSED }
    }

    /// `epoch:24 | not plain:1 | phase:3 | detail:36`; the detail is `watch:1 | failures:32`, or three counts of probes of 12 bits.
    pub(super) fn pack(self) -> u64 {
        let (phase, detail) = match self.phase {
            Phase::Closed { failures, watch } => (CLOSED, u64::from(failures) | if watch { WATCH } else { 0 }),
            Phase::Open => (OPEN, 0),
            Phase::HalfOpen(Probes { in_flight, successes, failures }) => {
                (HALF_OPEN, u64::from(in_flight) << 24 | u64::from(successes) << 12 | u64::from(failures))
            }
            Phase::Ramping { failures } => (RAMPING, u64::from(failures)),
            Phase::ForcedOpen => (FORCED_OPEN, 0),
            Phase::Disabled => (DISABLED, 0),
        };
        let plain = if self.plain { 0 } else { NOT_PLAIN };
        u64::from(self.epoch) << EPOCH_SHIFT | plain | phase << PHASE_SHIFT | detail
    }

    #[allow(clippy::cast_possible_truncation, reason = "each cast takes exactly the bits of its field")]
    pub(super) fn unpack(word: u64) -> Self {
        let failures = word as u32;
        let probes = |shift: u32| (word >> shift & 0xFFF) as u16;
        let phase = match word >> PHASE_SHIFT & 0b111 {
            CLOSED => Phase::Closed { failures, watch: word & WATCH != 0 },
            OPEN => Phase::Open,
            HALF_OPEN => Phase::HalfOpen(Probes { in_flight: probes(24), successes: probes(12), failures: probes(0) }),
            RAMPING => Phase::Ramping { failures },
            FORCED_OPEN => Phase::ForcedOpen,
            _ => Phase::Disabled,
        };
        Self { epoch: (word >> EPOCH_SHIFT) as u32, plain: word & NOT_PLAIN == 0, phase }
    }

    /// Whether a packed machine is closed, whatever its details.
    #[inline]
    pub(super) fn is_closed(word: u64) -> bool {
        word >> PHASE_SHIFT & 0b111 == CLOSED
    }

    /// Whether a packed machine is closed, with nothing for a success to change.
    #[inline]
    pub(super) fn is_quiet(word: u64) -> bool {
        word & (NOT_PLAIN - 1) == 0
    }

    /// As [`is_quiet`](Self::is_quiet), and plain.
    #[inline]
    pub(super) fn is_quiet_and_plain(word: u64) -> bool {
        word & ((1 << EPOCH_SHIFT) - 1) == 0
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the epoch is what is left")]
    pub(super) fn epoch_of(word: u64) -> u32 {
        (word >> EPOCH_SHIFT) as u32
    }

    /// The same circuit in another phase, one epoch later.
    pub(super) fn into_phase(self, phase: Phase) -> Self {
        Self { epoch: (self.epoch + 1) % EPOCHS, phase, ..self }
    }

    /// The same circuit in the same epoch, with other details.
    pub(super) fn with(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }

    /// May a call enter now? `ends` is when the phase, or the lease of the probes, is over; `unit` draws uniformly from
    /// [0, 1).
    pub(super) fn admit(
        self,
        now: Time,
        ends: Time,
        settings: &CircuitBreakerSettings,
        unit: impl FnOnce() -> f64,
    ) -> Admission {
        match self.phase {
            Phase::Closed { .. } | Phase::Disabled => Admission::Enter,
            Phase::Ramping { failures } if now >= ends => {
                // The same epoch: the calls inside go on to count.
                // There may be failures among too few calls: the next success finds out.
                Admission::Become(self.with(Phase::Closed { failures, watch: true }))
            }
            Phase::Ramping { .. } => {
                let share = self.admitted_share(now, ends, settings);
                if unit() < share { Admission::Enter } else { Admission::Reject }
            }
            Phase::Open | Phase::ForcedOpen if now < ends => Admission::Reject,
            Phase::Open | Phase::ForcedOpen => Admission::Become(self.into_phase(Phase::HalfOpen(Probes::default()))),
            // Full until the first lease ends.
            Phase::HalfOpen(probes) if probes.in_flight >= settings.half_open_max_calls && now < ends => {
                Admission::Reject
            }
            Phase::HalfOpen(_) => Admission::Probe,
        }
    }

    /// What does a call that was admitted in `epoch` change when it ends? `window` says whether the window of a closed
    /// circuit now asks to open it, and else whether successes have to watch it.
    pub(super) fn settle(
        self,
        epoch: u32,
        evidence: Evidence,
        window: WindowSays,
        settings: &CircuitBreakerSettings,
    ) -> Settlement {
        if epoch != self.epoch {
            return Settlement::Late;
        }
        let next = match self.phase {
            Phase::Open | Phase::ForcedOpen | Phase::Disabled => return Settlement::Keep,
            Phase::Closed { .. } | Phase::Ramping { .. } if window == WindowSays::Open => self.into_phase(Phase::Open),
            Phase::Closed { failures, watch } => match count(failures, evidence, settings) {
                Some(failures) => {
                    let watch = if evidence == Evidence::Nothing { watch } else { window == WindowSays::Watch };
                    self.with(Phase::Closed { failures, watch })
                }
                None => self.into_phase(Phase::Open),
            },
            Phase::Ramping { failures } => match count(failures, evidence, settings) {
                Some(failures) => self.with(Phase::Ramping { failures }),
                None => self.into_phase(Phase::Open),
            },
            Phase::HalfOpen(probes) => self.settle_probe(probes, evidence, settings),
        };
        if next == self { Settlement::Keep } else { Settlement::Become(next) }
    }

    /// The share of calls admitted now. On the ramp it is a tenth at first and grows evenly to all.
    pub(super) fn admitted_share(self, now: Time, ends: Time, settings: &CircuitBreakerSettings) -> f64 {
        match self.phase {
            Phase::Closed { .. } | Phase::Disabled => 1.0,
            Phase::Ramping { .. } if settings.ramp_up.is_zero() => 1.0,
            Phase::Ramping { .. } => {
                1.0 - 0.9 * (ends.since(now).as_secs_f64() / settings.ramp_up.as_secs_f64()).min(1.0)
            }
            Phase::Open | Phase::ForcedOpen | Phase::HalfOpen(_) => 0.0,
        }
    }

    /// The probes that are still on their way have been counted before.
    fn settle_probe(self, mut probes: Probes, evidence: Evidence, settings: &CircuitBreakerSettings) -> Self {
        match evidence {
            Evidence::Nothing => {}
            Evidence::Success => {
                probes.successes += 1;
                if probes.successes >= settings.success_threshold {
                    return self.into_phase(Phase::after_recovery(settings));
                }
            }
            Evidence::Failure => {
                probes.failures += 1;
                if probes.failures > settings.half_open_max_failures {
                    return self.into_phase(Phase::Open);
                }
            }
        }
        self.with(Phase::HalfOpen(probes))
    }
}

/// What the window says after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WindowSays {
    /// All is well, or there is no window.
    Nothing,
    /// There are failures, but too few calls for a rate: successes have to look too.
    Watch,
    /// A rate has reached its threshold.
    Open,
}

/// Consecutive failures after this call; `None` if they open the circuit.
fn count(failures: u32, evidence: Evidence, settings: &CircuitBreakerSettings) -> Option<u32> {
    // Counted only where there is such a rule: a success would have to reset the count otherwise.
    let Some(threshold) = settings.consecutive_failures() else { return Some(0) };
    match evidence {
        Evidence::Success => Some(0),
        Evidence::Nothing => Some(failures),
        Evidence::Failure => Some(failures.saturating_add(1)).filter(|failures| *failures < threshold),
    }
}

impl Phase {
    pub(super) const CLOSED: Self = Self::Closed { failures: 0, watch: false };

    fn after_recovery(settings: &CircuitBreakerSettings) -> Self {
        if settings.ramp_up.is_zero() { Self::CLOSED } else { Self::Ramping { failures: 0 } }
    }

    /// As users see it.
    pub(super) fn state(self) -> State {
        match self {
            Self::Closed { .. } | Self::Ramping { .. } => State::Closed,
            Self::Open => State::Open,
            Self::HalfOpen(_) => State::HalfOpen,
            Self::ForcedOpen => State::ForcedOpen,
            Self::Disabled => State::Disabled,
        }
    }
}
