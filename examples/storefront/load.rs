//! The shoppers: one arrives every few milliseconds whether or not the shop keeps up, as on any real day.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use crate::{
    incident::Incident,
    shop::{Backend, Shop},
    tape::Tape,
};

const SHOPPERS: u32 = 520;
const GAP: Duration = Duration::from_millis(25);
/// How long a shopper waits for an answer before leaving.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);

/// The load, as a sentence for the reader.
pub(crate) fn description() -> String {
    format!(
        "Load: {SHOPPERS} shoppers, one every {} ms; each leaves after {} s without an answer.",
        GAP.as_millis(),
        PATIENCE.as_secs()
    )
}

/// Sends all shoppers through the shop. Ends at the latest [`PATIENCE`] after the last one has arrived.
pub(crate) async fn run<B: Backend>(shop: Arc<Shop<B>>, incident: Incident, tape: Arc<Tape>) {
    let mut arrivals = interval(GAP);
    // On a busy machine a late shopper is made up for, so that the load stays the same.
    arrivals.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut shoppers = JoinSet::new();
    for order in 0..SHOPPERS {
        arrivals.tick().await;
        let (shop, tape) = (Arc::clone(&shop), Arc::clone(&tape));
        shoppers.spawn(async move {
            let arrived = tape.arrive(incident.elapsed());
            let outcome = shop.visit(order).await;
            tape.leave(arrived, incident.elapsed(), outcome);
        });
    }
    while shoppers.join_next().await.is_some() {}
}
