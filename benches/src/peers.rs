//! How services of the peers are called: tower's and seatbelt's.

use std::time::Duration;

use seatbelt::{RecoveryInfo, ResilienceContext};
use tick::Clock;
use tower::{Service, ServiceExt};

use crate::{
    batch::{Batch, runtime, succeeding},
    work::{Fault, complete},
};

/// So long that it does not pass while it is measured.
pub(crate) const LIMIT: Duration = Duration::from_secs(3600);

/// A tower service: got ready and called, without a clone for each call.
pub(crate) fn tower<S: Service<u64> + 'static>(mut service: S) -> Batch {
    succeeding(move |n| complete(async { service.ready().await?.call(n).await }))
}

/// A service of seatbelt.
pub(crate) fn seatbelt<S>(service: S) -> Batch
where
    S: layered::Service<u64, Out = Result<u64, Fault>> + 'static,
{
    succeeding(move |n| complete(service.execute(n)))
}

/// What layers of seatbelt are made with.
pub(crate) fn seatbelt_context() -> ResilienceContext<u64, Result<u64, Fault>> {
    let _inside = runtime().enter();
    ResilienceContext::new(Clock::new_tokio())
}

/// What seatbelt makes of a result.
pub(crate) fn recovery(out: &Result<u64, Fault>) -> RecoveryInfo {
    match out {
        Ok(_) => RecoveryInfo::never(),
        Err(_) => RecoveryInfo::retry(),
    }
}
