// A key that is named needs a value.

use resilience::detect_contention;

#[detect_contention(contention_threshold)]
fn a() -> Result<(), String> {
    Ok(())
}

#[detect_contention(contention_threshold = )]
fn b() -> Result<(), String> {
    Ok(())
}

#[detect_contention(contention_threshold: 3)]
fn c() -> Result<(), String> {
    Ok(())
}

fn main() {}
