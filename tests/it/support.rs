//! What several modules need: an error type as users write it, and futures polled by hand.

use std::{future::Future, pin::Pin, task::Context, time::Duration};

use futures_util::task::noop_waker;
use resilience::testing::{TestClock, TestScope};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// The error of the functions under test.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("the service is down")]
    Down,
    #[error("not found")]
    NotFound,
    #[error(transparent)]
    Resilience(#[from] resilience::Error),
}

impl ApiError {
    pub(crate) fn is_fault(&self) -> bool {
        *self == Self::Down
    }

    /// The variant's name of the library's refusal, if it is one.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Resilience(resilience::Error::CircuitOpen { .. }) => Some("CircuitOpen"),
            Self::Resilience(resilience::Error::TimedOut { .. }) => Some("TimedOut"),
            Self::Resilience(resilience::Error::BulkheadFull { .. }) => Some("BulkheadFull"),
            Self::Resilience(resilience::Error::ContentionTimeout { .. }) => Some("ContentionTimeout"),
            _ => None,
        }
    }
}

/// Fresh registries and a clock that moves by hand: for sync code.
pub(crate) fn sync_scope() -> (TestScope, TestClock) {
    let clock = TestClock::new();
    (TestScope::with_clock(&clock), clock)
}

/// Runs a future on a runtime of its own, with paused time and fresh registries.
pub(crate) fn run_paused<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(TestScope::new().run(work))
}

/// Polls once, to start work that is then held, dropped, or polled on.
pub(crate) fn poll_once<F: Future + ?Sized>(work: Pin<&mut F>) -> std::task::Poll<F::Output> {
    work.poll(&mut Context::from_waker(&noop_waker()))
}
