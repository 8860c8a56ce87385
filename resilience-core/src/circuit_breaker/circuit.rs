//! One circuit: its switch, its counts and its window, and what changes its phase.

use std::{
    sync::{Arc, OnceLock, RwLock},
    time::Duration,
};

use super::{
    CircuitBreaker, FailureKind, Reason, State,
    journal::{Change, Journal},
    machine::{Machine, Phase},
    meter::{Count, Meter},
    plan::Plan,
    settings::CircuitBreakerSettings,
    switch::{self, Details, Switch},
    trial::Lease,
    window::Log,
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
    sync::{AtomicU64, Mutex, Ordering, unpoisoned},
};

pub(super) struct Circuit {
    pub(super) name: Name,
    settings: RwLock<Arc<CircuitBreakerSettings>>,
    /// A [`Plan`], made from the settings.
    plan: AtomicU64,
    /// From how many nanoseconds on a call is slow.
    pub(super) slow_nanos: AtomicU64,
    pub(super) switch: Switch,
    pub(super) meter: Meter,
    pub(super) log: Mutex<Log>,
    /// In a window of time with bad calls: the step in which it was last looked at. Rates can grow by themselves from
    /// step to step, as good calls leave the window. [`NOTHING_BAD`] where there is nothing to look at.
    pub(super) looked_in: AtomicU64,
    pub(super) kinds: [Counter; FailureKind::ALL.len()],
    pub(super) durations: OnceLock<Histogram>,
    pub(super) last_failure: Maximum,
    pub(super) subscribers: Subscribers,
    /// The circuits by value; this one serves where they have no room.
    pub(super) members: Family<CircuitBreaker>,
}

/// Later than every step.
pub(super) const NOTHING_BAD: u64 = u64::MAX;

/// Stands for the beginning of a call that is not timed.
pub(super) const UNTIMED: Time = Time::from_nanos(u64::MAX);

/// A call inside.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The packed machine that admitted it.
    pub(super) word: u64,
    /// Where calls are timed: when it began.
    pub(super) since: Time,
    /// The place of a probe.
    pub(super) lease: Lease,
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
        let plan = Plan::new(&settings);
        Self {
            name,
            plan: AtomicU64::new(plan.word()),
            slow_nanos: AtomicU64::new(slow_nanos(&settings)),
            settings: RwLock::new(Arc::new(settings)),
            switch: Switch::new(Machine::new(plan.is_plain()), Journal::new(clock::now())),
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
    pub(super) fn plan(&self) -> Plan {
        // Relaxed: a call that ends while its circuit is reconfigured may go by either plan.
        Plan::from_word(self.plan.load(Ordering::Relaxed))
    }

    pub(super) fn settings(&self) -> Arc<CircuitBreakerSettings> {
        unpoisoned(self.settings.read()).clone()
    }

    /// Changes the phase and notes it; fails if the machine is no longer `from`. There is nothing to announce where the
    /// phase is new and the state is not.
    pub(super) fn change(
        &self,
        from: Machine,
        to: Machine,
        why: Reason,
        settings: &CircuitBreakerSettings,
    ) -> Result<Option<Change>, Moved> {
        self.change_locked(&mut self.switch.details(), from, to, why, end_of(from, to, settings))
    }

    pub(super) fn change_locked(
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
    pub(super) fn announce(&self, change: Option<Change>) {
        if let Some(Change { from, to, why, at }) = change {
            let name = self.name.clone();
            events::emit_also(&self.subscribers, || Event::CircuitStateChanged { name, from, to, why, at });
        }
    }

    /// Puts the circuit into a phase by hand; the phase ends then, if it ends at all. `also` is done to the journal
    /// together with that.
    pub(super) fn command(
        &self,
        phase: Phase,
        command: &'static str,
        end: Option<Duration>,
        also: impl Fn(&mut Journal),
    ) {
        loop {
            let machine = self.switch.machine();
            let next = machine.into_phase(phase);
            let end = |_: &Journal, now: Time| end.map_or(switch::NEVER, |end| now.after(end));
            let why = Reason::Manual { command };
            let mut details = self.switch.details();
            if let Ok(change) = self.change_locked(&mut details, machine, next, why, end) {
                also(&mut details.journal);
                // Subscribers are told outside of the lock.
                drop(details);
                return self.announce(change);
            }
        }
    }

    /// Closes the circuit and forgets its counts. Calls inside come back late.
    pub(super) fn reset(&self) {
        self.command(Phase::CLOSED, "reset", None, |journal| {
            self.meter.reset();
            self.kinds.iter().for_each(Counter::reset);
            self.last_failure.reset();
            if let Some(durations) = self.durations.get() {
                durations.reset();
            }
            journal.reset(clock::now());
        });
    }

    pub(super) fn reconfigure(
        &self,
        change: impl Fn(CircuitBreakerSettings) -> CircuitBreakerSettings,
    ) -> Result<(), InvalidSetting> {
        loop {
            let known = self.settings();
            let wanted = change((*known).clone());
            if let Some((setting, reason)) = Settings::fault(&wanted) {
                let kind = CircuitBreaker::KIND;
                return Err(InvalidSetting { kind, name: self.name.clone(), setting, reason });
            }
            // What looks at the window sees all of the old settings or all of the new.
            let _log = self.log();
            let mut current = unpoisoned(self.settings.write());
            if !Arc::ptr_eq(&known, &current) {
                continue; // Somebody else changed them meanwhile; that change is not to be lost.
            }
            let plan = Plan::new(&wanted);
            self.replan(plan.is_plain(), (known.window, known.has_rate()) != (wanted.window, wanted.has_rate()));
            // Relaxed, both: a call that ends at this moment may go by either.
            self.plan.store(plan.word(), Ordering::Relaxed);
            self.slow_nanos.store(slow_nanos(&wanted), Ordering::Relaxed);
            *current = Arc::new(wanted);
            return Ok(());
        }
    }

    /// Takes in whether successes are plain. For another window it begins a new epoch in the same phase, so that the window is
    /// empty; calls inside come back late. Phases that let few calls through or none have no window.
    fn replan(&self, plain: bool, new_window: bool) {
        let _details = self.switch.details();
        loop {
            let (machine, end) = self.switch.now_and_end_locked();
            let starts = new_window && matches!(machine.phase, Phase::Closed { .. } | Phase::Ramping { .. });
            let next = if starts { machine.into_phase(machine.phase) } else { machine };
            let next = Machine { plain, ..next };
            if self.switch.replace(machine, next) {
                return self.switch.set_end(next.epoch, end);
            }
        }
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
        let (machine, ends) = self.switch.now_and_end();
        match machine.phase {
            Phase::Closed { .. } => true,
            // Nobody came after its end to make it closed.
            Phase::Ramping { .. } => ends <= clock::now(),
            _ => false,
        }
    }
}

/// From how many nanoseconds on a call is slow: never, without such a setting.
fn slow_nanos(settings: &CircuitBreakerSettings) -> u64 {
    settings.slow_call.map_or(u64::MAX, clock::nanos)
}

/// The machine is not what it was: look again.
pub(super) struct Moved;

/// When a phase ends that begins now.
pub(super) fn end_of<'s>(
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
