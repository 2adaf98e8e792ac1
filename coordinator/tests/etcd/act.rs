//! Leaders as processes that decide and act over a real etcd, through a webhook, and are killed while they do.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};

use ostler_coordinator::store::Store;
use ostler_coordinator::store::etcd::Etcd;
use ostler_proto::v1;
use ostler_proto::v1::agent_message::Body;
use ostler_proto::v1::control_client::ControlClient;
use ostler_proto::v1::fleet_client::FleetClient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use crate::server::{PATIENCE, Server, free_port};
use crate::sink::{KEY, Manner, Sink};

/// A replica as a process.
struct Replica {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Replica {
    fn start(server: &Server, name: &str, port: u16, all: &[u16], sink: &Sink) -> Replica {
        Replica::start_over(&server.endpoint(), "2", name, port, all, sink)
    }

    /// Starts one that reaches etcd at this place, and whose lease lasts so many seconds.
    fn start_over(etcd: &str, ttl_s: &str, name: &str, port: u16, all: &[u16], sink: &Sink) -> Replica {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        std::fs::write(&key, format!("{KEY}\n")).unwrap();
        let peers: Vec<String> = all.iter().map(|port| format!("http://127.0.0.1:{port}")).collect();
        let child = Command::new(env!("CARGO_BIN_EXE_ostler-coordinator"))
            .args(["--replica", name, "--store", "etcd", "--etcd-endpoints", etcd])
            .args(["--lead-ttl-s", ttl_s, "--ingest-threads", "1", "--log", "warn"])
            .args(["--grpc-listen", &format!("127.0.0.1:{port}"), "--http-listen", "127.0.0.1:0"])
            .args(["--peers", &peers.join(","), "--actions-traffic", "act", "--webhook-url", &sink.url()])
            // What an earlier leader began and nobody heard is decided anew after so long.
            .args(["--actions-valid-s", "20"])
            .arg("--webhook-key-file")
            .arg(&key)
            .arg("--data-dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Replica { child, url: format!("http://127.0.0.1:{port}"), _folder: folder }
    }

    async fn channel(&self) -> Channel {
        let began = Instant::now();
        loop {
            match Channel::from_shared(self.url.clone()).unwrap().connect().await {
                Ok(channel) => return channel,
                Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn fleet(&self) -> FleetClient<Channel> {
        FleetClient::new(self.channel().await)
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a GPU is, from when on one wants.
type Gpu = Arc<AtomicI32>;

fn gpu(state: v1::GpuState) -> Gpu {
    Arc::new(AtomicI32::new(state as i32))
}

/// An agent with a GPU and an engine of the pool "chat" on it, that reports to a replica as long as that lives.
async fn agent(replica: &Replica, node: &str, state: Gpu) -> mpsc::Sender<v1::AgentMessage> {
    let (messages, stream) = mpsc::channel(16);
    let say = |body| v1::AgentMessage { body: Some(body) };
    let hello = v1::Hello {
        node: node.to_owned(),
        zone: "a".to_owned(),
        boot_id: "boot".to_owned(),
        incarnation: 1,
        interval_ms: 1_000,
        ..v1::Hello::default()
    };
    messages.send(say(Body::Hello(hello))).await.unwrap();
    messages.send(say(snapshot(node, 1, &state))).await.unwrap();
    let mut client = v1::agent_client::AgentClient::new(replica.channel().await);
    let mut answers = client.report(ReceiverStream::new(stream)).await.unwrap().into_inner();
    tokio::spawn(async move { while let Ok(Some(_)) = answers.message().await {} });
    let (rows, node) = (messages.clone(), node.to_owned());
    tokio::spawn(async move {
        for seq in 2.. {
            tokio::time::sleep(Duration::from_millis(500)).await;
            if rows.send(say(snapshot(&node, seq, &state))).await.is_err() {
                return;
            }
        }
    });
    messages
}

fn snapshot(node: &str, seq: u64, state: &Gpu) -> Body {
    let gpu = format!("GPU-{node}");
    let gpus = vec![v1::GpuInfo {
        uuid: gpu.clone(),
        state: state.load(Ordering::SeqCst),
        ..v1::GpuInfo::default()
    }];
    let engine = v1::EngineInfo {
        name: "vllm-8000".to_owned(),
        kind: v1::EngineKind::Vllm as i32,
        pool: "chat".to_owned(),
        state: v1::EngineState::Serving as i32,
        gpu_uuids: vec![gpu],
        ..v1::EngineInfo::default()
    };
    Body::Snapshot(v1::Snapshot { seq, gpus, engines: vec![engine], ..v1::Snapshot::default() })
}

/// Three nodes, of which the first one's GPU is lost.
async fn fleet_of(replica: &Replica) -> Vec<mpsc::Sender<v1::AgentMessage>> {
    fleet_with(replica, &gpu(v1::GpuState::Lost)).await
}

/// Three nodes, of which the first one has this GPU.
async fn fleet_with(replica: &Replica, first: &Gpu) -> Vec<mpsc::Sender<v1::AgentMessage>> {
    let mut agents = vec![agent(replica, "n1", Arc::clone(first)).await];
    for node in ["n2", "n3"] {
        agents.push(agent(replica, node, gpu(v1::GpuState::Ok)).await);
    }
    agents
}

async fn until<R>(what: &str, mut found: impl AsyncFnMut() -> Option<R>) -> R {
    let began = Instant::now();
    loop {
        if let Some(found) = found().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "not in {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn actions(fleet: &FleetClient<Channel>) -> Vec<v1::Action> {
    let list = fleet.clone().list_actions(v1::ListRequest::default()).await;
    list.map(|list| list.into_inner().actions).unwrap_or_default()
}

/// Waits until there is an action in this state, as a replica tells.
async fn until_state(fleet: &FleetClient<Channel>, state: v1::ActionState) -> v1::Action {
    until(state.as_str_name(), async || actions(fleet).await.into_iter().find(|it| it.state() == state)).await
}

/// Waits until this replica leads, as another or the same one tells.
async fn until_leader(fleet: &FleetClient<Channel>, replica: &str) {
    until(&format!("{replica} leads"), async || {
        let summary = fleet.clone().get_fleet(v1::GetFleetRequest {}).await.ok()?.into_inner();
        (summary.leader == replica).then_some(())
    })
    .await;
}

/// A leader is killed once the store has its action in this state. Another replica, which knows the same fleet, goes on.
async fn killed_in(manner: Manner, state: v1::ActionState) -> (Sink, Vec<v1::Action>) {
    let (server, sink) = (Server::start().await, Sink::start(manner).await);
    let ports = [free_port(), free_port()];
    let first = Replica::start(&server, "first", ports[0], &ports, &sink);
    until_leader(&first.fleet().await, "first").await;
    let second = Replica::start(&server, "second", ports[1], &ports, &sink);
    let follows = second.fleet().await;
    let _agents = (fleet_of(&first).await, fleet_of(&second).await);
    // A follower tells of it as well as the leader.
    until_state(&follows, state).await;
    go_on_without(first, &follows, sink).await
}

/// The leader is killed; what was done in the end, and by which actions.
async fn go_on_without(
    mut leader: Replica,
    follows: &FleetClient<Channel>,
    sink: Sink,
) -> (Sink, Vec<v1::Action>) {
    leader.kill();
    sink.be(Manner::Prompt);
    until_state(follows, v1::ActionState::Done).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let done = actions(follows).await;
    (sink, done)
}

/// A way to etcd on which its answers can be held up, for good.
struct Way {
    url: String,
    held: Arc<AtomicBool>,
}

impl Way {
    async fn to(server: &Server) -> Way {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let target = server.endpoint().strip_prefix("http://").unwrap().to_owned();
        let held = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&held);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_etcd, mut to_etcd) = TcpStream::connect(&target).await.unwrap().into_split();
                let stop = Arc::clone(&stop);
                tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_etcd).await });
                tokio::spawn(async move {
                    let mut buffer = [0; 4096];
                    while let Ok(length @ 1..) = from_etcd.read(&mut buffer).await {
                        if stop.load(Ordering::SeqCst) {
                            return std::future::pending().await;
                        }
                        to_client.write_all(&buffer[..length]).await.unwrap_or_default();
                    }
                });
            }
        });
        Way { url, held }
    }

    fn hold(&self) {
        self.held.store(true, Ordering::SeqCst);
    }
}

fn check_one_effect(sink: &Sink, actions: &[v1::Action]) {
    assert_eq!(sink.effects("remove_endpoint"), 1, "{:?}", sink.read(|done| done.orders.clone()));
    let done = actions.iter().filter(|it| it.state() == v1::ActionState::Done).count();
    let failed = actions.iter().filter(|it| it.state() == v1::ActionState::Failed).count();
    assert_eq!((done, done + failed), (1, actions.len()), "{actions:?}");
    assert!(sink.read(|done| done.effects.values().all(|count| *count == 1) && done.unsigned == 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_killed_before_it_could_call_leaves_the_only_call_to_the_next() {
    let (server, sink) = (Server::start().await, Sink::start(Manner::Prompt).await);
    let (way, ports) = (Way::to(&server).await, [free_port(), free_port()]);
    let first = Replica::start_over(&way.url, "10", "first", ports[0], &ports, &sink);
    until_leader(&first.fleet().await, "first").await;
    let second = Replica::start(&server, "second", ports[1], &ports, &sink);
    let follows = second.fleet().await;
    let store = server.store();
    until("the desk has written", async || store.get("desk/audit-head").await.ok()?).await;
    let gpu = gpu(v1::GpuState::Ok);
    let _agents = (fleet_with(&first, &gpu).await, fleet_with(&second, &gpu).await);
    // Its next write is the plan, of which it does not hear.
    tokio::time::sleep(Duration::from_secs(1)).await;
    way.hold();
    gpu.store(v1::GpuState::Lost as i32, Ordering::SeqCst);
    until_state(&follows, v1::ActionState::Planned).await;
    assert_eq!(sink.read(|done| done.calls.len()), 0);
    let (sink, actions) = go_on_without(first, &follows, sink).await;
    assert_eq!((sink.effects("remove_endpoint"), sink.read(|done| done.calls.len())), (1, 1));
    let done = actions.iter().filter(|it| it.state() == v1::ActionState::Done).count();
    let aborted = actions.iter().filter(|it| it.state() == v1::ActionState::Aborted).count();
    assert_eq!((done, done + aborted), (1, actions.len()), "{actions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_killed_after_a_call_that_was_not_heard_leaves_one_effect_to_the_next() {
    let (sink, actions) = killed_in(Manner::Deaf, v1::ActionState::Issued).await;
    check_one_effect(&sink, &actions);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_killed_after_a_call_that_was_heard_and_not_answered_has_had_its_effect() {
    let (sink, actions) = killed_in(Manner::Mute, v1::ActionState::Issued).await;
    check_one_effect(&sink, &actions);
    assert_eq!(actions.len(), 1, "the next leader finds the effect: {actions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_killed_while_the_executor_works_is_followed_by_one_that_waits_for_it() {
    let (sink, actions) = killed_in(Manner::Busy, v1::ActionState::Acked).await;
    check_one_effect(&sink, &actions);
    assert_eq!(sink.read(|done| done.calls.len()), 1, "nobody calls again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_given_to_a_follower_outlives_the_leader_and_ends_with_its_release() {
    let (server, sink) = (Server::start().await, Sink::start(Manner::Prompt).await);
    let ports = [free_port(), free_port()];
    let mut first = Replica::start(&server, "first", ports[0], &ports, &sink);
    until_leader(&first.fleet().await, "first").await;
    let second = Replica::start(&server, "second", ports[1], &ports, &sink);
    let follows = second.fleet().await;
    let order = |id: &str| {
        let (request_id, reason, operator) = (id.to_owned(), "test".to_owned(), "ann".to_owned());
        Some(v1::Order { request_id, reason, operator, dry_run: false })
    };
    let mut control = ControlClient::new(second.channel().await);
    let hold = v1::HoldRequest { order: order("1"), scope: "zone/a".to_owned(), expires_in_ms: 0 };
    until("the hold is taken", async || control.clone().hold(hold.clone()).await.ok()).await;
    let (_one, _two) = (fleet_of(&first).await, fleet_of(&second).await);
    let held = async |fleet: &FleetClient<Channel>| {
        let list = fleet.clone().list_decisions(v1::ListRequest::default()).await.ok()?.into_inner();
        let waits = |it: &v1::Decision| it.vetoes.iter().any(|veto| veto.brake == "held");
        list.decisions.into_iter().find(waits)
    };
    until("it is held", async || held(&follows).await).await;
    first.kill();
    until_leader(&follows, "second").await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(sink.effects("remove_endpoint"), 0, "the next leader holds too");
    let holds = follows.clone().list_holds(v1::ListRequest::default()).await.unwrap().into_inner().holds;
    assert_eq!(holds.iter().map(|hold| hold.scope.as_str()).collect::<Vec<_>>(), ["zone/a"]);
    let release = v1::ReleaseRequest { order: order("2"), scope: "zone/a".to_owned() };
    let answer = control.release(release).await.unwrap().into_inner().message;
    assert!(answer.contains("1 holds"), "{answer}");
    until("it is done", async || (sink.effects("remove_endpoint") == 1).then_some(())).await;
    check_chain(&server.store()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_of_a_term_that_is_not_the_highest_any_more_brings_nothing_about() {
    let (server, sink) = (Server::start().await, Sink::start(Manner::Prompt).await);
    sink.hear_of(u64::MAX);
    let port = free_port();
    let replica = Replica::start(&server, "first", port, &[port], &sink);
    let fleet = replica.fleet().await;
    let _agents = fleet_of(&replica).await;
    until_state(&fleet, v1::ActionState::Issued).await;
    let refused = async || sink.read(|done| (done.refused >= 2).then_some(()));
    until("the call and a look are refused", refused).await;
    assert_eq!(sink.read(|done| (done.calls.len(), done.orders.len())), (1, 0));
    let ended = actions(&fleet).await.into_iter().find(|it| it.state() == v1::ActionState::Done);
    assert_eq!(ended, None, "a refusal of the term says nothing of the effect");
}

/// The audit log in the store leads from its beginning to its head.
async fn check_chain(store: &Etcd) {
    use ostler_core::action::audit::{Entry, Head, verify};
    let (entries, _) = store.list("audit/").await.unwrap();
    let entries: Vec<Entry> = entries.iter().map(|it| Entry::decode(&it.value).unwrap()).collect();
    let head = store.get("desk/audit-head").await.unwrap().unwrap();
    let head: serde_json::Value = serde_json::from_slice(&head.value).unwrap();
    let last = entries.last().unwrap().head();
    assert_eq!(
        (head["sequence"].as_u64(), head["hash"].as_str()),
        (Some(last.sequence), Some(&*last.hash.to_string()))
    );
    verify(Head::EMPTY, &entries, last).unwrap();
}
