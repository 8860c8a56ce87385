//! `#[circuit_breaker]`: after a run of failures a bank is left alone, and a single probe finds out that it is back. A
//! sync and an async function name the same circuit, so what one of them learns helps the other.
//!
//! Run it: `cargo run --example circuit_breaker`

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

use resilience::{
    CircuitBreaker, circuit_breaker,
    events::{self, Event},
};

#[derive(Debug, thiserror::Error)]
enum BankError {
    #[error("the bank does not answer")]
    Down,
    #[error("the card is declined")]
    Declined,
    #[error(transparent)]
    Resilience(#[from] resilience::Error),
}

impl BankError {
    /// A declined card is an answer: it says nothing against the bank.
    fn is_outage(&self) -> bool {
        matches!(self, Self::Down)
    }
}

#[derive(Default)]
struct Bank {
    down: AtomicBool,
    requests: AtomicU32,
}

impl Bank {
    #[circuit_breaker(
        name = "bank",
        failure_threshold = 3,
        recovery_timeout = "200ms",
        failure_when = BankError::is_outage
    )]
    async fn charge(&self, euros: u32) -> Result<String, BankError> {
        self.answer()?;
        if euros > 100 { Err(BankError::Declined) } else { Ok(format!("charged {euros} euros")) }
    }

    /// The name alone joins the circuit above, with its settings.
    #[circuit_breaker(name = "bank")]
    fn balance(&self) -> Result<String, BankError> {
        self.answer()?;
        Ok("balance is 42 euros".to_owned())
    }

    fn answer(&self) -> Result<(), BankError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) { Err(BankError::Down) } else { Ok(()) }
    }
}

#[tokio::main]
async fn main() {
    let _subscription = events::subscribe(|event| {
        if let Event::CircuitStateChanged { name, from, to, why, .. } = event {
            println!("    circuit `{name}`: {from} -> {to} ({why})");
        }
    });
    let bank = Bank::default();

    println!("The bank works:");
    show(bank.charge(20).await);
    show(bank.charge(500).await);

    println!("The bank goes down:");
    bank.down.store(true, Ordering::SeqCst);
    for _ in 0..4 {
        show(bank.charge(20).await);
    }
    show(bank.balance());

    println!("The bank is back, and the recovery timeout passes:");
    bank.down.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(220)).await;
    show(bank.balance());
    show(bank.charge(20).await);

    let (requests, circuit) = (bank.requests.load(Ordering::SeqCst), CircuitBreaker::named("bank").snapshot());
    println!("{requests} requests reached the bank, {} were spared it.", circuit.rejected);
}

fn show(result: Result<String, BankError>) {
    println!("  {}", result.unwrap_or_else(|error| format!("error: {error}")));
}
