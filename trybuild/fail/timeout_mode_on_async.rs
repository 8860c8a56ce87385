// A future is dropped at its limit, which leaves nothing to choose.

use resilience::timeout;

#[timeout("2s", mode = "detach")]
async fn a() -> Result<(), String> {
    Ok(())
}

#[timeout("2s", mode = "cooperative")]
async fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
