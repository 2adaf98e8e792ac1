//! The gRPC server: threads, listener, services and limits.
//!
//! Some threads serve agents, as many others serve everyone else, each with a runtime of its own: a long list delays no
//! report, and threads that let reports gather delay no list. The others accept from one listener and hand agents'
//! connections on, once each. Such a connection stays where it is then, so that a report is read, folded and
//! acknowledged without waking another thread.

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::api::{Api, Orders};
use crate::ingest;
use crate::peers;
use crate::request_log::RequestLog;
use crate::tls::Keeper;

mod agents;
mod door;
mod readers;
mod secured;
mod seldom;
mod transport;

use transport::{Plain, Secure, Transport};

/// How often a server that stops looks whether all connections have ended.
const STOP_POLL: Duration = Duration::from_millis(5);

/// Connections on their way to a thread that serves agents: what comes while it lets reports gather when thousands of
/// agents connect at once.
const ARRIVALS_MAX: usize = 1024;

/// How long calls may go on once the server stops.
const STOP_TIME_MAX: Duration = Duration::from_millis(500);

/// What the server serves.
#[derive(Clone)]
pub struct Services {
    /// What agents report to.
    pub ingest: ingest::Service,
    /// The read API.
    pub api: Api,
    /// Orders of operators.
    pub orders: Orders,
    /// What other replicas ask.
    pub peers: peers::Answers,
    /// Logs each call.
    pub log: RequestLog,
}

/// A server that runs.
pub struct Running {
    address: SocketAddr,
    threads: Vec<JoinHandle<()>>,
    alive: Arc<AtomicU64>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells whether every thread still serves.
    pub fn health(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let (alive, threads) = (Arc::clone(&self.alive), self.threads.len() as u64);
        move || alive.load(Ordering::Relaxed) == threads
    }

    /// Waits until all threads have ended, which the shutdown token makes them do.
    pub async fn wait(self) {
        let join = move || self.threads.into_iter().for_each(|thread| drop(thread.join()));
        let _ = tokio::task::spawn_blocking(join).await;
    }
}

/// Begins to serve agents on so many threads, and everyone else on as many others; under TLS when there is what keeps it.
pub(crate) fn start(
    address: SocketAddr,
    threads: usize,
    services: &Services,
    keeper: Option<Keeper>,
    shutdown: &CancellationToken,
) -> std::io::Result<Running> {
    let Some(keeper) = keeper else {
        return start_with(&Plain, address, threads, services, shutdown);
    };
    let mut running = start_with(&Secure::new(keeper.trust()), address, threads, services, shutdown)?;
    let keep = keeper.run(shutdown.clone());
    let keep = async {
        keep.await;
        Ok(())
    };
    running.spawn("certificates".to_owned(), Builder::new_current_thread(), keep)?;
    Ok(running)
}

fn start_with<T: Transport>(
    transport: &T,
    address: SocketAddr,
    threads: usize,
    services: &Services,
    shutdown: &CancellationToken,
) -> std::io::Result<Running> {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the limit of open files stays as it is; each agent takes one"
        );
    }
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let mut running = Running { address: listener.local_addr()?, threads: Vec::new(), alive: Arc::default() };
    for number in 0..threads {
        let (arrived, arrivals) = mpsc::channel(ARRIVALS_MAX);
        let (listener, transport) = (listener.try_clone()?, transport.clone());
        let door = door::serve(listener, transport, arrived, services.clone(), shutdown.clone());
        running.spawn(format!("readers-{number}"), Builder::new_current_thread(), door)?;
        let agents = agents::serve::<T>(arrivals, services.clone(), shutdown.clone());
        let mut runtime = Builder::new_current_thread();
        runtime.on_thread_park(ingest::before_park);
        running.spawn(format!("agents-{number}"), runtime, agents)?;
    }
    Ok(running)
}

impl Running {
    fn spawn(
        &mut self,
        name: String,
        mut runtime: Builder,
        serve: impl Future<Output = Result<(), Box<dyn Error + Send + Sync>>> + Send + 'static,
    ) -> std::io::Result<()> {
        let runtime = runtime.enable_all().build()?;
        let alive = Arc::clone(&self.alive);
        alive.fetch_add(1, Ordering::Relaxed);
        let run = move || {
            let served = runtime.block_on(serve);
            runtime.shutdown_timeout(Duration::ZERO);
            alive.fetch_sub(1, Ordering::Relaxed);
            if let Err(error) = served {
                tracing::error!(error = &*error, "a thread of the gRPC server ended");
            }
        };
        self.threads.push(std::thread::Builder::new().name(name).spawn(run)?);
        Ok(())
    }
}

fn broke(error: &(dyn Error + 'static)) {
    tracing::debug!(error, "a connection broke");
}

/// Waits until nothing but the caller counts `open`, or for as long as a server that stops may take.
async fn wait_until_closed(open: &Arc<()>) {
    let closed = async {
        while Arc::strong_count(open) > 1 {
            tokio::time::sleep(STOP_POLL).await;
        }
    };
    let _ = tokio::time::timeout(STOP_TIME_MAX, closed).await;
}
