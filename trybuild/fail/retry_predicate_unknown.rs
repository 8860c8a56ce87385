// A name that does not exist is shown where it is written.

use resilience::retry;

#[retry(when = is_transient)]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
