//! The same client with attributes on its calls. This file is all that differs between the two runs.

use resilience::{CircuitBreaker, bulkhead, circuit_breaker, circuit_breaker::State, retry, timeout};

use crate::{
    client::HttpClient,
    shop::{Backend, ShopError},
};

/// A client whose calls fail early, are tried again, or are left out, each as suits it.
pub(crate) struct Protected(pub(crate) HttpClient);

impl Backend for Protected {
    /// Asking twice does no harm, so a call that failed or stalled is tried again, soon.
    #[retry(max_attempts = 4, base_delay = "10ms", max_delay = "100ms", when = ShopError::is_transient)]
    #[timeout("250ms")]
    async fn stock(&self, order: u32) -> Result<String, ShopError> {
        self.0.stock(order).await
    }

    /// Never tried again, as the money might be taken twice. While payments hangs, the timeout gives up early, the
    /// bulkhead bounds how many shoppers find out the slow way, and the circuit spares all others the call.
    #[circuit_breaker(name = "payments", failure_threshold = 5, recovery_timeout = "400ms")]
    #[bulkhead(max_concurrent = 8)]
    #[timeout("300ms")]
    async fn charge(&self, order: u32) -> Result<String, ShopError> {
        self.0.charge(order).await
    }

    /// Nice to have: worth a moment and a few connections, and no more.
    #[bulkhead(max_concurrent = 4)]
    #[timeout("150ms")]
    async fn also_bought(&self, order: u32) -> Result<String, ShopError> {
        self.0.also_bought(order).await
    }

    fn circuit(&self) -> Option<State> {
        Some(CircuitBreaker::named("payments").state())
    }
}
