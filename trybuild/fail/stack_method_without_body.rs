// A declaration has nothing to protect yet.

use resilience::{circuit_breaker, retry};

trait Service {
    #[circuit_breaker]
    #[retry]
    fn call(&self) -> Result<(), String>;

    #[retry]
    fn call_by_default(&self) -> Result<(), String> {
        Ok(())
    }
}

struct Client;

impl Service for Client {
    fn call(&self) -> Result<(), String> {
        Ok(())
    }
}

fn main() {}
