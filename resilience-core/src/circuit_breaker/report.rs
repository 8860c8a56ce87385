//! What a circuit tells of itself.

use std::time::{Duration, SystemTime};

use super::{
    FailureKind, Snapshot,
    circuit::Circuit,
    machine::{Phase, Probes},
    meter::Count,
    switch,
};
use crate::{
    clock::{self, Time},
    error::Seconds,
    histogram::Histogram,
    stats::Counter,
};

impl Circuit {
    pub(super) fn explain(&self) -> String {
        let (machine, ends) = self.switch.now_and_end();
        let now = clock::now();
        let present = match machine.phase {
            Phase::Open => format!("open; next probe in {}", Seconds(&ends.since(now))),
            Phase::HalfOpen(Probes { in_flight, successes, failures }) => {
                format!("half-open; probes: {in_flight} on their way, {successes} succeeded, {failures} failed")
            }
            Phase::Closed { failures, .. } if failures > 0 => format!("closed; {failures} failures in a row"),
            Phase::Ramping { .. } => {
                format!("closed, ramping up; all calls pass in {}", Seconds(&ends.since(now)))
            }
            Phase::ForcedOpen if ends < switch::NEVER => {
                format!("forced open; probes in {}", Seconds(&ends.since(now)))
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
        let window = self.window(&settings);
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
}
