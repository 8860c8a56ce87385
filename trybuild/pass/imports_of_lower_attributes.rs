//! The attributes below the first are taken off by its expansion, and their imports are in use all the same.

#![deny(warnings)]

use resilience::{bulkhead, retry};

mod policies {
    pub use resilience::{detect_contention, timeout};
}

use policies::detect_contention;

#[retry]
#[bulkhead]
#[detect_contention]
#[policies::timeout("1s", mode = "cooperative")]
fn stacked() -> Result<(), String> {
    Ok(())
}

fn main() {
    stacked().expect("it does not fail");
}
