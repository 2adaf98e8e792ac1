//! Report streams: from agents into the engine, on every replica.
//!
//! Ten thousand agents send a row each second, so the way of a row is short: an agent's connection is served by a few
//! rules of HTTP/2 and one task ([`http2`]), a row is read where it lies in the buffer ([`wire`]) and folded at once.
//! Everything else a stream may say is rare and takes the ordinary way ([`session`]). A stream that is not the first of its
//! connection comes through the general server ([`stream`]) and costs more.
//!
//! A stream that breaks a limit is closed with a text that says which. Nothing it did reaches other streams.

use std::convert::Infallible;
use std::future::{self, Ready};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{Request, Response};
use ostler_core::id::NodeKey;
use ostler_proto::v1;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::{Status, codegen};
use tower::{Layer, ServiceExt};

use crate::driver::Driver;
use crate::request_log::RequestLog;

mod assembler;
mod bucket;
mod exchange;
pub mod http2;
mod line;
mod pace;
mod pass;
mod session;
mod stream;
mod wire;

use exchange::Exchange;
use line::Lines;
pub use pace::before_park;
pub use pass::{Nodes, Pass, Socket};

/// The method that agents call.
pub(crate) const REPORT_PATH: &str = "/ostler.v1.Agent/Report";

/// What an agent may do.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest message in bytes, as the wire's contract says.
    pub message_bytes_max: usize,
    /// Messages a second over time.
    pub messages_per_second: u32,
    /// Messages at once, after a while of silence: Hello, Snapshot, and half an hour of Backlog are 17.
    pub messages_at_once: u32,
    /// Time for the first message, and for the rest of a message that has begun.
    pub message_within: Duration,
    /// Time from Hello to the first Snapshot.
    pub snapshot_within: Duration,
    /// Time between two Acks, while messages come: a bit less than the 25 seconds of silence after which an agent asks
    /// whether the connection is alive. To send one costs about as much as to take in half a row.
    pub ack_interval: Duration,
    /// Report streams open at once. Each may hold one unfinished message besides what the fleet keeps of its node.
    pub streams_max: usize,
    /// How often agents are told to send a row; none lets each keep its own interval.
    pub report_interval: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: 256 * 1024,
            messages_per_second: 20,
            messages_at_once: 60,
            message_within: Duration::from_secs(5),
            snapshot_within: Duration::from_secs(10),
            ack_interval: Duration::from_secs(20),
            streams_max: 70_000,
            report_interval: None,
        }
    }
}

/// The `ostler.v1.Agent` service of a coordinator.
pub fn service(driver: Driver, limits: Limits) -> Service {
    Service { shared: Arc::new(Shared { driver, limits, lines: Lines::default() }) }
}

/// Serves `Report`; `Probe` is for agents. Clones are the same service.
#[derive(Clone)]
pub struct Service {
    shared: Arc<Shared>,
}

/// What all streams share.
struct Shared {
    driver: Driver,
    limits: Limits,
    lines: Lines,
}

impl Service {
    /// Report streams that are open.
    pub fn streams(&self) -> usize {
        self.shared.lines.open()
    }

    /// Sends an order to a node's agent; false when it has no stream, or its stream takes no more.
    pub fn order(&self, node: NodeKey, command: v1::Command) -> bool {
        let body = Some(v1::coordinator_message::Body::Command(command));
        self.shared.lines.send(node, v1::CoordinatorMessage { body })
    }

    /// Ends all report streams, because the server stops.
    pub fn stop(&self) {
        self.shared.lines.stop();
    }

    /// Serves an agent's connection to its end.
    pub async fn serve<S: Socket>(self, arrived: http2::Arrived<S>, log: RequestLog) {
        let http2::Arrived { mut request, stream, socket, read } = arrived;
        mark(&mut request, socket.pass());
        let Ok(response) = log.layer(Door(self)).oneshot(request).await;
        let (http::response::Parts { headers, .. }, exchange) = response.into_parts();
        match exchange {
            Some(exchange) => {
                let connection = http2::Connection::new(exchange, stream, &headers, Instant::now());
                let serve = http2::Serve::new(socket, connection, &read);
                drop((read, headers));
                serve.await;
            }
            None => http2::refuse(socket, stream, &headers).await,
        }
    }

    /// Makes room for a stream, or says why there is none.
    fn admit<B>(&self, request: &Request<B>) -> Result<Exchange, Status> {
        match request.uri().path() {
            REPORT_PATH => {}
            "/ostler.v1.Agent/Probe" => {
                return Err(Status::unimplemented(
                    "Probe is answered by agents, not by a coordinator; ask one on its port 7410",
                ));
            }
            path => return Err(Status::unimplemented(format!("this coordinator has no {path}"))),
        }
        let encoding = request.headers().get("grpc-encoding").map(|value| value.as_bytes());
        if encoding.is_some_and(|encoding| encoding != b"identity") {
            return Err(Status::unimplemented(
                "report streams are not compressed; send without grpc-encoding",
            ));
        }
        let permit = self.shared.lines.admit(self.shared.limits.streams_max).ok_or_else(|| {
            let limit = self.shared.limits.streams_max;
            Status::resource_exhausted(format!(
                "this coordinator already has {limit} report streams; try another replica"
            ))
        })?;
        let nodes = request.extensions().get::<Nodes>().cloned().unwrap_or_default();
        Ok(Exchange::new(Arc::clone(&self.shared), permit, nodes))
    }

    fn answer<B>(&self, request: Request<B>) -> Result<Response<Body>, Status>
    where
        B: hyper::body::Body<Data = bytes::Bytes> + Send + Unpin + 'static,
        B::Error: std::fmt::Display,
    {
        let exchange = self.admit(&request)?;
        Ok(grpc_response(Body::new(stream::Stream::new(exchange, request.into_body()))))
    }
}

/// Writes on a request which nodes it may be of.
pub(crate) fn mark<B>(request: &mut Request<B>, pass: &impl Pass) {
    if pass.nodes().are_some() {
        request.extensions_mut().insert(pass.nodes().clone());
    }
}

/// Lets agents' connections in: the part of serving them that is logged.
struct Door(Service);

impl codegen::Service<Request<()>> for Door {
    type Response = Response<Option<Exchange>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        future::ready(Ok(match self.0.admit(&request) {
            Ok(exchange) => grpc_response(Some(exchange)),
            Err(status) => status.into_http(),
        }))
    }
}

fn grpc_response<B>(body: B) -> Response<B> {
    let mut response = Response::new(body);
    response.headers_mut().insert(http::header::CONTENT_TYPE, tonic::metadata::GRPC_CONTENT_TYPE);
    response
}

impl NamedService for Service {
    const NAME: &'static str = "ostler.v1.Agent";
}

impl<B> codegen::Service<Request<B>> for Service
where
    B: hyper::body::Body<Data = bytes::Bytes> + Send + Unpin + 'static,
    B::Error: std::fmt::Display,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        future::ready(Ok(self.answer(request).unwrap_or_else(Status::into_http)))
    }
}
