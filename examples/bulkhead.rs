//! `#[bulkhead]`: a slow job gets a few places and no more, so that it cannot take all of the program with it. Without
//! a queue a call that finds no place is rejected at once; with one it waits, for a bounded time and in order.
//!
//! Run it: `cargo run --example bulkhead`

use std::{
    thread,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use resilience::{Bulkhead, bulkhead};

#[derive(Debug, thiserror::Error)]
enum ReportError {
    #[error("not now: {0}")]
    Busy(#[from] resilience::Error),
}

/// No queue: two at a time, the others are told so at once.
#[bulkhead(name = "pdf", max_concurrent = 2)]
async fn render_pdf(page: u32) -> Result<String, ReportError> {
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(format!("page {page} rendered"))
}

/// A queue of two: the next two wait, for at most a second; whoever comes after them is rejected.
#[bulkhead(name = "thumbnails", max_concurrent = 2, max_queue = 2, max_wait = "1s")]
fn shrink(image: u32) -> Result<String, ReportError> {
    thread::sleep(Duration::from_millis(100));
    Ok(format!("image {image} shrunk"))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    println!("Five pages at once, two places, no queue:");
    let start = Instant::now();
    join_all((1..=5).map(async |page| show(start, render_pdf(page).await))).await;

    println!("Five images at once, two places, a queue of two:");
    tokio::task::spawn_blocking(shrink_all).await?;

    for bulkhead in Bulkhead::all() {
        let seen = bulkhead.snapshot();
        println!(
            "`{}`: {} let in, {} rejected, longest wait {} ms",
            seen.name,
            seen.admitted,
            seen.rejected_full + seen.rejected_wait,
            seen.waits.longest.as_millis()
        );
    }
    Ok(())
}

fn shrink_all() {
    let start = Instant::now();
    thread::scope(|scope| {
        for image in 1..=5 {
            scope.spawn(move || show(start, shrink(image)));
            // So that they come in order.
            thread::sleep(Duration::from_millis(5));
        }
    });
}

fn show(start: Instant, result: Result<String, ReportError>) {
    let line = result.unwrap_or_else(|error| error.to_string());
    println!("  after {:>3} ms: {line}", start.elapsed().as_millis());
}
