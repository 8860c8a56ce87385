//! One file per group: its cases and their targets.

mod bulkhead;
mod circuit_breaker;
mod contention;
mod retry;
mod stack;
mod timeout;

use crate::case::Case;

/// A name to run it by, and its cases. They are made when the group is run.
pub(crate) type Group = (&'static str, fn() -> Vec<Case>);

pub(crate) static GROUPS: [Group; 6] = [
    ("circuit_breaker", circuit_breaker::cases),
    ("retry", retry::cases),
    ("bulkhead", bulkhead::cases),
    ("timeout", timeout::cases),
    ("contention", contention::cases),
    ("stack", stack::cases),
];
