// A slip of the pen is told from a key that does not exist.

use resilience::detect_contention;

#[detect_contention(max_wiat = "1s")]
fn a() -> Result<(), String> {
    Ok(())
}

#[detect_contention(lock = 3)]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
