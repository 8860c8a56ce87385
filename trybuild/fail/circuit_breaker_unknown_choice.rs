// A choice has few words, and they are told.

use resilience::circuit_breaker;

#[circuit_breaker(on_cancel = "ignored")]
fn a() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(on_cancel = "success")]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
