// The value of a constant is checked at compile time too.

use resilience::circuit_breaker;

const NEVER: u32 = 0;

#[circuit_breaker(failure_threshold = NEVER)]
fn a() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(half_open_max_calls = 2 - 2)]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
