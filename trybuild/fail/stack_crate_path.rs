// `crate` names a module that holds the library.

use resilience::retry;

mod nothing {}

#[retry(crate = nothing)]
fn a() -> Result<(), String> {
    Ok(())
}

#[retry(crate = 3)]
fn b() -> Result<(), String> {
    Ok(())
}

fn main() {}
