//! Keys that have no effect without another one, or that contradict each other.

use resilience::circuit_breaker;

#[circuit_breaker(window = 20)]
fn window_without_rate() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(minimum_calls = 5)]
fn minimum_without_rate() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(slow_call_rate = 0.5)]
fn slow_rate_without_slow() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_rate = 0.5, window = 10, minimum_calls = 20)]
fn minimum_over_window() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(max_recovery_timeout = "5m")]
fn most_without_growth() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(max_keys = 100)]
fn keys_without_key() -> Result<(), String> {
    Ok(())
}

fn main() {}
