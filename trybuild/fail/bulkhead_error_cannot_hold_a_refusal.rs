// A refusal reaches the caller as the function's own error.

use resilience::bulkhead;

#[derive(Debug)]
struct MyError;

#[bulkhead]
async fn a() -> Result<(), MyError> {
    Ok(())
}

type Answer = std::result::Result<u32, MyError>;

#[bulkhead]
fn b() -> Answer {
    Ok(3)
}

fn main() {
    b().unwrap();
}
