// A predicate is a function or closure from a reference to the error to `bool`.

use resilience::circuit_breaker;

fn of_another_error(_: &u32) -> bool {
    true
}

#[circuit_breaker(failure_when = of_another_error)]
fn a() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_when = |error: &u32| *error > 3)]
async fn b() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_when = |error| error.len())]
fn c() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(failure_when = |error, attempt| attempt > 3)]
fn d() -> Result<(), String> {
    Ok(())
}

fn main() {}
