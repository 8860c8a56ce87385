// An attribute takes `key = value` pairs in parentheses, with commas between.

use resilience::{circuit_breaker, retry};

#[circuit_breaker]
#[retry = "3"]
fn a() -> Result<(), String> {
    Ok(())
}

#[retry(max_attempts = 3 base_delay = "1s")]
fn b() -> Result<(), String> {
    Ok(())
}

#[retry(max_attempts = 3; base_delay = "1s")]
fn c() -> Result<(), String> {
    Ok(())
}

#[retry(, max_attempts = 3)]
fn d() -> Result<(), String> {
    Ok(())
}

fn main() {}
