//! A window from an expression has the type of one of the two.

use resilience::circuit_breaker;

const SECONDS: f64 = 10.0;

#[circuit_breaker(failure_rate = 0.5, window = SECONDS)]
fn seconds() -> Result<(), String> {
    Ok(())
}

fn main() {}
