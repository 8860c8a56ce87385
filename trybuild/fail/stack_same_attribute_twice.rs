// Twice the same attribute is a slip of the pen; who means it can name the order by a function between.

use resilience::{circuit_breaker, retry, timeout};

#[retry(max_attempts = 3)]
#[circuit_breaker]
#[retry(max_attempts = 5)]
fn a() -> Result<(), String> {
    Ok(())
}

#[resilience::timeout("2s")]
#[timeout("3s")]
async fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
