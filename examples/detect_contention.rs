//! `#[detect_contention]`: finds out who waits for a shared thing, for how long, and because of whom. Waits over a
//! threshold are events; a wait over the limit is an error that names the holder.
//!
//! Run it: `cargo run --example detect_contention`

use std::time::{Duration, Instant};

use resilience::{
    Resource, detect_contention,
    events::{self, Event},
};

#[derive(Debug, thiserror::Error)]
enum LedgerError {
    #[error(transparent)]
    Resilience(#[from] resilience::Error),
}

/// Holds the ledger for as long as it takes.
#[detect_contention(name = "ledger", max_wait = "150ms", contention_threshold = "30ms")]
async fn close_the_books(takes: Duration) -> Result<(), LedgerError> {
    tokio::time::sleep(takes).await;
    Ok(())
}

/// A sync function shares the ledger, and its queue, with the async ones.
#[detect_contention(name = "ledger")]
fn book(cents: u32) -> Result<u32, LedgerError> {
    Ok(cents)
}

#[tokio::main]
async fn main() -> Result<(), LedgerError> {
    let _subscription = events::subscribe(|event| {
        if let Event::ContentionDetected { name, function, waited, threshold, .. } = event {
            println!("  event: {function} waited {waited:.0?} for `{name}`, threshold {threshold:?}");
        }
    });

    println!("Nobody else at the ledger:");
    book_from_another_thread().await;

    for hold in [80, 400] {
        println!("The books are being closed, which takes {hold} ms:");
        let closing = tokio::spawn(close_the_books(Duration::from_millis(hold)));
        while Resource::named("ledger").snapshot().holders.is_empty() {
            tokio::task::yield_now().await;
        }
        book_from_another_thread().await;
        closing.await.expect("closing the books does not panic")?;
    }

    let ledger = Resource::named("ledger").snapshot();
    println!(
        "`{}`: taken {} times, {:.0} % of calls had to wait, longest wait {:.0?}, {} gave up",
        ledger.name,
        ledger.acquisitions,
        ledger.contention_rate() * 100.0,
        ledger.longest_wait,
        ledger.timeouts
    );
    Ok(())
}

async fn book_from_another_thread() {
    let start = Instant::now();
    let booking = tokio::task::spawn_blocking(|| book(12_50)).await.expect("booking does not panic");
    match booking {
        Ok(cents) => println!("  booked {cents} cents after {} ms", start.elapsed().as_millis()),
        Err(error) => println!("  not booked: {error}"),
    }
}
