//! Retries: what a call costs that succeeds at once.

use backon::{BlockingRetryable, ExponentialBuilder, Retryable};
use layered::{Execute, Stack};
use resilience::Retry;
use tower::{Layer, service_fn};
use tower_resilience::retry::RetryLayer;

use crate::{
    batch::succeeding,
    case::Case,
    peers::{recovery, seatbelt, seatbelt_context, tower},
    target::Target,
    work::{Fault, complete, ready, work},
};

pub(crate) fn cases() -> Vec<Case> {
    vec![first_try(), first_try_async()]
}

fn first_try() -> Case {
    let ours = Retry::named("first try");
    let backon = ExponentialBuilder::default();
    Case::new("first try, sync", succeeding(work), succeeding(move |n| ours.call(|| work(n))))
        .variant("by attribute", succeeding(annotated))
        .peer("backon", succeeding(move |n| BlockingRetryable::retry(|| work(n), backon).call()))
        .target(Target::OfOneOverFloor(0.8, "backon"))
}

fn first_try_async() -> Case {
    let ours = Retry::named("first try async");
    let backon = ExponentialBuilder::default();
    let seatbelt_retry = seatbelt::retry::Retry::layer("first_try", &seatbelt_context())
        .clone_input()
        .recovery_with(|out, _| recovery(out));
    let tower_retry = RetryLayer::<u64, u64, Fault>::builder().build();
    let floor = succeeding(|n| complete(ready(n)));
    Case::new("first try, async", floor, succeeding(move |n| complete(ours.run(|| ready(n)))))
        .variant("by attribute", succeeding(|n| complete(annotated_async(n))))
        .peer("backon", succeeding(move |n| complete(Retryable::retry(|| ready(n), backon))))
        .peer("seatbelt", seatbelt((seatbelt_retry, Execute::new(ready)).into_service()))
        .peer("tower-resilience", tower(tower_retry.layer(service_fn(ready))))
        .target(Target::OfOneOverFloor(0.8, "backon"))
}

#[resilience::retry]
fn annotated(n: u64) -> Result<u64, Fault> {
    work(n)
}

#[resilience::retry]
async fn annotated_async(n: u64) -> Result<u64, Fault> {
    ready(n).await
}
