// Which of the two should hold would be a guess.

use resilience::detect_contention;

#[detect_contention(max_wait = "1s", max_concurrent = 2, max_wait = "2s")]
fn a() -> Result<(), String> {
    Ok(())
}

fn main() {}
