// Which of the two should hold would be a guess.

use resilience::bulkhead;

#[bulkhead(max_concurrent = 3, max_queue = 1, max_concurrent = 4)]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
