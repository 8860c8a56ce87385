// A key that is named needs a value.

use resilience::circuit_breaker;

#[circuit_breaker(failure_threshold)]
fn a() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_threshold = )]
fn b() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_threshold: 3)]
fn c() -> Result<(), String> {
    Ok(())
}

fn main() {}
