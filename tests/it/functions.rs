//! The attributes take functions as people write them.

use std::{fmt::Debug, future::Future, io, sync::Arc};

use resilience::{bulkhead, circuit_breaker, detect_contention, retry, timeout};

use crate::support::{ApiError, run_paused};

/// The same function under each attribute alone.
macro_rules! each_attribute {
    ($($module:ident: $sync:meta, $async:meta;)*) => {$(
        mod $module {
            use super::*;

            #[$sync]
            fn free(n: u32) -> Result<u32, ApiError> {
                Ok(n)
            }

            #[$async]
            async fn free_async(n: u32) -> Result<u32, ApiError> {
                Ok(n)
            }

            #[$sync]
            fn generic<T: Clone + Debug + Send + 'static, const N: usize>(items: [T; N]) -> Result<Vec<T>, ApiError>
            where
                Vec<T>: Sized,
            {
                Ok(items.to_vec())
            }

            #[$async]
            async fn longest<'a>(a: &'a str, b: &'a str) -> Result<&'a str, ApiError> {
                Ok(if a.len() > b.len() { a } else { b })
            }

            #[derive(Clone)]
            struct Client {
                served: u32,
            }

            trait Service {
                async fn serve(&mut self, n: u32) -> Result<u32, ApiError>;
                fn describe(self) -> Result<String, Box<dyn std::error::Error + Send + Sync>>;
            }

            impl Service for Client {
                #[$async]
                async fn serve(&mut self, n: u32) -> Result<u32, ApiError> {
                    self.served += n;
                    Ok(self.served)
                }

                #[$sync]
                fn describe(self) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
                    let own = self;
                    let parsed: u32 = "17".parse()?;
                    Ok(format!("{} {parsed}", own.served))
                }
            }

            impl Client {
                #[$async]
                async fn new(served: u32) -> io::Result<Self> {
                    Ok(Self { served })
                }

                #[$async]
                async fn peek(&self, _: u32) -> anyhow::Result<&u32> {
                    anyhow::ensure!(self.served > 0, "nothing served");
                    Ok(&self.served)
                }

                #[$async]
                async fn shared(self: Arc<Self>) -> Result<impl Iterator<Item = u32>, String> {
                    Ok(0..self.served)
                }

                #[$async]
                async fn boxed(&self) -> Result<Box<dyn Fn() -> u32>, ApiError> {
                    let served = self.served;
                    if served == 0 {
                        return Ok(Box::new(|| 0));
                    }
                    Ok(Box::new(move || served))
                }
            }

            fn send<F: Future + Send>(work: F) -> F {
                work
            }

            #[test]
            fn works() {
                assert_eq!(free(1), Ok(1));
                assert_eq!(generic(["a", "b"]), Ok(vec!["a", "b"]));
                run_paused(async {
                    assert_eq!(send(free_async(2)).await, Ok(2));
                    assert_eq!(longest("ab", "c").await, Ok("ab"));
                    let mut client = Client::new(3).await.expect("made");
                    assert_eq!(client.serve(4).await, Ok(7));
                    assert_eq!(client.peek(0).await.expect("served"), &7);
                    assert_eq!(Client { served: 0 }.peek(0).await.expect_err("nothing").to_string(), "nothing served");
                    assert_eq!(client.boxed().await.expect("boxed")(), 7);
                    assert_eq!(Arc::new(client.clone()).shared().await.expect("shared").count(), 7);
                    assert_eq!(client.describe().expect("described"), "7 17");
                });
            }
        }
    )*};
}

each_attribute! {
    under_circuit_breaker: circuit_breaker, circuit_breaker;
    under_retry: retry(max_attempts = 2), retry(max_attempts = 2);
    under_bulkhead: bulkhead, bulkhead;
    under_timeout_detach: timeout("1h", mode = "detach"), timeout("1h");
    under_timeout_cooperative: timeout("1h", mode = "cooperative"), timeout("1h");
    under_detect_contention: detect_contention, detect_contention;
}

/// Mutable borrows that outlive the call: every layer but retry can hand them out.
struct Slots(Vec<u32>);

impl Slots {
    #[circuit_breaker]
    #[bulkhead]
    #[timeout("1h", mode = "cooperative")]
    #[detect_contention]
    fn first(&mut self) -> Result<&mut u32, ApiError> {
        self.0.first_mut().ok_or(ApiError::NotFound)
    }

    #[circuit_breaker]
    #[bulkhead]
    #[timeout("1h")]
    #[detect_contention]
    async fn last(&mut self) -> Result<&mut u32, ApiError> {
        self.0.last_mut().ok_or(ApiError::NotFound)
    }
}

#[test]
fn a_result_may_borrow_from_the_receiver() {
    run_paused(async {
        let mut slots = Slots(vec![1, 2]);
        *slots.first().expect("there") += 10;
        *slots.last().await.expect("there") += 10;
        assert_eq!(slots.0, [11, 12]);
    });
}

#[retry(max_attempts = 2, base_delay = "1ms")]
#[timeout("1h")]
async fn patterns(
    (a, mut b): (u32, u32),
    [c, ..]: [u32; 3],
    &d: &u32,
    _: String,
    f: impl Fn(u32) -> u32 + Clone,
) -> Result<u32, ApiError> {
    b += 1;
    Ok(f(a + b + c + d))
}

#[test]
fn arguments_may_be_patterns_and_closures() {
    run_paused(async {
        assert_eq!(patterns((1, 2), [3, 0, 0], &4, String::new(), |n| n * 2).await, Ok(22));
    });
}

/// `#[retry]` alone refuses nobody, so it asks nothing of the error type.
#[derive(Debug, PartialEq)]
struct NoRoomForRefusals;

#[retry(max_attempts = 2, base_delay = "1ns")]
fn only_retries() -> Result<(), NoRoomForRefusals> {
    Err(NoRoomForRefusals)
}

#[test]
fn a_lone_retry_takes_any_error_type() {
    assert_eq!(only_retries(), Err(NoRoomForRefusals));
}

#[circuit_breaker(failure_threshold = 1)]
async fn text() -> Result<(), String> {
    Err("down".into())
}

#[circuit_breaker(failure_threshold = 1)]
async fn input_output() -> io::Result<()> {
    Err(io::Error::other("down"))
}

#[test]
fn strings_and_io_errors_hold_refusals() {
    run_paused(async {
        let _ = text().await;
        assert_eq!(text().await, Err("circuit `it::functions::text` is open; next probe in 30s".to_string()));
        let _ = input_output().await;
        let error = input_output().await.expect_err("open");
        assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<resilience::Error>());
        assert!(matches!(inner, Some(resilience::Error::CircuitOpen { .. })));
    });
}
