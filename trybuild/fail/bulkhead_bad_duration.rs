// A duration without a unit could mean anything.

use resilience::bulkhead;

#[bulkhead(max_queue = 10, max_wait = "5")]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
