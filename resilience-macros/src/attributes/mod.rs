//! One file per attribute: its keys, its checks, and how it wraps what is inside.

pub(crate) mod bulkhead;
pub(crate) mod circuit_breaker;
pub(crate) mod detect_contention;
pub(crate) mod retry;
pub(crate) mod timeout;
