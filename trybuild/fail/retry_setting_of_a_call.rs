// The instance is made once, so its settings cannot come from one of the calls.

use resilience::retry;

use std::time::Duration;

#[retry(base_delay = delay)]
fn a(delay: Duration) -> Result<(), String> {
    let _ = delay;
    Ok(())
}

#[retry(max_attempts = 1 + more)]
async fn b(more: u32) -> Result<(), String> {
    let _ = more;
    Ok(())
}

fn main() {}
