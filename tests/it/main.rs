//! Everything a user relies on, through the facade: one module per attribute, and one per promise they make together.
#![forbid(unsafe_code)]

mod allocation;
mod bulkhead;
mod bulkhead_control;
mod bulkhead_keys;
mod cancel_and_panic;
mod circuit_breaker;
mod circuit_breaker_control;
mod circuit_breaker_keys;
mod circuit_breaker_rules;
mod circuit_breaker_stress;
mod contention;
mod contract;
mod executors;
mod functions;
mod names;
mod retry;
mod retry_budget;
mod retry_rules;
mod retry_time;
mod stacks;
mod support;
mod timeout;
mod timeout_attribute;
