//! An attribute behind a condition keeps its place in the stack.

#![deny(warnings)]

use std::sync::atomic::{AtomicU32, Ordering};

use resilience::{circuit_breaker, retry};

static ATTEMPTS: AtomicU32 = AtomicU32::new(0);

#[circuit_breaker(failure_threshold = 1)]
#[cfg_attr(all(), retry(max_attempts = 3, base_delay = "0s"))]
#[cfg_attr(any(), bulkhead)]
fn fail() -> Result<(), String> {
    ATTEMPTS.fetch_add(1, Ordering::Relaxed);
    Err(String::from("failed"))
}

fn main() {
    // Inside of the circuit, which opens on the first failure that comes out.
    assert_eq!(fail(), Err(String::from("failed")));
    assert_eq!(ATTEMPTS.load(Ordering::Relaxed), 3);
    assert_ne!(fail(), Err(String::from("failed")));
    assert_eq!(ATTEMPTS.load(Ordering::Relaxed), 3);
}
