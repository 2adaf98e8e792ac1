//! The node's side of Ostler: reads GPUs, inference servers and the machine itself, and tells every coordinator.
//!
//! A [`sample::Source`] gives one reading of the node at a time and never blocks; [`run`] takes it at the reporting
//! interval, and hands it to one stream for each coordinator and to the HTTP and gRPC server on the agent's own port.
//! Nothing here decides anything: the agent reports, and carries out two harmless orders (let go of NVML, ask a peer
//! whether it lives).

pub mod backoff;
pub mod buffer;
pub mod cli;
pub mod config;
pub mod engine;
pub mod exposition;
pub mod host;
pub mod hub;
pub mod kmsg;
pub mod metrics;
pub mod node;
pub mod notice;
pub mod nvml;
pub mod probe;
pub mod range;
pub mod sample;
pub mod server;
pub mod simulated;
pub mod state;
pub mod stream;
pub mod sys;
pub mod table;
pub mod xid;

use std::{sync::Arc, time::SystemTime};

use anyhow::Context as _;
use ostler_proto::v1;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use crate::{
    config::Config,
    hub::{Hub, Identity},
    sample::Source,
    state::{Store, Stored},
};

/// Reports what `source` reads to every coordinator and serves the agent's port, until `shutdown`; then says Goodbye.
///
/// # Errors
/// When the agent's port cannot be listened on. Everything else is retried or reported.
pub async fn run(config: Config, source: Box<dyn Source>, shutdown: CancellationToken) -> anyhow::Result<()> {
    let listener = match config.listen {
        Some(address) => {
            let bound = server::Listener::bind(address).await;
            Some(bound.with_context(|| format!("cannot listen on {address}; set `listen` to a free one"))?)
        }
        None => None,
    };
    run_on(listener, config, source, shutdown).await;
    Ok(())
}

/// The same on a port that is listened on already, or on none, whatever the configuration says.
pub async fn run_on(
    listener: Option<server::Listener>,
    config: Config,
    source: Box<dyn Source>,
    shutdown: CancellationToken,
) {
    let Config { coordinators, interval, buffer, .. } = &config;
    let (store, stored) = remember(&config);
    let identity = Identity { hello: hello(&config, source.simulated(), stored) };
    info!(node = config.node, zone = config.zone, incarnation = stored.incarnation, "agent starts");
    let urls: Vec<String> = coordinators.iter().map(|target| target.url.clone()).collect();
    let (hub, orders) = Hub::new(identity, *interval, *buffer, &urls, (store, stored));
    let tracker = TaskTracker::new();
    for target in coordinators.clone() {
        tracker.spawn(stream::run(Arc::clone(&hub), target, shutdown.clone()));
    }
    if let Some(listener) = listener {
        tracker.spawn(server::serve(listener, Arc::clone(&hub), shutdown.clone()));
    }
    tracker.close();
    tokio::select! {
        () = hub::sample(Arc::clone(&hub), source, orders) => {}
        () = shutdown.cancelled() => {}
    }
    tracker.wait().await;
    info!("agent stops");
}

/// What is remembered from before, with this start's incarnation in it.
fn remember(config: &Config) -> (Store, Stored) {
    let store = Store::new(config.state_directory.clone());
    let before = store.read().unwrap_or_else(|error| {
        warn!(reason = describe(&error), "the agent's state is not used");
        Stored::default()
    });
    let stored = Stored { incarnation: state::incarnation(before, SystemTime::now()), ..before };
    if let Err(error) = store.write(stored) {
        warn!(reason = describe(&error), "the agent's state is not kept, so orders will be refused");
    }
    (store, stored)
}

fn hello(config: &Config, simulated: bool, stored: Stored) -> v1::Hello {
    v1::Hello {
        node: config.node.clone(),
        zone: config.zone.clone(),
        boot_id: host::boot_id(),
        incarnation: stored.incarnation,
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        highest_term_seen: stored.highest_term,
        interval_ms: u32::try_from(config.interval.as_millis()).unwrap_or(u32::MAX),
        probe_address: config.probe_address.clone(),
        labels: config.labels.clone().into_iter().collect(),
        simulated,
        sources: Vec::new(),
    }
}

/// An error with all its causes, for one line of a log.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
