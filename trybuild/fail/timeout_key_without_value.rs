// A key that is named needs a value.

use resilience::timeout;

#[timeout("2s", name)]
async fn a() -> Result<(), String> {
    Ok(())
}

#[timeout(limit = , name = "a")]
async fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
