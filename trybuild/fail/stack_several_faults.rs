// All faults are found in one compile, each at its own place, and callers get no further error.

use resilience::{circuit_breaker, retry, timeout};

#[circuit_breaker(name = "", failure_treshold = 3, recovery_timeout = "30", on_cancel = "count")]
#[retry(max_attempts = 0, max_attempts = 3, base_delay, 5, jitter = none, multiplier = 1 2, when = 3)]
#[timeout("2 sec", mode = "detached")]
fn charge(amount: u32) {
    let _ = amount;
}

fn main() {
    charge(3);
}
