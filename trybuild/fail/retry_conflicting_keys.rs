// Keys that cancel or contradict each other: one of the two would silently do nothing.

use std::time::Duration;

use resilience::retry;

fn delay(attempt: u32) -> Duration {
    Duration::from_secs(1) * attempt
}

#[retry(backoff = "decorrelated", jitter = "full")]
fn spread_twice() -> Result<(), String> {
    Ok(())
}

#[retry(backoff = "decorrelated", multiplier = 2.0)]
fn grown_twice() -> Result<(), String> {
    Ok(())
}

#[retry(backoff = delay, base_delay = "1s", multiplier = 2.0)]
fn based_twice() -> Result<(), String> {
    Ok(())
}

#[retry(when = String::is_empty, retry_on = _)]
fn asked_twice() -> Result<(), String> {
    Ok(())
}

#[retry(budget = "none", budget_ratio = 0.1)]
fn ratio_of_nothing() -> Result<(), String> {
    Ok(())
}

#[retry(budget = "payments", budget_floor = 5)]
fn floor_of_another() -> Result<(), String> {
    Ok(())
}

fn main() {}
