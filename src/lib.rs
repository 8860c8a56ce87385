#![doc = include_str!("../README.md")]

pub use resilience_core::*;
pub use resilience_macros::{bulkhead, circuit_breaker, detect_contention, retry, timeout};

/// What the attributes expand to. Not covered by semver.
#[doc(hidden)]
pub mod __private {
    pub use resilience_core::private::*;
}
