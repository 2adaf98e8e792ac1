//! How long a reader waits: a list of all nodes, and a change on its way to a hundred watchers, while all agents report.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::{Buf, Bytes};
use hdrhistogram::Histogram;
use http::uri::PathAndQuery;
use ostler_proto::v1;
use ostler_proto::v1::fleet_client::FleetClient;
use ostler_tests::load::{Fleet, Trace};
use prost::Message;
use tokio::sync::mpsc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::outcome::{self, Outcome};
use crate::servers::Coordinator;
use crate::{runtime, say};

/// Different courses of values; agents share them.
const TRACES: usize = 16;

/// Clients that watch.
const WATCHERS: usize = 100;

/// Largest answer that the client takes: 10,000 nodes of some hundred bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Bytes that the server may send ahead.
const WINDOW_BYTES: u32 = 4 << 20;

/// Measures both.
pub(crate) fn measure(quick: bool) -> anyhow::Result<Outcome> {
    let (agents, seconds, lists, changes) = if quick { (1_000, 30, 20, 5) } else { (10_000, 140, 500, 100) };
    let coordinator = Coordinator::start()?;
    let traces: Vec<_> = (0..TRACES as u64).map(|seed| Arc::new(Trace::new(seed, 0, seconds))).collect();
    say(format_args!("connecting {agents} agents"));
    let mut fleet = Fleet::connect(coordinator.address, agents, &traces, |_| {})?;
    fleet.run(1)?;
    let runtime = runtime()?;
    let url = coordinator.url();
    let (stop, stopped) = std::sync::mpsc::sync_channel::<()>(1);
    let load = std::thread::spawn(move || {
        while fleet.rows_left() > 0 && stopped.try_recv().is_err() {
            if fleet.run(1).is_err() {
                break;
            }
        }
    });
    let stolen = outcome::stolen();
    let measured = runtime.block_on(async {
        let list = list(&url, agents, lists).await?;
        let watch = watch(&url, changes).await?;
        anyhow::Ok((list, watch))
    });
    let stolen = outcome::stolen().saturating_sub(stolen);
    let _ = stop.send(());
    let _ = load.join();
    let (Lists { answered, decoded, bytes }, watch) = measured?;
    let mut outcome = Outcome::new("query");
    outcome.figure("agents", agents as f64);
    outcome.figure("machine.stolen_ms", stolen.as_secs_f64() * 1000.0);
    outcome.figure("list_bytes", bytes as f64);
    outcome.figure("query.list_ms_p50", answered.milliseconds(0.5));
    outcome.figure("query.list_decoded_ms_p50", decoded.milliseconds(0.5));
    outcome.figure("query.list_decoded_ms_p99", decoded.milliseconds(0.99));
    outcome.figure("query.watch_ms_p50", watch.milliseconds(0.5));
    outcome.at_most("query.list_ms_p99", answered.milliseconds(0.99), 20.0);
    outcome.at_most("query.watch_ms_p99", watch.milliseconds(0.99), 50.0);
    Ok(outcome)
}

/// What the same thing took, again and again.
struct Times {
    began: Instant,
    all: Histogram<u64>,
    /// The longest, each with the moment at which it began, longest first.
    longest: Vec<(Duration, Duration)>,
}

impl Times {
    /// Longest ones that are told of.
    const LONGEST_MAX: usize = 8;

    fn new() -> anyhow::Result<Times> {
        Ok(Times { began: Instant::now(), all: outcome::times()?, longest: Vec::new() })
    }

    fn record(&mut self, start: Instant, took: Duration) {
        self.all.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        self.longest.push((took, start - self.began));
        self.longest.sort_by(|a, b| b.cmp(a));
        self.longest.truncate(Self::LONGEST_MAX);
    }

    fn milliseconds(&self, quantile: f64) -> f64 {
        self.all.value_at_quantile(quantile) as f64 / 1000.0
    }

    /// Tells when the longest ones were, by which a cause that comes by the clock is known.
    fn say_longest(&self, what: &str) {
        let one = |(took, at): &(Duration, Duration)| {
            format!("{:.0} ms at {:.1} s", took.as_secs_f64() * 1000.0, at.as_secs_f64())
        };
        let all: Vec<_> = self.longest.iter().map(one).collect();
        say(format_args!("longest {what}: {}", all.join(", ")));
    }
}

/// A connection with the window that `ostler` has too: with HTTP/2's own, a long answer stops every 64 KiB until the client
/// has had its turn.
async fn channel(url: &str) -> anyhow::Result<Channel> {
    let endpoint = Channel::from_shared(url.to_owned())?
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES);
    Ok(endpoint.connect().await?)
}

async fn client(url: &str) -> anyhow::Result<FleetClient<Channel>> {
    Ok(FleetClient::new(channel(url).await?).max_decoding_message_size(ANSWER_BYTES_MAX))
}

/// What lists took.
struct Lists {
    /// Until the whole answer had come.
    answered: Times,
    /// Until it was decoded into structs with their strings, which is the client's work.
    decoded: Times,
    /// Size of an answer.
    bytes: usize,
}

/// Lists all nodes in one page, with every field that a list has, again and again.
async fn list(url: &str, agents: usize, lists: usize) -> anyhow::Result<Lists> {
    say(format_args!("listing {agents} nodes {lists} times"));
    let mut grpc = tonic::client::Grpc::new(channel(url).await?).max_decoding_message_size(ANSWER_BYTES_MAX);
    let path = PathAndQuery::from_static("/ostler.v1.Fleet/ListNodes");
    let mut measured = Lists { answered: Times::new()?, decoded: Times::new()?, bytes: 0 };
    for _ in 0..lists {
        let request = v1::ListRequest { page_size: 10_000, ..v1::ListRequest::default() };
        grpc.ready().await?;
        let start = Instant::now();
        let answer: Bytes = grpc.unary(Request::new(request), path.clone(), Undecoded).await?.into_inner();
        measured.answered.record(start, start.elapsed());
        measured.bytes = answer.len();
        let answer = v1::ListNodesResponse::decode(answer)?;
        measured.decoded.record(start, start.elapsed());
        ensure!(answer.nodes.len() == agents, "the list has {} of {agents} nodes", answer.nodes.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    measured.answered.say_longest("lists");
    Ok(measured)
}

/// Leaves answers as they came.
struct Undecoded;

impl Codec for Undecoded {
    type Encode = v1::ListRequest;
    type Decode = Bytes;
    type Encoder = Undecoded;
    type Decoder = Undecoded;

    fn encoder(&mut self) -> Undecoded {
        Undecoded
    }

    fn decoder(&mut self) -> Undecoded {
        Undecoded
    }
}

impl Encoder for Undecoded {
    type Item = v1::ListRequest;
    type Error = Status;

    fn encode(&mut self, item: v1::ListRequest, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(out).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Undecoded {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// A hundred clients watch one node; its agent sends a changed label each second, and each client's delay counts.
async fn watch(url: &str, changes: usize) -> anyhow::Result<Times> {
    say(format_args!("sending {changes} changes to {WATCHERS} watchers"));
    let mut probe = Probe::connect(url).await?;
    let (tell, mut told) = mpsc::channel(WATCHERS * 4);
    let mut clients = client(url).await?;
    for _ in 0..WATCHERS {
        let request = v1::WatchRequest {
            kinds: vec![v1::Kind::Gpu as i32],
            filter: format!("node = \"{}\"", Probe::NODE),
            ..v1::WatchRequest::default()
        };
        let mut stream = clients.watch(request).await?.into_inner();
        let tell = tell.clone();
        tokio::spawn(async move {
            while let Ok(Some(answer)) = stream.message().await {
                for change in answer.changes {
                    if let Some(v1::change::Entry::Gpu(gpu)) = change.entry {
                        let power = gpu.power_watts.unwrap_or_default();
                        let _ = tell.send((power.round() as i64, Instant::now())).await;
                    }
                }
            }
        });
    }
    for _ in 0..WATCHERS {
        told.recv().await.context("a watcher got nothing at all")?;
    }
    let mut times = Times::new()?;
    let mut slowest = Times::new()?;
    for _ in 0..changes {
        let (watts, start) = probe.change().await?;
        let (mut reached, mut last) = (0, start);
        while reached < WATCHERS {
            let (got, at) = tokio::time::timeout(Duration::from_secs(5), told.recv())
                .await?
                .context("no watcher is left")?;
            if got == watts {
                times.record(start, at - start);
                last = last.max(at);
                reached += 1;
            }
        }
        slowest.record(start, last - start);
        tokio::time::sleep(Duration::from_millis(437)).await;
    }
    slowest.say_longest("ways of a change to its last watcher");
    Ok(times)
}

/// An agent whose one GPU changes its power when told.
struct Probe {
    send: mpsc::Sender<v1::AgentMessage>,
    seq: u64,
    watts: i64,
    _answers: tonic::Streaming<v1::CoordinatorMessage>,
}

impl Probe {
    const NODE: &str = "probe";

    async fn connect(url: &str) -> anyhow::Result<Self> {
        let mut agent = v1::agent_client::AgentClient::connect(url.to_owned()).await?;
        let (send, receive) = mpsc::channel(8);
        let say = |body| v1::AgentMessage { body: Some(body) };
        let hello = v1::Hello {
            node: Self::NODE.to_owned(),
            zone: "zone-0".to_owned(),
            incarnation: 1,
            interval_ms: 1000,
            ..v1::Hello::default()
        };
        let snapshot = v1::Snapshot {
            seq: 1,
            gpus: vec![v1::GpuInfo {
                uuid: "GPU-probe".to_owned(),
                state: v1::GpuState::Ok as i32,
                ..v1::GpuInfo::default()
            }],
            groups: vec![v1::SeriesGroup {
                owner: Some(v1::series_group::Owner::Gpu(0)),
                period_ms: 1000,
                metrics: vec![v1::Metric::GpuPowerMilliwatts as i32],
            }],
            values: vec![1000],
            ..v1::Snapshot::default()
        };
        send.send(say(v1::agent_message::Body::Hello(hello))).await?;
        send.send(say(v1::agent_message::Body::Snapshot(snapshot))).await?;
        let answers = agent.report(tokio_stream::wrappers::ReceiverStream::new(receive)).await?.into_inner();
        Ok(Self { send, seq: 1, watts: 1, _answers: answers })
    }

    /// Adds a watt; gives the new power and the moment.
    async fn change(&mut self) -> anyhow::Result<(i64, Instant)> {
        self.seq += 1;
        self.watts += 1;
        let row =
            v1::Row { seq: self.seq, changed: vec![1].into(), change: vec![1000], ..v1::Row::default() };
        let start = Instant::now();
        self.send.send(v1::AgentMessage { body: Some(v1::agent_message::Body::Row(row)) }).await?;
        Ok((self.watts, start))
    }
}
