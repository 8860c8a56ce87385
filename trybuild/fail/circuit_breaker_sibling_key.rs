// A key of another attribute shows which one was meant.

use resilience::circuit_breaker;

#[circuit_breaker(max_attempts = 3)]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
