// A slip of the pen is told from a key that does not exist, and brings no further error.

use resilience::timeout;

#[timeout(limt = "2s")]
async fn a() -> Result<(), String> {
    Ok(())
}

#[timeout("2s", max_wait = "1s")]
async fn b() -> Result<(), String> {
    Ok(())
}

#[timeout("2s", retries = 3)]
async fn c() -> Result<(), String> {
    Ok(())
}

fn main() {}
