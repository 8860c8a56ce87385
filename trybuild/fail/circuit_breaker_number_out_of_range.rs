// A circuit that opens after no failures, or never, is a mistake.

use resilience::circuit_breaker;

#[circuit_breaker(failure_threshold = 0)]
fn a() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_threshold = -1)]
fn b() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_threshold = 4294967296)]
fn c() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(half_open_max_calls = 65536)]
fn d() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(success_threshold = 0)]
fn e() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_threshold = 99999999999999999999999999999999999999999)]
fn f() -> Result<(), String> {
    Ok(())
}

fn main() {}
