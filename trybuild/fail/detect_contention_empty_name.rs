// A resource without a name could not be told from another.

use resilience::detect_contention;

#[detect_contention(name = "")]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
