//! One circuit: the machine in an atomic word, the end of its phase in another, and its counters.

use super::{
    Snapshot, State,
    machine::{Admission, Evidence, Machine, Phase, Settlement},
    settings::{CircuitBreakerSettings, OnCancel},
};
use crate::{
    Error, Name,
    clock::{self, Time},
    events::{self, Event},
    stats::Counter,
    sync::{AtomicU64, Ordering},
};

pub(super) struct Circuit {
    pub(super) name: Name,
    pub(super) settings: CircuitBreakerSettings,
    machine: AtomicU64,
    /// When the open phase or the probes' lease is over: see [`PhaseEnd`].
    end: AtomicU64,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    successes: Counter,
    failures: Counter,
    ignored: Counter,
    cancelled: Counter,
    rejected: Counter,
    late: Counter,
    calls: Counter,
    openings: Counter,
}

/// What became of a call.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    Success,
    Failure,
    /// A refusal by a layer inside, which says nothing about the service.
    Ignored,
    Cancelled,
}

impl Circuit {
    pub(super) fn new(name: Name, settings: CircuitBreakerSettings) -> Self {
        Self {
            name,
            settings,
            machine: AtomicU64::new(Machine::CLOSED.pack()),
            end: AtomicU64::new(0),
            counts: Counts::default(),
        }
    }

    fn machine(&self) -> Machine {
        Machine::unpack(self.machine.load(Ordering::SeqCst))
    }

    fn replace(&self, from: Machine, to: Machine) -> bool {
        self.machine.compare_exchange(from.pack(), to.pack(), Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Admits a call: the epoch it runs in.
    #[inline]
    pub(super) fn enter(&self) -> Result<u32, Error> {
        let machine = self.machine();
        match machine.phase {
            Phase::Closed { .. } => {
                self.counts.calls.increment();
                Ok(machine.epoch)
            }
            _ => self.enter_guarded(machine),
        }
    }

    /// Admission while not closed, where time and other callers matter.
    #[cold]
    fn enter_guarded(&self, mut machine: Machine) -> Result<u32, Error> {
        loop {
            let now = clock::now();
            let ends = self.phase_end(machine, now);
            match machine.admit(now, ends, &self.settings) {
                Admission::Enter => {
                    self.counts.calls.increment();
                    return Ok(machine.epoch);
                }
                Admission::Reject(retry_after) => {
                    self.counts.rejected.increment();
                    return Err(Error::CircuitOpen { name: self.name.clone(), retry_after });
                }
                Admission::Probe(next) if self.replace(machine, next) => {
                    self.counts.calls.increment();
                    self.publish(PhaseEnd::new(next.epoch, now.after(self.settings.lease())));
                    if matches!(machine.phase, Phase::Open) {
                        self.changed(State::Open, State::HalfOpen, || "the recovery timeout has passed".into());
                    }
                    return Ok(next.epoch);
                }
                Admission::Probe(_) => machine = self.machine(),
            }
        }
    }

    /// Takes in the end of a call that was admitted in `epoch`.
    #[inline]
    pub(super) fn leave(&self, epoch: u32, outcome: Outcome) {
        let (count, evidence) = match outcome {
            Outcome::Success => (&self.counts.successes, Evidence::Success),
            Outcome::Failure => (&self.counts.failures, Evidence::Failure),
            Outcome::Ignored => (&self.counts.ignored, Evidence::Nothing),
            Outcome::Cancelled => (
                &self.counts.cancelled,
                match self.settings.on_cancel {
                    OnCancel::Ignore => Evidence::Nothing,
                    OnCancel::Failure => Evidence::Failure,
                },
            ),
        };
        count.increment();
        let mut machine = self.machine();
        loop {
            match machine.settle(epoch, evidence, &self.settings) {
                Settlement::Keep => return,
                Settlement::Late => return self.counts.late.increment(),
                Settlement::Become(next) if self.replace(machine, next) => return self.settled(machine, next),
                Settlement::Become(_) => machine = self.machine(),
            }
        }
    }

    #[cold]
    fn settled(&self, from: Machine, to: Machine) {
        match (from.phase, to.phase) {
            (Phase::Closed { .. }, Phase::Open) => {
                self.opened(to);
                let threshold = self.settings.failure_threshold;
                self.changed(State::Closed, State::Open, || match threshold {
                    1 => "1 failure".into(),
                    _ => format!("{threshold} consecutive failures"),
                });
            }
            (Phase::HalfOpen { .. }, Phase::Open) => {
                self.opened(to);
                self.changed(State::HalfOpen, State::Open, || "a probe failed".into());
            }
            (Phase::HalfOpen { .. }, Phase::Closed { .. }) => {
                let threshold = self.settings.success_threshold;
                self.changed(State::HalfOpen, State::Closed, || match threshold {
                    1 => "a probe succeeded".into(),
                    _ => format!("{threshold} probes succeeded"),
                });
            }
            _ => {}
        }
    }

    fn opened(&self, machine: Machine) {
        self.counts.openings.increment();
        self.publish(PhaseEnd::new(machine.epoch, clock::now().after(self.settings.recovery_timeout)));
    }

    fn changed(&self, from: State, to: State, why: impl FnOnce() -> String) {
        events::emit(|| Event::CircuitStateChanged { name: self.name.clone(), from, to, why: why() });
    }

    /// The end of this machine's phase. Between a change of phase and the publication of its end there is a moment
    /// without one; whoever meets it publishes an end counted from now, so nobody waits for the other thread.
    fn phase_end(&self, machine: Machine, now: Time) -> Time {
        let length = match machine.phase {
            Phase::Closed { .. } => return now,
            Phase::Open => self.settings.recovery_timeout,
            Phase::HalfOpen { .. } => self.settings.lease(),
        };
        let known = PhaseEnd(self.end.load(Ordering::SeqCst));
        if known.belongs_to(machine.epoch) {
            return known.time();
        }
        let end = PhaseEnd::new(machine.epoch, now.after(length));
        self.publish(end);
        end.time()
    }

    fn publish(&self, end: PhaseEnd) {
        // A failed update found a newer end, which is the one that counts.
        let _ = self
            .end
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |known| end.replaces(PhaseEnd(known)).then_some(end.0));
    }

    pub(super) fn state(&self) -> State {
        match self.machine().phase {
            Phase::Closed { .. } => State::Closed,
            Phase::Open => State::Open,
            Phase::HalfOpen { .. } => State::HalfOpen,
        }
    }

    /// Closes the circuit and forgets its counts. Calls inside come back late.
    pub(super) fn reset(&self) {
        loop {
            let machine = self.machine();
            let closed = machine.into_phase(Phase::Closed { failures: 0 });
            if self.replace(machine, closed) {
                // Keeps the published tag near the epoch's, however often a circuit is reset without opening.
                self.publish(PhaseEnd::new(closed.epoch, Time::ORIGIN));
                let counts = &self.counts;
                for count in [
                    &counts.calls,
                    &counts.successes,
                    &counts.failures,
                    &counts.ignored,
                    &counts.cancelled,
                    &counts.rejected,
                    &counts.late,
                    &counts.openings,
                ] {
                    count.reset();
                }
                let from = match machine.phase {
                    Phase::Closed { .. } => return,
                    Phase::Open => State::Open,
                    Phase::HalfOpen { .. } => State::HalfOpen,
                };
                return self.changed(from, State::Closed, || "it was reset".into());
            }
        }
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let machine = self.machine();
        let now = clock::now();
        let counts = &self.counts;
        // Ends before beginnings: a call that ends in between is then counted in both or only as begun.
        let [successes, failures, ignored, cancelled, late] =
            [&counts.successes, &counts.failures, &counts.ignored, &counts.cancelled, &counts.late].map(Counter::get);
        Snapshot {
            name: self.name.clone(),
            settings: self.settings.clone(),
            state: self.state(),
            consecutive_failures: match machine.phase {
                Phase::Closed { failures } => failures,
                _ => 0,
            },
            probes: match machine.phase {
                Phase::HalfOpen { in_flight, .. } => in_flight,
                _ => 0,
            },
            retry_after: match machine.phase {
                Phase::Open => Some(self.phase_end(machine, now).since(now)),
                _ => None,
            },
            calls: counts.calls.get(),
            successes,
            failures,
            ignored,
            cancelled,
            late,
            rejected: counts.rejected.get(),
            openings: counts.openings.get(),
        }
    }
}

/// A time, tagged with the epoch it belongs to: `epoch:8 | units of 16 ns:56`, good for 36 years.
///
/// The tag lets readers tell the end of this phase from that of an earlier one.
#[derive(Clone, Copy)]
struct PhaseEnd(u64);

impl PhaseEnd {
    const UNIT_NANOS: u64 = 16;
    const TIME_BITS: u32 = 56;
    const TIME_MASK: u64 = (1 << Self::TIME_BITS) - 1;

    fn new(epoch: u32, time: Time) -> Self {
        // Rounded up: a phase is never shorter than promised.
        let units = time.nanos().div_ceil(Self::UNIT_NANOS).min(Self::TIME_MASK);
        Self(u64::from(epoch & 0xFF) << Self::TIME_BITS | units)
    }

    fn time(self) -> Time {
        Time::from_nanos((self.0 & Self::TIME_MASK).saturating_mul(Self::UNIT_NANOS))
    }

    fn tag(self) -> u8 {
        self.0.to_be_bytes()[0]
    }

    fn belongs_to(self, epoch: u32) -> bool {
        u32::from(self.tag()) == epoch & 0xFF
    }

    /// Newer epochs win, and within an epoch later times. A thread that was held up between its change of phase and
    /// this publication finds a newer tag and leaves it.
    fn replaces(self, known: Self) -> bool {
        match self.tag().wrapping_sub(known.tag()) {
            0 => self.0 > known.0,
            ahead => ahead < 128,
        }
    }
}
