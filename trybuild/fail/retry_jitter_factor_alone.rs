// The factor is that of proportional jitter, and silently unused with any other.

use resilience::retry;

#[retry(jitter_factor = 0.5)]
fn a() -> Result<(), String> {
    Ok(())
}

#[retry(jitter = "full", jitter_factor = 0.5)]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
