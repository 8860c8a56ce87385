// A limit that nobody chose would be a surprise.

use resilience::timeout;

#[timeout]
async fn a() -> Result<(), String> {
    Ok(())
}

#[timeout()]
async fn b() -> Result<(), String> {
    Ok(())
}

// With a name, the limit may stand elsewhere.
#[timeout(name = "inventory")]
async fn named() -> Result<(), String> {
    Ok(())
}

fn main() {}
