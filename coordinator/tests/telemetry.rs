//! A request leaves one JSON line, and one span at the collector, with the same trace id as its caller's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use ostler_coordinator::{Config, config, start, telemetry};
use ostler_proto::v1;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn of(&self, endpoint: &str) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.filter(|line| line["endpoint"] == endpoint).collect()
    }
}

struct Collector(mpsc::Sender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let _ = self.0.send(request.into_inner()).await;
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_one_log_line_and_one_span_of_its_callers_trace() {
    let (exports, mut exported) = mpsc::channel(16);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    let collector = TraceServiceServer::new(Collector(exports));
    tokio::spawn(tonic::transport::Server::builder().add_service(collector).serve_with_incoming(incoming));

    let lines = Lines::default();
    let writer = lines.clone();
    let telemetry_config = telemetry::Config {
        format: telemetry::Format::Json,
        otlp_endpoint: Some(endpoint),
        ..Default::default()
    };
    let guard = telemetry::init_to(&telemetry_config, move || writer.clone()).unwrap();

    let local = ([127, 0, 0, 1], 0).into();
    let replica = start(Config {
        grpc_listen: local,
        http_listen: local,
        store: config::Store::Memory,
        ..Config::default()
    });
    let replica = replica.await.unwrap();
    let url = format!("http://{}", replica.grpc_address);
    let mut fleet = v1::fleet_client::FleetClient::connect(url).await.unwrap();
    let traced = |filter: &str| {
        let mut request = Request::new(v1::ListRequest { filter: filter.to_owned(), ..Default::default() });
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        request.metadata_mut().insert("traceparent", parent.parse().unwrap());
        request
    };
    fleet.list_nodes(traced("")).await.unwrap();
    fleet.list_nodes(traced("nothing = 1")).await.unwrap_err();

    let written = lines.of("/ostler.v1.Fleet/ListNodes");
    assert_eq!(written.len(), 2, "{written:?}");
    for (line, status) in written.iter().zip(["Ok", "InvalidArgument"]) {
        assert_eq!((line["trace_id"].as_str(), line["status"].as_str()), (Some(TRACE), Some(status)));
        assert_eq!(line["service"], "ostler-coordinator");
        assert!(line["latency_ms"].as_f64().is_some() && line["timestamp"].is_string());
        assert_eq!(line["error"].as_str().unwrap().contains("unknown field"), status == "InvalidArgument");
    }

    replica.shutdown();
    replica.wait().await;
    // Stopping sends what is left.
    tokio::task::spawn_blocking(move || drop(guard)).await.unwrap();
    let mut spans = Vec::new();
    while let Ok(Some(export)) = tokio::time::timeout(Duration::from_secs(1), exported.recv()).await {
        let scopes = export.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        spans.extend(scopes.flat_map(|scope| scope.spans));
    }
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let ours: Vec<_> = spans.iter().filter(|span| hex(&span.trace_id) == TRACE).collect();
    assert_eq!(ours.len(), 2, "{spans:?}");
    for (span, line) in ours.iter().zip(&written) {
        assert_eq!(hex(&span.parent_span_id), "00f067aa0ba902b7");
        assert_eq!(Some(hex(&span.span_id).as_str()), line["span_id"].as_str());
        assert_eq!(span.name, "/ostler.v1.Fleet/ListNodes");
    }
}
