// A refusal reaches the caller as the function's own error.

use resilience::timeout;

#[derive(Debug)]
struct MyError;

#[timeout("1s")]
async fn a() -> Result<(), MyError> {
    Ok(())
}

type Answer = std::result::Result<u32, MyError>;

#[timeout("1s", mode = "cooperative")]
fn b() -> Answer {
    Ok(3)
}

fn main() {
    b().unwrap();
}
