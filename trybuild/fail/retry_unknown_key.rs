// A slip of the pen is told from a key that does not exist.

use resilience::retry;

#[retry(max_atempts = 3)]
fn a() -> Result<(), String> {
    Ok(())
}

#[retry(times = 3)]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
