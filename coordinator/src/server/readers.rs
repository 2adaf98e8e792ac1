//! The general server: every connection that is not an agent's.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use ostler_proto::v1;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tower::{Layer, Service, ServiceExt};

use super::Services;
use crate::api::{Api, encoded};
use crate::ingest::http2::{Rewound, WINDOW_BYTES};
use crate::ingest::{self, Pass, Socket};
use crate::request_log::RequestLog;

/// What all methods of the agents' service begin with.
const AGENT_PATH: &str = "/ostler.v1.Agent/";

/// Streams of one connection: an agent has one, a dashboard some tens, a proxy in front of many clients the rest.
const STREAMS_MAX: u32 = 256;

/// Bytes that a client may send ahead in one connection: four streams' worth.
const CONNECTION_WINDOW_BYTES: u32 = 262_144;

/// Bytes of headers. Ours take some hundred; tracing and a mesh in between add about a thousand.
const HEADER_BYTES_MAX: u32 = 16 << 10;

/// Bytes of a request to the read API: a filter of 4 KiB and a mask of 64 paths fit many times.
const REQUEST_BYTES_MAX: usize = 64 << 10;

/// Bytes of another replica's question: the names of a thousand nodes, of 253 bytes each.
const QUESTION_BYTES_MAX: usize = 288 << 10;

/// How long calls go on that were made over a connection whose certificate counts no more.
const LOST_TIME_MAX: Duration = Duration::from_secs(1);

/// What health is told of: the whole server and the two services that are served.
const HEALTH_NAMES: [&str; 3] = ["", v1::agent_server::SERVICE_NAME, v1::fleet_server::SERVICE_NAME];

/// The server and what it needs; clones are the same server.
#[derive(Clone)]
pub(super) struct Readers {
    http: http2::Builder<TokioExecutor>,
    service: <RequestLog as Layer<Front>>::Service,
}

impl Readers {
    /// A server that tells by its health when it is shut down.
    pub(super) async fn new(
        services: Services,
        shutdown: &CancellationToken,
    ) -> Result<Readers, tonic_reflection::server::Error> {
        let Services { ingest, api, log, orders: _, peers: _ } = services.clone();
        let front = Front { ingest, api, routes: routes(services, shutdown).await? };
        Ok(Readers { http: builder(), service: log.layer(front) })
    }

    /// The settings of HTTP/2.
    pub(super) fn http(&self) -> &http2::Builder<TokioExecutor> {
        &self.http
    }

    /// Serves a connection to its end.
    pub(super) async fn serve<S: Socket>(self, socket: Rewound<S>) -> hyper::Result<()> {
        let pass = socket.socket().pass().clone();
        let answer = hyper::service::service_fn(|mut request| {
            ingest::mark(&mut request, &pass);
            self.service.clone().oneshot(request)
        });
        let mut served = pin!(self.http.serve_connection(TokioIo::new(socket), answer));
        let lost = poll_fn(|context| pass.poll_lost(context));
        tokio::select! {
            biased;
            // What goes on is ended with the connection, and the client sees only that.
            _ = lost => {}
            ended = served.as_mut() => return ended,
        }
        served.as_mut().graceful_shutdown();
        tokio::time::timeout(LOST_TIME_MAX, served).await.unwrap_or(Ok(()))
    }
}

/// Takes report streams and long lists past the router, for what it costs to go through it.
#[derive(Clone)]
struct Front {
    ingest: ingest::Service,
    api: Api,
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
        } else if let Some(answer) = encoded::answer(request.uri().path()) {
            let answered = answer(self.api.clone(), REQUEST_BYTES_MAX, request);
            Box::pin(async move { Ok(answered.await) })
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
        // A report is 0.1-2 kB, the largest message 256 KiB: what HTTP/2 begins with is enough, and agents rely on it.
        .initial_stream_window_size(WINDOW_BYTES)
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
    let control =
        v1::control_server::ControlServer::new(services.orders).max_decoding_message_size(REQUEST_BYTES_MAX);
    let peer = v1::peer_server::PeerServer::new(services.peers).max_decoding_message_size(QUESTION_BYTES_MAX);
    Ok(Routes::new(fleet)
        .add_service(control)
        .add_service(peer)
        .add_service(health_service)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .prepare())
}
