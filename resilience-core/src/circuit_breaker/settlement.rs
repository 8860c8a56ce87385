//! What the end of a call does to its circuit.

use std::time::Duration;

use super::{
    CircuitBreakerSettings, OnCancel, Reason, Window,
    circuit::{Circuit, Entry, Moved, NOTHING_BAD, Outcome, UNTIMED, end_of},
    journal::Change,
    machine::{Evidence, Machine, Phase, Settlement, WindowSays},
    meter::Count,
    plan::Plan,
    window::{Content, Log, Mishap},
};
use crate::{
    clock,
    histogram::Histogram,
    sync::{MutexGuard, Ordering, unpoisoned},
};

impl Circuit {
    /// Takes in a success. In a closed circuit without failures it changes nothing but counts, which its thread owns.
    #[inline]
    pub(super) fn leave_well(&self, entry: Entry) {
        let unchanged = self.switch.word() == entry.word;
        if unchanged && Machine::is_quiet_and_plain(entry.word) {
            return self.meter.count(Count::Successes);
        }
        let (plan, quiet) = (self.plan(), unchanged && Machine::is_quiet(entry.word));
        if !(quiet && !plan.is_timed() && plan.has_window() && self.leave_well_in_window(entry, plan)) {
            self.leave_well_noticed(entry, quiet, plan);
        }
    }

    /// Counts a success in the window; `false` if the window has to be looked at as well.
    #[inline(never)]
    fn leave_well_in_window(&self, entry: Entry, plan: Plan) -> bool {
        let epoch = Machine::epoch_of(entry.word);
        if !plan.is_by_time() {
            self.meter.count_in_window(Count::Successes, epoch);
            return true;
        }
        let step = plan.step(epoch, clock::coarse_now());
        // Relaxed: a failure that is noted at this moment is looked at by itself.
        let looked_in = self.looked_in.load(Ordering::Relaxed);
        if looked_in != NOTHING_BAD && looked_in != step.number {
            return false;
        }
        self.meter.count_in_step(Count::Successes, step);
        true
    }

    /// A success that is timed, or has something to change.
    #[inline(never)]
    fn leave_well_noticed(&self, entry: Entry, quiet: bool, plan: Plan) {
        let duration = measure(entry);
        // Relaxed: a call that ends while its circuit is reconfigured may go by either limit.
        let slow = duration.is_some_and(|duration| clock::nanos(duration) >= self.slow_nanos.load(Ordering::Relaxed));
        let counted = quiet && !slow && plan.is_timed() && {
            if plan.has_window() {
                self.leave_well_in_window(entry, plan)
            } else {
                self.meter.count(Count::Successes);
                true
            }
        };
        match duration {
            Some(duration) if counted => self.record(duration),
            None if counted => {}
            _ => self.leave_measured(entry, Outcome::Success, duration),
        }
    }

    /// Takes in the end of a call that may change something.
    #[cold]
    pub(super) fn leave_noticed(&self, entry: Entry, outcome: Outcome) {
        self.leave_measured(entry, outcome, measure(entry));
    }

    #[cold]
    fn leave_measured(&self, entry: Entry, outcome: Outcome, duration: Option<Duration>) {
        // Under the lock what the window says is acted on before it can say something else, and settings do not change.
        let mut log = self.plan().has_window().then(|| self.log());
        let (plan, settings) = (self.plan(), self.settings());
        // A refusal by a layer inside says nothing about how long the service takes.
        let duration = duration.filter(|_| !matches!(outcome, Outcome::Ignored));
        let slow = duration.is_some_and(|duration| settings.slow_call.is_some_and(|slow| duration >= slow));
        if let Some(duration) = duration {
            self.record(duration);
        }
        if slow {
            self.meter.count(Count::Slow);
        }
        let (count, evidence) = match outcome {
            Outcome::Success => (Count::Successes, Evidence::Success),
            Outcome::Failure(kind) => {
                self.kinds[kind as usize].increment();
                (Count::Failures, Evidence::Failure)
            }
            Outcome::Ignored => (Count::Ignored, Evidence::Nothing),
            Outcome::Cancelled if settings.on_cancel == OnCancel::Failure => (Count::Cancelled, Evidence::Failure),
            Outcome::Cancelled => (Count::Cancelled, Evidence::Nothing),
        };
        if evidence == Evidence::Failure {
            self.last_failure.record(clock::coarse_now().nanos().max(1));
        }
        let machine = self.switch.machine();
        let epoch = Machine::epoch_of(entry.word);
        let change = match &mut log {
            Some(log)
                if plan.has_window()
                    && evidence != Evidence::Nothing
                    && machine.epoch == epoch
                    && matches!(machine.phase, Phase::Closed { .. } | Phase::Ramping { .. }) =>
            {
                let mishap = Mishap { failure: evidence == Evidence::Failure, slow };
                let verdict = self.look(log, plan, epoch, count, mishap, &settings).judge(&settings);
                self.settle(entry, evidence, verdict, &settings)
            }
            _ => {
                self.meter.count(count);
                let evidence = self.evidence_of_probe(evidence, slow, &settings);
                self.settle(entry, evidence, (WindowSays::Nothing, None), &settings)
            }
        };
        // Subscribers are told outside of the lock.
        drop(log);
        self.announce(change);
    }

    fn record(&self, duration: Duration) {
        self.durations.get_or_init(Histogram::new).record(duration);
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        unpoisoned(self.log.lock())
    }

    /// A slow probe is a failed one, where slowness is a rule.
    fn evidence_of_probe(&self, evidence: Evidence, slow: bool, settings: &CircuitBreakerSettings) -> Evidence {
        let half_open = matches!(self.switch.machine().phase, Phase::HalfOpen(_));
        if evidence == Evidence::Success && slow && half_open && settings.slow_call_rate.is_some() {
            Evidence::Failure
        } else {
            evidence
        }
    }

    /// Counts a call in the window, notes it if it is a bad one, and looks at what is in there now.
    fn look(
        &self,
        log: &mut Log,
        plan: Plan,
        epoch: u32,
        count: Count,
        mishap: Mishap,
        settings: &CircuitBreakerSettings,
    ) -> Content {
        log.open(epoch);
        let bad = mishap.failure || mishap.slow;
        if let Window::Calls(size) = settings.window {
            self.meter.count_in_window(count, epoch);
            let calls = self.meter.calls_in_window(epoch);
            if bad {
                log.note(calls, mishap);
            }
            let (first, calls) = last_calls(calls, size);
            return log.content(first, calls);
        }
        let step = plan.step(epoch, clock::coarse_now());
        self.meter.count_in_step(count, step);
        if bad {
            log.note(step.number, mishap);
        }
        let content = log.content(step.first(), self.meter.calls_in_steps(step));
        let looked_in = if log.is_empty() { NOTHING_BAD } else { step.number };
        self.looked_in.store(looked_in, Ordering::Relaxed); // Relaxed: see `leave_well_in_window`.
        content
    }

    /// What is in the window, for somebody who only looks.
    pub(super) fn window(&self, settings: &CircuitBreakerSettings) -> Content {
        let log = self.log();
        let (plan, epoch) = (self.plan(), self.switch.machine().epoch);
        if !plan.has_window() {
            return Content::default();
        }
        if let Window::Calls(size) = settings.window {
            let (first, calls) = last_calls(self.meter.calls_in_window(epoch), size);
            return log.peek(epoch, first, calls);
        }
        let step = plan.step(epoch, clock::coarse_now());
        log.peek(epoch, step.first(), self.meter.calls_in_steps(step))
    }

    fn settle(
        &self,
        entry: Entry,
        evidence: Evidence,
        (says, rule): (WindowSays, Option<Reason>),
        settings: &CircuitBreakerSettings,
    ) -> Option<Change> {
        let epoch = Machine::epoch_of(entry.word);
        loop {
            let machine = self.switch.machine();
            if machine.epoch == epoch && matches!(machine.phase, Phase::HalfOpen(_)) {
                match self.settle_probe(machine, entry, evidence, settings) {
                    Ok(change) => return change,
                    Err(Moved) => continue,
                }
            }
            match machine.settle(epoch, evidence, says, settings) {
                Settlement::Keep => return None,
                Settlement::Late => {
                    self.meter.count(Count::Late);
                    return None;
                }
                Settlement::Become(next) if next.epoch == machine.epoch => {
                    if self.switch.replace(machine, next) {
                        return None;
                    }
                }
                Settlement::Become(next) => {
                    let why = rule.clone().unwrap_or_else(|| reason(machine, next));
                    if let Ok(change) = self.change(machine, next, why, settings) {
                        return change;
                    }
                }
            }
        }
    }

    /// Takes in the end of a probe: its place is free again, and what it brings may decide.
    fn settle_probe(
        &self,
        machine: Machine,
        entry: Entry,
        evidence: Evidence,
        settings: &CircuitBreakerSettings,
    ) -> Result<Option<Change>, Moved> {
        let mut details = self.switch.details();
        let Phase::HalfOpen(probes) = machine.phase else { return Err(Moved) };
        if self.switch.machine() != machine {
            return Err(Moved);
        }
        details.trial.give_back(entry.lease);
        let left = machine.with(Phase::HalfOpen(details.trial.count(probes)));
        let next = match left.settle(machine.epoch, evidence, WindowSays::Nothing, settings) {
            Settlement::Become(next) => next,
            Settlement::Keep | Settlement::Late => left,
        };
        if next.epoch == machine.epoch {
            // Under the lock nobody else changes a half-open machine.
            self.switch.replace(machine, next);
            self.switch.set_end(next.epoch, details.trial.next_end());
            return Ok(None);
        }
        let why = reason(machine, next);
        self.change_locked(&mut details, machine, next, why, end_of(machine, next, settings))
    }
}

/// How long the call has taken, where calls are timed.
fn measure(entry: Entry) -> Option<Duration> {
    (entry.since != UNTIMED).then(|| clock::now().since(entry.since))
}

/// The number of the first call in a window of so many, and how many are in there.
fn last_calls(calls: u64, size: u32) -> (u64, u64) {
    let size = u64::from(size);
    ((calls + 1).saturating_sub(size), calls.min(size))
}

/// The rule by which a circuit changed its phase, where no rate did it.
fn reason(from: Machine, to: Machine) -> Reason {
    match from.phase {
        Phase::HalfOpen(probes) if to.phase == Phase::Open => Reason::ProbesFailed { failures: probes.failures + 1 },
        Phase::HalfOpen(probes) => Reason::ProbesSucceeded { successes: probes.successes + 1 },
        Phase::Closed { failures, .. } | Phase::Ramping { failures } => {
            Reason::ConsecutiveFailures { failures: failures.saturating_add(1) }
        }
        Phase::Open | Phase::ForcedOpen | Phase::Disabled => Reason::RecoveryTimeout,
    }
}
