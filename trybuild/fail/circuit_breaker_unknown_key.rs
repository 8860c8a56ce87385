// A slip of the pen is told from a key that does not exist.

use resilience::circuit_breaker;

#[circuit_breaker(failure_treshold = 3)]
fn a() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(retries = 3)]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
