// What the functions of a retry take and return.

use std::time::Duration;

use resilience::retry;

#[derive(Debug)]
struct Failed;

impl Failed {
    fn seconds(&self) -> Option<u64> {
        None
    }
}

fn milliseconds(attempt: u32) -> u64 {
    attempt.into()
}

#[retry(retry_if_ok = |value: &String| value.is_empty())]
fn ok_of_another_type() -> Result<u32, Failed> {
    Ok(1)
}

#[retry(retry_after = Failed::seconds)]
fn hint_without_unit() -> Result<u32, Failed> {
    Ok(1)
}

#[retry(backoff = milliseconds)]
fn backoff_without_unit() -> Result<u32, Failed> {
    Ok(1)
}

#[retry(on_retry = |attempt, error| println!("{attempt}: {error:?}"))]
fn hook_without_delay() -> Result<u32, Failed> {
    Ok(1)
}

#[retry(on_retry = async |_, _, _| {})]
fn async_hook_of_sync_function() -> Result<u32, Failed> {
    Ok(1)
}

#[retry(on_retry = |_, _, delay| delay.as_secs())]
async fn hook_with_result() -> Result<u32, Failed> {
    Ok(1)
}

fn gave_up(attempts: u32, last: &Failed) -> Failed {
    println!("{attempts}: {last:?}");
    Failed
}

#[retry(exhausted = gave_up)]
fn mapped_by_reference() -> Result<u32, Failed> {
    Ok(1)
}

fn by_minutes(_: u32) -> Duration {
    Duration::from_secs(60)
}

#[retry(exhausted = "gave up", backoff = by_minutes)]
fn mapped_by_text() -> Result<u32, Failed> {
    Ok(1)
}

fn main() {}
