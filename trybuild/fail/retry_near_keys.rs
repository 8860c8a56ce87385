//! A part of a key's name leads to the key.

use resilience::{circuit_breaker, retry};

#[retry(delay = "1s")]
fn ambiguous() -> Result<(), String> {
    Ok(())
}

#[retry(attempts = 3)]
fn part() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(recovery_time = "1s")]
fn near() -> Result<(), String> {
    Ok(())
}

fn main() {}
