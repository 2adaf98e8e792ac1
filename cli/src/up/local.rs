//! What `up` runs for this machine: its coordinator and its agent.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ostler_agent::node::NodeSource;
use ostler_coordinator::{Config, Running, config::Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::args::Up;
use crate::error::Error;

/// How long the agent may take to say goodbye.
const GOODBYE_TIME_MAX: Duration = Duration::from_secs(2);

/// Finds out before anything starts whether the ports are free, so that the answer can name the option to change.
pub(crate) fn check_ports(options: &Up) -> Result<(), Error> {
    check(options.listen, "--listen")?;
    check(options.listen_http, "--listen-http")?;
    if options.no_agent {
        return Ok(());
    }
    check(options.listen_agent, "--listen-agent")
}

fn check(address: SocketAddr, option: &str) -> Result<(), Error> {
    let Err(error) = TcpListener::bind(address) else { return Ok(()) };
    let free = SocketAddr::new(address.ip(), 0);
    let remedy = match (error.kind(), option) {
        (std::io::ErrorKind::AddrInUse, "--listen-agent") => {
            format!(
                "an agent may run there already: leave ours out with --no-agent, or choose another port with {option} {free}"
            )
        }
        (std::io::ErrorKind::AddrInUse, _) => {
            format!(
                "another coordinator may run there: stop it, or choose another port with {option} {free} (0 takes a free one)"
            )
        }
        _ => format!("choose an address of this machine with {option} {free}"),
    };
    Err(Error::Failed(format!("cannot listen on {address} ({error}); {remedy}")))
}

/// Starts the coordinator; its store is in memory unless a folder is named.
pub(crate) async fn coordinator(options: &Up) -> Result<Running, Error> {
    let store = options.data_dir.clone().map_or(Store::Memory, Store::Folder);
    let config =
        Config { grpc_listen: options.listen, http_listen: options.listen_http, store, ..Config::default() };
    ostler_coordinator::start(config).await.map_err(|error| Error::failed(&error.into()))
}

/// This machine's agent.
#[derive(Debug)]
pub(crate) struct Agent {
    task: JoinHandle<()>,
    failure: Arc<Mutex<Option<String>>>,
}

/// Starts this machine's agent, configured as `ostler-agent` would be, but reporting to `coordinator`.
pub(crate) fn agent(
    options: &Up,
    coordinator: &str,
    shutdown: &CancellationToken,
) -> Result<Option<Agent>, Error> {
    if options.no_agent {
        return Ok(None);
    }
    let mut settings = vec![("backoff.longest_ms".to_owned(), "1000".to_owned())];
    // Kept only where the coordinator's state is kept; a trial leaves nothing behind.
    let state =
        options.data_dir.as_ref().map_or(String::new(), |folder| folder.join("agent").display().to_string());
    settings.push(("state_dir".to_owned(), state));
    let agent = ostler_agent::cli::Options {
        coordinator: vec![coordinator.to_owned()],
        listen: Some(options.listen_agent.to_string()),
        set: settings,
        ..ostler_agent::cli::Options::default()
    };
    let config = agent.load().map_err(|error| Error::failed(&error.into()))?;
    let source = Box::new(NodeSource::start(config.sources.clone(), config.interval));
    let failure = Arc::new(Mutex::new(None));
    let (told, shutdown) = (Arc::clone(&failure), shutdown.clone());
    let task = tokio::spawn(async move {
        if let Err(error) = ostler_agent::run(config, source, shutdown).await {
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("{error:#}"));
        }
    });
    Ok(Some(Agent { task, failure }))
}

impl Agent {
    /// Why it stopped by itself, once.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take().map(Error::Failed)
    }

    /// Waits for its goodbye, but not for ever.
    pub(crate) async fn stopped(self) {
        // A late goodbye is only a missing courtesy.
        let _ = tokio::time::timeout(GOODBYE_TIME_MAX, self.task).await;
    }
}
