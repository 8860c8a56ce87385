// No key is so obvious that it could be left out.

use resilience::detect_contention;

#[detect_contention("connections")]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
