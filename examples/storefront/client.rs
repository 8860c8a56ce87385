//! The plain client: what most programs have. One HTTP client, a generous timeout, every error handed on.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Client, RequestBuilder};
use resilience::circuit_breaker::State;

use crate::{
    services::Services,
    shop::{Backend, ShopError},
};

/// Talks to the three services.
pub(crate) struct HttpClient {
    http: Client,
    payments: SocketAddr,
    inventory: SocketAddr,
    recommendations: SocketAddr,
}

impl HttpClient {
    pub(crate) fn new(services: &Services) -> reqwest::Result<Self> {
        Ok(Self {
            http: Client::builder().timeout(Duration::from_secs(8)).no_proxy().build()?,
            payments: services.payments,
            inventory: services.inventory,
            recommendations: services.recommendations,
        })
    }
}

impl Backend for HttpClient {
    async fn stock(&self, order: u32) -> Result<String, ShopError> {
        text(self.http.get(format!("http://{}/stock/{order}", self.inventory))).await
    }

    async fn charge(&self, order: u32) -> Result<String, ShopError> {
        text(self.http.post(format!("http://{}/charge/{order}", self.payments))).await
    }

    async fn also_bought(&self, order: u32) -> Result<String, ShopError> {
        text(self.http.get(format!("http://{}/also-bought/{order}", self.recommendations))).await
    }

    fn circuit(&self) -> Option<State> {
        None
    }
}

async fn text(request: RequestBuilder) -> Result<String, ShopError> {
    Ok(request.send().await?.error_for_status()?.text().await?)
}
