// Which of the two should hold would be a guess.

use resilience::retry;

#[retry(max_attempts = 3, when = is_transient, max_attempts = 4)]
fn a() -> Result<(), String> {
    Ok(())
}

fn is_transient(_: &String) -> bool {
    true
}

fn main() {}
