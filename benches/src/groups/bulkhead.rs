//! Bulkheads: entering and leaving one that has room.

use resilience::Bulkhead;
use tokio::sync::Semaphore;
use tower::{Layer, service_fn};
use tower_resilience::bulkhead::BulkheadLayer;

use crate::{
    batch::succeeding,
    case::Case,
    peers::tower,
    target::Target,
    threads::threads,
    work::{Fault, complete, ready, work},
};

const PLACES: u32 = 10;

pub(crate) fn cases() -> Vec<Case> {
    vec![uncontended_async(), uncontended(), two_threads()]
}

fn uncontended_async() -> Case {
    let (ours, tokio) = (bulkhead("async"), semaphore());
    let tower_bulkhead = BulkheadLayer::builder().max_concurrent_calls(PLACES as usize).build().expect("sound");
    let floor = succeeding(|n| complete(ready(n)));
    Case::new("uncontended, async", floor, succeeding(move |n| complete(ours.run(ready(n)))))
        .peer("tokio acquire", succeeding(move |n| complete(acquired(&tokio, n))))
        .peer("tower-resilience", tower(tower_bulkhead.layer(service_fn(ready))))
        .target(Target::OfOne(0.75, "tokio acquire"))
}

fn uncontended() -> Case {
    let (ours, tokio) = (bulkhead("sync"), semaphore());
    Case::new("uncontended, sync", succeeding(work), succeeding(move |n| ours.call(|| work(n))))
        .peer("tokio try_acquire", succeeding(move |n| try_acquired(&tokio, n)))
        .target(Target::OfOne(0.75, "tokio try_acquire"))
}

fn two_threads() -> Case {
    let (ours, tokio) = (bulkhead("two threads"), semaphore());
    let floor = threads(2, |n| complete(ready(n)));
    Case::new("two threads, async", floor, threads(2, move |n| complete(ours.run(ready(n)))))
        .peer("tokio acquire", threads(2, move |n| complete(acquired(&tokio, n))))
        .target(Target::OfOne(0.75, "tokio acquire"))
}

fn bulkhead(name: &str) -> Bulkhead {
    Bulkhead::builder(name).max_concurrent(PLACES).build().expect("sound")
}

fn semaphore() -> Semaphore {
    Semaphore::new(PLACES as usize)
}

async fn acquired(semaphore: &Semaphore, n: u64) -> Result<u64, Fault> {
    let _permit = semaphore.acquire().await.map_err(|_| Fault::REFUSED)?;
    ready(n).await
}

fn try_acquired(semaphore: &Semaphore, n: u64) -> Result<u64, Fault> {
    let _permit = semaphore.try_acquire().map_err(|_| Fault::REFUSED)?;
    work(n)
}
