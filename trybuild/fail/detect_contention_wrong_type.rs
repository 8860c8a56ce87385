// A value of the wrong type is shown beside one of the right type.

use resilience::detect_contention;

#[detect_contention(max_concurrent = "1")]
fn a() -> Result<(), String> {
    Ok(())
}

#[detect_contention(contention_threshold = 100)]
fn b() -> Result<(), String> {
    Ok(())
}

#[detect_contention(name = CONNECTIONS)]
fn c() -> Result<(), String> {
    Ok(())
}

fn main() {}
