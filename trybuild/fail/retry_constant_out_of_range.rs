// The value of a constant is checked at compile time too.

use resilience::retry;

const ATTEMPTS: u32 = 0;
const FACTOR: f64 = 2.0;

#[retry(max_attempts = ATTEMPTS)]
fn a() -> Result<(), String> {
    Ok(())
}

#[retry(multiplier = FACTOR - 2.0)]
fn b() -> Result<(), String> {
    Ok(())
}

#[retry(jitter = "proportional", jitter_factor = FACTOR)]
fn c() -> Result<(), String> {
    Ok(())
}

fn main() {
    a().unwrap();
}
