//! Executors that are not tokio's, and tokio runtimes without timers, work too.

use std::{
    future::pending,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use resilience::{Retry, Timeout, retry};

use crate::support::ApiError;

/// A minimal executor: parks the thread until it is woken.
fn block_on<F: Future>(work: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
    let mut work = std::pin::pin!(work);
    loop {
        match work.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            std::task::Poll::Ready(out) => return out,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

#[retry(max_attempts = 2, base_delay = "1ms", jitter = "none")]
async fn fails() -> Result<(), ApiError> {
    Err(ApiError::Down)
}

#[test]
fn waits_and_limits_work_outside_of_tokio() {
    let start = Instant::now();
    assert_eq!(block_on(fails()), Err(ApiError::Down));
    assert!(start.elapsed() >= Duration::from_millis(1), "it has waited");
    let limit = Timeout::builder("elsewhere").limit(Duration::from_millis(1)).build().expect("sound");
    assert!(block_on(limit.run(pending::<Result<(), ()>>())).is_err());
}

#[test]
fn waits_work_on_a_tokio_runtime_without_timers() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    assert_eq!(runtime.block_on(fails()), Err(ApiError::Down));
}

#[test]
fn what_need_not_wait_needs_no_executor() {
    assert_eq!(Retry::named("ready").run(async || Ok::<_, ()>(1)).now_or_never(), Some(Ok(1)));
}
