// A key that is named needs a value.

use resilience::bulkhead;

#[bulkhead(max_concurrent)]
fn a() -> Result<(), String> {
    Ok(())
}

#[bulkhead(max_concurrent = )]
fn b() -> Result<(), String> {
    Ok(())
}

#[bulkhead(max_concurrent: 3)]
fn c() -> Result<(), String> {
    Ok(())
}

fn main() {}
