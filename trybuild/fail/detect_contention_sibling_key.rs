// A key of another attribute shows which one was meant.

use resilience::detect_contention;

#[detect_contention(max_queue = 3)]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
