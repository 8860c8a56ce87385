// A duration without a unit, or of no length, could mean anything.

use resilience::circuit_breaker;

#[circuit_breaker(recovery_timeout = "30")]
fn a() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(recovery_timeout = "30 parsecs")]
fn b() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(recovery_timeout = "30parsecs")]
fn c() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(recovery_timeout = "")]
fn d() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(recovery_timeout = "-30s")]
fn e() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(recovery_timeout = "0s")]
fn f() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(recovery_timeout = "600years")]
fn g() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(recovery_timeout = "99999999999999999999s")]
fn h() -> Result<(), String> {
    Ok(())
}

fn main() {}
