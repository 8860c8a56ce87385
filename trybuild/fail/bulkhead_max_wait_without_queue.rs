// Without a queue nobody waits, so the wait would be silently unused.

use resilience::bulkhead;

#[bulkhead(max_wait = "5s")]
fn a() -> Result<(), String> {
    Ok(())
}

#[bulkhead(max_queue = 0, max_wait = "5s")]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
