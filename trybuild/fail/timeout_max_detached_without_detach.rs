// Only a detached run can go on after its caller left.

use resilience::timeout;

#[timeout("2s", mode = "cooperative", max_detached = 8)]
fn a() -> Result<(), String> {
    Ok(())
}

#[timeout("2s", max_detached = 8)]
async fn on_async() -> Result<(), String> {
    Ok(())
}

#[timeout("2s", mode = "detach", max_detached = 0)]
fn zero() -> Result<(), String> {
    Ok(())
}

fn main() {}
