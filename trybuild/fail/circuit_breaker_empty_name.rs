// A circuit without a name could not be told from another.

use resilience::circuit_breaker;

#[circuit_breaker(name = "")]
fn a() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(name = "  ")]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
