// A value of the wrong type is shown beside one of the right type.

use resilience::retry;

#[retry(max_attempts = "3")]
fn a() -> Result<(), String> {
    Ok(())
}

#[retry(base_delay = 100)]
fn b() -> Result<(), String> {
    Ok(())
}

#[retry(base_delay = 100ms)]
fn c() -> Result<(), String> {
    Ok(())
}

#[retry(multiplier = "2")]
fn d() -> Result<(), String> {
    Ok(())
}

#[retry(jitter = none)]
fn e() -> Result<(), String> {
    Ok(())
}

#[retry(jitter_factor = true, jitter = "proportional")]
fn f() -> Result<(), String> {
    Ok(())
}

#[retry(when = 3)]
fn g() -> Result<(), String> {
    Ok(())
}

#[retry(when = error == 3)]
fn h() -> Result<(), String> {
    Ok(())
}

fn main() {}
