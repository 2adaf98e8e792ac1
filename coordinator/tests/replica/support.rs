//! A replica on free ports, an agent made by hand, and a plain HTTP client.

use std::time::Duration;

use ostler_coordinator::{Config, Running, config, start};
use ostler_proto::v1;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

pub(crate) type Fleet = v1::fleet_client::FleetClient<Channel>;

/// How long anything here may take before the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn config() -> Config {
    Config {
        replica: "replica-1".to_owned(),
        grpc_listen: ([127, 0, 0, 1], 0).into(),
        http_listen: ([127, 0, 0, 1], 0).into(),
        ingest_threads: 2,
        store: config::Store::Memory,
        ..Config::default()
    }
}

pub(crate) async fn replica() -> Running {
    start(config()).await.unwrap()
}

pub(crate) async fn channel(replica: &Running) -> Channel {
    Channel::from_shared(format!("http://{}", replica.grpc_address)).unwrap().connect().await.unwrap()
}

pub(crate) async fn fleet(replica: &Running) -> Fleet {
    v1::fleet_client::FleetClient::new(channel(replica).await)
}

/// An agent with one GPU, one engine and the host's CPU.
pub(crate) struct Agent {
    messages: mpsc::Sender<v1::AgentMessage>,
    answers: tonic::Streaming<v1::CoordinatorMessage>,
    seq: u64,
    pub(crate) name: String,
}

const GPU_METRICS: [v1::Metric; 3] =
    [v1::Metric::GpuUtilizationPercent, v1::Metric::GpuPowerMilliwatts, v1::Metric::GpuMemoryUsedBytes];

impl Agent {
    /// Joins with a snapshot: utilization and waiting requests as given.
    pub(crate) async fn join(
        replica: &Running,
        name: &str,
        zone: &str,
        utilization: i64,
        waiting: i64,
    ) -> Agent {
        let mut agent = Agent::hello(replica, hello(name, zone)).await;
        agent.snapshot(v1::GpuState::Ok, utilization, waiting).await;
        agent
    }

    pub(crate) async fn hello(replica: &Running, hello: v1::Hello) -> Agent {
        Agent::hello_over(channel(replica).await, hello).await
    }

    pub(crate) async fn hello_over(channel: Channel, hello: v1::Hello) -> Agent {
        let (messages, stream) = mpsc::channel(16);
        let name = hello.node.clone();
        messages.send(v1::AgentMessage { body: Some(v1::agent_message::Body::Hello(hello)) }).await.unwrap();
        let mut client = v1::agent_client::AgentClient::new(channel);
        let answers = client.report(ReceiverStream::new(stream)).await.unwrap().into_inner();
        Agent { messages, answers, seq: 0, name }
    }

    pub(crate) async fn send(&mut self, body: v1::agent_message::Body) {
        self.messages.send(v1::AgentMessage { body: Some(body) }).await.unwrap();
    }

    pub(crate) async fn snapshot(&mut self, state: v1::GpuState, utilization: i64, waiting: i64) {
        self.seq += 1;
        let group = |owner, metrics: &[v1::Metric]| v1::SeriesGroup {
            owner: Some(owner),
            period_ms: 1_000,
            metrics: metrics.iter().map(|metric| *metric as i32).collect(),
        };
        let snapshot = v1::Snapshot {
            seq: self.seq,
            gpus: vec![v1::GpuInfo {
                uuid: format!("GPU-{}", self.name),
                model: "NVIDIA H200".into(),
                state: state as i32,
                ..Default::default()
            }],
            engines: vec![v1::EngineInfo {
                name: "vllm-8000".into(),
                kind: v1::EngineKind::Vllm as i32,
                pool: "chat".into(),
                state: v1::EngineState::Serving as i32,
                gpu_uuids: vec![format!("GPU-{}", self.name)],
                ..Default::default()
            }],
            groups: vec![
                group(v1::series_group::Owner::Gpu(0), &GPU_METRICS),
                group(v1::series_group::Owner::Engine(0), &[v1::Metric::EngineRequestsWaiting]),
                group(v1::series_group::Owner::Host(true), &[v1::Metric::HostCpuUsedPpm]),
            ],
            values: vec![utilization, 350_000, 1 << 30, waiting, 142_000],
            ..Default::default()
        };
        self.send(v1::agent_message::Body::Snapshot(snapshot)).await;
    }

    /// Changes the utilization by so much.
    pub(crate) async fn row(&mut self, change: i64) {
        self.seq += 1;
        let changed = vec![0b1].into();
        let row = v1::Row { seq: self.seq, changed, change: vec![change], ..Default::default() };
        self.send(v1::agent_message::Body::Row(row)).await;
    }

    pub(crate) async fn answer(&mut self) -> Result<Option<v1::CoordinatorMessage>, tonic::Status> {
        tokio::time::timeout(PATIENCE, self.answers.message()).await.expect("the coordinator answers in time")
    }
}

pub(crate) fn hello(name: &str, zone: &str) -> v1::Hello {
    v1::Hello {
        node: name.into(),
        zone: zone.into(),
        boot_id: "boot".into(),
        incarnation: 1,
        agent_version: "0.1.0".into(),
        interval_ms: 1_000,
        labels: [("rack".to_owned(), "r7".to_owned())].into(),
        ..Default::default()
    }
}

/// Waits until the replica knows so many nodes with a snapshot.
pub(crate) async fn until_nodes(fleet: &mut Fleet, count: u32) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let filter = "state = FRESH".to_owned();
        let list =
            fleet.list_nodes(v1::ListRequest { filter, ..Default::default() }).await.unwrap().into_inner();
        if list.total_size == count {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{} nodes instead of {count}", list.total_size);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The head and the body of the answer.
pub(crate) async fn http(replica: &Running, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(replica.http_address).await.unwrap();
    let (line, body) = request.split_once('\n').unwrap_or((request, ""));
    let length = body.len();
    let text = format!(
        "{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer))
        .await
        .expect("an answer in time")
        .unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// The status and the JSON of the answer.
pub(crate) async fn json(replica: &Running, request: &str) -> (u16, serde_json::Value) {
    let (head, body) = http(replica, request).await;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}")))
}
