//! The three services: real HTTP servers on loopback, which break as the script says and count the calls they get.

use std::{
    future::IntoFuture,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post},
};
use tokio::{net::TcpListener, task::JoinSet, time::sleep};

use crate::incident::{Incident, Phase};

/// Calls that reached the services in a part of the script.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calls {
    /// Payments, while it hung.
    pub(crate) payments: u32,
    /// Inventory, while it failed every other call.
    pub(crate) inventory: u32,
}

/// The running servers; they stop when this is dropped.
pub(crate) struct Services {
    pub(crate) payments: SocketAddr,
    pub(crate) inventory: SocketAddr,
    pub(crate) recommendations: SocketAddr,
    backroom: Arc<Backroom>,
    _servers: JoinSet<std::io::Result<()>>,
}

/// What the handlers share.
struct Backroom {
    incident: Incident,
    payments: AtomicU32,
    inventory: AtomicU32,
}

impl Services {
    pub(crate) async fn start(incident: Incident) -> std::io::Result<Self> {
        let backroom = Arc::new(Backroom { incident, payments: AtomicU32::new(0), inventory: AtomicU32::new(0) });
        let mut servers = JoinSet::new();
        let mut serve = async |routes: Router<Arc<Backroom>>| {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            let address = listener.local_addr()?;
            servers.spawn(axum::serve(listener, routes.with_state(Arc::clone(&backroom))).into_future());
            std::io::Result::Ok(address)
        };
        Ok(Self {
            payments: serve(Router::new().route("/charge/{order}", post(charge))).await?,
            inventory: serve(Router::new().route("/stock/{order}", get(stock))).await?,
            recommendations: serve(Router::new().route("/also-bought/{order}", get(also_bought))).await?,
            backroom,
            _servers: servers,
        })
    }

    pub(crate) fn calls(&self) -> Calls {
        Calls {
            payments: self.backroom.payments.load(Ordering::SeqCst),
            inventory: self.backroom.inventory.load(Ordering::SeqCst),
        }
    }
}

impl Backroom {
    /// Counts a call if it arrives in a phase in which the service is broken, and tells the how-many-eth it is.
    fn broken(&self, when: fn(Phase) -> bool, calls: &AtomicU32) -> Option<u32> {
        when(self.incident.phase()).then(|| calls.fetch_add(1, Ordering::SeqCst))
    }
}

async fn charge(State(backroom): State<Arc<Backroom>>, Path(order): Path<u32>) -> String {
    if backroom.broken(Phase::is_outage, &backroom.payments).is_some() {
        // Longer than any caller waits; the server drops this as soon as the caller has hung up.
        sleep(Duration::from_secs(60)).await;
    }
    sleep(Duration::from_millis(40)).await;
    format!("receipt {order}")
}

async fn stock(State(backroom): State<Arc<Backroom>>, Path(order): Path<u32>) -> Result<String, StatusCode> {
    let broken = backroom.broken(Phase::is_incident, &backroom.inventory);
    sleep(Duration::from_millis(10)).await;
    match broken {
        Some(call) if call % 2 == 0 => Err(StatusCode::SERVICE_UNAVAILABLE),
        _ => Ok(format!("order {order} is in stock")),
    }
}

async fn also_bought(State(backroom): State<Arc<Backroom>>, Path(order): Path<u32>) -> String {
    let slow = backroom.incident.phase().is_incident();
    sleep(Duration::from_millis(if slow { 1500 } else { 30 })).await;
    format!("who bought what is in order {order} also bought a torch")
}
