//! The two runs side by side, and what they say, in one sentence.

use std::time::Duration;

use crate::{
    incident::{OVER, Phase},
    load::PATIENCE,
    services::Calls,
    tape::{Outcome, Visit},
};

/// What a run came to.
pub(crate) struct Summary {
    shoppers: usize,
    full: usize,
    degraded: usize,
    failed: usize,
    gave_up: usize,
    /// Those who came while payments hung, and how many of them were served.
    came_in_outage: usize,
    served_in_outage: usize,
    /// Waiting time of all shoppers together.
    waited: Duration,
    /// The median wait of those who were not served.
    failed_median: Duration,
    p99: Duration,
    worst: Duration,
    calls: Calls,
    /// From the end of the outage to the first order placed.
    first_order: Option<Duration>,
    /// From the end of the outage to the last visit that failed.
    last_failure: Option<Duration>,
}

impl Summary {
    pub(crate) fn new(visits: &[Visit], calls: Calls) -> Self {
        let count = |outcome| visits.iter().filter(|visit| visit.outcome == outcome).count();
        let sorted = |served: &[bool]| {
            let mut waits: Vec<_> =
                visits.iter().filter(|visit| served.contains(&visit.outcome.is_served())).map(Visit::waited).collect();
            waits.sort_unstable();
            waits
        };
        let (all, failed) = (sorted(&[true, false]), sorted(&[false]));
        let in_outage = || visits.iter().filter(|visit| Phase::at(visit.arrived).is_outage());
        let after = |served| {
            visits
                .iter()
                .filter(move |visit| visit.left >= OVER && visit.outcome.is_served() == served)
                .map(|visit| visit.left.saturating_sub(OVER))
        };
        Self {
            shoppers: visits.len(),
            full: count(Outcome::Full),
            degraded: count(Outcome::Degraded),
            failed: count(Outcome::Failed),
            gave_up: count(Outcome::GaveUp),
            came_in_outage: in_outage().count(),
            served_in_outage: in_outage().filter(|visit| visit.outcome.is_served()).count(),
            waited: all.iter().sum(),
            failed_median: percentile(&failed, 50),
            p99: percentile(&all, 99),
            worst: percentile(&all, 100),
            calls,
            first_order: after(true).min(),
            last_failure: after(false).max(),
        }
    }

    fn served(&self) -> usize {
        self.full + self.degraded
    }
}

/// Prints the table and the sentence.
pub(crate) fn print(without: &Summary, with: &Summary) {
    let row = |label: &str, of: &dyn Fn(&Summary) -> String| println!("{label:<42}{:>14}{:>14}", of(without), of(with));
    println!("{:<42}{:>14}{:>14}", "", "without", "with");
    row("shoppers", &|run| run.shoppers.to_string());
    row("served", &|run| run.served().to_string());
    row("  in full", &|run| run.full.to_string());
    row("  without recommendations", &|run| run.degraded.to_string());
    row("not served", &|run| (run.failed + run.gave_up).to_string());
    row("  told so by the shop", &|run| run.failed.to_string());
    row(&format!("  left after {} without an answer", time(PATIENCE)), &|run| run.gave_up.to_string());
    row("waiting, all shoppers together", &|run| time(run.waited));
    row("  median of those not served", &|run| time(run.failed_median));
    row("  99th percentile", &|run| time(run.p99));
    row("  worst", &|run| time(run.worst));
    row("calls that reached a broken service", &|_| String::new());
    row("  payments, while it hung", &|run| run.calls.payments.to_string());
    row("  inventory, while half of them failed", &|run| run.calls.inventory.to_string());
    row("after the outage", &|_| String::new());
    row("  first order after", &|run| run.first_order.map_or("never".to_owned(), time));
    row("  last failure after", &|run| run.last_failure.map_or("none".to_owned(), time));
    println!("\n{}", verdict(without, with));
}

/// One sentence that holds whichever way the numbers went.
fn verdict(without: &Summary, with: &Summary) -> String {
    let first = |run: &Summary| run.first_order.map_or("never".to_owned(), |after| format!("{} later", time(after)));
    let better = with.served() > without.served()
        && with.waited < without.waited
        && with.calls.payments < without.calls.payments
        && with.first_order.unwrap_or(Duration::MAX) < without.first_order.unwrap_or(Duration::MAX);
    format!(
        "{} {} shoppers were served instead of {}, and all together waited {} instead of {};\n\
         payments got {} calls while it hung instead of {}, and once it was back the first order went through\n\
         {} instead of {}; of the {} who came while it hung, {} got served with attributes and {} without{}.",
        if better { "With the attributes" } else { "No clear gain in this run: with the attributes" },
        with.served(),
        without.served(),
        time(with.waited),
        time(without.waited),
        with.calls.payments,
        without.calls.payments,
        first(with),
        first(without),
        with.came_in_outage,
        with.served_in_outage,
        without.served_in_outage,
        if better { ":\nthey do not replace a dead service, they keep it from taking the shop with it" } else { "" },
    )
}

/// The smallest wait that so many percent do not exceed; zero if nobody waited.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 0.9995 => format!("{:.0} ms", seconds * 1e3),
        seconds if seconds < 99.95 => format!("{seconds:.1} s"),
        seconds => format!("{seconds:.0} s"),
    }
}
