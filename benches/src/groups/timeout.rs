//! Timeouts: futures that are ready within their limit, at once or at their second poll.

use layered::{Execute, Stack};
use resilience::Timeout;
use tower::{Layer, service_fn};
use tower_resilience::timelimiter::TimeLimiterLayer;

use crate::{
    batch::succeeding,
    case::Case,
    peers::{LIMIT, seatbelt, seatbelt_context, tower},
    target::Target,
    work::{Fault, complete, pending_once, ready},
};

pub(crate) fn cases() -> Vec<Case> {
    vec![case("ready", ready, 0.35), case("pending once", pending_once, 1.15)]
}

fn case<F>(name: &'static str, work: fn(u64) -> F, limit: f64) -> Case
where
    F: Future<Output = Result<u64, Fault>> + Send + 'static,
{
    let ours = Timeout::builder(name).limit(LIMIT).build().expect("sound");
    let seatbelt_timeout = seatbelt::timeout::Timeout::layer("timeout", &seatbelt_context())
        .timeout_error(|_| Fault::REFUSED)
        .timeout(LIMIT);
    let tower_timeout = TimeLimiterLayer::builder().timeout_duration(LIMIT).build();
    let floor = succeeding(move |n| complete(work(n)));
    Case::new(name, floor, succeeding(move |n| complete(ours.run(work(n)))))
        .peer("tokio", succeeding(move |n| complete(limited(work(n)))))
        .peer("seatbelt", seatbelt((seatbelt_timeout, Execute::new(work)).into_service()))
        .peer("tower-resilience", tower(tower_timeout.layer(service_fn(work))))
        .target(Target::OfOne(limit, "tokio"))
        .in_runtime()
}

async fn limited(work: impl Future<Output = Result<u64, Fault>>) -> Result<u64, Fault> {
    tokio::time::timeout(LIMIT, work).await.unwrap_or(Err(Fault::REFUSED))
}
