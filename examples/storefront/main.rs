//! A shop's checkout calls three services over real TCP, and one incident breaks all three: inventory fails every other
//! call, recommendations turn slow, payments accepts calls and never answers. The same shoppers come twice, first to a
//! shop with a plain HTTP client, then to one with attributes on its calls (`protected.rs`), and a table sets the two
//! side by side. Every number in it was counted while the program ran.
//!
//! Run it: `cargo run --example storefront` (about 30 seconds; watch it on a terminal, or pipe it for plain lines)

mod client;
mod incident;
mod load;
mod protected;
mod report;
mod services;
mod shop;
mod tape;
mod view;

use std::{sync::Arc, time::Duration};

use client::HttpClient;
use incident::Incident;
use protected::Protected;
use report::Summary;
use services::Services;
use shop::{Backend, Shop};
use tape::Tape;
use view::View;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Two functions that define one name differently are found here, not in an outage.
    resilience::verify()?;

    println!("{}", load::description());
    println!("{}\n", incident::description());
    let without = run("Without attributes", |client| client).await?;
    let with = run("With attributes", Protected).await?;
    report::print(&without, &with);
    Ok(())
}

/// One day of the shop: fresh services, the same shoppers, the same incident.
async fn run<B: Backend>(title: &str, backend: impl FnOnce(HttpClient) -> B) -> anyhow::Result<Summary> {
    let incident = Incident::begin();
    let services = Services::start(incident).await?;
    let shop = Arc::new(Shop::new(backend(HttpClient::new(&services)?)));
    let tape = Arc::new(Tape::default());

    let mut shoppers = tokio::spawn(load::run(Arc::clone(&shop), incident, Arc::clone(&tape)));
    let mut view = View::new(title);
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    loop {
        tokio::select! {
            done = &mut shoppers => break done?,
            _ = tick.tick() => view.draw(incident, &tape, shop.backend().circuit()),
        }
    }
    view.draw(incident, &tape, shop.backend().circuit());
    view.finish();
    Ok(Summary::new(&tape.visits(), services.calls()))
}
