// Only the limit may stand without its key, and only in the first place.

use resilience::timeout;

#[timeout("2s", "detach")]
fn a() -> Result<(), String> {
    Ok(())
}

#[timeout(mode = "detach", "2s")]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
