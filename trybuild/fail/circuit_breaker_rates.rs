//! A rate is a share of the calls in a window, so it lies above 0 and is at most 1.

use resilience::circuit_breaker;

const ALL: f64 = 1.5;

#[circuit_breaker(failure_rate = 0.0)]
fn none() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_rate = 50)]
fn percent() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_rate = "50%")]
fn text() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(slow_call = "1s", slow_call_rate = -0.5)]
fn negative() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_rate = ALL)]
fn constant() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(recovery_backoff = 0.5)]
fn shrinking() -> Result<(), String> {
    Ok(())
}

fn main() {}
