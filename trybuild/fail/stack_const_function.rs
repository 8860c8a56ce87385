// A constant evaluation has no state at run time.

use resilience::{circuit_breaker, retry};

#[circuit_breaker]
const fn a() -> Result<(), String> {
    Ok(())
}

#[retry]
pub const unsafe fn b() -> Result<(), String> {
    Ok(())
}

const A: Result<(), String> = a();

fn main() {}
