//! A whole agent against a coordinator that the test plays: it answers, drops, stalls, resyncs and gives orders.

use std::{sync::Arc, sync::Mutex, time::Duration};

use ostler_proto::v1::{
    self,
    agent_message::Body,
    agent_server::{Agent, AgentServer},
    command::Order,
    coordinator_message::Body as Said,
};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::{
    config::Config,
    hub::lock,
    sample::{GpuSample, Group, NodeSample, Source},
};

/// Longest that the test waits for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// One stream as the coordinator sees it.
struct Peer {
    inbound: Streaming<v1::AgentMessage>,
    outbound: mpsc::Sender<Result<v1::CoordinatorMessage, Status>>,
}

impl Peer {
    async fn next(&mut self) -> Option<Body> {
        let message = timeout(PATIENCE, self.inbound.message()).await.expect("the agent says something");
        message.ok().flatten().and_then(|message| message.body)
    }

    async fn hello(&mut self) -> v1::Hello {
        match self.next().await {
            Some(Body::Hello(hello)) => hello,
            other => panic!("Hello comes first, not {other:?}"),
        }
    }

    async fn snapshot(&mut self) -> v1::Snapshot {
        loop {
            match self.next().await {
                Some(Body::Snapshot(snapshot)) => return snapshot,
                Some(Body::Row(_) | Body::Event(_)) => {}
                other => panic!("a snapshot was expected, not {other:?}"),
            }
        }
    }

    async fn answer(&mut self) -> Body {
        loop {
            match self.next().await {
                Some(body @ (Body::CommandResult(_) | Body::ProbePeerResult(_))) => return body,
                Some(_) => {}
                None => panic!("the stream ended before the answer"),
            }
        }
    }

    async fn say(&self, body: Said) {
        self.outbound.send(Ok(v1::CoordinatorMessage { body: Some(body) })).await.unwrap();
    }

    async fn welcome(&self, interval_ms: u32) {
        self.say(Said::Welcome(v1::Welcome { replica: "r".into(), interval_ms, ..v1::Welcome::default() }))
            .await;
    }

    async fn order(&self, term: u64, order: Order) {
        let command =
            v1::Command { term, action_id: format!("a{term}"), valid_for_ms: 10_000, order: Some(order) };
        self.say(Said::Command(command)).await;
    }
}

/// A coordinator that hands every stream to the test.
struct Coordinator(mpsc::Sender<Peer>);

#[tonic::async_trait]
impl Agent for Coordinator {
    type ReportStream = ReceiverStream<Result<v1::CoordinatorMessage, Status>>;

    async fn report(
        &self,
        request: Request<Streaming<v1::AgentMessage>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let (outbound, said) = mpsc::channel(16);
        let peer = Peer { inbound: request.into_inner(), outbound };
        self.0.send(peer).await.map_err(|_| Status::unavailable("the test is over"))?;
        Ok(Response::new(ReceiverStream::new(said)))
    }

    async fn probe(&self, _: Request<v1::ProbeRequest>) -> Result<Response<v1::ProbeResponse>, Status> {
        Err(Status::unimplemented("a coordinator"))
    }
}

/// A node whose power grows by one watt a reading.
#[derive(Default)]
struct Growing {
    watts: i64,
    events: Arc<Mutex<Vec<v1::agent_event::Kind>>>,
    released: Arc<Mutex<Vec<Duration>>>,
}

impl Source for Growing {
    fn read(&mut self) -> NodeSample {
        self.watts += 1;
        let values = vec![(v1::Metric::GpuPowerMilliwatts, Some(self.watts * 1000))];
        let group = Group { period: Duration::from_millis(100), sampled: true, values };
        NodeSample {
            gpus: vec![GpuSample { info: v1::GpuInfo::default(), groups: vec![group] }],
            events: std::mem::take(&mut lock(&self.events)),
            ..NodeSample::default()
        }
    }

    fn release_nvml(&mut self, hold: Duration) -> Result<(), String> {
        lock(&self.released).push(hold);
        Ok(())
    }
}

/// A running agent and the coordinator it reports to.
struct Scene {
    peers: mpsc::Receiver<Peer>,
    events: Arc<Mutex<Vec<v1::agent_event::Kind>>>,
    released: Arc<Mutex<Vec<Duration>>>,
    stop: CancellationToken,
    agent: tokio::task::JoinHandle<anyhow::Result<()>>,
    state: tempfile::TempDir,
}

impl Scene {
    async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap()).await
    }

    async fn start_in(state: tempfile::TempDir) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (peers, arriving) = mpsc::channel(4);
        let server = tonic::transport::Server::builder().add_service(AgentServer::new(Coordinator(peers)));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        let mut config = Config::bare("node-1", "zone-1", &[&url]).unwrap();
        config.interval = Duration::from_millis(100);
        config.state_directory = Some(state.path().to_owned());
        config.coordinators[0].backoff =
            crate::backoff::Backoff::try_new(Duration::from_millis(50), Duration::from_millis(200)).unwrap();
        let (source, stop) = (Growing::default(), CancellationToken::new());
        let (events, released) = (Arc::clone(&source.events), Arc::clone(&source.released));
        let agent = tokio::spawn(crate::run(config, Box::new(source), stop.clone()));
        Self { peers: arriving, events, released, stop, agent, state }
    }

    async fn peer(&mut self) -> Peer {
        timeout(PATIENCE, self.peers.recv()).await.expect("the agent connects").unwrap()
    }
}

/// Folds what the agent says until it has said `rows` rows, checking that no sequence number is left out.
async fn follow(peer: &mut Peer, rows: usize) -> (u64, i64) {
    let (mut seq, mut value, mut seen) = (0, 0, 0);
    let fold = |row: &v1::Row, seq: &mut u64, value: &mut i64| {
        assert_eq!(row.seq, *seq + 1, "rows follow one another");
        *seq = row.seq;
        *value += row.change.iter().sum::<i64>();
    };
    while seen < rows {
        match peer.next().await {
            Some(Body::Snapshot(snapshot)) => (seq, value) = (snapshot.seq, snapshot.values[0]),
            Some(Body::Row(row)) => {
                fold(&row, &mut seq, &mut value);
                seen += 1;
            }
            Some(Body::Backlog(backlog)) => {
                backlog.rows.iter().for_each(|row| fold(row, &mut seq, &mut value));
                seen += backlog.rows.len();
            }
            Some(Body::Event(_)) => {}
            other => panic!("unexpected {other:?}"),
        }
    }
    (seq, value)
}

fn ack(seq: u64) -> Said {
    Said::Ack(v1::Ack { seq, ..v1::Ack::default() })
}

#[tokio::test]
async fn an_agent_says_who_it_is_what_it_has_and_then_what_changes() {
    let mut scene = Scene::start().await;
    let mut peer = scene.peer().await;
    let hello = peer.hello().await;
    assert_eq!((hello.node.as_str(), hello.zone.as_str(), hello.interval_ms), ("node-1", "zone-1", 100));
    assert!(hello.incarnation > 1_600_000_000_000 && !hello.boot_id.is_empty());
    let (seq, value) = follow(&mut peer, 5).await;
    assert!(seq >= 6 && value >= 6_000, "{seq} {value}");
}

#[tokio::test]
async fn what_was_read_during_a_break_comes_in_a_backlog_from_the_last_confirmation() {
    let mut scene = Scene::start().await;
    let mut peer = scene.peer().await;
    peer.hello().await;
    peer.welcome(0).await;
    let (seq, confirmed) = follow(&mut peer, 3).await;
    peer.say(ack(seq)).await;
    follow_is_confirmed(&mut peer).await;
    drop(peer);
    let mut again = scene.peer().await;
    again.hello().await;
    let snapshot = again.snapshot().await;
    assert_eq!(snapshot.values[0], confirmed, "the state that was confirmed");
    let (mut seq, mut value) = (snapshot.seq, snapshot.values[0]);
    for _ in 0..5 {
        let rows = match again.next().await {
            Some(Body::Backlog(backlog)) => backlog.rows,
            Some(Body::Row(row)) => vec![row],
            other => panic!("unexpected {other:?}"),
        };
        for row in rows {
            assert_eq!(
                (row.seq, row.change.as_slice()),
                (seq + 1, [1_000].as_slice()),
                "no reading is missing"
            );
            (seq, value) = (row.seq, value + 1_000);
        }
    }
    assert!(value > confirmed + 4_000);
}

/// Gives the acknowledgement time to arrive: two more rows are said after it was sent.
async fn follow_is_confirmed(peer: &mut Peer) {
    for _ in 0..2 {
        peer.next().await;
    }
}

#[tokio::test]
async fn a_coordinator_that_lost_track_gets_a_snapshot() {
    let mut scene = Scene::start().await;
    let mut peer = scene.peer().await;
    peer.hello().await;
    let first = peer.snapshot().await;
    peer.say(Said::Resync(v1::Resync { reason: "a gap".into() })).await;
    let second = peer.snapshot().await;
    assert!(second.seq > first.seq && second.values[0] >= first.values[0]);
}

#[tokio::test]
async fn a_refused_stream_is_tried_again_later_and_others_are_not_touched() {
    let mut scene = Scene::start().await;
    let mut peer = scene.peer().await;
    peer.hello().await;
    peer.outbound.send(Err(Status::invalid_argument("hello.node: too long"))).await.unwrap();
    drop(peer);
    let mut again = scene.peer().await;
    again.hello().await;
    follow(&mut again, 2).await;
}

#[tokio::test]
async fn an_event_is_repeated_until_it_is_confirmed() {
    let mut scene = Scene::start().await;
    let mut peer = scene.peer().await;
    peer.hello().await;
    let xid = v1::XidEvent { xid: 79, ..v1::XidEvent::default() };
    lock(&scene.events).push(v1::agent_event::Kind::Xid(xid));
    async fn event(peer: &mut Peer) -> v1::AgentEvent {
        loop {
            if let Some(Body::Event(event)) = peer.next().await {
                return event;
            }
        }
    }
    let first = event(&mut peer).await;
    drop(peer);
    let mut again = scene.peer().await;
    again.hello().await;
    let second = event(&mut again).await;
    assert_eq!((first.id, &first.kind), (second.id, &second.kind));
    assert!(second.age_ms >= first.age_ms);
}

#[tokio::test]
async fn an_order_of_a_lower_term_than_one_seen_is_refused_even_after_a_restart() {
    let release = || Order::ReleaseNvml(v1::ReleaseNvml { hold_ms: 5_000 });
    let mut scene = Scene::start().await;
    let mut peer = scene.peer().await;
    assert_eq!(peer.hello().await.highest_term_seen, 0);
    peer.order(7, release()).await;
    assert!(
        matches!(peer.answer().await, Body::CommandResult(result) if result.ok && result.action_id == "a7")
    );
    assert_eq!(*lock(&scene.released), [Duration::from_secs(5)]);
    peer.order(6, release()).await;
    let Body::CommandResult(refused) = peer.answer().await else { panic!("a result was expected") };
    assert!(!refused.ok && refused.detail.contains("term 6 is over"), "{}", refused.detail);
    scene.stop.cancel();
    scene.agent.await.unwrap().unwrap();
    let mut scene = Scene::start_in(scene.state).await;
    let mut peer = scene.peer().await;
    assert_eq!(peer.hello().await.highest_term_seen, 7);
    peer.order(6, release()).await;
    assert!(matches!(peer.answer().await, Body::CommandResult(result) if !result.ok));
    assert!(lock(&scene.released).is_empty());
}

#[tokio::test]
async fn a_term_that_a_replica_tells_of_is_stored_and_orders_of_lower_ones_are_refused_after_a_restart() {
    let mut scene = Scene::start().await;
    let mut peer = scene.peer().await;
    peer.hello().await;
    peer.say(Said::Welcome(v1::Welcome { term: 7, ..v1::Welcome::default() })).await;
    peer.say(Said::Ack(v1::Ack { term: 9, ..v1::Ack::default() })).await;
    let store = crate::state::Store::new(Some(scene.state.path().to_owned()));
    timeout(PATIENCE, async {
        while store.read().unwrap().highest_term < 9 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the term is stored");
    scene.stop.cancel();
    scene.agent.await.unwrap().unwrap();
    let mut scene = Scene::start_in(scene.state).await;
    let mut peer = scene.peer().await;
    assert_eq!(peer.hello().await.highest_term_seen, 9);
    peer.order(8, Order::ReleaseNvml(v1::ReleaseNvml { hold_ms: 5_000 })).await;
    assert!(matches!(peer.answer().await, Body::CommandResult(result) if !result.ok));
    assert!(lock(&scene.released).is_empty());
}

#[tokio::test]
async fn an_order_is_void_after_its_time_and_a_senseless_one_is_refused() {
    let mut scene = Scene::start().await;
    let mut peer = scene.peer().await;
    peer.hello().await;
    let release = |hold_ms| Some(Order::ReleaseNvml(v1::ReleaseNvml { hold_ms }));
    for (valid_for_ms, order, words) in [
        (0, release(1_000), "have passed"),
        (1_000, release(0), "hold_ms is 0"),
        (1_000, release(u32::MAX), "use 1 to 3600000"),
        (1_000, None, "upgrade the agent"),
    ] {
        let command = v1::Command { term: 1, action_id: "a".into(), valid_for_ms, order };
        peer.say(Said::Command(command)).await;
        let Body::CommandResult(result) = peer.answer().await else { panic!("a result was expected") };
        assert!(!result.ok && result.detail.contains(words), "{}", result.detail);
    }
}

#[tokio::test]
async fn peers_are_probed_on_behalf_of_a_coordinator() {
    let mut scene = Scene::start().await;
    let mut peer = scene.peer().await;
    peer.hello().await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap().to_string();
    drop(closed);
    let probe = v1::ProbePeers {
        request_id: "q".into(),
        addresses: vec![address],
        timeout_ms: 1_000,
        nodes: Vec::new(),
    };
    peer.order(1, Order::ProbePeers(probe)).await;
    let Body::ProbePeerResult(result) = peer.answer().await else { panic!("a result was expected") };
    assert_eq!((result.request_id.as_str(), result.outcomes.len()), ("q", 1));
    assert_eq!(result.outcomes[0].answer(), v1::ProbeAnswer::Refused);
}

#[tokio::test]
async fn the_interval_that_a_coordinator_asks_for_is_kept_within_bounds() {
    let mut scene = Scene::start().await;
    let mut peer = scene.peer().await;
    peer.hello().await;
    peer.welcome(600_000).await;
    // A row may be on its way; after that the readings come a minute apart.
    while timeout(Duration::from_millis(700), peer.inbound.message()).await.is_ok() {}
    peer.welcome(1).await;
    for _ in 0..3 {
        assert!(matches!(peer.next().await, Some(Body::Row(_) | Body::Backlog(_))));
    }
}

#[tokio::test]
async fn an_agent_that_is_told_to_stop_says_goodbye() {
    let mut scene = Scene::start().await;
    let mut peer = scene.peer().await;
    peer.hello().await;
    peer.snapshot().await;
    scene.stop.cancel();
    let reason = loop {
        match peer.next().await {
            Some(Body::Goodbye(goodbye)) => break goodbye.reason(),
            Some(_) => {}
            None => panic!("the stream ended without a goodbye"),
        }
    };
    assert_eq!(reason, v1::GoodbyeReason::Shutdown);
    drop(peer);
    timeout(PATIENCE, scene.agent).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_coordinator_that_does_not_listen_to_goodbye_delays_the_end_by_a_second_at_most() {
    let mut scene = Scene::start().await;
    let mut peer = scene.peer().await;
    peer.hello().await;
    peer.snapshot().await;
    scene.stop.cancel();
    timeout(Duration::from_secs(3), scene.agent).await.expect("the agent ends").unwrap().unwrap();
}

#[tokio::test]
async fn each_start_has_a_higher_incarnation() {
    let mut scene = Scene::start().await;
    let first = scene.peer().await.hello().await.incarnation;
    scene.stop.cancel();
    scene.agent.await.unwrap().unwrap();
    let mut scene = Scene::start_in(scene.state).await;
    assert!(scene.peer().await.hello().await.incarnation > first);
}
