//! Report streams that are right, wrong and hostile, through the service itself.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use ostler_coordinator::driver::Driver;
use ostler_coordinator::ingest::{self, Limits, Service};
use ostler_core::engine::Policy;
use ostler_core::id::NodeId;
use ostler_core::layout::Owner;
use ostler_core::metric::Metric;
use ostler_proto::v1;
use ostler_proto::v1::agent_message::Body;
use ostler_proto::v1::coordinator_message::Body as Answer;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tower::ServiceExt;

/// A coordinator's engine and the service in front of it.
struct Coordinator {
    driver: Driver,
    service: Service,
}

/// One stream: what it was told, and how it ended.
struct Agent {
    send: mpsc::Sender<Bytes>,
    receive: mpsc::Receiver<Frame<Bytes>>,
}

fn coordinator(limits: Limits) -> Coordinator {
    let driver = Driver::new(Policy::default(), "replica-1");
    Coordinator { service: ingest::service(driver.clone(), limits), driver }
}

impl Coordinator {
    async fn open(&self) -> Agent {
        let (send, receive) = mpsc::channel::<Bytes>(256);
        let body = StreamBody::new(
            ReceiverStream::new(receive).map(|data| Ok::<_, tonic::Status>(Frame::data(data))),
        );
        let request = http::Request::post("/ostler.v1.Agent/Report").body(body).unwrap();
        let response = self.service.clone().oneshot(request).await.unwrap();
        let (frames, receive) = mpsc::channel(256);
        let mut body = response.into_body();
        tokio::spawn(async move {
            while let Some(Ok(frame)) = body.frame().await {
                if frames.send(frame).await.is_err() {
                    return;
                }
            }
        });
        Agent { send, receive }
    }

    /// A node that has said Hello and a first snapshot: one GPU, one engine, utilization 50 %.
    async fn reporting(&self, node: &str) -> Agent {
        let mut agent = self.open().await;
        agent.say(hello(node)).await;
        agent.say(snapshot(1)).await;
        assert!(matches!(agent.answer().await, Answer::Welcome(_)));
        agent
    }

    fn utilization(&self, node: &str) -> Option<i64> {
        self.driver.view(|view| {
            let node = view.fleet.node(&NodeId::from(node))?;
            Some(node.reading(Owner::Gpu(0), Metric::GpuUtilizationPercent, view.now)?.value)
        })
    }
}

impl Agent {
    async fn say(&self, body: Body) {
        self.bytes(framed(&v1::AgentMessage { body: Some(body) }.encode_to_vec())).await;
    }

    async fn bytes(&self, bytes: Bytes) {
        let _ = self.send.send(bytes).await;
    }

    async fn answer(&mut self) -> Answer {
        let frame = self.receive.recv().await.expect("an answer");
        let data = frame.into_data().expect("a message, not the end");
        v1::CoordinatorMessage::decode(&data[5..]).unwrap().body.unwrap()
    }

    /// How the stream ends; answers before that are passed over.
    async fn end(&mut self) -> (Code, String) {
        let end = async {
            loop {
                let frame = self.receive.recv().await.expect("an end");
                if let Ok(trailers) = frame.into_trailers() {
                    let status = tonic::Status::from_header_map(&trailers).unwrap();
                    return (status.code(), status.message().to_owned());
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), end).await.expect("the stream ends")
    }
}

fn framed(message: &[u8]) -> Bytes {
    let mut out = BytesMut::new();
    out.put_u8(0);
    out.put_u32(message.len() as u32);
    out.put_slice(message);
    out.freeze()
}

fn hello(node: &str) -> Body {
    Body::Hello(v1::Hello {
        node: node.to_owned(),
        zone: "zone-1".to_owned(),
        boot_id: "boot".to_owned(),
        incarnation: 1,
        interval_ms: 1000,
        ..v1::Hello::default()
    })
}

fn snapshot(seq: u64) -> Body {
    let metrics =
        [v1::Metric::GpuUtilizationPercent, v1::Metric::GpuPowerMilliwatts].map(|metric| metric as i32);
    Body::Snapshot(v1::Snapshot {
        seq,
        gpus: vec![v1::GpuInfo { uuid: "GPU-1".to_owned(), ..v1::GpuInfo::default() }],
        groups: vec![v1::SeriesGroup {
            owner: Some(v1::series_group::Owner::Gpu(0)),
            period_ms: 1000,
            metrics: metrics.to_vec(),
        }],
        values: vec![50, 300_000],
        ..v1::Snapshot::default()
    })
}

fn row(seq: u64, change: i64) -> v1::Row {
    v1::Row { seq, changed: vec![1].into(), change: vec![change], ..v1::Row::default() }
}

#[tokio::test]
async fn rows_are_folded_and_acknowledged() {
    let coordinator = coordinator(Limits { ack_interval: Duration::ZERO, ..Limits::default() });
    let mut agent = coordinator.open().await;
    agent.say(hello("a")).await;
    let Answer::Welcome(welcome) = agent.answer().await else { panic!("Welcome comes first") };
    assert_eq!((welcome.replica.as_str(), welcome.interval_ms), ("replica-1", 1000));
    agent.say(snapshot(1)).await;
    assert!(matches!(agent.answer().await, Answer::Ack(ack) if ack.seq == 1));
    agent.say(Body::Row(row(2, 7))).await;
    assert!(matches!(agent.answer().await, Answer::Ack(ack) if ack.seq == 2));
    assert_eq!(coordinator.utilization("a"), Some(57));
    let rows = vec![row(3, 1), row(4, 1)];
    agent.say(Body::Backlog(v1::Backlog { rows, rows_dropped: 5 })).await;
    assert!(matches!(agent.answer().await, Answer::Ack(ack) if ack.seq == 4));
    assert_eq!(coordinator.utilization("a"), Some(59));
}

#[tokio::test]
async fn a_gap_asks_for_a_snapshot_once_and_the_snapshot_mends_it() {
    let coordinator = coordinator(Limits::default());
    let mut agent = coordinator.reporting("a").await;
    agent.say(Body::Row(row(4, 7))).await;
    let Answer::Resync(resync) = agent.answer().await else { panic!("a gap asks for a snapshot") };
    assert_eq!(resync.reason, "row 4 came where row 2 was due");
    agent.say(Body::Row(row(5, 7))).await;
    agent.say(snapshot(6)).await;
    agent.say(Body::Row(row(7, 1))).await;
    agent
        .say(Body::Row(v1::Row {
            seq: 8,
            changed: vec![0, 0, 0, 8].into(),
            change: vec![1],
            ..v1::Row::default()
        }))
        .await;
    let Answer::Resync(resync) = agent.answer().await else { panic!("a long bitmap asks for a snapshot") };
    assert!(resync.reason.contains("`changed`"), "{}", resync.reason);
    assert_eq!(coordinator.utilization("a"), Some(51));
}

#[tokio::test]
async fn a_wrong_stream_ends_with_what_is_wrong_and_touches_no_other() {
    let coordinator = coordinator(Limits::default());
    let good = coordinator.reporting("good").await;
    let labels = |count| (0..count).map(|label| (format!("label-{label}"), String::new())).collect();
    let many = |count| {
        let Body::Hello(told) = hello("x") else { unreachable!("hello makes one") };
        Body::Hello(v1::Hello { labels: labels(count), ..told })
    };
    let encoded = |body| framed(&v1::AgentMessage { body: Some(body) }.encode_to_vec());
    let old = v1::Row { age_ms: 3_600_001, ..row(2, 1) };
    let backlog = v1::Backlog { rows: vec![row(2, 1); 121], rows_dropped: 0 };
    let cases: Vec<(bool, Bytes, Code, &str)> = vec![
        (false, encoded(Body::Row(row(1, 1))), Code::InvalidArgument, "the first message must be Hello"),
        (false, framed(b"\xff\xff\xff"), Code::InvalidArgument, "a message cannot be decoded"),
        (false, encoded(hello("no spaces")), Code::InvalidArgument, "`hello.node`"),
        (
            false,
            encoded(many(33)),
            Code::ResourceExhausted,
            "`hello.labels` has 33 entries; at most 32 are allowed",
        ),
        (false, encoded(many(1_000_000)), Code::ResourceExhausted, "bytes; at most 262144 are allowed"),
        (false, Bytes::from_static(&[0, 0, 4, 0, 1]), Code::ResourceExhausted, "a message has 262145 bytes"),
        (false, Bytes::from_static(&[1, 0, 0, 0, 1, 0]), Code::Unimplemented, "compressed"),
        (true, encoded(hello("x")), Code::InvalidArgument, "Hello came twice"),
        (
            true,
            encoded(Body::Row(row(2, 51))),
            Code::InvalidArgument,
            "gpu_utilization_percent of GPU 0, would be 101",
        ),
        (true, encoded(Body::Row(old)), Code::InvalidArgument, "`row.age_ms` is 3600001"),
        (true, encoded(Body::Backlog(backlog)), Code::ResourceExhausted, "`backlog.rows` has 121 entries"),
    ];
    for (reporting, bytes, code, text) in cases {
        let mut bad = if reporting { coordinator.reporting("bad").await } else { coordinator.open().await };
        bad.bytes(bytes).await;
        let end = bad.end().await;
        assert_eq!(end.0, code, "{}", end.1);
        assert!(end.1.contains(text), "{:?} does not say {text:?}", end.1);
    }
    good.say(Body::Row(row(2, 7))).await;
    wait_for(|| coordinator.utilization("good") == Some(57)).await;
}

#[tokio::test]
async fn a_stream_that_talks_too_fast_is_closed() {
    let coordinator = coordinator(Limits { messages_at_once: 10, ..Limits::default() });
    let mut agent = coordinator.reporting("a").await;
    for seq in 2..30 {
        agent.say(Body::Row(row(seq, 0))).await;
    }
    let (code, text) = agent.end().await;
    assert_eq!(
        (code, text.as_str()),
        (Code::ResourceExhausted, "more than 20 messages a second; send fewer, larger ones")
    );
}

#[tokio::test]
async fn a_stream_that_keeps_us_waiting_is_closed() {
    let short = Duration::from_millis(30);
    let coordinator =
        coordinator(Limits { message_within: short, snapshot_within: short, ..Limits::default() });
    let mut silent = coordinator.open().await;
    assert_eq!(silent.end().await, (Code::DeadlineExceeded, "no Hello came within 30ms".to_owned()));
    let mut vague = coordinator.open().await;
    vague.say(hello("a")).await;
    assert_eq!(
        vague.end().await,
        (Code::DeadlineExceeded, "no Snapshot came within 30ms after Hello".to_owned())
    );
    let mut slow = coordinator.reporting("b").await;
    slow.bytes(Bytes::from_static(&[0, 0, 0, 0, 9, 1])).await;
    assert_eq!(
        slow.end().await,
        (Code::DeadlineExceeded, "a message was begun and not finished within 30ms".to_owned())
    );
    let quiet = coordinator.reporting("c").await;
    tokio::time::sleep(2 * short).await;
    quiet.say(Body::Row(row(2, 1))).await;
    wait_for(|| coordinator.utilization("c") == Some(51)).await;
}

#[tokio::test]
async fn a_new_stream_of_a_node_ends_the_old_one() {
    let coordinator = coordinator(Limits::default());
    let mut old = coordinator.reporting("a").await;
    let new = coordinator.reporting("a").await;
    assert_eq!(old.end().await, (Code::Aborted, "another stream of this node took over".to_owned()));
    new.say(Body::Row(row(2, 1))).await;
    wait_for(|| coordinator.utilization("a") == Some(51)).await;
}

#[tokio::test]
async fn streams_are_counted_and_limited() {
    let coordinator = coordinator(Limits { streams_max: 1, ..Limits::default() });
    let first = coordinator.open().await;
    assert_eq!(coordinator.service.streams(), 1);
    let request = http::Request::post("/ostler.v1.Agent/Report").body(tonic::body::Body::empty()).unwrap();
    let refused = coordinator.service.clone().oneshot(request).await.unwrap();
    let status = tonic::Status::from_header_map(refused.headers()).unwrap();
    assert_eq!(status.code(), Code::ResourceExhausted);
    drop(first);
    wait_for(|| coordinator.service.streams() == 0).await;
}

#[tokio::test]
async fn goodbye_ends_the_stream_well_and_the_node_has_left() {
    let coordinator = coordinator(Limits::default());
    let mut agent = coordinator.reporting("a").await;
    let reason = v1::GoodbyeReason::Shutdown as i32;
    agent.say(Body::Goodbye(v1::Goodbye { reason, detail: String::new() })).await;
    assert_eq!(agent.end().await, (Code::Ok, String::new()));
    let state = coordinator.driver.view(|view| view.fleet.node(&NodeId::from("a")).unwrap().state(view.now));
    assert_eq!(state, ostler_core::fleet::State::Left);
}

#[tokio::test]
async fn probing_a_coordinator_says_whom_to_ask() {
    let coordinator = coordinator(Limits::default());
    let request = http::Request::post("/ostler.v1.Agent/Probe").body(tonic::body::Body::empty()).unwrap();
    let response = coordinator.service.clone().oneshot(request).await.unwrap();
    let status = tonic::Status::from_header_map(response.headers()).unwrap();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(status.message().contains("answered by agents"), "{}", status.message());
}

/// Lets the streams' tasks go on until something holds.
async fn wait_for(holds: impl Fn() -> bool) {
    for _ in 0..1000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("it never held");
}
