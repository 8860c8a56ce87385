// A retry without a name could not be told from another.

use resilience::retry;

#[retry(name = "")]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
