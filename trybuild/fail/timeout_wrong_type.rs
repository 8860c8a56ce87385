// A value of the wrong type is shown beside one of the right type.

use resilience::timeout;

const LIMIT: u64 = 2;

#[timeout(2)]
async fn a() -> Result<(), String> {
    Ok(())
}

#[timeout(2s)]
async fn b() -> Result<(), String> {
    Ok(())
}

#[timeout(limit = 2.5)]
async fn c() -> Result<(), String> {
    Ok(())
}

#[timeout("2s", name = 3)]
async fn d() -> Result<(), String> {
    Ok(())
}

#[timeout(LIMIT)]
async fn e() -> Result<(), String> {
    Ok(())
}

fn main() {}
