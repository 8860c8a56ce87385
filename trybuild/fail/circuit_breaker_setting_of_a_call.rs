// The instance is made once, so its settings cannot come from one of the calls.

use resilience::circuit_breaker;

struct Client {
    threshold: u32,
}

impl Client {
    const THRESHOLD: u32 = 3;

    #[circuit_breaker(failure_threshold = self.threshold)]
    fn a(&self) -> Result<(), String> {
        Ok(())
    }

    #[circuit_breaker(failure_threshold = Self::THRESHOLD)]
    fn b(&self) -> Result<(), String> {
        Ok(())
    }
}

#[circuit_breaker(failure_threshold = threshold)]
fn c(threshold: u32) -> Result<(), String> {
    let _ = threshold;
    Ok(())
}

#[circuit_breaker(failure_threshold = THRESHOLD)]
fn d<const THRESHOLD: u32>() -> Result<(), String> {
    Ok(())
}

fn main() {}
