//! `#[retry]`: calls again what may work the next time, with growing delays, and leaves alone what will not.
//!
//! Run it: `cargo run --example retry`

use std::{
    io,
    sync::atomic::{AtomicU32, Ordering},
    time::Instant,
};

use resilience::{Retry, retry};

/// With `#[retry]` alone no layer refuses calls, so the error type needs no variant for it.
#[derive(Debug, thiserror::Error)]
enum ApiError {
    #[error("503 service unavailable")]
    Unavailable,
    #[error("404 no such city: {0}")]
    NotFound(String),
}

impl ApiError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable)
    }
}

/// A weather service that turns down the first two requests.
#[derive(Default)]
struct Weather {
    requests: AtomicU32,
}

impl Weather {
    #[retry(name = "weather", max_attempts = 4, base_delay = "40ms", jitter = "equal", when = ApiError::is_transient)]
    async fn forecast(&self, city: &str) -> Result<String, ApiError> {
        match self.requests.fetch_add(1, Ordering::SeqCst) {
            _ if city == "Atlantis" => Err(ApiError::NotFound(city.to_owned())),
            0 | 1 => Err(ApiError::Unavailable),
            _ => Ok(format!("sunny in {city}")),
        }
    }
}

/// Sync functions wait by blocking the thread. Closures do as predicates, and any error type does, such as `io::Error`.
#[retry(name = "disk", max_attempts = 3, backoff = "fixed", base_delay = "20ms", jitter = "none",
        when = |error: &io::Error| error.kind() == io::ErrorKind::Interrupted)]
fn save(attempts: &mut Vec<Instant>, report: String) -> io::Result<usize> {
    attempts.push(Instant::now());
    // Owned arguments are cloned for each attempt but the last, so the body may use them up.
    let bytes = report.into_bytes();
    if attempts.len() < 3 { Err(io::ErrorKind::Interrupted.into()) } else { Ok(bytes.len()) }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let weather = Weather::default();
    for city in ["Lisbon", "Atlantis"] {
        let before = weather.requests.load(Ordering::SeqCst);
        let answer = weather.forecast(city).await.unwrap_or_else(|error| error.to_string());
        println!("{answer}: requests {}", weather.requests.load(Ordering::SeqCst) - before);
    }

    tokio::task::spawn_blocking(save_report).await??;

    for retry in Retry::all() {
        let seen = retry.snapshot();
        println!(
            "`{}`: calls {}, attempts {}, saved by a retry {}, not worth one {}, waited {} ms in all",
            seen.name,
            seen.calls,
            seen.attempts,
            seen.succeeded_after_retry,
            seen.not_retried,
            seen.total_wait.as_millis()
        );
    }
    Ok(())
}

fn save_report() -> io::Result<()> {
    let mut attempts = Vec::new();
    let bytes = save(&mut attempts, "all quiet".to_owned())?;
    let waits: Vec<_> = attempts.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
    println!("saved {bytes} bytes at attempt {}, after waits of {waits:?} ms", attempts.len());
    Ok(())
}
