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
                    self.publish(next.epoch, now.after(self.settings.lease()));
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
        self.publish(machine.epoch, clock::now().after(self.settings.recovery_timeout));
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
        let end = now.after(length);
        self.publish(machine.epoch, end);
        end
    }

    /// Makes the end of an epoch known, unless that epoch is over or a later end is known.
    ///
    /// A thread that was held up since its change of phase finds another epoch here and leaves. If the epoch ends
    /// between that look and the exchange, the end of an epoch that is over may be written; the next reader sees that
    /// it is not of its epoch and replaces it. If the next epoch's end is there already, the exchange fails.
    fn publish(&self, epoch: u32, end: Time) {
        let end = PhaseEnd::new(epoch, end);
        let mut known = self.end.load(Ordering::SeqCst);
        while self.machine().epoch == epoch
            && !(PhaseEnd(known).belongs_to(epoch) && PhaseEnd(known).time() >= end.time())
        {
            match self.end.compare_exchange(known, end.0, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return,
                Err(newer) => known = newer,
            }
        }
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
                // Keeps the published tag next to the epoch's, however often a circuit is reset without opening.
                self.publish(closed.epoch, Time::ORIGIN);
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

/// A time, tagged with the epoch it belongs to: `epoch:4 | nanoseconds:60`, good for 36 years.
///
/// The tag tells the end of this phase from that of an earlier one. It may be short: every epoch in which calls are
/// rejected has its end published before it can be left, and resets publish too, so tags stay next to each other.
#[derive(Clone, Copy)]
struct PhaseEnd(u64);

impl PhaseEnd {
    const TIME_BITS: u32 = 60;
    const TIME_MASK: u64 = (1 << Self::TIME_BITS) - 1;

    fn new(epoch: u32, time: Time) -> Self {
        Self(u64::from(epoch) << Self::TIME_BITS | time.nanos().min(Self::TIME_MASK))
    }

    fn time(self) -> Time {
        Time::from_nanos(self.0 & Self::TIME_MASK)
    }

    fn belongs_to(self, epoch: u32) -> bool {
        self.0 >> Self::TIME_BITS == u64::from(epoch) & 0xF
    }
}
