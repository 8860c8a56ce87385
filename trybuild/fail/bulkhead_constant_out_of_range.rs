// The value of a constant is checked at compile time too.

use resilience::bulkhead;

const PLACES: u32 = 0;

#[bulkhead(max_concurrent = PLACES)]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
