// A key of another attribute shows which one was meant.

use resilience::bulkhead;

#[bulkhead(contention_threshold = "1s")]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
