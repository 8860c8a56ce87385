//! A case: one thing that ours and its peers do, and how they are to compare.

use crate::{batch::Batch, target::Target};

/// One row of the report.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) contenders: Vec<Contender>,
    pub(crate) targets: Vec<Target>,
    pub(crate) in_runtime: bool,
}

/// Somebody who is measured.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    pub(crate) batch: Batch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The bare function in the same loop.
    Floor,
    Ours,
    /// Ours in another way; it is no peer.
    Variant,
    Peer,
}

impl Case {
    pub(crate) fn new(name: &'static str, floor: Batch, ours: Batch) -> Self {
        let case = Self { name, contenders: Vec::new(), targets: Vec::new(), in_runtime: false };
        case.contender("floor", Role::Floor, floor).contender("ours", Role::Ours, ours)
    }

    pub(crate) fn peer(self, name: &'static str, batch: Batch) -> Self {
        self.contender(name, Role::Peer, batch)
    }

    pub(crate) fn variant(self, name: &'static str, batch: Batch) -> Self {
        self.contender(name, Role::Variant, batch)
    }

    pub(crate) fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Measures every contender, the floor included, inside of a tokio runtime with timers.
    pub(crate) fn in_runtime(mut self) -> Self {
        self.in_runtime = true;
        self
    }

    fn contender(mut self, name: &'static str, role: Role, batch: Batch) -> Self {
        self.contenders.push(Contender { name, role, batch });
        self
    }
}
