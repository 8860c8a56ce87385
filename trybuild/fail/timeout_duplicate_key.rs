// Which of the two should hold would be a guess.

use resilience::timeout;

#[timeout("2s", limit = "3s")]
async fn a() -> Result<(), String> {
    Ok(())
}

#[timeout(limit = "2s", name = "a", limit = "3s")]
async fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
