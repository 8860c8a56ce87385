// A duration without a unit could mean anything.

use resilience::retry;

#[retry(base_delay = "100")]
fn a() -> Result<(), String> {
    Ok(())
}

#[retry(base_delay = "100milliseconds")]
fn b() -> Result<(), String> {
    Ok(())
}

#[retry(base_delay = "1.s")]
fn c() -> Result<(), String> {
    Ok(())
}

#[retry(base_delay = "ms")]
fn d() -> Result<(), String> {
    Ok(())
}

#[retry(base_delay = "1s-2ms")]
fn e() -> Result<(), String> {
    Ok(())
}

fn main() {}
