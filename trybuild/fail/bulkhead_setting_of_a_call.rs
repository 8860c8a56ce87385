// The instance is made once, so its settings cannot come from one of the calls.

use resilience::bulkhead;

#[bulkhead(max_concurrent = places)]
fn a(places: u32) -> Result<(), String> {
    let _ = places;
    Ok(())
}

fn main() {}
