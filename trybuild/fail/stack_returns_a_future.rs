//! A function that returns a future is done at once; what should be protected is the future.

use std::{future::Future, pin::Pin};

use resilience::{circuit_breaker, retry, timeout};

#[timeout("1s")]
fn boxed() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> {
    Box::pin(async { Ok(()) })
}

#[circuit_breaker]
#[retry]
fn opaque() -> impl Future<Output = Result<(), String>> {
    async { Ok(()) }
}

fn main() {}
