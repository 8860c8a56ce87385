// A value of the wrong type is shown beside one of the right type.

use resilience::bulkhead;

#[bulkhead(max_concurrent = "10")]
fn a() -> Result<(), String> {
    Ok(())
}

#[bulkhead(max_queue = true)]
fn b() -> Result<(), String> {
    Ok(())
}

#[bulkhead(max_queue = 10, max_wait = 5)]
fn c() -> Result<(), String> {
    Ok(())
}

#[bulkhead(name = 3)]
fn d() -> Result<(), String> {
    Ok(())
}

#[bulkhead(measure_durations = "yes")]
fn e() -> Result<(), String> {
    Ok(())
}

fn main() {}
