// No key is so obvious that it could be left out.

use resilience::circuit_breaker;

#[circuit_breaker(3)]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
