// A bulkhead without a name could not be told from another.

use resilience::bulkhead;

#[bulkhead(name = "")]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
