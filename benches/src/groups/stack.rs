//! Stacks: circuit breaker, retry, timeout and bulkhead, in this order from the outside, around one future.

use backon::{ExponentialBuilder, Retryable};
use recloser::{AsyncRecloser, Recloser};
use resilience::{Bulkhead, CircuitBreaker, Failure, Retry, Timeout};
use tokio::sync::Semaphore;
use tower::{Service, ServiceBuilder, service_fn};
use tower_resilience::{
    bulkhead::{BulkheadLayer, BulkheadServiceError},
    circuitbreaker::CircuitBreakerLayer,
    retry::RetryLayer,
    timelimiter::{TimeLimiterError, TimeLimiterLayer},
};

use crate::{
    batch::{Batch, succeeding},
    case::Case,
    peers::{LIMIT, tower},
    target::Target,
    work::{Fault, complete, ready},
};

const ASSEMBLED: &str = "recloser + backon + tokio";

pub(crate) fn cases() -> Vec<Case> {
    let floor = succeeding(|n| complete(ready(n)));
    let case = Case::new("four layers, ready", floor, succeeding(|n| complete(annotated(n))))
        .variant("by hand", by_hand())
        .peer(ASSEMBLED, assembled())
        .peer("tower-resilience", tower(tower_layers()))
        .target(Target::OfOne(0.25, ASSEMBLED))
        .target(Target::OfOne(0.05, "tower-resilience"))
        .target(Target::OfOne(1.3, "by hand"))
        .target(Target::NoAllocation)
        .in_runtime();
    vec![case]
}

#[resilience::circuit_breaker(failure_threshold = 5)]
#[resilience::retry(max_attempts = 3)]
#[resilience::timeout("1h")]
#[resilience::bulkhead(max_concurrent = 10)]
async fn annotated(n: u64) -> Result<u64, Fault> {
    ready(n).await
}

/// The same on the runtime API, with handles obtained once.
fn by_hand() -> Batch {
    let circuit = CircuitBreaker::builder("stack").failure_threshold(5).build().expect("sound");
    let retry = Retry::builder("stack").max_attempts(3).build().expect("sound");
    let timeout = Timeout::builder("stack").limit(LIMIT).build().expect("sound");
    let bulkhead = Bulkhead::builder("stack").max_concurrent(10).build().expect("sound");
    succeeding(move |n| {
        let attempt = || timeout.run_nested(bulkhead.run(ready(n)));
        complete(circuit.run_nested(retry.run_nested(attempt))).map_err(|failure| match failure {
            Failure::Inner(fault) => fault,
            Failure::Rejected(error) => error.into(),
        })
    })
}

/// The same from the fastest crate for each layer.
fn assembled() -> Batch {
    let circuit = AsyncRecloser::from(Recloser::default());
    let retry = ExponentialBuilder::default().with_max_times(2);
    let bulkhead = Semaphore::new(10);
    succeeding(move |n| {
        let inside = async || {
            let _permit = bulkhead.acquire().await.map_err(|_| Fault::REFUSED)?;
            ready(n).await
        };
        let attempt = || async { tokio::time::timeout(LIMIT, inside()).await.unwrap_or(Err(Fault::REFUSED)) };
        complete(circuit.call(attempt.retry(retry))).map_err(|error| match error {
            recloser::Error::Inner(fault) => fault,
            recloser::Error::Rejected => Fault::REFUSED,
        })
    })
}

/// The same as tower layers.
fn tower_layers() -> impl Service<u64> {
    let circuit = CircuitBreakerLayer::builder().consecutive_failures(5).build().expect("sound");
    let retry =
        RetryLayer::<u64, u64, TimeLimiterError<BulkheadServiceError<Fault>>>::builder().max_attempts(3).build();
    let timeout = TimeLimiterLayer::builder().timeout_duration(LIMIT).build();
    let bulkhead = BulkheadLayer::builder().max_concurrent_calls(10).build().expect("sound");
    ServiceBuilder::new().layer(circuit).layer(retry).layer(timeout).layer(bulkhead).service(service_fn(ready))
}
