//! How a call enters a circuit.

use std::time::Duration;

use super::{
    CircuitBreakerSettings, Reason,
    circuit::{Circuit, Entry, Moved, UNTIMED},
    machine::{Admission, Machine, Phase},
    meter::Count,
    switch,
    trial::Lease,
};
use crate::{
    clock::{self, Time},
    random,
};

impl Circuit {
    /// Admits a call to a closed circuit.
    #[inline]
    pub(super) fn enter_closed(&self) -> Option<Entry> {
        let word = self.switch.word();
        if Machine::is_quiet_and_plain(word) {
            return Some(Entry { word, since: UNTIMED, lease: Lease::NONE });
        }
        Machine::is_closed(word).then(|| self.entry(word, Lease::NONE))
    }

    #[inline]
    fn entry(&self, word: u64, lease: Lease) -> Entry {
        Entry { word, lease, since: if self.plan().is_timed() { clock::now() } else { UNTIMED } }
    }

    /// Admits a call, or tells how long it should stay away.
    pub(super) fn enter(&self) -> Result<Entry, Duration> {
        let (machine, ends) = self.switch.now_and_end();
        // The common case, which needs no settings. Near the end the exact clock decides: who comes back when told finds
        // a place.
        if matches!(machine.phase, Phase::Open | Phase::ForcedOpen) {
            let now = clock::coarse_now();
            if now.after(clock::COARSENESS) < ends {
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
                // Nobody waits for the end of a ramp: a later call may pass, and more so the later it comes.
                Admission::Reject if matches!(machine.phase, Phase::Ramping { .. }) => {
                    return Err(self.reject(ends.min(now.after(settings.ramp_up / 10)), now));
                }
                Admission::Reject => return Err(self.reject(ends, now)),
                Admission::Become(next) if next.epoch == machine.epoch => {
                    self.switch.replace(machine, next);
                }
                Admission::Become(next) => {
                    let why = match machine.phase {
                        Phase::ForcedOpen => Reason::Manual { command: "forced open for a time that has passed" },
                        _ => Reason::RecoveryTimeout,
                    };
                    if let Ok(change) = self.change(machine, next, why, &settings) {
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
}
