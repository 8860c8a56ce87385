// The limit may come from the call; what the instance shares may not.

use resilience::timeout;

use std::time::Duration;

#[timeout(Duration::from_millis(millis))]
async fn limit(millis: u64) -> Result<(), String> {
    Ok(())
}

#[timeout("2s", mode = "detach", max_detached = threads)]
fn max_detached(threads: u32) -> Result<(), String> {
    let _ = threads;
    Ok(())
}

fn main() {}
