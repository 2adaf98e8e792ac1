//! The gRPC server: threads, listener, services and limits.
//!
//! Each thread has a runtime of its own and accepts from the same listener. A connection stays on the thread that
//! accepted it, so that a report is read, folded and acknowledged without waking another thread. Knobs that weigh on the
//! cost of a report are the constants below and [`builder`].

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use ostler_proto::v1;
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;
use tonic_health::ServingStatus;
use tower::{Layer, Service, ServiceExt};

use crate::api::{Api, Orders};
use crate::ingest;
use crate::request_log::RequestLog;

/// A connection that is silent for so long is asked whether it is alive, by the kernel: pings of HTTP/2 would cost a
/// timer and a look at the clock for each row. What the kernel cannot see, an agent that hangs, is found by its silence.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(10);

/// Time between two such questions.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(3);

/// A connection that leaves so many unanswered is closed.
const KEEPALIVE_RETRIES: u32 = 3;

/// Pause after a connection could not be accepted, most likely because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often a server that stops looks whether all connections have ended.
const STOP_POLL: Duration = Duration::from_millis(5);

/// What all methods of the agents' service begin with.
const AGENT_PATH: &str = "/ostler.v1.Agent/";

/// Streams of one connection: an agent has one, a dashboard some tens, a proxy in front of many clients the rest.
const STREAMS_MAX: u32 = 256;

/// Bytes that a client may send ahead in one stream. A report is 0.1-2 kB, the largest message 256 KiB; the smallest that HTTP/2 begins with
/// anyway is enough, and more only costs memory when a reader is slow.
const STREAM_WINDOW_BYTES: u32 = 65_535;

/// Bytes that a client may send ahead in one connection: four streams' worth.
const CONNECTION_WINDOW_BYTES: u32 = 262_144;

/// Bytes of headers. Ours take some hundred; tracing and a mesh in between add about a thousand.
const HEADER_BYTES_MAX: u32 = 16 << 10;

/// Bytes of a request to the read API: a filter of 4 KiB and a mask of 64 paths fit many times.
const REQUEST_BYTES_MAX: usize = 64 << 10;

/// How long calls may go on once the server stops.
const STOP_TIME_MAX: Duration = Duration::from_millis(500);

/// What health is told of: the whole server and the two services that are served.
const HEALTH_NAMES: [&str; 3] = ["", v1::agent_server::SERVICE_NAME, v1::fleet_server::SERVICE_NAME];

/// What the server serves.
#[derive(Clone)]
pub struct Services {
    /// What agents report to.
    pub ingest: ingest::Service,
    /// The read API.
    pub api: Api,
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

/// Begins to serve on so many threads.
pub fn start(
    address: SocketAddr,
    threads: usize,
    services: &Services,
    shutdown: &CancellationToken,
) -> std::io::Result<Running> {
    if let Err(error) = ingest::raise_open_files_limit() {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the limit of open files stays as it is; each agent takes one"
        );
    }
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let alive = Arc::new(AtomicU64::new(0));
    let spawn = |number: usize| {
        let listener = listener.try_clone()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .on_thread_park(ingest::before_park)
            .build()?;
        let (services, shutdown, alive) = (services.clone(), shutdown.clone(), Arc::clone(&alive));
        alive.fetch_add(1, Ordering::Relaxed);
        std::thread::Builder::new().name(format!("grpc-{number}")).spawn(move || {
            let served = runtime.block_on(serve(listener, services, shutdown));
            runtime.shutdown_timeout(Duration::ZERO);
            alive.fetch_sub(1, Ordering::Relaxed);
            if let Err(error) = served {
                tracing::error!(error = &*error, "a thread of the gRPC server ended");
            }
        })
    };
    let threads = (0..threads).map(spawn).collect::<std::io::Result<_>>()?;
    Ok(Running { address, threads, alive })
}

async fn serve(
    listener: TcpListener,
    services: Services,
    shutdown: CancellationToken,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut incoming = TcpIncoming::from(tokio::net::TcpListener::from_std(listener)?)
        .with_nodelay(Some(true))
        .with_keepalive(Some(KEEPALIVE_AFTER))
        .with_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .with_keepalive_retries(Some(KEEPALIVE_RETRIES));
    let (log, ingest) = (services.log.clone(), services.ingest.clone());
    let service = log.layer(Front { ingest, routes: routes(services, &shutdown).await? });
    let http = builder();
    // Counts the connections that are open, by its clones.
    let open = Arc::new(());
    while let Some(Some(accepted)) = shutdown.run_until_cancelled(incoming.next()).await {
        let socket = match accepted {
            Ok(socket) => socket,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let service = service.clone();
        let answer = hyper::service::service_fn(move |request| service.clone().oneshot(request));
        let connection = http.serve_connection(TokioIo::new(socket), answer);
        let open = Arc::clone(&open);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a connection broke");
            }
            drop(open);
        });
    }
    let stopped = async {
        while Arc::strong_count(&open) > 1 {
            tokio::time::sleep(STOP_POLL).await;
        }
    };
    let _ = tokio::time::timeout(STOP_TIME_MAX, stopped).await;
    Ok(())
}

/// Takes report streams past the router: what the router wraps around a body would cost each row some cache misses.
#[derive(Clone)]
struct Front {
    ingest: ingest::Service,
    routes: Routes,
}

impl Service<Request<Incoming>> for Front {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        if request.uri().path().starts_with(AGENT_PATH) {
            Box::pin(self.ingest.call(request))
        } else {
            Box::pin(self.routes.clone().oneshot(request))
        }
    }
}

fn builder() -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HEADER_BYTES_MAX);
    builder
}

async fn routes(
    services: Services,
    shutdown: &CancellationToken,
) -> Result<Routes, tonic_reflection::server::Error> {
    let (health, health_service) = tonic_health::server::health_reporter();
    for service in HEALTH_NAMES {
        health.set_service_status(service, ServingStatus::Serving).await;
    }
    let stopping = shutdown.clone();
    tokio::spawn(async move {
        stopping.cancelled().await;
        for service in HEALTH_NAMES {
            health.set_service_status(service, ServingStatus::NotServing).await;
        }
    });
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(v1::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let fleet = v1::fleet_server::FleetServer::new(services.api).max_decoding_message_size(REQUEST_BYTES_MAX);
    let control = v1::control_server::ControlServer::new(Orders).max_decoding_message_size(REQUEST_BYTES_MAX);
    let peer = v1::peer_server::PeerServer::new(Orders).max_decoding_message_size(REQUEST_BYTES_MAX);
    Ok(Routes::new(fleet)
        .add_service(control)
        .add_service(peer)
        .add_service(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .prepare())
}
