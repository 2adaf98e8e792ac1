//! The HTTP mirror: JSON, errors, server-sent events, metrics and health.

use std::time::Duration;

use ostler_proto::v1;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;

use crate::support::{Agent, PATIENCE, fleet, http, json, replica, until_nodes};

#[tokio::test]
async fn lists_and_entries_are_the_same_as_over_grpc() {
    let replica = replica().await;
    let mut client = fleet(&replica).await;
    let _agent = Agent::join(&replica, "a", "eu-1a", 90, 3).await;
    until_nodes(&mut client, 1).await;
    for (path, key) in
        [("zones", "zones"), ("nodes", "nodes"), ("gpus", "gpus"), ("engines", "engines"), ("pools", "pools")]
    {
        let (status, list) = json(&replica, &format!("GET /api/v1/{path}")).await;
        assert_eq!((status, list[key].as_array().map(Vec::len)), (200, Some(1)), "{list}");
    }
    let (_, events) = json(&replica, "GET /api/v1/events?filter=kind%20%3D%20node_joined").await;
    assert_eq!(events["events"][0]["severity"], "SEVERITY_INFO");
    let (_, node) = json(&replica, "GET /api/v1/nodes/a?fields=name,state").await;
    assert_eq!(node, serde_json::json!({ "name": "a", "state": "NODE_STATE_FRESH" }));
    let (status, engine) = json(&replica, "GET /api/v1/engines/a/vllm-8000").await;
    assert_eq!((status, &engine["pool"]), (200, &"chat".into()));
    let (_, summary) = json(&replica, "GET /api/v1/fleet").await;
    assert!(serde_json::from_value::<v1::FleetSummary>(summary).is_ok());
    let (status, range) =
        json(&replica, "GET /api/v1/range?metric=gpu_utilization_percent&gpu=GPU-a&since_ms=60000").await;
    assert_eq!((status, &range["values"][0]), (200, &90.0.into()));
}

#[tokio::test]
async fn errors_are_json_with_code_message_and_hint() {
    let replica = replica().await;
    let cases = [
        ("GET /api/v1/nodes?filter=x%3D1", 400, "INVALID_ARGUMENT"),
        ("GET /api/v1/nodes?page_size=many", 400, "INVALID_ARGUMENT"),
        ("GET /api/v1/nodes?pagesize=1", 400, "INVALID_ARGUMENT"),
        ("GET /api/v1/nodes/nobody", 404, "NOT_FOUND"),
        ("GET /api/v1/nothing", 404, "NOT_FOUND"),
        ("GET /api/v1/range?metric=x&node=a", 400, "INVALID_ARGUMENT"),
        ("GET /api/v1/range?metric=host_cpu_used_ppm", 400, "INVALID_ARGUMENT"),
        ("GET /api/v1/watch?kinds=cat", 400, "INVALID_ARGUMENT"),
        ("POST /api/v1/control/drain\n{}", 501, "UNIMPLEMENTED"),
        ("POST /api/v1/nodes\n{}", 405, "METHOD_NOT_ALLOWED"),
    ];
    for (request, status, code) in cases {
        let (got, body) = json(&replica, request).await;
        assert_eq!((got, body["error"]["code"].as_str()), (status, Some(code)), "{request}: {body}");
        assert!(
            !body["error"]["message"].as_str().unwrap().is_empty()
                && !body["error"]["hint"].as_str().unwrap().is_empty()
        );
    }
}

struct Events {
    lines: Lines<BufReader<TcpStream>>,
}

impl Events {
    async fn open(address: std::net::SocketAddr, path: &str, last: Option<&str>) -> Events {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let last = last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n{last}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Events { lines: BufReader::new(stream).lines() }
    }

    /// The next message with its id, if it has one.
    async fn next(&mut self) -> (Option<String>, v1::WatchResponse) {
        let mut id = None;
        loop {
            let line = tokio::time::timeout(PATIENCE, self.lines.next_line())
                .await
                .expect("a line in time")
                .unwrap()
                .unwrap();
            if let Some(text) = line.strip_prefix("id: ") {
                id = Some(text.to_owned());
            } else if let Some(data) = line.strip_prefix("data: ") {
                let message = serde_json::from_str(data).unwrap();
                // The id may come after the data; a message ends with an empty line.
                while let Ok(Some(line)) = self.lines.next_line().await {
                    match line.strip_prefix("id: ") {
                        Some(text) => id = Some(text.to_owned()),
                        None if line.is_empty() => break,
                        None => {}
                    }
                }
                return (id, message);
            }
        }
    }

    async fn synced(&mut self) -> (String, bool, usize) {
        let (mut changes, mut reset) = (0, false);
        loop {
            let (id, message) = self.next().await;
            changes += message.changes.len();
            reset |= message.reset;
            if message.synced {
                return (id.expect("a synced message has an id"), reset, changes);
            }
        }
    }
}

#[tokio::test]
async fn a_watch_by_server_sent_events_resumes_from_the_last_id() {
    let replica = replica().await;
    let mut agent = Agent::join(&replica, "a", "z", 10, 0).await;
    let _other = Agent::join(&replica, "b", "z", 10, 0).await;
    until_nodes(&mut fleet(&replica).await, 2).await;
    let path = "/api/v1/watch?kinds=gpu&fields=name,utilization_percent";
    let mut events = Events::open(replica.http_address, path, None).await;
    let (id, reset, changes) = events.synced().await;
    assert!(reset && changes == 2);
    agent.row(7).await;
    let (newer, message) = events.next().await;
    assert_eq!(message.changes.len(), 1);
    assert!(newer.is_some_and(|newer| newer != id));
    drop(events);
    let mut again = Events::open(replica.http_address, path, Some(&id)).await;
    let (_, reset, changes) = again.synced().await;
    assert!(!reset && changes == 1, "{reset} {changes}");
    let mut anew = Events::open(replica.http_address, path, Some("nonsense")).await;
    assert!(anew.synced().await.1);
}

#[tokio::test]
async fn metrics_health_and_description_are_served() {
    let replica = replica().await;
    let _agent = Agent::join(&replica, "a", "eu-1a", 90, 3).await;
    until_nodes(&mut fleet(&replica).await, 1).await;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let metrics = loop {
        let (_, metrics) = http(&replica, "GET /metrics").await;
        if metrics.contains("ostler_nodes{state=\"fresh\"} 1") || tokio::time::Instant::now() > deadline {
            break metrics;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    for line in [
        "ostler_nodes{state=\"fresh\"} 1",
        "ostler_report_streams 1",
        "ostler_zone_requests_waiting{zone=\"eu-1a\"} 3",
        "ostler_facts_total{answer=\"joined\"} 1",
        "# EOF",
    ] {
        assert!(metrics.contains(line), "{line} is missing in {metrics}");
    }
    for path in ["healthz", "readyz"] {
        assert!(http(&replica, &format!("GET /{path}")).await.0.contains("200 OK"));
    }
    let (status, document) = json(&replica, "GET /api/v1/openapi.json").await;
    assert!(status == 200 && document["openapi"].as_str().unwrap().starts_with("3.1"));
    let (head, page) = http(&replica, "GET /").await;
    assert!(head.contains("200 OK") && page.contains("<html"), "{head}");
}
