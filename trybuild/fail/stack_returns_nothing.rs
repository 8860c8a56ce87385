// Without an `Err` a failure can neither be seen nor returned; callers get no second error.

use resilience::{bulkhead, circuit_breaker, retry, timeout};

#[retry]
fn a() {}

#[circuit_breaker]
#[timeout("2s")]
async fn b() {}

#[bulkhead]
fn c() -> () {}

fn main() {
    a();
    let _ = b();
    c();
}
