// A refusal reaches the caller as the function's own error.

use resilience::detect_contention;

#[derive(Debug)]
struct MyError;

#[detect_contention]
async fn a() -> Result<(), MyError> {
    Ok(())
}

type Answer = std::result::Result<u32, MyError>;

#[detect_contention]
fn b() -> Answer {
    Ok(3)
}

fn main() {
    b().unwrap();
}
