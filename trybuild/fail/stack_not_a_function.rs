// Only a function can be called, so only a function can be protected; the attributes below say nothing more.

use resilience::{bulkhead, circuit_breaker, detect_contention, retry, timeout};

#[circuit_breaker(name = "a")]
#[retry]
struct Client;

#[retry]
impl Client {
    fn call(&self) {}
}

#[bulkhead]
trait Service {
    fn call(&self);
}

#[timeout("2s")]
mod client {}

#[detect_contention]
static COUNT: u32 = 3;

#[retry]
pub(crate) enum Choice {}

#[retry]
pub type Answer = Result<(), String>;

fn main() {}
