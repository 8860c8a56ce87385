// A choice has few words, and they are told.

use resilience::retry;

#[retry(backoff = "exponental")]
fn a() -> Result<(), String> {
    Ok(())
}

#[retry(jitter = "random")]
fn b() -> Result<(), String> {
    Ok(())
}

#[retry(when_open = "retry")]
fn c() -> Result<(), String> {
    Ok(())
}

fn main() {}
