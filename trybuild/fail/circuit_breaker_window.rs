//! A window is a number of calls or a duration.

use resilience::circuit_breaker;

#[circuit_breaker(failure_rate = 0.5, window = 0)]
fn empty() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_rate = 0.5, window = 2_000_000)]
fn huge() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_rate = 0.5, window = "10 calls")]
fn words() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_rate = 0.5, window = true)]
fn flag() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_rate = 0.5, window = "1us")]
fn shorter_than_a_tick() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_rate = 0.5, minimum_calls = 500)]
fn minimum_over_the_default_window() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(measure_durations = 1)]
fn number_for_flag() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(half_open_max_calls = 5000)]
fn too_many_probes() -> Result<(), String> {
    Ok(())
}

fn main() {}
