//! Generated code needs no prelude.

#![no_implicit_prelude]
#![deny(warnings)]

use ::resilience::{bulkhead, circuit_breaker, detect_contention, retry, timeout};
use ::std::{result::Result, string::String};

const PLACES: u32 = 3;

#[bulkhead(max_concurrent = PLACES)]
#[detect_contention(max_wait = "1s")]
#[circuit_breaker]
#[retry(when = String::is_empty)]
#[timeout("1s")]
async fn five(id: String) -> Result<String, String> {
    Result::Ok(id)
}

#[bulkhead]
#[detect_contention]
#[circuit_breaker(failure_when = |error| error.is_empty())]
#[retry(multiplier = 1.5)]
#[timeout("1s", mode = "detach")]
fn five_sync(id: String) -> Result<String, String> {
    Result::Ok(id)
}

fn main() {
    let _ = five(String::new());
    let _ = five_sync(String::new());
}
