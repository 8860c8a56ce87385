//! The order of attributes is the order of wrapping: the top one is the outermost.
//!
//! Every layer leaves a trace when a call enters it. A gate that refuses stops the call, so exactly the layers above it
//! are entered; under a body that keeps failing, exactly the layers below a retry are entered once per attempt.

use std::{
    future::{Future, pending},
    pin::{Pin, pin},
};

use resilience::{Bulkhead, CircuitBreaker, Resource, Retry, Timeout, testing::TestScope};

use crate::support::{ApiError, poll_once, run_paused, sync_scope};

/// The traces, by layer.
fn entered(layer: &str) -> u64 {
    match layer {
        "circuit" => CircuitBreaker::named("circuit").snapshot().calls,
        "retry" => Retry::named("retry").snapshot().calls,
        "bulkhead" => Bulkhead::named("bulkhead").snapshot().admitted,
        "timeout" => Timeout::named("timeout").snapshot().calls,
        "contention" => Resource::named("resource").snapshot().acquisitions,
        other => unreachable!("{other}"),
    }
}

/// Makes a gate refuse, until the returned holder is dropped. Timeout and retry refuse nobody.
fn close(layer: &str) -> Option<Pin<Box<dyn Future<Output = ()>>>> {
    let mut holder: Pin<Box<dyn Future<Output = ()>>> = match layer {
        "circuit" => {
            for _ in 0..100 {
                let _ = CircuitBreaker::named("circuit").call(|| Err::<(), _>(()));
            }
            Box::pin(pending())
        }
        "bulkhead" => Box::pin(async {
            let _ = Bulkhead::named("bulkhead").run(pending::<Result<(), ()>>()).await;
        }),
        "contention" => Box::pin(async {
            let _ = Resource::named("resource").run(pending::<Result<(), ()>>()).await;
        }),
        _ => return None,
    };
    assert!(poll_once(holder.as_mut()).is_pending());
    Some(holder)
}

/// Checks the traces of a stack, from the outermost layer to the innermost; `call` runs it with a body that fails.
fn check(layers: &[&str], in_scope: &dyn Fn(&mut dyn FnMut()), call: &mut dyn FnMut() -> Result<(), ApiError>) {
    for (position, gate) in layers.iter().enumerate() {
        in_scope(&mut || {
            let Some(_holder) = close(gate) else { return };
            let before: Vec<u64> = layers.iter().map(|layer| entered(layer)).collect();
            assert!(call().expect_err("the gate refuses").refusal().is_some(), "{gate} in {layers:?}");
            for (index, layer) in layers.iter().enumerate() {
                let expected = u64::from(index < position);
                assert_eq!(entered(layer) - before[index], expected, "{layer} while {gate} refuses, in {layers:?}");
            }
        });
    }
    in_scope(&mut || {
        assert_eq!(call(), Err(ApiError::Down));
        let retry = layers.iter().position(|layer| *layer == "retry").unwrap_or(layers.len());
        for (index, layer) in layers.iter().enumerate() {
            let expected = if index > retry { 3 } else { 1 };
            assert_eq!(entered(layer), expected, "{layer} under a failing body, in {layers:?}");
        }
    });
}

/// Writes a stack's attributes out, in order, on a sync and an async function, and checks both.
macro_rules! stack {
    (@both [$($sync:tt)*] [$($async:tt)*] circuit $($rest:ident)*) => {
        stack! {
            @both [$($sync)* #[resilience::circuit_breaker(name = "circuit", failure_threshold = 100)]]
            [$($async)* #[resilience::circuit_breaker(name = "circuit", failure_threshold = 100)]] $($rest)*
        }
    };
    (@both [$($sync:tt)*] [$($async:tt)*] retry $($rest:ident)*) => {
        stack! {
            @both [$($sync)* #[resilience::retry(name = "retry", max_attempts = 3)]]
            [$($async)* #[resilience::retry(name = "retry", max_attempts = 3)]] $($rest)*
        }
    };
    (@both [$($sync:tt)*] [$($async:tt)*] bulkhead $($rest:ident)*) => {
        stack! {
            @both [$($sync)* #[resilience::bulkhead(name = "bulkhead", max_concurrent = 1)]]
            [$($async)* #[resilience::bulkhead(name = "bulkhead", max_concurrent = 1)]] $($rest)*
        }
    };
    (@both [$($sync:tt)*] [$($async:tt)*] contention $($rest:ident)*) => {
        stack! {
            @both [$($sync)* #[resilience::detect_contention(name = "resource", max_wait = "0s")]]
            [$($async)* #[resilience::detect_contention(name = "resource", max_wait = "0s")]] $($rest)*
        }
    };
    // The timeout of a sync function needs a mode.
    (@both [$($sync:tt)*] [$($async:tt)*] timeout $($rest:ident)*) => {
        stack! {
            @both [$($sync)* #[resilience::timeout("10s", name = "timeout", mode = "cooperative")]]
            [$($async)* #[resilience::timeout("10s", name = "timeout")]] $($rest)*
        }
    };
    (@both [$($sync:tt)*] [$($async:tt)*]) => {
        $($sync)*
        fn blocking() -> Result<(), ApiError> {
            Err(ApiError::Down)
        }

        $($async)*
        async fn awaited() -> Result<(), ApiError> {
            Err(ApiError::Down)
        }
    };
    ($($test:ident: $($layer:ident)+;)+) => {$(
        #[test]
        fn $test() {
            stack! { @both [] [] $($layer)+ }
            let layers = [$(stringify!($layer)),+];
            check(&layers, &|work| sync_scope().0.call(work), &mut blocking);
            check(&layers, &|work| TestScope::new().call(work), &mut || block_on_paused(awaited()));
        }
    )+};
}

/// Drives a future on a runtime with paused time, inside the scope that this thread is in.
fn block_on_paused<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

stack! {
    circuit_around_retry: circuit retry;
    circuit_around_bulkhead: circuit bulkhead;
    circuit_around_timeout: circuit timeout;
    circuit_around_contention: circuit contention;
    retry_around_circuit: retry circuit;
    retry_around_bulkhead: retry bulkhead;
    retry_around_timeout: retry timeout;
    retry_around_contention: retry contention;
    bulkhead_around_circuit: bulkhead circuit;
    bulkhead_around_retry: bulkhead retry;
    bulkhead_around_timeout: bulkhead timeout;
    bulkhead_around_contention: bulkhead contention;
    timeout_around_circuit: timeout circuit;
    timeout_around_retry: timeout retry;
    timeout_around_bulkhead: timeout bulkhead;
    timeout_around_contention: timeout contention;
    contention_around_circuit: contention circuit;
    contention_around_retry: contention retry;
    contention_around_bulkhead: contention bulkhead;
    contention_around_timeout: contention timeout;
    three_with_retry_in_the_middle: circuit retry timeout;
    three_with_retry_outside: retry circuit bulkhead;
    three_with_retry_inside: bulkhead contention retry;
    four: bulkhead circuit retry timeout;
    four_the_other_way: timeout retry circuit bulkhead;
    five_as_recommended: bulkhead circuit retry timeout contention;
    five_reversed: contention timeout retry circuit bulkhead;
    five_with_retry_outside: retry contention bulkhead timeout circuit;
}

#[test]
fn a_timeout_inside_a_retry_limits_each_attempt_and_one_outside_limits_all() {
    use std::time::Duration;

    use resilience::{retry, timeout};

    #[retry(max_attempts = 3, base_delay = "1s", jitter = "none")]
    #[timeout("10s")]
    async fn per_attempt() -> Result<(), ApiError> {
        pending().await
    }

    #[timeout("10s")]
    #[retry(max_attempts = 3, base_delay = "1s", jitter = "none")]
    async fn in_total() -> Result<(), ApiError> {
        pending().await
    }

    run_paused(async {
        let start = tokio::time::Instant::now();
        assert_eq!(per_attempt().await.expect_err("it hangs").refusal(), Some("TimedOut"));
        assert_eq!(start.elapsed().as_secs(), 3 * 10 + 1 + 2);
        let start = tokio::time::Instant::now();
        assert_eq!(in_total().await.expect_err("it hangs").refusal(), Some("TimedOut"));
        assert_eq!(start.elapsed().as_secs(), 10);
        assert!(start.elapsed() < Duration::from_secs(11));
    });
}

#[test]
fn foreign_attributes_stay_where_they_were() {
    #[must_use = "it answers"]
    #[resilience::retry(max_attempts = 2)]
    #[allow(clippy::needless_pass_by_value, unused_variables)]
    #[cfg(test)]
    #[resilience::circuit_breaker]
    fn both(unused: String) -> Result<u32, ApiError> {
        Ok(1)
    }
    assert_eq!(both(String::new()), Ok(1));
    let mut work = pin!(async {});
    assert!(poll_once(work.as_mut()).is_ready());
}
