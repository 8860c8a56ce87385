// A mistake in the body is shown in the body, as without attributes.

use resilience::{bulkhead, circuit_breaker, retry};

#[circuit_breaker]
#[retry]
fn a() -> Result<u32, String> {
    Ok("three")
}

#[retry]
async fn b(fail: bool) -> Result<u32, String> {
    if fail {
        return Err(3);
    }
    Ok(3)
}

#[bulkhead]
async fn c() -> Result<u32, String> {
    let parsed: u32 = "3".parse()?;
    parsed
}

#[retry]
fn d() -> Result<u32, String> {
    "3".parse::<u32>().map_err(|_| String::new());
}

#[bulkhead]
async fn e() -> Result<u32, String> {
    "3".parse::<u32>().map_err(|_| String::new());
}

fn main() {}
