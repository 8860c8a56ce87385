// The first call is an attempt, and delays neither shrink nor vanish.

use resilience::retry;

#[retry(max_attempts = 0)]
fn a() -> Result<(), String> {
    Ok(())
}

#[retry(max_attempts = -3)]
fn b() -> Result<(), String> {
    Ok(())
}

#[retry(max_attempts = 5_000_000_000)]
fn c() -> Result<(), String> {
    Ok(())
}

#[retry(multiplier = 0)]
fn d() -> Result<(), String> {
    Ok(())
}

#[retry(multiplier = -2.0)]
fn e() -> Result<(), String> {
    Ok(())
}

#[retry(multiplier = 1e999)]
fn f() -> Result<(), String> {
    Ok(())
}

#[retry(jitter = "proportional", jitter_factor = 1.5)]
fn g() -> Result<(), String> {
    Ok(())
}

#[retry(jitter = "proportional", jitter_factor = -0.5)]
fn h() -> Result<(), String> {
    Ok(())
}

fn main() {}
