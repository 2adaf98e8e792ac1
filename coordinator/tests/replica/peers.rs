//! What replicas ask each other, over real connections.

use std::time::{Duration, Instant};

use ostler_coordinator::{Config, Running, start};
use ostler_proto::v1;
use ostler_proto::v1::peer_client::PeerClient;
use tonic::Code;

use crate::support::{Agent, PATIENCE, channel, config, fleet, hello, replica};

/// A node whose agent nobody can ask.
async fn join(replica: &Running, name: &str) -> Agent {
    let mut agent = Agent::hello(replica, hello(name, "a")).await;
    agent.snapshot(v1::GpuState::Ok, 50, 0).await;
    agent
}

/// Rows come from now on.
pub(crate) fn beat(mut agent: Agent) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        for seq in 1.. {
            agent.row(seq).await;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    })
}

async fn verdict(replica: &Running, name: &str) -> v1::Node {
    let request = v1::GetRequest { name: name.to_owned(), field_mask: None };
    fleet(replica).await.get_node(request).await.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_another_replica_hears_has_only_a_broken_stream() {
    let other = start(Config { replica: "replica-2".to_owned(), ..config() }).await.unwrap();
    let peer = format!("http://{}", other.grpc_address).parse().unwrap();
    let one = start(Config { peers: vec![peer], ..config() }).await.unwrap();
    for name in ["n2", "n3"] {
        beat(join(&one, name).await);
        beat(join(&other, name).await);
    }
    beat(join(&other, "n1").await);
    let _silent = join(&one, "n1").await;
    let began = Instant::now();
    let node = loop {
        let node = verdict(&one, "n1").await;
        if node.verdict() == v1::Verdict::StreamBroken {
            break node;
        }
        assert!(began.elapsed() < 3 * PATIENCE, "{:?}: {}", node.verdict(), node.verdict_reason);
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(node.verdict_reason.contains("another replica"), "{}", node.verdict_reason);
    while verdict(&other, "n1").await.verdict() != v1::Verdict::Healthy {
        assert!(began.elapsed() < 3 * PATIENCE, "the other one hears it");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_tells_what_it_reaches_and_knows_and_nothing_of_what_it_does_not() {
    let replica = replica().await;
    beat(join(&replica, "n1").await);
    crate::support::until_nodes(&mut fleet(&replica).await, 1).await;
    let mut peer = PeerClient::new(channel(&replica).await);
    let unknown = |number: usize| format!("{number:0>253}");
    let nodes = ["n1".to_owned()].into_iter().chain((1..1_000).map(unknown)).collect();
    let request = v1::CorroborateRequest { replica: "replica-2".to_owned(), term: 1, nodes };
    let began = Instant::now();
    // A step counts who is reached.
    let answer = loop {
        let answer = peer.corroborate(request.clone()).await.unwrap().into_inner();
        if answer.reach.iter().any(|reach| reach.zones.iter().any(|zone| zone.nodes_reached > 0)) {
            break answer;
        }
        assert!(began.elapsed() < PATIENCE, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let known: Vec<_> =
        answer.nodes.iter().map(|it| (it.node.as_str(), it.connected, it.verdict())).collect();
    assert_eq!(known, [("n1", true, v1::Verdict::Healthy)]);
    let reach = answer.reach.unwrap();
    assert_eq!((reach.replica.as_str(), reach.local_health), ("replica-1", 0));
    let zones: Vec<_> = reach.zones.iter().map(|it| (it.zone.as_str(), it.nodes, it.nodes_reached)).collect();
    assert_eq!(zones, [("a", 1, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_about_too_many_nodes_is_refused() {
    let replica = replica().await;
    let mut peer = PeerClient::new(channel(&replica).await);
    let request = v1::CorroborateRequest { nodes: vec![String::new(); 1_001], ..Default::default() };
    let refused = peer.corroborate(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("at most 1000"), "{}", refused.message());
}
