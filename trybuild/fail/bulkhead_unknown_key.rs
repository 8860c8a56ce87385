// A slip of the pen is told from a key that does not exist.

use resilience::bulkhead;

#[bulkhead(max_concurent = 3)]
fn a() -> Result<(), String> {
    Ok(())
}

#[bulkhead(permits = 3)]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
