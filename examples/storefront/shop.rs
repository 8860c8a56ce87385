//! The shop: what a checkout does, and how many checkouts it can do at once. Both runs use this file as it is.

use std::sync::Arc;

use resilience::circuit_breaker::State;
use tokio::{sync::Semaphore, time::timeout};

use crate::{load::PATIENCE, tape::Outcome};

/// How many checkouts the shop works on at the same time: its worker threads, if it were an older program.
const DESKS: usize = 48;

/// Why a checkout failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShopError {
    /// The service, or the way to it.
    #[error(transparent)]
    Http(#[from] reqwest::Error),
    /// A policy refused or stopped the call. This one variant is all that the attributes ask of an error type.
    #[error(transparent)]
    Resilience(#[from] resilience::Error),
}

impl ShopError {
    /// Whether the same call may well succeed the next time.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Http(error) => error.is_connect() || error.status().is_some_and(|status| status.is_server_error()),
            Self::Resilience(error) => error.is_timeout(),
        }
    }
}

/// The services as the shop sees them.
pub(crate) trait Backend: Send + Sync + 'static {
    /// Whether everything in the order is in stock. Reads only, so it may be asked again.
    fn stock(&self, order: u32) -> impl Future<Output = Result<String, ShopError>> + Send;
    /// Takes the money, and gives a receipt.
    fn charge(&self, order: u32) -> impl Future<Output = Result<String, ShopError>> + Send;
    /// What to show below the receipt.
    fn also_bought(&self, order: u32) -> impl Future<Output = Result<String, ShopError>> + Send;
    /// The state of the circuit to payments, if there is one.
    fn circuit(&self) -> Option<State>;
}

/// A shop with a limited number of desks.
pub(crate) struct Shop<B> {
    backend: B,
    desks: Arc<Semaphore>,
}

impl<B: Backend> Shop<B> {
    pub(crate) fn new(backend: B) -> Self {
        Self { backend, desks: Arc::new(Semaphore::new(DESKS)) }
    }

    pub(crate) fn backend(&self) -> &B {
        &self.backend
    }

    /// Serves a shopper, who waits in line for a desk and leaves when it all takes too long. A desk does not notice
    /// that its shopper has left: like most servers, it finishes what it began.
    pub(crate) async fn visit(self: Arc<Self>, order: u32) -> Outcome {
        let visit = async {
            let Ok(desk) = Arc::clone(&self.desks).acquire_owned().await else {
                return Outcome::Failed;
            };
            let checkout = tokio::spawn(async move {
                let outcome = self.checkout(order).await;
                drop(desk);
                outcome
            });
            match checkout.await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) | Err(_) => Outcome::Failed,
            }
        };
        timeout(PATIENCE, visit).await.unwrap_or(Outcome::GaveUp)
    }

    /// The checkout itself. Without recommendations the page is poorer, but the order stands.
    async fn checkout(&self, order: u32) -> Result<Outcome, ShopError> {
        self.backend.stock(order).await?;
        self.backend.charge(order).await?;
        Ok(match self.backend.also_bought(order).await {
            Ok(_) => Outcome::Full,
            Err(_) => Outcome::Degraded,
        })
    }
}
