// A bulkhead without a place lets nobody in.

use resilience::bulkhead;

#[bulkhead(max_concurrent = 0)]
fn a() -> Result<(), String> {
    Ok(())
}

#[bulkhead(max_concurrent = -1)]
fn b() -> Result<(), String> {
    Ok(())
}

#[bulkhead(max_queue = -1)]
fn c() -> Result<(), String> {
    Ok(())
}

#[bulkhead(max_queue = 4294967296)]
fn d() -> Result<(), String> {
    Ok(())
}

fn main() {}
