// Which of the two should hold would be a guess.

use resilience::circuit_breaker;

#[circuit_breaker(failure_threshold = 3, recovery_timeout = "1s", failure_threshold = 4)]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
