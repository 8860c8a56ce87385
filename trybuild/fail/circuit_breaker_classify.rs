//! `classify` tells a kind of failure from the error.

use resilience::{circuit_breaker, circuit_breaker::FailureKind};

#[circuit_breaker(classify = |error: &String| error.is_empty())]
fn bool_for_kind() -> Result<(), String> {
    Ok(())
}

#[circuit_breaker(classify = "timeout")]
fn text() -> Result<(), String> {
    Ok(())
}

fn kind(_: &std::io::Error) -> FailureKind {
    FailureKind::Other
}

#[circuit_breaker(classify = kind)]
fn other_error() -> Result<(), String> {
    Ok(())
}

fn main() {}
