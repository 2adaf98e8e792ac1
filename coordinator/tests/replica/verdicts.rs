//! What the replica finds out about agents that fall silent, over real connections.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ostler_coordinator::Running;
use ostler_proto::v1;
use ostler_proto::v1::agent_server::{Agent as Service, AgentServer};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming};

use crate::support::{Agent, Fleet, PATIENCE, fleet, hello, replica};

/// The probe's side of an agent that lives.
struct Alive(&'static str);

#[tonic::async_trait]
impl Service for Alive {
    type ReportStream = tokio_stream::Empty<Result<v1::CoordinatorMessage, Status>>;

    async fn report(
        &self,
        _request: Request<Streaming<v1::AgentMessage>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        Err(Status::unimplemented("this is an agent"))
    }

    async fn probe(
        &self,
        _request: Request<v1::ProbeRequest>,
    ) -> Result<Response<v1::ProbeResponse>, Status> {
        Ok(Response::new(v1::ProbeResponse { node: self.0.to_owned(), ..Default::default() }))
    }
}

/// Listens as the agent of a node that lives.
async fn listen(name: &'static str) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder().add_service(AgentServer::new(Alive(name)));
    let serving = tokio::spawn(async move {
        server.serve_with_incoming(TcpListenerStream::new(listener)).await.unwrap();
    });
    (address, serving)
}

async fn join(replica: &Running, name: &str, probe: SocketAddr) -> Agent {
    let hello = v1::Hello { probe_address: probe.to_string(), ..hello(name, "a") };
    let mut agent = Agent::hello(replica, hello).await;
    agent.snapshot(v1::GpuState::Ok, 50, 0).await;
    agent
}

async fn node(fleet: &mut Fleet, name: &str) -> v1::Node {
    let request = v1::GetRequest { name: name.to_owned(), field_mask: None };
    fleet.get_node(request).await.unwrap().into_inner()
}

/// Waits until the node has one of these verdicts; the node and how long that took. Fails on any other but healthy.
async fn until(fleet: &mut Fleet, name: &str, wanted: v1::Verdict) -> (v1::Node, Duration) {
    let began = Instant::now();
    loop {
        let node = node(fleet, name).await;
        if node.verdict() == wanted {
            return (node, began.elapsed());
        }
        let suspected = [v1::Verdict::Healthy, v1::Verdict::NodeSuspect].contains(&node.verdict());
        assert!(suspected, "{:?} instead of {wanted:?}: {}", node.verdict(), node.verdict_reason);
        assert!(began.elapsed() < PATIENCE, "not {wanted:?} in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn events(fleet: &mut Fleet) -> Vec<v1::Event> {
    let filter = "kind = verdict".to_owned();
    fleet.list_events(v1::ListRequest { filter, ..Default::default() }).await.unwrap().into_inner().events
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashed_agent_is_down_within_half_a_second_and_its_node_is_not_accused() {
    let replica = replica().await;
    let mut fleet = fleet(&replica).await;
    let (probe, serving) = listen("n1").await;
    let agent = join(&replica, "n1", probe).await;
    crate::support::until_nodes(&mut fleet, 1).await;
    // The kernel closes all sockets of a process that is killed.
    serving.abort();
    assert!(serving.await.unwrap_err().is_cancelled());
    drop(agent);
    let (node, took) = until(&mut fleet, "n1", v1::Verdict::AgentDown).await;
    assert!(took < Duration::from_millis(500), "{took:?}");
    assert!(node.verdict_reason.contains("our own probes: 1 of 1 refused"), "{}", node.verdict_reason);
    let list = v1::ListRequest { filter: "verdict = AGENT_DOWN".to_owned(), ..Default::default() };
    assert_eq!(fleet.list_nodes(list).await.unwrap().into_inner().total_size, 1);
    let events = events(&mut fleet).await;
    let told: Vec<_> = events.iter().map(|event| (event.node.as_str(), event.severity())).collect();
    assert_eq!(told, [("n1", v1::Severity::Warning)]);
    assert!(events[0].message.contains("refused"), "{}", events[0].message);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_breaks_while_the_agent_answers_is_only_a_broken_stream() {
    let replica = replica().await;
    let mut fleet = fleet(&replica).await;
    let (probe, _serving) = listen("n1").await;
    let agent = join(&replica, "n1", probe).await;
    crate::support::until_nodes(&mut fleet, 1).await;
    drop(agent);
    until(&mut fleet, "n1", v1::Verdict::StreamBroken).await;
    let severities: Vec<_> = events(&mut fleet).await.iter().map(v1::Event::severity).collect();
    assert!(severities.iter().all(|it| *it == v1::Severity::Info), "{severities:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_asked_to_probe_a_silent_node() {
    let replica = replica().await;
    let mut fleet = fleet(&replica).await;
    let (probe, _serving) = listen("n2").await;
    let (asked, _other) = listen("n1").await;
    let mut prober = join(&replica, "n2", probe).await;
    let silent = join(&replica, "n1", asked).await;
    crate::support::until_nodes(&mut fleet, 2).await;
    drop(silent);
    let order = loop {
        prober.row(1).await;
        let answer = tokio::time::timeout(Duration::from_millis(500), prober.answer()).await;
        let Ok(Ok(Some(message))) = answer else { continue };
        if let Some(v1::coordinator_message::Body::Command(command)) = message.body {
            break command.order.unwrap();
        }
    };
    let v1::command::Order::ProbePeers(order) = order else { panic!("no probe: {order:?}") };
    assert_eq!(order.addresses, [asked.to_string()]);
    let outcome = v1::ProbeOutcome {
        address: asked.to_string(),
        answer: v1::ProbeAnswer::Ok as i32,
        round_trip_us: 2500,
    };
    let result = v1::ProbePeerResult { request_id: order.request_id, outcomes: vec![outcome] };
    prober.send(v1::agent_message::Body::ProbePeerResult(result)).await;
    until(&mut fleet, "n1", v1::Verdict::StreamBroken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gpu_that_is_lost_says_so_in_every_view() {
    let replica = replica().await;
    let mut fleet = fleet(&replica).await;
    let (probe, _serving) = listen("n1").await;
    let mut agent = join(&replica, "n1", probe).await;
    agent.snapshot(v1::GpuState::Lost, 0, 0).await;
    let began = Instant::now();
    let gpu = loop {
        let request = v1::ListRequest { filter: "verdict = GPU_LOST".to_owned(), ..Default::default() };
        if let Some(gpu) = fleet.list_gpus(request).await.unwrap().into_inner().gpus.pop() {
            break gpu;
        }
        assert!(began.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!((gpu.name.as_str(), gpu.verdict()), ("GPU-n1", v1::Verdict::GpuLost));
    assert!(gpu.verdict_reason.contains("reboot"), "{}", gpu.verdict_reason);
    assert_eq!(node(&mut fleet, "n1").await.verdict(), v1::Verdict::Healthy);
    while events(&mut fleet).await.is_empty() {
        assert!(began.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let event = events(&mut fleet).await.remove(0);
    assert_eq!((event.gpu.as_str(), event.severity()), ("GPU-n1", v1::Severity::Critical));
}
