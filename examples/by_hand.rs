//! What the attributes do, done by hand: on the same named instances, or on instances built from a configuration that
//! is only known when the program runs. `resilience::instances()` lists all of them.
//!
//! Run it: `cargo run --example by_hand`

use std::time::Duration;

use resilience::{Bulkhead, CircuitBreaker, Error, Failure, Retry, Timeout, circuit_breaker, timeout};

#[derive(Debug, thiserror::Error)]
enum SearchError {
    #[error("status {0}")]
    Status(u16),
    #[error(transparent)]
    Resilience(#[from] Error),
}

/// The attributes define `search`, the circuit, and `search`, the timeout, before anybody calls this.
#[circuit_breaker(name = "search", failure_threshold = 3, recovery_timeout = "10s")]
#[timeout("40ms", name = "search")]
async fn search(query: &str) -> Result<String, SearchError> {
    answer(query).await
}

async fn answer(query: &str) -> Result<String, SearchError> {
    match query {
        "" => Err(SearchError::Status(500)),
        _ => Ok(format!("results for {query}")),
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    resilience::verify()?;

    // The instances of the function above. `*_nested` takes work that is under a policy already, so that a refusal
    // stays apart from the work's own error on its way out: the circuit would not count a full bulkhead as a failure.
    let circuit = CircuitBreaker::named("search");
    let limit = Timeout::named("search");
    for query in ["tents", "", ""] {
        match circuit.run_nested(limit.run(answer(query))).await {
            Ok(results) => println!("by hand:      {results}"),
            Err(Failure::Inner(error)) => println!("by hand:      the search failed: {error}"),
            Err(Failure::Rejected(refusal)) => println!("by hand:      refused: {refusal}"),
        }
    }
    // Two failures by hand, the third by attribute: one circuit. It opens for both.
    for query in ["", "tents"] {
        match search(query).await {
            Ok(results) => println!("by attribute: {results}"),
            Err(error) => println!("by attribute: {error}"),
        }
    }
    let refused = circuit.run(answer("tents")).await;
    println!("by hand:      {}", refused.expect_err("the circuit is open"));

    // Instances of one's own, from settings that come from elsewhere. A setting that makes no sense is an error.
    let attempts = std::env::var("ATTEMPTS").ok().and_then(|attempts| attempts.parse().ok()).unwrap_or(3);
    let retry = Retry::builder("mail").max_attempts(attempts).base_delay(Duration::from_millis(10)).build()?;
    let bulkhead = Bulkhead::builder("mail").max_concurrent(2).build()?;
    let mut calls = 0;
    let sent = retry.call_nested(|| {
        bulkhead.call(|| {
            calls += 1;
            if calls < 3 { Err("greylisted") } else { Ok("sent") }
        })
    });
    println!("by hand:      mail {} at call {calls}", sent.unwrap_or("given up"));
    if let Err(invalid) = Bulkhead::builder("nobody gets in").max_concurrent(0).build() {
        println!("by hand:      {invalid}");
    }

    println!("\nWhat there is:");
    let all = resilience::instances();
    for circuit in &all.circuit_breakers {
        println!("  circuit breaker {:<8} {}, {} failures", circuit.name, circuit.state, circuit.failures);
    }
    for retry in &all.retries {
        println!("  retry           {:<8} {} calls, {} attempts", retry.name, retry.calls, retry.attempts);
    }
    for bulkhead in &all.bulkheads {
        println!(
            "  bulkhead        {:<8} {} of {} places taken",
            bulkhead.name, bulkhead.inside, bulkhead.settings.max_concurrent
        );
    }
    for timeout in &all.timeouts {
        println!(
            "  timeout         {:<8} {:?}, passed by {} of {} calls",
            timeout.name, timeout.settings.limit, timeout.timed_out, timeout.calls
        );
    }
    Ok(())
}
