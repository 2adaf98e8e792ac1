//! The agent's own port: `/metrics`, `/healthz`, `/readyz`, the gRPC probe and gRPC health, over HTTP/1 and HTTP/2.
//!
//! Everything is answered from what was last read, so that a request neither waits for a GPU nor costs a reading.
//! Connections are bounded in number and in patience: the port is open to the whole cluster.

use std::{io, net::SocketAddr, sync::Arc, sync::atomic::Ordering, time::Duration};

use axum::{Router, extract::State, http::StatusCode, http::header::CONTENT_TYPE, routing::get};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use ostler_proto::v1::{
    self,
    agent_server::{Agent, AgentServer},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};
use tracing::{debug, info};

use crate::{
    hub::{Hub, lock},
    metrics,
};

/// Scrapers, probes of a few replicas and a person or two; more are refused until one ends.
const CONNECTIONS_MAX: usize = 64;

/// A client that has not sent its request's head by then is not a scraper.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests at once in one HTTP/2 connection.
const STREAMS_MAX: u32 = 16;

/// Silent HTTP/2 connections are asked for a sign of life.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);

/// A reading older than this many intervals means that the sampling loop stands still.
const INTERVALS_MAX: u32 = 5;

/// Grace for the first reading and for short intervals.
const STALL_MIN: Duration = Duration::from_secs(10);

/// A bound port.
#[derive(Debug)]
pub struct Listener(TcpListener);

impl Listener {
    /// Binds the port.
    ///
    /// # Errors
    /// When it is taken or not allowed.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        TcpListener::bind(address).await.map(Self)
    }

    /// The address with the port that was given when 0 was asked for.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Takes over a port that was bound outside; to be called in the runtime that will serve it.
impl TryFrom<std::net::TcpListener> for Listener {
    type Error = io::Error;

    fn try_from(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener).map(Self)
    }
}

/// Serves until told to stop; connections then end with their runtime.
pub async fn serve(Listener(listener): Listener, hub: Arc<Hub>, stop: CancellationToken) {
    if let Ok(address) = listener.local_addr() {
        info!(%address, "agent listens");
    }
    let (health, service) = tonic_health::server::health_reporter();
    health.set_serving::<AgentServer<Probe>>().await;
    let router = tonic::service::Routes::new(AgentServer::new(Probe(Arc::clone(&hub))))
        .add_service(service)
        .into_axum_router()
        .merge(pages(hub))
        .fallback(not_found);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match (accepted, Arc::clone(&places).try_acquire_owned()) {
            (Ok((stream, _)), Ok(place)) => {
                let (router, stop) = (router.clone(), stop.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = converse(stream, router) => {}
                        () = stop.cancelled() => {}
                    }
                    drop(place);
                });
            }
            (Ok(_), Err(_)) => debug!("connection refused: {CONNECTIONS_MAX} are open"),
            (Err(error), _) => {
                // Out of file descriptors: wait for one instead of spinning.
                debug!(%error, "cannot accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn converse(stream: TcpStream, router: Router) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .keep_alive_interval(KEEP_ALIVE_INTERVAL);
    let service = TowerToHyperService::new(router);
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        debug!(error, "connection ended");
    }
}

fn pages(hub: Arc<Hub>) -> Router {
    Router::new()
        .route("/metrics", get(page))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(hub)
}

async fn not_found() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "not here; see /metrics, /healthz and /readyz\n")
}

async fn page(State(hub): State<Arc<Hub>>) -> ([(axum::http::HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics::render(&hub))
}

/// Alive: the sampling loop ticks.
async fn healthz(State(hub): State<Arc<Hub>>) -> (StatusCode, String) {
    let patience = (hub.interval() * INTERVALS_MAX).max(STALL_MIN);
    let idle = hub.now().saturating_sub(hub.latest().taken.unwrap_or_default());
    if idle <= patience {
        (StatusCode::OK, "ok\n".to_owned())
    } else {
        let text = format!("the last reading is {} s old: the sampling loop stands still\n", idle.as_secs());
        (StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

/// Ready: something was read and at least one coordinator takes the reports.
async fn readyz(State(hub): State<Arc<Hub>>) -> (StatusCode, String) {
    if hub.latest().taken.is_none() {
        return (StatusCode::SERVICE_UNAVAILABLE, "nothing has been read yet\n".to_owned());
    }
    let streams = hub.streams();
    if streams.is_empty() || streams.iter().any(|stream| stream.up.load(Ordering::Relaxed) == 1) {
        return (StatusCode::OK, "ok\n".to_owned());
    }
    let reason = |stream: &crate::hub::Stream| match lock(&stream.reason).as_str() {
        "" => format!("{}: not connected yet\n", stream.url),
        reason => format!("{}: {reason}\n", stream.url),
    };
    let reasons: String = streams.iter().map(reason).collect();
    (StatusCode::SERVICE_UNAVAILABLE, format!("no coordinator takes the reports\n{reasons}"))
}

/// The gRPC side: is this process alive, and what did it last read?
#[derive(Debug)]
struct Probe(Arc<Hub>);

#[tonic::async_trait]
impl Agent for Probe {
    type ReportStream = tokio_stream::Empty<Result<v1::CoordinatorMessage, Status>>;

    async fn report(
        &self,
        _request: Request<Streaming<v1::AgentMessage>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        Err(Status::unimplemented("this is an agent; reports go to a coordinator, by default on port 7400"))
    }

    async fn probe(
        &self,
        _request: Request<v1::ProbeRequest>,
    ) -> Result<Response<v1::ProbeResponse>, Status> {
        let latest = self.0.latest();
        let now = self.0.now();
        let age = now.saturating_sub(latest.taken.unwrap_or_default());
        let hello = &self.0.identity().hello;
        Ok(Response::new(v1::ProbeResponse {
            node: hello.node.clone(),
            incarnation: hello.incarnation,
            uptime_s: u32::try_from(now.as_secs()).unwrap_or(u32::MAX),
            age_ms: u32::try_from(age.as_millis()).unwrap_or(u32::MAX),
            sources: latest.sample.sources.iter().map(crate::table::bounded).collect(),
        }))
    }
}

#[cfg(test)]
mod tests;
