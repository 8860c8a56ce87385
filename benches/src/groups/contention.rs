//! Contention: taking and giving back a free resource, with wait and hold times on record.

use resilience::Resource;
use tokio::sync::Semaphore;

use crate::{
    batch::succeeding,
    case::Case,
    target::Target,
    work::{Fault, complete, ready},
};

pub(crate) fn cases() -> Vec<Case> {
    let ours = Resource::named("uncontended");
    let tokio = Semaphore::new(1);
    let floor = succeeding(|n| complete(ready(n)));
    let case = Case::new("uncontended, async", floor, succeeding(move |n| complete(ours.run(ready(n)))))
        .variant("by attribute", succeeding(|n| complete(annotated(n))))
        .peer("tokio acquire", succeeding(move |n| complete(acquired(&tokio, n))))
        .target(Target::OfOne(1.5, "tokio acquire"))
        .target(Target::NoAllocation);
    vec![case]
}

#[resilience::detect_contention]
async fn annotated(n: u64) -> Result<u64, Fault> {
    ready(n).await
}

async fn acquired(semaphore: &Semaphore, n: u64) -> Result<u64, Fault> {
    let _permit = semaphore.acquire().await.map_err(|_| Fault::REFUSED)?;
    ready(n).await
}
