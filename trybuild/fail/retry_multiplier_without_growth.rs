// Fixed and Fibonacci delays know no multiplier.

use resilience::retry;

#[retry(backoff = "fixed", multiplier = 3)]
fn a() -> Result<(), String> {
    Ok(())
}

#[retry(multiplier = 3, backoff = "fibonacci")]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
