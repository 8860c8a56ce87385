//! The probes of a half-open circuit, each with a lease on its place.
//!
//! A probe that ends, is dropped or panics gives its place back at once; one that hangs loses it when its lease ends. What
//! it brings after that still counts: it is evidence about the service, however long it took.

use super::{machine::Probes, settings::CircuitBreakerSettings};
use crate::clock::Time;

/// A probe's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lease(u64);

impl Lease {
    /// Of a call that is no probe.
    pub(super) const NONE: Self = Self(0);
}

#[derive(Debug, Default)]
pub(super) struct Trial {
    /// Who has a place, and until when.
    leases: Vec<(Lease, Time)>,
    last: u64,
}

impl Trial {
    /// Starts anew.
    pub(super) fn clear(&mut self) {
        self.leases.clear();
    }

    /// Gives a place to a probe, unless all are taken.
    pub(super) fn admit(&mut self, now: Time, settings: &CircuitBreakerSettings) -> Option<Lease> {
        self.leases.retain(|(_, until)| *until > now);
        if self.leases.len() >= usize::from(settings.half_open_max_calls) {
            return None;
        }
        // Never 0, which is no lease.
        self.last += 1;
        let lease = Lease(self.last);
        self.leases.push((lease, now.after(settings.lease())));
        Some(lease)
    }

    /// Takes a place back, if the probe still has one.
    pub(super) fn give_back(&mut self, lease: Lease) {
        self.leases.retain(|(known, _)| *known != lease);
    }

    /// The probes that have a place, beside the counts of those that ended.
    pub(super) fn count(&self, probes: Probes) -> Probes {
        Probes { in_flight: u16::try_from(self.leases.len()).unwrap_or(u16::MAX), ..probes }
    }

    /// When the next place is free at the latest.
    pub(super) fn next_end(&self) -> Time {
        self.leases.iter().map(|(_, until)| *until).min().unwrap_or(Time::ORIGIN)
    }
}
