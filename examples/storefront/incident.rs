//! The script of the incident: which phase holds at which moment of a run.

use std::time::{Duration, Instant};

/// From here on inventory fails every other call, and recommendations are slow.
const DEGRADED: Duration = Duration::from_millis(1500);
/// From here on payments hangs as well.
const OUTAGE: Duration = Duration::from_millis(3500);
/// From here on all is well again.
pub(crate) const OVER: Duration = Duration::from_millis(6500);

/// A part of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Healthy,
    Degraded,
    Outage,
    Over,
}

impl Phase {
    pub(crate) fn at(elapsed: Duration) -> Self {
        match elapsed {
            _ if elapsed < DEGRADED => Self::Healthy,
            _ if elapsed < OUTAGE => Self::Degraded,
            _ if elapsed < OVER => Self::Outage,
            _ => Self::Over,
        }
    }

    /// Whether inventory fails half of its calls and recommendations are slow.
    pub(crate) fn is_incident(self) -> bool {
        matches!(self, Self::Degraded | Self::Outage)
    }

    /// Whether payments hangs.
    pub(crate) fn is_outage(self) -> bool {
        self == Self::Outage
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Healthy => "all well",
            Self::Degraded => "inventory flaky",
            Self::Outage => "payments hangs too",
            Self::Over => "all well again",
        }
    }
}

/// The script, as a sentence for the reader.
pub(crate) fn description() -> String {
    format!(
        "Incident: from {DEGRADED:?} on inventory fails every other call, and recommendations take 1.5s;\n\
         from {OUTAGE:?} on payments accepts calls and never answers; from {OVER:?} on all three work again."
    )
}

/// The clock of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incident {
    begun: Instant,
}

impl Incident {
    pub(crate) fn begin() -> Self {
        Self { begun: Instant::now() }
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.begun.elapsed()
    }

    pub(crate) fn phase(self) -> Phase {
        Phase::at(self.elapsed())
    }
}
