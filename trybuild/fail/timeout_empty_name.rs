// A timeout without a name could not be told from another.

use resilience::timeout;

#[timeout("2s", name = "")]
async fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
