// A duration without a unit could mean anything.

use resilience::detect_contention;

#[detect_contention(max_wait = "5")]
fn a() -> Result<(), String> {
    Ok(())
}

#[detect_contention(contention_threshold = "5 sec")]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
