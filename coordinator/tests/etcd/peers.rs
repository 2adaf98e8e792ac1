//! What replicas over one etcd do with what they tell each other.

use std::time::{Duration, Instant};

use ostler_coordinator::{Config, Running, config, start, store::etcd};
use ostler_proto::v1;
use ostler_proto::v1::agent_message::Body;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::server::{PATIENCE, Server, free_port};

const NAMES: [&str; 2] = ["a", "b"];

async fn replica(server: &Server, folder: &tempfile::TempDir, ports: [u16; 2], number: usize) -> Running {
    let address = |port: u16| format!("http://127.0.0.1:{port}").parse().unwrap();
    let name = NAMES[number];
    let folder = folder.path().join(name);
    std::fs::create_dir(&folder).unwrap();
    start(Config {
        replica: name.to_owned(),
        grpc_listen: ([127, 0, 0, 1], ports[number]).into(),
        http_listen: ([127, 0, 0, 1], 0).into(),
        ingest_threads: 1,
        store: config::Store::Etcd { folder, etcd: etcd::Config::new(vec![server.endpoint()]) },
        // Both have the same list, in which one is itself.
        peers: ports.map(address).to_vec(),
        ..Config::default()
    })
    .await
    .unwrap()
}

/// An agent with neither GPU nor engine that is heard twice a second.
async fn agent(replica: &Running, node: &str) {
    let (messages, stream) = mpsc::channel(16);
    let hello = v1::Hello {
        node: node.to_owned(),
        zone: "zone".to_owned(),
        boot_id: "boot".to_owned(),
        incarnation: 1,
        interval_ms: 1_000,
        ..v1::Hello::default()
    };
    let say = |body| v1::AgentMessage { body: Some(body) };
    messages.send(say(Body::Hello(hello))).await.unwrap();
    messages.send(say(Body::Snapshot(v1::Snapshot { seq: 1, ..v1::Snapshot::default() }))).await.unwrap();
    let mut client =
        v1::agent_client::AgentClient::connect(format!("http://{}", replica.grpc_address)).await.unwrap();
    let mut answers = client.report(ReceiverStream::new(stream)).await.unwrap().into_inner();
    tokio::spawn(async move {
        for seq in 2.. {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let row = v1::Row { seq, ..v1::Row::default() };
            if messages.send(say(Body::Row(row))).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move { while let Ok(Some(_)) = answers.message().await {} });
}

/// Waits until one of these leads, as this replica says.
async fn leader(replica: &Running, wanted: &str) {
    let mut fleet =
        v1::fleet_client::FleetClient::connect(format!("http://{}", replica.grpc_address)).await.unwrap();
    let began = Instant::now();
    loop {
        let summary = fleet.get_fleet(v1::GetFleetRequest {}).await.unwrap().into_inner();
        if summary.leader == wanted {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{:?} leads and not {wanted}", summary.leader);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_reaches_less_than_half_of_what_another_does_hands_over() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let ports = [free_port(), free_port()];
    let cut_off = replica(&server, &folder, ports, 0).await;
    leader(&cut_off, "a").await;
    agent(&cut_off, "n0").await;
    let other = replica(&server, &folder, ports, 1).await;
    for node in ["n0", "n1", "n2"] {
        agent(&other, node).await;
    }
    leader(&other, "b").await;
    leader(&cut_off, "b").await;
}
