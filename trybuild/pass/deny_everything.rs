//! Generated code brings no warning into code that denies them all, and none where clippy is pedantic.

#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, unused_qualifications)]
#![deny(clippy::all, clippy::pedantic)]
#![forbid(unsafe_code)]

use std::{fmt::Display, sync::Arc, time::Duration};

use resilience::{bulkhead, circuit_breaker, detect_contention, retry, timeout};

/// What may go wrong.
#[derive(Debug)]
pub enum ApiError {
    /// The service said no.
    Refused(u16),
    /// The call was not let through.
    Resilience(resilience::Error),
}

impl ApiError {
    const fn is_transient(&self) -> bool {
        !matches!(self, Self::Refused(400..500))
    }
}

impl From<resilience::Error> for ApiError {
    fn from(error: resilience::Error) -> Self {
        Self::Resilience(error)
    }
}

const ATTEMPTS: u32 = 3;
const PLACES: u32 = 5;
const DELAY: Duration = Duration::from_millis(1);
const FACTOR: f64 = 1.5;

/// A client.
#[derive(Clone, Debug)]
pub struct Client {
    calls: u32,
}

impl Client {
    /// Stands under all five.
    ///
    /// # Errors
    ///
    /// Those of the service.
    #[bulkhead(name = "five", max_concurrent = PLACES, max_queue = PLACES - 1, max_wait = "1s")]
    #[detect_contention(max_wait = DELAY)]
    #[circuit_breaker(failure_when = |error| error.is_transient())]
    #[retry(max_attempts = ATTEMPTS, base_delay = DELAY, multiplier = FACTOR, when = ApiError::is_transient)]
    #[timeout(Duration::from_secs(u64::from(seconds)))]
    pub async fn five(&mut self, id: String, seconds: u8) -> Result<u32, ApiError> {
        if id.is_empty() {
            return Err(ApiError::Refused(404));
        }
        self.calls += 1;
        Ok(self.calls)
    }

    /// Stands under all five, without a future.
    ///
    /// # Errors
    ///
    /// Those of the service.
    #[bulkhead]
    #[detect_contention]
    #[circuit_breaker(failure_when = |error: &ApiError| { error.is_transient() })]
    #[retry(when = |_| true)]
    #[timeout("1s", mode = "detach", max_detached = 4)]
    pub fn five_sync(self: Arc<Self>, id: String) -> Result<u32, ApiError> {
        let length = u32::try_from(id.len()).map_err(|_| ApiError::Refused(413))?;
        Ok(self.calls + length)
    }

    /// Takes itself.
    ///
    /// # Errors
    ///
    /// None.
    #[retry]
    pub fn consume(mut self, (a, b): (u32, u32)) -> Result<u32, ApiError> {
        self.calls += a + b;
        Ok(self.calls)
    }
}

/// Is generic.
///
/// # Errors
///
/// Those of the service.
#[circuit_breaker]
#[retry(jitter = "proportional", jitter_factor = 0.5, when = |error| error.is_transient())]
pub async fn generic<T: Clone + Display + Send + Sync, const N: usize>(
    values: [T; N],
    show: impl Fn(&T) -> String + Clone + Send + Sync,
    into: &mut String,
    _unused: u8,
    _: &T,
) -> Result<impl Iterator<Item = T>, ApiError> {
    for value in &values {
        into.push_str(&show(value));
    }
    Ok(values.into_iter())
}

/// Keeps something.
#[derive(Debug, Default)]
pub struct Cache {
    value: Option<u32>,
}

impl Cache {
    /// Lends it.
    ///
    /// # Errors
    ///
    /// None.
    #[circuit_breaker]
    #[timeout("1s")]
    pub async fn lend(&mut self) -> Result<&mut u32, ApiError> {
        Ok(self.value.get_or_insert(3))
    }
}

/// Borrows.
///
/// # Errors
///
/// None.
#[detect_contention]
pub fn longest<'a>(a: &'a str, b: &'a str) -> Result<&'a str, ApiError> {
    Ok(if a.len() < b.len() { b } else { a })
}

#[retry]
fn only_retries() -> Result<(), String> {
    Ok(())
}

#[bulkhead(name = "shared")]
async fn only_a_bulkhead() -> Result<(), String> {
    Ok(())
}

#[timeout("10s", mode = "cooperative")]
#[must_use = "it may fail"]
fn only_a_timeout() -> Result<(), String> {
    #![allow(clippy::let_unit_value)]
    let done = resilience::checkpoint()?;
    Ok(done)
}

#[circuit_breaker(on_cancel = "failure", half_open_max_calls = 2)]
fn dynamic(fail: bool) -> Result<Box<dyn Display>, Box<dyn std::error::Error + Send + Sync>> {
    if fail {
        return Err("failed".into());
    }
    Ok(Box::new(3))
}

const fn assert_send(_: &impl Send) {}

fn main() {
    let client = Client { calls: 0 };
    let mut borrowed = client.clone();
    assert_send(&borrowed.five(String::new(), 1));
    assert!(Arc::new(client.clone()).five_sync(String::from("id")).is_ok());
    assert!(client.consume((1, 2)).is_ok());
    assert_send(&generic([1, 2], |_| String::new(), &mut String::new(), 0, &3));
    assert!(longest("a", "bc").is_ok());
    assert!(only_retries().is_ok());
    assert_send(&only_a_bulkhead());
    assert!(only_a_timeout().is_ok());
    assert!(dynamic(true).is_err());
}
