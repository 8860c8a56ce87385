//! `#[timeout]`: an async call is dropped at its limit. A sync call cannot be stopped from outside, so its attribute
//! says how it ends: it looks at its deadline itself, or it is left to a worker thread.
//!
//! Run it: `cargo run --example timeout`

use std::{
    thread,
    time::{Duration, Instant},
};

use resilience::{Timeout, checkpoint, timeout};

#[derive(Debug, thiserror::Error)]
enum SearchError {
    #[error(transparent)]
    Resilience(#[from] resilience::Error),
}

#[timeout("50ms", name = "remote search")]
async fn search(takes: Duration) -> Result<&'static str, SearchError> {
    tokio::time::sleep(takes).await;
    Ok("3 results")
}

/// The caller's own patience: an expression over the arguments.
#[timeout(patience, name = "suggestions")]
async fn suggest(patience: Duration) -> Result<&'static str, SearchError> {
    tokio::time::sleep(Duration::from_millis(30)).await;
    Ok("did you mean..")
}

/// Borrows what it likes, stays on this thread, and stops at its next checkpoint.
#[timeout("50ms", mode = "cooperative", name = "scan")]
fn scan(rows: &[u32], wanted: u32) -> Result<usize, SearchError> {
    let mut found = 0;
    for row in rows {
        checkpoint()?;
        thread::sleep(Duration::from_millis(1)); // the work on one row
        found += usize::from(*row == wanted);
    }
    Ok(found)
}

/// Calls something that knows no checkpoints. It runs on a worker thread, so its arguments are owned.
#[timeout("50ms", mode = "detach", name = "old library")]
fn old_library(query: String) -> Result<usize, SearchError> {
    thread::sleep(Duration::from_millis(if query.is_empty() { 150 } else { 1 }));
    Ok(query.len())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    println!("async, dropped at its limit:");
    for takes in [Duration::from_millis(10), Duration::from_secs(60)] {
        let start = Instant::now();
        show(start, search(takes).await);
    }
    for patience in [100, 10] {
        let start = Instant::now();
        show(start, suggest(Duration::from_millis(patience)).await);
    }
    Ok(tokio::task::spawn_blocking(synchronous).await?)
}

fn synchronous() {
    println!("sync, cooperative:");
    for rows in [10, 10_000] {
        let start = Instant::now();
        show(start, scan(&vec![7; rows], 7));
    }
    println!("sync, detached:");
    for query in ["rust", ""] {
        let start = Instant::now();
        show(start, old_library(query.to_owned()));
    }
    let left = Timeout::named("old library").snapshot();
    println!("  still running after their callers left: {}", left.detached);
}

fn show<T: std::fmt::Debug>(start: Instant, result: Result<T, SearchError>) {
    let after = start.elapsed().as_millis();
    match result {
        Ok(value) => println!("  after {after:>2} ms: {value:?}"),
        Err(error) => println!("  after {after:>2} ms: {error}"),
    }
}
