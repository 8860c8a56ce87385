// A duration without a unit, or of no length, could mean anything.

use resilience::timeout;

#[timeout("2")]
async fn a() -> Result<(), String> {
    Ok(())
}

#[timeout("0ms")]
async fn b() -> Result<(), String> {
    Ok(())
}

#[timeout("2 minutes")]
async fn c() -> Result<(), String> {
    Ok(())
}

#[timeout("")]
async fn d() -> Result<(), String> {
    Ok(())
}

#[timeout("-2s")]
async fn e() -> Result<(), String> {
    Ok(())
}

fn main() {}
