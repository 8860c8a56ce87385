// A refusal reaches the caller as the function's own error.

use resilience::circuit_breaker;

#[derive(Debug)]
struct MyError;

#[circuit_breaker]
async fn a() -> Result<(), MyError> {
    Ok(())
}

type Answer = std::result::Result<u32, MyError>;

#[circuit_breaker]
fn b() -> Answer {
    Ok(3)
}

fn main() {
    b().unwrap();
}
