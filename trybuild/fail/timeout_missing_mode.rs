// A sync function cannot be stopped from outside, so someone has to say what happens at the limit.

use resilience::timeout;

#[timeout("2s")]
fn a() -> Result<(), String> {
    Ok(())
}

#[timeout(name = "reports")]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
