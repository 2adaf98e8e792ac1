//! The port as a scraper, a kubelet and a gRPC client see it.

use std::{sync::Arc, time::Duration};

use ostler_proto::v1::{self, agent_client::AgentClient};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use super::{Listener, serve};
use crate::{
    buffer::Limits,
    hub::{Hub, Identity, lock},
    sample::NodeSample,
    state::{Store, Stored},
    table::Table,
};

async fn start(coordinators: &[&str]) -> (Arc<Hub>, String) {
    let urls: Vec<String> = coordinators.iter().map(ToString::to_string).collect();
    let hello = v1::Hello { node: "n1".into(), incarnation: 42, ..v1::Hello::default() };
    let store = (Store::new(None), Stored::default());
    let (hub, _orders) =
        Hub::new(Identity { hello }, Duration::from_secs(1), Limits::default(), &urls, store);
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.address().unwrap().to_string();
    tokio::spawn(serve(listener, Arc::clone(&hub), CancellationToken::new()));
    (hub, address)
}

/// The status line and the body of a plain HTTP/1 request.
async fn get(address: &str, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), body.to_owned())
}

#[tokio::test]
async fn pages_are_served_over_http1() {
    let (hub, address) = start(&[]).await;
    hub.publish(&mut Table::default(), NodeSample::default());
    let (status, body) = get(&address, "/metrics").await;
    assert!(status.contains("200") && body.contains("ostler_agent_readings_total 1"), "{status} {body}");
    assert!(get(&address, "/healthz").await.0.contains("200"));
    assert!(get(&address, "/nothing").await.0.contains("404"));
}

#[tokio::test]
async fn readiness_waits_for_a_reading_and_a_stream_and_says_why() {
    let (hub, address) = start(&["http://c:7400"]).await;
    let (status, body) = get(&address, "/readyz").await;
    assert!(status.contains("503") && body.contains("nothing has been read"), "{status} {body}");
    hub.publish(&mut Table::default(), NodeSample::default());
    "connection refused".clone_into(&mut lock(&hub.streams()[0].reason));
    let (status, body) = get(&address, "/readyz").await;
    assert!(status.contains("503") && body.contains("http://c:7400: connection refused"), "{status} {body}");
    hub.streams()[0].up.store(1, std::sync::atomic::Ordering::Relaxed);
    assert!(get(&address, "/readyz").await.0.contains("200"));
}

#[tokio::test]
async fn probe_and_health_are_served_over_grpc_on_the_same_port() {
    let (hub, address) = start(&[]).await;
    hub.publish(&mut Table::default(), NodeSample::default());
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let answer = AgentClient::new(channel.clone()).probe(v1::ProbeRequest {}).await.unwrap().into_inner();
    assert_eq!((answer.node.as_str(), answer.incarnation), ("n1", 42));
    let request = HealthCheckRequest { service: "ostler.v1.Agent".to_owned() };
    let health = HealthClient::new(channel.clone()).check(request).await.unwrap().into_inner();
    assert_eq!(health.status, 1);
    let error = AgentClient::new(channel).report(tokio_stream::empty()).await.unwrap_err();
    assert_eq!(error.code(), tonic::Code::Unimplemented);
    assert!(error.message().contains("coordinator"), "{error}");
}

#[tokio::test]
async fn a_peer_that_answers_is_ok() {
    let (_hub, address) = start(&[]).await;
    let outcome = crate::stream::peer::probe(&address, None, Duration::from_secs(2)).await;
    assert_eq!(outcome.answer(), v1::ProbeAnswer::Ok);
}
