// A value of the wrong type is shown beside one of the right type.

use resilience::circuit_breaker;

#[circuit_breaker(name = payments)]
fn a() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_threshold = "5")]
fn b() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_threshold = 2.5)]
fn c() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_threshold = 5s)]
fn d() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(recovery_timeout = 30)]
fn e() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(recovery_timeout = 30s)]
fn f() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_when = true)]
fn g() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(on_cancel = failure)]
fn h() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(crate = "resilience")]
fn i() -> Result<(), String> {
    Ok(())
}

fn main() {}
