//! A thousand clients call a service once a second, and for two seconds it is down. How the clients retry decides what
//! the service meets when it comes back.
//!
//! Run it: `cargo run --example retry_storm`. Time is virtual, so twelve seconds pass in a moment.

use std::{
    cell::{Cell, RefCell},
    fmt::Write as _,
    rc::Rc,
    time::Duration,
};

use resilience::{Retry, retry, retry::Snapshot, testing::TestScope};
use tokio::{
    task::{LocalSet, spawn_local},
    time::{Instant, sleep, sleep_until},
};

const CLIENTS: u32 = 1000;
const SECONDS: u32 = 12;
/// The clients' calls come within the first part of each second, as those of jobs on a schedule do.
const SPREAD: Duration = Duration::from_millis(300);
const OUTAGE: std::ops::Range<u64> = 3000..5000;
/// Load is measured in slots; the service serves so many requests in one, and turns away the rest.
const SLOT: u64 = 100;
const CAPACITY: u32 = 500;

#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("connection refused")]
    Down,
    #[error("503 too many requests")]
    Overloaded,
}

/// The service, and what it remembers of its load.
struct Service {
    start: Instant,
    load: RefCell<Vec<u32>>,
    turned_away: Cell<u32>,
    last_failure: Cell<u64>,
}

impl Service {
    fn new() -> Self {
        let slots = usize::try_from(u64::from(SECONDS) * 1000 / SLOT).expect("few slots");
        let load = RefCell::new(vec![0; slots]);
        Self { start: Instant::now(), load, turned_away: Cell::new(0), last_failure: Cell::new(0) }
    }

    async fn request(&self) -> Result<(), Failed> {
        let now = u64::try_from(self.start.elapsed().as_millis()).expect("a few seconds");
        let load = {
            let mut slots = self.load.borrow_mut();
            let slot = usize::try_from(now / SLOT).expect("few slots").min(slots.len() - 1);
            slots[slot] += 1;
            slots[slot]
        };
        sleep(Duration::from_millis(5)).await;
        if !OUTAGE.contains(&now) && load <= CAPACITY {
            return Ok(());
        }
        self.last_failure.set(self.last_failure.get().max(now));
        if OUTAGE.contains(&now) {
            return Err(Failed::Down);
        }
        self.turned_away.set(self.turned_away.get() + 1);
        Err(Failed::Overloaded)
    }
}

#[retry(name = "naive", max_attempts = 8, base_delay = "100ms", max_delay = "1s", jitter = "none", budget = "none")]
async fn naive(service: &Service) -> Result<(), Failed> {
    service.request().await
}

/// Jitter and budget are there by default.
#[retry(name = "careful", max_attempts = 8, base_delay = "100ms", max_delay = "1s")]
async fn careful(service: &Service) -> Result<(), Failed> {
    service.request().await
}

/// What came of one way to retry.
struct Outcome {
    load: Vec<u32>,
    turned_away: u32,
    last_failure: u64,
    retry: Snapshot,
}

fn simulate(name: &str, call: impl AsyncFn(&Service) -> Result<(), Failed> + Copy + 'static) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    // The seed makes the jitter of every run the same.
    let scope = TestScope::new().seeded(1);
    let clients = LocalSet::new();
    runtime.expect("a runtime").block_on(clients.run_until(async {
        let service = Rc::new(Service::new());
        for second in 0..SECONDS {
            for client in 0..CLIENTS {
                sleep_until(service.start + Duration::from_secs(second.into()) + SPREAD / CLIENTS * client).await;
                let service = service.clone();
                spawn_local(scope.run(async move { drop(call(&service).await) }));
            }
        }
        sleep_until(service.start + Duration::from_secs(SECONDS.into())).await;
        Outcome {
            load: service.load.take(),
            turned_away: service.turned_away.get(),
            last_failure: service.last_failure.get(),
            retry: scope.call(|| Retry::named(name).snapshot()),
        }
    }))
}

/// Load over time: a column for each slot, the outage and the capacity marked.
fn chart(load: &[u32], highest: u32) -> String {
    const HEIGHT: u32 = 12;
    let mut chart = String::new();
    for row in (0..HEIGHT).rev() {
        let (floor, step) = (highest * row / HEIGHT, highest / HEIGHT);
        let is_capacity = (floor..floor + step).contains(&CAPACITY);
        write!(chart, "{:>6} ", if is_capacity || row == 0 { (floor + step / 2).to_string() } else { String::new() })
            .expect("a string takes all");
        for (slot, load) in load.iter().enumerate() {
            let eighths = (load.saturating_sub(floor) * 8).div_ceil(step.max(1)).min(8);
            let empty = match () {
                () if is_capacity => '·',
                () if OUTAGE.contains(&(slot as u64 * SLOT)) => '░',
                () => ' ',
            };
            chart.push([empty, '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][usize::try_from(eighths).unwrap_or(8)]);
        }
        chart.push('\n');
    }
    let seconds: String = (0..SECONDS).map(|second| format!("{:<10}", format!("{second}s"))).collect();
    chart + "       " + &seconds
}

fn report(title: &str, outcome: &Outcome, highest: u32) {
    let Outcome { load, turned_away, last_failure, retry } = outcome;
    let slots = |from: u64, to: u64| (from / SLOT..to / SLOT).filter_map(|slot| load.get(usize::try_from(slot).ok()?));
    let during: u32 = slots(OUTAGE.start, OUTAGE.end).sum();
    let before: u32 = slots(OUTAGE.start - 2000, OUTAGE.start).sum();
    println!("{title}\n{}", chart(load, highest));
    println!(
        "  requests in the two seconds of the outage: {during}, {:.1} times those of the two seconds before",
        f64::from(during) / f64::from(before)
    );
    println!(
        "  highest load afterwards: {} requests in {SLOT} ms, of {CAPACITY} that fit; turned away in all: {turned_away}",
        slots(OUTAGE.end, u64::from(SECONDS) * 1000).max().unwrap_or(&0)
    );
    println!("  last failed request: {:.1} s after the outage", (last_failure.saturating_sub(OUTAGE.end)) as f64 / 1e3);
    println!(
        "  calls {}, retries {}, refused by the budget {}, saved by a retry {}\n",
        retry.calls, retry.retries, retry.refused_by_budget, retry.succeeded_after_retry
    );
}

fn main() {
    println!(
        "{CLIENTS} clients call once a second; the service serves {CAPACITY} requests in {SLOT} ms, and is down from {} s \
         to {} s.\nLoad over time, in requests per {SLOT} ms (░ outage, · capacity):\n",
        OUTAGE.start / 1000,
        OUTAGE.end / 1000
    );
    let naive = simulate("naive", naive);
    let careful = simulate("careful", careful);
    let highest = naive.load.iter().chain(&careful.load).copied().max().unwrap_or(1);
    report("Without jitter and budget", &naive, highest);
    report("With both, as by default", &careful, highest);
}
