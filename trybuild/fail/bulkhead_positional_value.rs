// No key is so obvious that it could be left out.

use resilience::bulkhead;

#[bulkhead(10)]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
