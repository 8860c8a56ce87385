// No key is so obvious that it could be left out.

use resilience::retry;

#[retry(3)]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
