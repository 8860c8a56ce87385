//! Order of attributes is order of wrapping: the top one is outermost. The same two attributes the other way round mean
//! something else, and this prints what.
//!
//! Run it: `cargo run --example stacking`

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use resilience::{CircuitBreaker, circuit_breaker, retry, timeout};

#[derive(Debug, thiserror::Error)]
enum ApiError {
    #[error("no connection")]
    NoConnection,
    #[error(transparent)]
    Resilience(#[from] resilience::Error),
}

/// A service that is slow at first, or down altogether; it counts its requests.
#[derive(Default)]
struct Service {
    slow_answers: u32,
    requests: AtomicU32,
}

impl Service {
    async fn answer(&self) -> Result<&'static str, ApiError> {
        let request = self.requests.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(if request < self.slow_answers { 500 } else { 10 })).await;
        Ok("answer")
    }

    async fn refuse(&self) -> Result<&'static str, ApiError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        Err(ApiError::NoConnection)
    }
}

// Each attempt has 100 ms, so a slow attempt is followed by another.
#[retry(max_attempts = 3, base_delay = "10ms", jitter = "none")]
#[timeout("100ms")]
async fn timeout_per_attempt(service: &Service) -> Result<&'static str, ApiError> {
    service.answer().await
}

// All attempts and the delays between them have 100 ms together, so a slow attempt is the last.
#[timeout("100ms")]
#[retry(max_attempts = 3, base_delay = "10ms", jitter = "none")]
async fn timeout_in_total(service: &Service) -> Result<&'static str, ApiError> {
    service.answer().await
}

// The circuit sees every attempt. It may open between two of them, and retry does not hammer an open circuit.
#[retry(max_attempts = 3, base_delay = "10ms", jitter = "none")]
#[circuit_breaker(name = "inside", failure_threshold = 4)]
async fn circuit_inside(service: &Service) -> Result<&'static str, ApiError> {
    service.refuse().await
}

// The circuit sees what became of all attempts together: three failed attempts are one failure.
#[circuit_breaker(name = "outside", failure_threshold = 4)]
#[retry(max_attempts = 3, base_delay = "10ms", jitter = "none")]
async fn circuit_outside(service: &Service) -> Result<&'static str, ApiError> {
    service.refuse().await
}

#[tokio::main]
async fn main() {
    println!("The first answer takes 500 ms, the next 10 ms. Limit 100 ms, up to 3 attempts.");
    let service = Service { slow_answers: 1, ..Service::default() };
    service.report("retry over timeout", async || timeout_per_attempt(&service).await, 1).await;
    let service = Service { slow_answers: 1, ..Service::default() };
    service.report("timeout over retry", async || timeout_in_total(&service).await, 1).await;

    println!("\nNo connection at all, called 6 times. The circuit opens at 4 failures, up to 3 attempts.");
    let service = Service::default();
    service.report("retry over circuit", async || circuit_inside(&service).await, 6).await;
    let service = Service::default();
    service.report("circuit over retry", async || circuit_outside(&service).await, 6).await;
    for name in ["inside", "outside"] {
        let circuit = CircuitBreaker::named(name).snapshot();
        println!("  circuit `{name}`: {} failures counted, {} attempts rejected", circuit.failures, circuit.rejected);
    }
}

impl Service {
    /// Makes the calls, and prints what each of them cost the service.
    async fn report(&self, order: &str, call: impl AsyncFn() -> Result<&'static str, ApiError>, calls: usize) {
        let start = Instant::now();
        let (mut requests, mut last) = (Vec::new(), String::new());
        for _ in 0..calls {
            let before = self.requests.load(Ordering::SeqCst);
            last = call().await.map_or_else(|error| format!("error: {error}"), str::to_owned);
            requests.push(self.requests.load(Ordering::SeqCst) - before);
        }
        println!("  {order}: requests per call {requests:?}, {} ms", start.elapsed().as_millis());
        println!("    in the end: {last}");
    }
}
