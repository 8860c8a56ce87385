// A constant is checked by the compiler, which knows its type.

use resilience::circuit_breaker;

const NAME: &str = "payments";

#[circuit_breaker(failure_threshold = NAME)]
fn a() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(recovery_timeout = 10 + 20)]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
