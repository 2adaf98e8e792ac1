//! HTTP: the JSON mirror of the read API, metrics, health and the dashboard.
//!
//! Each path calls the same service as gRPC does; only the shape of question and answer is its own.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use http::{HeaderValue, Method, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use crate::api::{Api, Orders};
use crate::dashboard;
use crate::metrics::Metrics;
use crate::request_log::{Protocol, RequestLog};

mod error;
mod order;
mod read;
mod stream;

use error::Error;

/// Connections open at once; each may hold a request's headers and an answer.
const CONNECTIONS_MAX: usize = 2_048;

/// How long a client may take for the headers of a request, and how long a connection may stay idle between two.
const HEADERS_TIME_MAX: Duration = Duration::from_secs(30);

/// How long an answer may take to begin.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(15);

/// Bytes of a request's body: an order of an operator, or a policy file when there are policies.
const BODY_BYTES_MAX: usize = 256 << 10;

/// The OpenAPI description of the paths below.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// Orders that gRPC's Control has and this version does not carry out; `POST /api/v1/control/NAME`.
const ORDERS: [&str; 7] =
    ["drain", "undrain", "failover", "failback", "apply-policy", "approve", "start-drill"];

/// What the handlers answer from.
#[derive(Clone)]
pub struct Context {
    /// The read API.
    pub api: Api,
    /// Orders of operators.
    pub orders: Orders,
    /// What this replica says of itself.
    pub metrics: Metrics,
    /// Whether everything runs that should.
    pub ready: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
}

/// Every path with its methods; `{*name}` may contain slashes, as names of engines do.
fn routes() -> Vec<(String, MethodRouter<Context>)> {
    let mut routes = vec![
        ("/api/v1/fleet".to_owned(), get(read::fleet)),
        ("/api/v1/range".to_owned(), get(read::range)),
        ("/api/v1/watch".to_owned(), get(stream::watch)),
        ("/api/v1/explain/{decision}".to_owned(), get(read::explain)),
        ("/api/v1/control/hold".to_owned(), post(order::hold)),
        ("/api/v1/control/release".to_owned(), post(order::release)),
        ("/api/v1/openapi.json".to_owned(), get(openapi)),
        ("/metrics".to_owned(), get(metrics)),
        ("/healthz".to_owned(), get(|| async { "ok\n" })),
        ("/readyz".to_owned(), get(readyz)),
    ];
    for (path, list, one) in read::kinds() {
        routes.push((format!("/api/v1/{path}"), list));
        routes.push((format!("/api/v1/{path}/{{*name}}"), one));
    }
    for order in ORDERS {
        let refuse = move || async move { Error::from(crate::api::not_available(order)) };
        routes.push((format!("/api/v1/control/{order}"), post(refuse)));
    }
    routes
}

/// All paths with the dashboard, and what holds for each of them.
pub fn router(context: Context) -> Router {
    let router =
        routes().into_iter().fold(Router::new(), |router, (path, methods)| router.route(&path, methods));
    router
        .route("/api/{*path}", axum::routing::any(no_such_path))
        .with_state(context)
        .merge(dashboard::router())
        .method_not_allowed_fallback(wrong_method)
        .layer(RequestBodyLimitLayer::new(BODY_BYTES_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, ANSWER_TIME_MAX))
        .layer(CompressionLayer::new())
        .layer(RequestLog::new(Protocol::Http))
}

async fn no_such_path(uri: http::Uri) -> Error {
    Error::from(tonic::Status::not_found(format!("there is no {}", uri.path())))
}

async fn wrong_method(method: Method, uri: http::Uri) -> Error {
    Error::method(format!("{} does not take {method}", uri.path()))
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], OPENAPI).into_response()
}

async fn metrics(State(context): State<Context>) -> Response {
    let kind = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], context.metrics.encode()).into_response()
}

async fn readyz(State(context): State<Context>) -> Response {
    match (context.ready)() {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")).into_response(),
    }
}

/// Listens, so that the address is known before serving begins.
pub fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until shut down.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let place = Arc::clone(&places).acquire_owned();
        let Some(Ok(place)) = shutdown.run_until_cancelled(place).await else { return Ok(()) };
        let Some(accepted) = shutdown.run_until_cancelled(listener.accept()).await else { return Ok(()) };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Too many open files, or a client that went away: neither ends the server.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "an HTTP connection could not be accepted"
                );
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let router = router.clone();
        let ended = shutdown.clone();
        tokio::spawn(async move {
            let _place = place;
            let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
                router.clone().oneshot(request.map(axum::body::Body::new))
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS_TIME_MAX)
                .serve_connection(TokioIo::new(stream), service);
            // A client that breaks off is its own business.
            let _ = ended.run_until_cancelled(connection).await;
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ostler_proto::v1;
    use serde::de::DeserializeOwned;
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_description_names_exactly_the_paths_that_there_are() {
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        let described: BTreeSet<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
        let served: BTreeSet<String> =
            routes().into_iter().map(|(path, _)| path.replace("{*", "{")).collect();
        assert_eq!(described, served);
    }

    fn decodes<M: DeserializeOwned>(example: &Value) {
        if let Err(error) = serde_json::from_value::<M>(example.clone()) {
            panic!("{error}: {example}");
        }
    }

    #[test]
    fn every_example_of_the_description_is_an_answer() {
        let document: Value = serde_json::from_str(OPENAPI).unwrap();
        let mut seen = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            let Some(example) = item["get"]["responses"]["200"]["content"]["application/json"].get("example")
            else {
                continue;
            };
            seen += 1;
            match path.as_str() {
                "/api/v1/fleet" => decodes::<v1::FleetSummary>(example),
                "/api/v1/range" => decodes::<v1::QueryRangeResponse>(example),
                "/api/v1/zones" => decodes::<v1::ListZonesResponse>(example),
                "/api/v1/nodes" => decodes::<v1::ListNodesResponse>(example),
                "/api/v1/gpus" => decodes::<v1::ListGpusResponse>(example),
                "/api/v1/engines" => decodes::<v1::ListEnginesResponse>(example),
                "/api/v1/pools" => decodes::<v1::ListPoolsResponse>(example),
                "/api/v1/events" => decodes::<v1::ListEventsResponse>(example),
                "/api/v1/decisions" => decodes::<v1::ListDecisionsResponse>(example),
                "/api/v1/actions" => decodes::<v1::ListActionsResponse>(example),
                "/api/v1/holds" => decodes::<v1::ListHoldsResponse>(example),
                "/api/v1/zones/{name}" => decodes::<v1::Zone>(example),
                "/api/v1/nodes/{name}" => decodes::<v1::Node>(example),
                "/api/v1/gpus/{name}" => decodes::<v1::Gpu>(example),
                "/api/v1/engines/{name}" => decodes::<v1::Engine>(example),
                "/api/v1/pools/{name}" => decodes::<v1::Pool>(example),
                "/api/v1/events/{name}" => decodes::<v1::Event>(example),
                other => panic!("the example of {other} is not checked here"),
            }
        }
        assert_eq!(seen, 17);
    }
}
