// A key of another attribute shows which one was meant.

use resilience::retry;

#[retry(failure_threshold = 3)]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
