//! Under an alias an attribute is not recognised by the one above, so the order would be another than it reads.

use resilience::{circuit_breaker, retry as again};

#[circuit_breaker]
#[again(max_attempts = 3)]
fn charge() -> Result<(), String> {
    Ok(())
}

fn main() {}
