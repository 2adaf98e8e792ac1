//! One log line and one span for each request, over gRPC and over HTTP, and a bound on how many are served at once.
//!
//! The caller's `traceparent` is taken up, so that a request is one trace across processes. A stream is logged when it
//! begins; its end is the business of who serves it.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, Response};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tokio::sync::Semaphore;
use tower::{Layer, Service};
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::ingest::REPORT_PATH;

/// Requests served at once, besides report streams, which are bounded by the number of nodes. A list takes some
/// milliseconds; a thousand waiting ones are seconds of work, more than their clients would wait for.
const REQUESTS_MAX: usize = 1_024;

/// Wraps a server's services. Clones share the bound.
#[derive(Clone)]
pub struct RequestLog {
    permits: Arc<Semaphore>,
    protocol: Protocol,
}

/// How a status is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// By the header or trailer `grpc-status`.
    Grpc,
    /// By the response's status.
    Http,
}

impl RequestLog {
    /// For servers of this protocol.
    pub fn new(protocol: Protocol) -> RequestLog {
        RequestLog { permits: Arc::new(Semaphore::new(REQUESTS_MAX)), protocol }
    }
}

impl<S> Layer<S> for RequestLog {
    type Service = Logged<S>;

    fn layer(&self, inner: S) -> Logged<S> {
        Logged { inner, log: self.clone() }
    }
}

/// A service whose requests are logged.
#[derive(Clone)]
pub struct Logged<S> {
    inner: S,
    log: RequestLog,
}

impl<S, B, R> Service<Request<B>> for Logged<S>
where
    S: Service<Request<B>, Response = Response<R>> + Send,
    S::Future: Send + 'static,
    R: Default,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<R>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let path = request.uri().path();
        // Report streams are bounded by the number of nodes, and never turned away here.
        let permit = if path == REPORT_PATH {
            None
        } else {
            match Arc::clone(&self.log.permits).try_acquire_owned() {
                Ok(permit) => Some(permit),
                Err(_) => {
                    let protocol = self.log.protocol;
                    return Box::pin(async move { Ok(turned_away(protocol)) });
                }
            }
        };
        let protocol = self.log.protocol;
        let endpoint: Arc<str> = Arc::from(path.get(..path.len().min(256)).unwrap_or("?"));
        let span = tracing::info_span!(
            "request",
            otel.name = &*endpoint,
            otel.kind = "server",
            endpoint = &*endpoint
        );
        if let Some(parent) = remote_parent(request.headers()) {
            let parent = opentelemetry::Context::new().with_remote_span_context(parent);
            // It fails only where no traces are collected, and then nothing is lost.
            let _ = span.set_parent(parent);
        }
        let began = Instant::now();
        let response = self.inner.call(request).instrument(span.clone());
        Box::pin(async move {
            let response = response.await;
            drop(permit);
            if let Ok(response) = &response {
                span.in_scope(|| write(&span, &endpoint, protocol, began, response));
            }
            response
        })
    }
}

fn write<R>(
    span: &tracing::Span,
    endpoint: &str,
    protocol: Protocol,
    began: Instant,
    response: &Response<R>,
) {
    let context = span.context();
    let ids = context.span().span_context().clone();
    let (trace_id, span_id) = (ids.trace_id().to_string(), ids.span_id().to_string());
    let latency_ms = (began.elapsed().as_secs_f64() * 1e6).round() / 1e3;
    let (status, blame) = status(protocol, response);
    let error = if blame == Blame::Nobody { String::new() } else { message(protocol, response) };
    match blame {
        Blame::Server => tracing::warn!(trace_id, span_id, endpoint, latency_ms, status, error, "request"),
        Blame::Nobody if PROBED.contains(&endpoint) => {
            tracing::debug!(trace_id, span_id, endpoint, latency_ms, status, error, "request");
        }
        Blame::Nobody | Blame::Client => {
            tracing::info!(trace_id, span_id, endpoint, latency_ms, status, error, "request");
        }
    }
}

/// Paths that machines ask every few seconds; only their failures are worth a line.
const PROBED: [&str; 4] = ["/metrics", "/healthz", "/readyz", "/grpc.health.v1.Health/Check"];

/// Whose fault a status is, and so who should look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blame {
    Nobody,
    Client,
    Server,
}

/// The status's name or number, and whose fault it is.
fn status<R>(protocol: Protocol, response: &Response<R>) -> (String, Blame) {
    match protocol {
        Protocol::Grpc => {
            let header = response.headers().get("grpc-status");
            let code = header.map_or(tonic::Code::Ok, |code| tonic::Code::from_bytes(code.as_bytes()));
            let blame = match code {
                tonic::Code::Ok => Blame::Nobody,
                tonic::Code::Internal | tonic::Code::Unknown | tonic::Code::DataLoss => Blame::Server,
                tonic::Code::ResourceExhausted | tonic::Code::Unavailable | tonic::Code::DeadlineExceeded => {
                    Blame::Server
                }
                tonic::Code::Cancelled
                | tonic::Code::InvalidArgument
                | tonic::Code::NotFound
                | tonic::Code::AlreadyExists
                | tonic::Code::PermissionDenied
                | tonic::Code::FailedPrecondition
                | tonic::Code::Aborted
                | tonic::Code::OutOfRange
                | tonic::Code::Unimplemented
                | tonic::Code::Unauthenticated => Blame::Client,
            };
            (format!("{code:?}"), blame)
        }
        Protocol::Http => {
            let status = response.status();
            let ours = status.is_server_error() && status != http::StatusCode::NOT_IMPLEMENTED;
            let blame = match (ours, status.is_client_error() || status.is_server_error()) {
                (true, _) => Blame::Server,
                (false, true) => Blame::Client,
                (false, false) => Blame::Nobody,
            };
            (status.as_u16().to_string(), blame)
        }
    }
}

fn message<R>(protocol: Protocol, response: &Response<R>) -> String {
    match protocol {
        Protocol::Grpc => tonic::Status::from_header_map(response.headers())
            .map(|it| it.message().to_owned())
            .unwrap_or_default(),
        Protocol::Http => response.extensions().get::<ErrorText>().map(|it| it.0.clone()).unwrap_or_default(),
    }
}

/// What went wrong, left by an HTTP handler in the response for the log.
#[derive(Clone, Debug)]
pub struct ErrorText(pub String);

fn turned_away<R: Default>(protocol: Protocol) -> Response<R> {
    match protocol {
        Protocol::Grpc => {
            let text =
                format!("{REQUESTS_MAX} requests are being served, the most at once; try again in a second");
            tonic::Status::resource_exhausted(text).into_http()
        }
        Protocol::Http => {
            let mut response = Response::new(R::default());
            *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
            response.headers_mut().insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("1"));
            response
        }
    }
}

/// The caller's span after W3C Trace Context, if it gives one.
fn remote_parent(headers: &HeaderMap) -> Option<SpanContext> {
    let value = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = value.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lengths = (version.len(), trace.len(), span.len(), flags.len()) == (2, 32, 16, 2);
    let lower_hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !lengths || version == "ff" || ![version, trace, span, flags].into_iter().all(lower_hex) {
        return None;
    }
    if version == "00" && parts.next().is_some() {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()? & 1);
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        flags,
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent(value: &str) -> Option<SpanContext> {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", value.parse().unwrap());
        remote_parent(&headers)
    }

    #[test]
    fn a_well_formed_traceparent_is_taken_up_and_others_are_not() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = parent(good).unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert!(context.is_sampled() && context.is_remote());
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        ] {
            assert!(parent(bad).is_none(), "{bad}");
        }
        assert!(parent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x").is_some());
    }
}
