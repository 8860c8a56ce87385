//! One circuit: its switch, its counts and its window, and what each call does with them.

use std::{
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use super::{
    CircuitBreaker, FailureKind, Reason, Snapshot, State,
    journal::{Change, Journal},
    machine::{Admission, Evidence, Machine, Phase, Probes, Settlement, WindowSays},
    meter::{Count, Meter, Step},
    plan::Plan,
    settings::{CircuitBreakerSettings, OnCancel, Window},
    switch::{self, Details, Switch},
    trial::Lease,
    window::{Content, Log, Mishap},
};
use crate::{
    InvalidSetting, Name,
    clock::{self, Time},
    events::{self, Event, Subscribers},
    histogram::Histogram,
    keyed::Family,
    random,
    registry::Policy,
    settings::Settings,
    stats::{Counter, Maximum},
    sync::{AtomicU64, Mutex, MutexGuard, Ordering},
};

pub(super) struct Circuit {
    pub(super) name: Name,
    settings: RwLock<Arc<CircuitBreakerSettings>>,
    /// A [`Plan`], made from the settings.
    plan: AtomicU64,
    switch: Switch,
    meter: Meter,
    log: Mutex<Log>,
    /// In a window of time with bad calls: the step in which it was last looked at. Rates can grow by themselves from
    /// step to step, as good calls leave the window. [`NOTHING_BAD`] where there is nothing to look at.
    looked_in: AtomicU64,
    kinds: [Counter; FailureKind::ALL.len()],
    durations: OnceLock<Histogram>,
    last_failure: Maximum,
    pub(super) subscribers: Subscribers,
    /// The circuits by value; this one serves where they have no room.
    pub(super) members: Family<CircuitBreaker>,
}

/// Later than every step.
const NOTHING_BAD: u64 = u64::MAX;

/// Stands for the beginning of a call that is not timed.
const UNTIMED: Time = Time::from_nanos(u64::MAX);

/// A call inside.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The packed machine that admitted it.
    word: u64,
    /// Where calls are timed: when it began.
    since: Time,
    /// The place of a probe.
    lease: Lease,
}

/// What became of a call.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    Success,
    Failure(FailureKind),
    /// A refusal by a layer inside, which says nothing about the service.
    Ignored,
    Cancelled,
}

impl Circuit {
    pub(super) fn new(name: Name, settings: CircuitBreakerSettings) -> Self {
        let settings = settings.normalised();
        Self {
            name,
            plan: AtomicU64::new(Plan::new(&settings, 0).word()),
            settings: RwLock::new(Arc::new(settings)),
            switch: Switch::new(Journal::new(clock::now())),
            meter: Meter::default(),
            log: Mutex::new(Log::default()),
            looked_in: AtomicU64::new(NOTHING_BAD),
            kinds: Default::default(),
            durations: OnceLock::new(),
            last_failure: Maximum::default(),
            subscribers: Subscribers::new(),
            members: Family::default(),
        }
    }

    #[inline]
    fn plan(&self) -> Plan {
        // Relaxed: a call that ends while its circuit is reconfigured may go by either plan.
        Plan::from_word(self.plan.load(Ordering::Relaxed))
    }

    pub(super) fn settings(&self) -> Arc<CircuitBreakerSettings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Admits a call to a closed circuit.
    #[inline]
    pub(super) fn enter_closed(&self) -> Option<Entry> {
        let word = self.switch.word();
        Machine::is_closed(word).then(|| self.entry(word, Lease::NONE))
    }

    #[inline]
    fn entry(&self, word: u64, lease: Lease) -> Entry {
        Entry { word, lease, since: if self.plan().is_timed() { clock::now() } else { UNTIMED } }
    }

    /// Admits a call, or tells how long it should stay away.
    pub(super) fn enter(&self) -> Result<Entry, Duration> {
        let (machine, ends) = self.switch.now_and_end();
        // The common case, which needs no settings. The coarse clock may be late, so its "not yet" is taken at its
        // word and its "now" is checked by the exact one.
        if matches!(machine.phase, Phase::Open | Phase::ForcedOpen) {
            let now = clock::coarse_now();
            if now < ends {
                return Err(self.reject(ends, now));
            }
        }
        self.enter_or_probe()
    }

    #[cold]
    fn enter_or_probe(&self) -> Result<Entry, Duration> {
        let settings = self.settings();
        loop {
            let (machine, ends) = self.switch.now_and_end();
            let now = clock::now();
            match machine.admit(now, ends, &settings, random::unit) {
                Admission::Enter => return Ok(self.entry(machine.pack(), Lease::NONE)),
                Admission::Reject => return Err(self.reject(ends, now)),
                Admission::Become(next) if next.epoch == machine.epoch => {
                    self.switch.replace(machine, next);
                }
                Admission::Become(next) => {
                    if let Ok(change) = self.change(machine, next, Reason::RecoveryTimeout, &settings) {
                        self.announce(change);
                    }
                }
                Admission::Probe => match self.probe(machine, now, &settings) {
                    Ok(Some(entry)) => return Ok(entry),
                    Ok(None) => return Err(self.reject(self.switch.now_and_end().1, now)),
                    Err(Moved) => {}
                },
            }
        }
    }

    /// Gives a place to a probe of the half-open circuit, if there is one.
    fn probe(&self, machine: Machine, now: Time, settings: &CircuitBreakerSettings) -> Result<Option<Entry>, Moved> {
        let mut details = self.switch.details();
        let Phase::HalfOpen(probes) = machine.phase else { return Err(Moved) };
        if self.switch.machine() != machine {
            return Err(Moved);
        }
        let lease = details.trial.admit(now, settings);
        let next = machine.with(Phase::HalfOpen(details.trial.count(probes)));
        // Under the lock nobody else changes a half-open machine.
        self.switch.replace(machine, next);
        self.switch.set_end(next.epoch, details.trial.next_end());
        Ok(lease.map(|lease| self.entry(next.pack(), lease)))
    }

    fn reject(&self, ends: Time, now: Time) -> Duration {
        self.meter.count(Count::Rejected);
        switch::time_left(ends, now)
    }

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

    fn log(&self) -> MutexGuard<'_, Log> {
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
    fn look(
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

    /// Changes the phase and notes it; fails if the machine is no longer `from`. There is nothing to announce where the
    /// phase is new and the state is not.
    fn change(
        &self,
        from: Machine,
        to: Machine,
        why: Reason,
        settings: &CircuitBreakerSettings,
    ) -> Result<Option<Change>, Moved> {
        self.change_locked(&mut self.switch.details(), from, to, why, end_of(from, to, settings))
    }

    fn change_locked(
        &self,
        details: &mut Details,
        from: Machine,
        to: Machine,
        why: Reason,
        end: impl FnOnce(&Journal, Time) -> Time,
    ) -> Result<Option<Change>, Moved> {
        if !self.switch.replace(from, to) {
            return Err(Moved);
        }
        let now = clock::now();
        self.switch.set_end(to.epoch, end(&details.journal, now));
        details.trial.clear();
        let state = to.phase.state();
        let rejected = self.meter.totals().get(Count::Rejected);
        Ok((from.phase.state() != state).then(|| details.journal.note(now, state, why, rejected)))
    }

    /// Tells subscribers, outside of every lock.
    fn announce(&self, change: Option<Change>) {
        if let Some(Change { from, to, why, at }) = change {
            let name = self.name.clone();
            events::emit_also(&self.subscribers, || Event::CircuitStateChanged { name, from, to, why, at });
        }
    }

    /// Puts the circuit into a phase by hand; the phase ends then, if it ends at all.
    pub(super) fn command(&self, phase: Phase, command: &'static str, end: Option<Duration>) {
        loop {
            let machine = self.switch.machine();
            let next = machine.into_phase(phase);
            let end = |_: &Journal, now: Time| end.map_or(switch::NEVER, |end| now.after(end));
            let why = Reason::Manual { command };
            // The lock is given back before subscribers are told.
            let changed = self.change_locked(&mut self.switch.details(), machine, next, why, end);
            if let Ok(change) = changed {
                return self.announce(change);
            }
        }
    }

    /// Closes the circuit and forgets its counts. Calls inside come back late.
    pub(super) fn reset(&self) {
        self.command(Phase::CLOSED, "reset", None);
        self.meter.reset();
        self.kinds.iter().for_each(Counter::reset);
        self.last_failure.reset();
        if let Some(durations) = self.durations.get() {
            durations.reset();
        }
        self.switch.details().journal.reset(clock::now());
    }

    pub(super) fn reconfigure(&self, settings: CircuitBreakerSettings) -> Result<(), InvalidSetting> {
        let settings = settings.normalised();
        if let Some((setting, reason)) = Settings::fault(&settings) {
            let kind = CircuitBreaker::KIND;
            return Err(InvalidSetting { kind, name: self.name.clone(), setting, reason });
        }
        let mut known = self.settings.write().unwrap_or_else(PoisonError::into_inner);
        let generation = self.plan().generation();
        let shape = |settings: &CircuitBreakerSettings| Plan::new(settings, generation).word() >> 16;
        let generation = if shape(&known) == shape(&settings) { generation } else { generation.wrapping_add(1) };
        self.plan.store(Plan::new(&settings, generation).word(), Ordering::Relaxed); // Relaxed: see `plan`.
        *known = Arc::new(settings);
        Ok(())
    }

    #[cfg(all(test, loom))]
    pub(super) fn phase(&self) -> Phase {
        self.switch.machine().phase
    }

    pub(super) fn state(&self) -> State {
        self.switch.machine().phase.state()
    }

    /// Closed, so that forgetting it lets nobody through who was kept out.
    pub(super) fn may_go(&self) -> bool {
        Machine::is_closed(self.switch.word())
    }

    pub(super) fn explain(&self) -> String {
        let (machine, ends) = self.switch.now_and_end();
        let now = clock::now();
        let present = match machine.phase {
            Phase::Open => format!("open; next probe in {}", crate::error::Seconds(&ends.since(now))),
            Phase::HalfOpen(Probes { in_flight, successes, failures }) => {
                format!("half-open; probes: {in_flight} on their way, {successes} succeeded, {failures} failed")
            }
            Phase::Closed { failures, .. } if failures > 0 => format!("closed; {failures} failures in a row"),
            Phase::Ramping { .. } => {
                format!("closed, ramping up; all calls pass in {}", crate::error::Seconds(&ends.since(now)))
            }
            phase => phase.state().to_string(),
        };
        let rejected = self.meter.totals().get(Count::Rejected);
        let present = format!("circuit `{}` is {present}", self.name);
        self.switch.details().journal.explain(&present, now, rejected)
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let settings = self.settings();
        let (machine, ends) = self.switch.now_and_end();
        let now = clock::now();
        let totals = self.meter.totals();
        let window = self.window(machine, &settings);
        let journal = &self.switch.details().journal;
        let [successes, failures, ignored, cancelled] =
            [Count::Successes, Count::Failures, Count::Ignored, Count::Cancelled].map(|count| totals.get(count));
        Snapshot {
            name: self.name.clone(),
            state: machine.phase.state(),
            consecutive_failures: match machine.phase {
                Phase::Closed { failures, .. } | Phase::Ramping { failures } => failures,
                _ => 0,
            },
            probes: match machine.phase {
                Phase::HalfOpen(probes) => probes.in_flight,
                _ => 0,
            },
            retry_after: match machine.phase {
                Phase::Open | Phase::ForcedOpen => {
                    Some(switch::time_left(ends, now)).filter(|left| *left < Duration::MAX)
                }
                _ => None,
            },
            admitted_share: machine.admitted_share(now, ends, &settings),
            calls: successes + failures + ignored + cancelled,
            successes,
            failures,
            failure_kinds: FailureKind::ALL.into_iter().zip(self.kinds.iter().map(Counter::get)).collect(),
            ignored,
            cancelled,
            slow: totals.get(Count::Slow),
            late: totals.get(Count::Late),
            rejected: totals.get(Count::Rejected),
            window_calls: window.calls,
            failure_rate: window.failure_rate(),
            slow_call_rate: window.slow_call_rate(),
            openings: journal.openings,
            opened_at: journal.opened_at,
            last_failure_at: Some(self.last_failure.get())
                .filter(|nanos| *nanos > 0)
                .and_then(|nanos| SystemTime::now().checked_sub(now.since(Time::from_nanos(nanos)))),
            time_in: journal.times(now),
            changes: journal.changes(),
            durations: self.durations.get().map(Histogram::durations),
            settings: (*settings).clone(),
        }
    }

    fn window(&self, machine: Machine, settings: &CircuitBreakerSettings) -> Content {
        let plan = self.plan();
        if !plan.has_window() {
            return Content::default();
        }
        self.look(&mut self.log(), plan, machine.epoch, None, settings)
    }
}

/// The machine is not what it was: look again.
struct Moved;

/// When a phase ends that begins now.
fn end_of<'s>(
    from: Machine,
    to: Machine,
    settings: &'s CircuitBreakerSettings,
) -> impl FnOnce(&Journal, Time) -> Time + use<'s> {
    move |journal, now| match to.phase {
        Phase::Open => {
            let again = matches!(from.phase, Phase::HalfOpen(_));
            let opening = if again { journal.reopenings.saturating_add(1) } else { 0 };
            now.after(settings.recovery(opening, random::unit()))
        }
        Phase::Ramping { .. } => now.after(settings.ramp_up),
        // A half-open circuit has a place for a probe at once.
        Phase::HalfOpen(_) | Phase::Closed { .. } | Phase::ForcedOpen | Phase::Disabled => Time::ORIGIN,
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
