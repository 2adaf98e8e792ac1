//! Starting and stopping a replica.

mod office;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use ostler_core::engine::Policy;
use ostler_core::event::Event;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tonic::transport::Uri;

use self::office::Office;
use crate::api::{self, Api, Orders};
use crate::config::{self, Config};
use crate::desk;
use crate::driver::Driver;
use crate::journal::{self, Past};
use crate::lead::{self, Lead, Leadership, Standing};
use crate::look::{self, Electorate, Looker};
use crate::metrics::{self, Metrics};
use crate::peers::Answers;
use crate::request_log::{Protocol, RequestLog};
use crate::store::embedded::{self, Embedded};
use crate::summary::Summaries;
use crate::tls::{self, Addresses, Keeper};
use crate::trends::Trends;
use crate::{http, ingest, server, store};

/// Why a replica does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address cannot be listened on.
    #[error(
        "cannot listen on {address} for {what}; another process may use it, choose another with --{flag}"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// "gRPC" or "HTTP".
        what: &'static str,
        /// The flag that changes it.
        flag: &'static str,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The store does not open.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The settings make no election.
    #[error(transparent)]
    Election(#[from] ostler_core::lead::ConfigError),
    /// The election does not start.
    #[error(transparent)]
    Lead(#[from] lead::Error),
    /// The webhook cannot be used.
    #[error(transparent)]
    Webhook(#[from] desk::WebhookError),
    /// The files of TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// A thread does not start.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
}

/// A replica that runs. Dropping it stops it without waiting.
pub struct Running {
    /// Where agents and gRPC clients connect.
    pub grpc_address: SocketAddr,
    /// Where HTTP clients connect.
    pub http_address: SocketAddr,
    /// The engine, for who shares the process.
    pub driver: Driver,
    /// The lead, for who acts as the leader.
    pub leadership: Leadership,
    shutdown: CancellationToken,
    grpc: Option<server::Running>,
    threads: Vec<JoinHandle<()>>,
}

impl Running {
    /// Begins to stop: streams are ended, events are stored. See [`Running::wait`].
    pub fn shutdown(&self) {
        self.shutdown.cancel();
    }

    /// Ends when it stops: by [`Running::shutdown`], or because it cannot go on.
    pub fn stops(&self) -> impl Future<Output = ()> + use<> {
        self.shutdown.clone().cancelled_owned()
    }

    /// Waits until it has stopped; without [`Running::shutdown`] that is for ever.
    pub async fn wait(mut self) {
        if let Some(grpc) = self.grpc.take() {
            grpc.wait().await;
        }
        let threads = std::mem::take(&mut self.threads);
        let join = move || threads.into_iter().for_each(|thread| drop(thread.join()));
        let _ = tokio::task::spawn_blocking(join).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Starts a replica.
pub async fn start(config: Config) -> Result<Running, Error> {
    let Config {
        replica,
        grpc_listen,
        http_listen,
        ingest_threads,
        store: kept,
        lead_ttl,
        peers,
        tls,
        report_interval,
        node_retention,
        watchers_max,
        actions,
        telemetry: _,
    } = config;
    let shutdown = CancellationToken::new();
    let (keeper, peers) = secure(tls, peers)?;
    let store = open(&kept)?;
    let election = ostler_core::lead::Config::try_new(&replica, lead::PREFIX, lead_ttl)?;
    let past = Arc::new(Past::load(&store).await?);
    let driver = Driver::new(Policy { retention: node_retention }, &replica);
    let summaries = Summaries::new(driver.clone());
    let trends = Trends::default();
    let office = Office::set_up(driver.clone(), actions)?;
    let sources = api::Sources {
        driver: driver.clone(),
        summaries: summaries.clone(),
        trends: trends.clone(),
        past: Arc::clone(&past),
        papers: office.papers.clone(),
    };
    let api = Api::new(sources, watchers_max, shutdown.clone());
    let ingest = ingest::service(driver.clone(), ingest::Limits { report_interval, ..Default::default() });

    let orders = Orders::new(office.counter.clone(), driver.clone(), peers.clone());
    let services = services(&driver, &ingest, &api, &orders);
    let grpc = server::start(grpc_listen, ingest_threads, &services, keeper, &shutdown)
        .map_err(not_listening(grpc_listen, "gRPC", "grpc-listen"))?;
    let metrics = Metrics::new(sources_of_metrics(&services, &summaries, &store, &office));
    let mut running = Running {
        grpc_address: grpc.address(),
        http_address: http_listen,
        driver: driver.clone(),
        leadership: Leadership::default(),
        shutdown: shutdown.clone(),
        grpc: None,
        threads: Vec::new(),
    };

    let lead = join(&kept, election, &store, &shutdown)?;
    running.leadership = lead.leadership();
    let (standing, fitness) = (lead.standing(), lead.fitness());
    running.threads.push(lead.into_thread());
    let events = journal::keep(driver.clone(), store.clone(), past, shutdown.clone());
    let desk = office.open(&kept, &store, (running.leadership.clone(), standing.clone()), &shutdown)?;
    running.threads.push(thread("desk", essential(desk, shutdown.clone()))?);
    let by_the_clock = by_the_clock(driver.clone(), summaries, trends, standing, events, shutdown.clone());
    running.threads.push(thread("clock", by_the_clock)?);
    let electorate = Electorate::of(&kept);
    if let Some(actions) = driver.take_actions() {
        let looker = Looker { driver, ingest, fitness, electorate };
        running.threads.push(thread("look", look::run(looker, actions, peers, shutdown.clone()))?);
    }

    let ready = readiness(&grpc, &shutdown);
    let (address, http) = open_http(http_listen, http::Context { api, orders, metrics, ready }, shutdown)?;
    running.http_address = address;
    running.threads.push(http);
    running.grpc = Some(grpc);
    tracing::info!(replica, grpc = %running.grpc_address, http = %running.http_address, "started");
    Ok(running)
}

/// What TLS needs, and how other replicas are reached then.
fn secure(files: Option<tls::Files>, peers: Vec<Uri>) -> Result<(Option<Keeper>, Addresses), tls::Error> {
    let addresses = Addresses::new(peers, files.as_ref());
    Ok((files.map(Keeper::open).transpose()?, addresses))
}

/// What is served over gRPC.
fn services(driver: &Driver, ingest: &ingest::Service, api: &Api, orders: &Orders) -> server::Services {
    server::Services {
        ingest: ingest.clone(),
        api: api.clone(),
        orders: orders.clone(),
        peers: Answers::new(driver.clone()),
        log: RequestLog::new(Protocol::Grpc),
    }
}

/// What is asked when metrics are.
fn sources_of_metrics(
    services: &server::Services,
    summaries: &Summaries,
    store: &Embedded,
    office: &Office,
) -> metrics::Sources {
    metrics::Sources {
        driver: office.driver.clone(),
        summaries: summaries.clone(),
        ingest: services.ingest.clone(),
        api: services.api.clone(),
        store: store.clone(),
        papers: office.papers.clone(),
        counter: office.counter.clone(),
    }
}

/// Serves HTTP on a thread of its own; gives the address that it listens on.
fn open_http(
    listen: SocketAddr,
    context: http::Context,
    shutdown: CancellationToken,
) -> Result<(SocketAddr, JoinHandle<()>), Error> {
    let not_heard = not_listening(listen, "HTTP", "http-listen");
    let listener = http::bind(listen).map_err(&not_heard)?;
    let address = listener.local_addr().map_err(&not_heard)?;
    let serving = serve_http(listener, http::router(context), shutdown);
    Ok((address, thread("http", serving)?))
}

fn not_listening(
    address: SocketAddr,
    what: &'static str,
    flag: &'static str,
) -> impl Fn(std::io::Error) -> Error {
    move |source| Error::Listen { address, what, flag, source }
}

async fn serve_http(listener: TcpListener, router: axum::Router, shutdown: CancellationToken) {
    if let Err(error) = http::serve(listener, router, shutdown).await {
        tracing::error!(error = &error as &dyn std::error::Error, "the HTTP server ended");
    }
}

/// The store of what is this replica's own, and of everything when it is alone.
fn open(kept: &config::Store) -> Result<Embedded, store::Error> {
    match kept {
        config::Store::Memory => Embedded::in_memory(),
        config::Store::Folder(folder) | config::Store::Etcd { folder, etcd: _ } => {
            Embedded::open(&folder.join(embedded::FILE))
        }
    }
}

/// Begins to take part in the election of the replicas that share a store.
fn join(
    kept: &config::Store,
    election: ostler_core::lead::Config,
    store: &Embedded,
    shutdown: &CancellationToken,
) -> Result<Lead, lead::Error> {
    match kept {
        config::Store::Memory | config::Store::Folder(_) => {
            Lead::alone(election, store.clone(), shutdown.clone())
        }
        config::Store::Etcd { folder: _, etcd } => Lead::with_etcd(election, etcd, shutdown.clone()),
    }
}

/// What happens by the clock: steps, points of trends, events to the store, and who leads to the engine.
async fn by_the_clock(
    driver: Driver,
    summaries: Summaries,
    trends: Trends,
    standing: watch::Receiver<Standing>,
    events: impl Future<Output = ()>,
    shutdown: CancellationToken,
) {
    tokio::join!(
        driver.clone().run(shutdown.clone()),
        trends.run(summaries, shutdown.clone()),
        tell_leader(driver, standing),
        events,
    );
}

/// Tells the engine who leads until the election has ended.
async fn tell_leader(driver: Driver, mut standing: watch::Receiver<Standing>) {
    while standing.changed().await.is_ok() {
        let Standing { leader, term } = standing.borrow_and_update().clone();
        // It refuses only a term lower than one it was told, which nobody leads in any more.
        let _ = driver.handle(Event::Leader { leader: leader.as_deref(), term });
    }
}

type Ready = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

fn readiness(grpc: &server::Running, shutdown: &CancellationToken) -> Ready {
    let (healthy, shutdown) = (grpc.health(), shutdown.clone());
    Arc::new(move || {
        if shutdown.is_cancelled() {
            Err("stopping".to_owned())
        } else if !healthy() {
            Err("a thread of the gRPC server has ended; see the log".to_owned())
        } else {
            Ok(())
        }
    })
}

/// What must not end before the replica does: if it does, even by a panic, the replica stops, so that another one leads.
async fn essential(run: impl Future<Output = ()>, shutdown: CancellationToken) {
    struct Guard(CancellationToken);
    impl Drop for Guard {
        fn drop(&mut self) {
            if !self.0.is_cancelled() {
                tracing::error!("the desk has ended, which it never should: this replica stops");
                self.0.cancel();
            }
        }
    }
    let _guard = Guard(shutdown);
    run.await;
}

/// Runs a future on a thread and runtime of its own.
fn thread(name: &str, run: impl Future<Output = ()> + Send + 'static) -> Result<JoinHandle<()>, Error> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
    let body = move || {
        runtime.block_on(run);
        runtime.shutdown_timeout(Duration::from_millis(100));
    };
    std::thread::Builder::new().name(name.to_owned()).spawn(body).map_err(Error::Thread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desk_that_panics_stops_the_replica() {
        let shutdown = CancellationToken::new();
        let desk = essential(async { panic!("as a test") }, shutdown.clone());
        assert!(thread("desk", desk).unwrap().join().is_err());
        assert!(shutdown.is_cancelled());
    }
}
