// A key of another attribute shows which one was meant.

use resilience::timeout;

#[timeout("2s", max_attempts = 3)]
async fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
