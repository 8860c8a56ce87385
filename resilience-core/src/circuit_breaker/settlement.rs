//! What the end of a call does to its circuit.

use std::sync::PoisonError;

use super::{
    CircuitBreakerSettings, OnCancel, Reason, Window,
    circuit::{Circuit, Entry, Moved, NOTHING_BAD, Outcome, UNTIMED, end_of},
    journal::Change,
    machine::{Evidence, Machine, Phase, Settlement, WindowSays},
    meter::{Count, Step},
    plan::Plan,
    window::{Content, Log, Mishap},
};
use crate::{
    clock,
    histogram::Histogram,
    sync::{MutexGuard, Ordering},
};

impl Circuit {
    /// Takes in a success. In a closed circuit without failures it changes nothing but counts, which its thread owns.
    #[inline]
    pub(super) fn leave_well(&self, entry: Entry) {
        let plan = self.plan();
        if plan.is_plain() && Machine::is_quiet(entry.word) && self.switch.word() == entry.word {
            self.meter.count(Count::Successes);
        } else {
            self.leave_well_in_window(entry, plan);
        }
    }

    #[inline(never)]
    fn leave_well_in_window(&self, entry: Entry, plan: Plan) {
        if !plan.is_timed() && Machine::is_quiet(entry.word) && self.switch.word() == entry.word {
            let epoch = Machine::epoch_of(entry.word);
            if !plan.is_by_time() {
                return self.meter.count_in_window(Count::Successes, epoch);
            }
            let step = plan.step(epoch, clock::coarse_now());
            // Relaxed: a failure that is noted at this moment is looked at by itself.
            let looked_in = self.looked_in.load(Ordering::Relaxed);
            if looked_in == NOTHING_BAD || looked_in == step.number {
                return self.meter.count_in_step(Count::Successes, step);
            }
        }
        self.leave_noticed(entry, Outcome::Success);
    }

    /// Takes in the end of a call that may change something.
    #[cold]
    pub(super) fn leave_noticed(&self, entry: Entry, outcome: Outcome) {
        let plan = self.plan();
        let settings = self.settings();
        let slow = self.time(entry, outcome, &settings);
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
        let mut log = self.log();
        let machine = self.switch.machine();
        let epoch = Machine::epoch_of(entry.word);
        let in_window = plan.has_window()
            && evidence != Evidence::Nothing
            && machine.epoch == epoch
            && matches!(machine.phase, Phase::Closed { .. } | Phase::Ramping { .. });
        let change = if in_window {
            let mishap = Mishap { failure: evidence == Evidence::Failure, slow };
            let verdict = self.look(&mut log, plan, epoch, Some((count, mishap)), &settings).judge(&settings);
            // Under the lock: what the window says is acted on before it can say something else.
            self.settle(entry, evidence, verdict, &settings)
        } else {
            self.meter.count(count);
            let evidence = self.evidence_of_probe(evidence, slow, &settings);
            self.settle(entry, evidence, (WindowSays::Nothing, None), &settings)
        };
        drop(log);
        self.announce(change);
    }

    pub(super) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Times the call; whether it was slow.
    fn time(&self, entry: Entry, outcome: Outcome, settings: &CircuitBreakerSettings) -> bool {
        // A refusal by a layer inside says nothing about how long the service takes.
        if entry.since == UNTIMED || matches!(outcome, Outcome::Ignored) {
            return false;
        }
        let duration = clock::now().since(entry.since);
        self.durations.get_or_init(Histogram::new).record(duration);
        let slow = settings.slow_call.is_some_and(|slow_call| duration >= slow_call);
        if slow {
            self.meter.count(Count::Slow);
        }
        slow
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

    /// What is in the window, with one more call if there is one.
    pub(super) fn look(
        &self,
        log: &mut Log,
        plan: Plan,
        epoch: u32,
        call: Option<(Count, Mishap)>,
        settings: &CircuitBreakerSettings,
    ) -> Content {
        log.open(plan.key(epoch));
        let bad = call.map(|(_, mishap)| mishap).filter(|mishap| mishap.failure || mishap.slow);
        if let Window::Calls(size) = settings.window {
            if let Some((count, _)) = call {
                self.meter.count_in_window(count, epoch);
            }
            let calls = self.meter.calls_in_window(epoch);
            if let Some(mishap) = bad {
                log.note(calls, mishap);
            }
            let size = u64::from(size);
            return log.content((calls + 1).saturating_sub(size), calls.min(size));
        }
        let step: Step = plan.step(epoch, clock::coarse_now());
        if let Some((count, _)) = call {
            self.meter.count_in_step(count, step);
        }
        if let Some(mishap) = bad {
            log.note(step.number, mishap);
        }
        let content = log.content(step.first(), self.meter.calls_in_steps(step));
        if call.is_some() {
            let looked_in = if log.is_empty() { NOTHING_BAD } else { step.number };
            self.looked_in.store(looked_in, Ordering::Relaxed); // Relaxed: see `leave`.
        }
        content
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
                    let why = rule.clone().unwrap_or_else(|| reason(machine, next, settings));
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
        let why = reason(machine, next, settings);
        self.change_locked(&mut details, machine, next, why, end_of(machine, next, settings))
    }
}

/// The rule by which a circuit changed its phase, where no rate did it.
fn reason(from: Machine, to: Machine, settings: &CircuitBreakerSettings) -> Reason {
    match from.phase {
        Phase::HalfOpen(probes) if to.phase == Phase::Open => Reason::ProbesFailed { failures: probes.failures + 1 },
        Phase::HalfOpen(probes) => Reason::ProbesSucceeded { successes: probes.successes + 1 },
        _ => Reason::ConsecutiveFailures { failures: settings.failure_threshold.unwrap_or(1) },
    }
}
