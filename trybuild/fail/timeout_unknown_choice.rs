// A choice has few words, and they are told; no second error says that the key is missing.

use resilience::timeout;

#[timeout("2s", mode = "detached")]
fn a() -> Result<(), String> {
    Ok(())
}

#[timeout("2s", mode = "thread")]
fn b() -> Result<(), String> {
    Ok(())
}

#[timeout("2s", mode = detach)]
fn c() -> Result<(), String> {
    Ok(())
}

fn main() {}
