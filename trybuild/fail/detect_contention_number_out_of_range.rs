// A resource that nobody may hold is a mistake.

use resilience::detect_contention;

#[detect_contention(max_concurrent = 0)]
fn a() -> Result<(), String> {
    Ok(())
}

#[detect_contention(max_concurrent = 1.5)]
fn b() -> Result<(), String> {
    Ok(())
}

#[detect_contention(max_concurrent = 4294967296)]
fn c() -> Result<(), String> {
    Ok(())
}

fn main() {}
