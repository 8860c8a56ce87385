// A key that is named needs a value.

use resilience::retry;

#[retry(max_attempts)]
fn a() -> Result<(), String> {
    Ok(())
}

#[retry(max_attempts = )]
fn b() -> Result<(), String> {
    Ok(())
}

#[retry(max_attempts: 3)]
fn c() -> Result<(), String> {
    Ok(())
}

fn main() {}
