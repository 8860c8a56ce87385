//! Targets: what a case promises, and whether the measurement keeps it.

use crate::{case::Role, harness::Measured};

/// What a case promises of ours. Costs are nanoseconds per call, whole, unless a target says that it is over the floor.
pub(crate) enum Target {
    /// At most so many times the cost of one contender.
    OfOne(f64, &'static str),
    /// At most so many times the cost of the cheapest peer.
    OfBest(f64),
    /// At most so many times what one contender costs over the floor, for what ours costs over the floor.
    OfOneOverFloor(f64, &'static str),
    /// At most so many nanoseconds above one contender.
    Above(f64, &'static str),
    /// No allocation in any call.
    NoAllocation,
}

/// A target beside what was measured.
pub(crate) struct Verdict {
    pub(crate) target: String,
    pub(crate) measured: String,
    pub(crate) met: bool,
}

/// A smaller overhead than this, in nanoseconds, cannot be told from none.
const RESOLUTION: f64 = 0.1;

impl Target {
    pub(crate) fn verdict(&self, measured: &[Measured]) -> Verdict {
        let ours = role(measured, Role::Ours);
        match *self {
            Self::OfOne(limit, name) => ratio(ours.ns / named(measured, name).ns, limit, name),
            Self::OfBest(limit) => {
                let best = best_peer(measured).expect("a case that compares with peers has one");
                ratio(ours.ns / best.ns, limit, "the best peer")
            }
            Self::OfOneOverFloor(limit, name) => {
                let floor = role(measured, Role::Floor).ns;
                let theirs = (named(measured, name).ns - floor).max(RESOLUTION);
                ratio((ours.ns - floor).max(0.0) / theirs, limit, &format!("{name}, both over the floor"))
            }
            Self::Above(limit, name) => {
                let above = ours.ns - named(measured, name).ns;
                Verdict {
                    target: format!("<= {limit} ns above {name}"),
                    measured: format!("{above:+.1} ns"),
                    met: above <= limit,
                }
            }
            Self::NoAllocation => {
                let allocations = ours.allocations.unwrap_or(f64::NAN);
                Verdict {
                    target: "no allocation".to_owned(),
                    measured: format!("{allocations}"),
                    met: allocations == 0.0,
                }
            }
        }
    }
}

fn ratio(ratio: f64, limit: f64, to: &str) -> Verdict {
    Verdict { target: format!("<= {limit:.2} of {to}"), measured: format!("{ratio:.3}"), met: ratio <= limit }
}

/// The peer that costs least.
pub(crate) fn best_peer(measured: &[Measured]) -> Option<&Measured> {
    measured.iter().filter(|one| one.role == Role::Peer).min_by(|a, b| a.ns.total_cmp(&b.ns))
}

/// The only contender in a role.
pub(crate) fn role(measured: &[Measured], role: Role) -> &Measured {
    measured.iter().find(|one| one.role == role).expect("every case has a floor and ours")
}

fn named<'a>(measured: &'a [Measured], name: &str) -> &'a Measured {
    measured.iter().find(|one| one.name == name).unwrap_or_else(|| panic!("no contender is called `{name}`"))
}
