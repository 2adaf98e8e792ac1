//! A coordinator replica as an agent meets it: takes the report stream, keeps what it was told, answers with Welcome and
//! with whatever a test sends.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use ostler_proto::v1::{self, agent_event, agent_message, agent_server, coordinator_message, series_group};
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, Streaming};

/// How long something may take that should take a second or two: only a hang exceeds it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Orders that wait for the agent; a test sends one or two.
const ORDERS_MAX: usize = 16;

/// A replica that listens until it is dropped.
pub(crate) struct Replica {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    /// Ends the server's thread when dropped.
    _alive: tokio::sync::oneshot::Sender<()>,
}

/// What the agent has told.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) hellos: Vec<v1::Hello>,
    /// As in the newest snapshot, with the states that events told of since.
    pub(crate) gpus: Vec<v1::GpuInfo>,
    /// Newest state of each source.
    pub(crate) sources: BTreeMap<String, v1::SourceStatus>,
    /// All states that sources went through.
    pub(crate) source_history: Vec<v1::SourceStatus>,
    pub(crate) events: Vec<agent_event::Kind>,
    pub(crate) snapshots: u32,
    pub(crate) rows: u32,
    pub(crate) goodbyes: Vec<v1::Goodbye>,
    pub(crate) results: Vec<v1::CommandResult>,
    /// When the newest row came, and the longest time between two messages of one stream.
    pub(crate) last_row: Option<Instant>,
    pub(crate) longest_gap: Duration,
    /// Newest value of every slot; `None` when absent.
    values: Vec<Option<i64>>,
    plain: Vec<i64>,
    slots: Vec<Slot>,
    sampled: Vec<u8>,
    groups: usize,
    /// When each group was last read, by its position.
    read_at: BTreeMap<usize, Instant>,
    to_agent: Option<mpsc::Sender<Result<v1::CoordinatorMessage, Status>>>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    owner: Option<series_group::Owner>,
    metric: v1::Metric,
    group: usize,
}

impl Replica {
    pub(crate) fn start() -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (alive, ended) = tokio::sync::oneshot::channel();
        let service = agent_server::AgentServer::new(Service(Arc::clone(&seen)));
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let incoming = TcpListenerStream::new(tokio::net::TcpListener::from_std(listener).unwrap());
                let server = tonic::transport::Server::builder().add_service(service);
                tokio::select! {
                    served = server.serve_with_incoming(incoming) => served.unwrap(),
                    _ = ended => {}
                }
            });
        });
        Self { address, seen, _alive: alive }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    /// Waits until what the agent told fulfils a condition; fails with all that it told when it takes too long.
    pub(crate) fn wait(&self, what: &str, condition: impl Fn(&Seen) -> bool) -> MutexGuard<'_, Seen> {
        let end = Instant::now() + PATIENCE;
        loop {
            let seen = self.seen();
            if condition(&seen) {
                return seen;
            }
            assert!(Instant::now() < end, "never: {what}. Told so far:\n{}", seen.summary());
            drop(seen);
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends an order to the agent whose stream came last.
    pub(crate) fn send(&self, body: coordinator_message::Body) {
        let to_agent = self.seen().to_agent.clone().unwrap();
        to_agent.try_send(Ok(v1::CoordinatorMessage { body: Some(body) })).unwrap();
    }
}

impl Seen {
    /// Newest value of a GPU; `None` when it has none.
    pub(crate) fn gpu(&self, index: u32, metric: v1::Metric) -> Option<i64> {
        let owner = Some(series_group::Owner::Gpu(index));
        let slot = self.slots.iter().position(|slot| slot.owner == owner && slot.metric == metric)?;
        self.values.get(slot).copied().flatten()
    }

    /// When a metric of a GPU was last read.
    pub(crate) fn gpu_read_at(&self, index: u32, metric: v1::Metric) -> Option<Instant> {
        let owner = Some(series_group::Owner::Gpu(index));
        let slot = self.slots.iter().find(|slot| slot.owner == owner && slot.metric == metric)?;
        self.read_at.get(&slot.group).copied()
    }

    pub(crate) fn gpu_state(&self, index: usize) -> v1::GpuState {
        self.gpus.get(index).map_or(v1::GpuState::Unspecified, v1::GpuInfo::state)
    }

    pub(crate) fn nvml(&self) -> v1::SourceState {
        self.sources.get("nvml").map_or(v1::SourceState::Unspecified, v1::SourceStatus::state)
    }

    /// What the agent says about NVML, for a person.
    pub(crate) fn nvml_detail(&self) -> &str {
        self.sources.get("nvml").map_or("", |source| &source.detail)
    }

    pub(crate) fn xids(&self) -> Vec<&v1::XidEvent> {
        let mut xids = Vec::new();
        for event in &self.events {
            if let agent_event::Kind::Xid(xid) = event {
                xids.push(xid);
            }
        }
        xids
    }

    pub(crate) fn summary(&self) -> String {
        let gpus: Vec<_> = self.gpus.iter().map(|gpu| (gpu.index, gpu.state(), &gpu.detail)).collect();
        format!(
            "hellos {}, snapshots {}, rows {}, the last {:?} ago, gpus {gpus:?}\nsources {:?}\nwere {:?}\nevents {:?}",
            self.hellos.len(),
            self.snapshots,
            self.rows,
            self.last_row.map(|at| at.elapsed()),
            self.sources,
            self.source_history,
            self.events
        )
    }

    fn take(&mut self, body: agent_message::Body) {
        match body {
            agent_message::Body::Hello(hello) => {
                self.last_row = None;
                self.take_sources(hello.sources.clone());
                self.hellos.push(hello);
            }
            agent_message::Body::Snapshot(snapshot) => self.take_snapshot(snapshot),
            agent_message::Body::Row(row) => self.take_row(row),
            agent_message::Body::Backlog(backlog) => {
                backlog.rows.into_iter().for_each(|row| self.take_row(row))
            }
            agent_message::Body::Event(event) => self.take_event(event.kind.unwrap()),
            agent_message::Body::Goodbye(goodbye) => self.goodbyes.push(goodbye),
            agent_message::Body::CommandResult(result) => self.results.push(result),
            agent_message::Body::ProbePeerResult(_) => {}
        }
    }

    fn take_sources(&mut self, sources: Vec<v1::SourceStatus>) {
        for source in sources {
            self.source_history.push(source.clone());
            self.sources.insert(source.name.clone(), source);
        }
    }

    fn take_event(&mut self, kind: agent_event::Kind) {
        if let agent_event::Kind::Source(source) = &kind {
            self.take_sources(vec![source.clone()]);
        }
        if let agent_event::Kind::Gpu(event) = &kind
            && let Some(gpu) = self.gpus.iter_mut().find(|gpu| gpu.uuid == event.gpu_uuid)
        {
            gpu.set_state(event.to());
            gpu.detail.clone_from(&event.detail);
        }
        self.events.push(kind);
    }

    fn take_snapshot(&mut self, snapshot: v1::Snapshot) {
        self.arrived();
        self.snapshots += 1;
        self.gpus = snapshot.gpus;
        self.take_sources(snapshot.sources);
        self.groups = snapshot.groups.len();
        self.slots.clear();
        for (group, series) in snapshot.groups.iter().enumerate() {
            self.slots.extend(series.metrics().map(|metric| Slot { owner: series.owner, metric, group }));
        }
        assert_eq!(self.slots.len(), snapshot.values.len(), "a value for each slot");
        self.plain = snapshot.values;
        self.sampled = match snapshot.sampled.is_empty() {
            true => vec![0xff; self.groups.div_ceil(8)],
            false => snapshot.sampled.to_vec(),
        };
        self.show(&snapshot.absent);
    }

    fn take_row(&mut self, row: v1::Row) {
        self.arrived();
        self.rows += 1;
        let changed = (0..self.slots.len()).filter(|slot| bit(&row.changed, *slot));
        let changed: Vec<usize> = changed.collect();
        assert_eq!(changed.len(), row.change.len(), "a change for each bit");
        for (slot, change) in changed.into_iter().zip(row.change) {
            self.plain[slot] += change;
        }
        if !row.sampled.is_empty() {
            self.sampled = row.sampled.to_vec();
        }
        let absent = if row.absent_changed { row.absent.to_vec() } else { self.absent() };
        self.take_sources(row.sources);
        self.show(&absent);
    }

    fn absent(&self) -> Vec<u8> {
        let mut bitmap = vec![0; self.values.len().div_ceil(8)];
        for (slot, _) in self.values.iter().enumerate().filter(|(_, value)| value.is_none()) {
            bitmap[slot / 8] |= 1 << (slot % 8);
        }
        bitmap
    }

    fn show(&mut self, absent: &[u8]) {
        let value = |(slot, value): (usize, &i64)| (!bit(absent, slot)).then_some(*value);
        self.values = self.plain.iter().enumerate().map(value).collect();
        let now = Instant::now();
        for group in (0..self.groups).filter(|group| bit(&self.sampled, *group)) {
            self.read_at.insert(group, now);
        }
    }

    fn arrived(&mut self) {
        let now = Instant::now();
        if let Some(last) = self.last_row.replace(now) {
            self.longest_gap = self.longest_gap.max(now - last);
        }
    }
}

fn bit(bitmap: &[u8], position: usize) -> bool {
    bitmap.get(position / 8).is_some_and(|byte| byte >> (position % 8) & 1 == 1)
}

struct Service(Arc<Mutex<Seen>>);

#[tonic::async_trait]
impl agent_server::Agent for Service {
    type ReportStream = ReceiverStream<Result<v1::CoordinatorMessage, Status>>;

    async fn report(
        &self,
        request: Request<Streaming<v1::AgentMessage>>,
    ) -> Result<Response<Self::ReportStream>, Status> {
        let mut from_agent = request.into_inner();
        let (to_agent, orders) = mpsc::channel(ORDERS_MAX);
        let welcome = v1::Welcome {
            replica: "a".to_owned(),
            leader: "a".to_owned(),
            term: 1,
            interval_ms: 1000,
            replicas: Vec::new(),
        };
        let body = Some(coordinator_message::Body::Welcome(welcome));
        to_agent.try_send(Ok(v1::CoordinatorMessage { body })).unwrap();
        self.0.lock().unwrap().to_agent = Some(to_agent);
        let seen = Arc::clone(&self.0);
        tokio::spawn(async move {
            while let Ok(Some(message)) = from_agent.message().await {
                seen.lock().unwrap().take(message.body.unwrap());
            }
        });
        Ok(Response::new(ReceiverStream::new(orders)))
    }

    async fn probe(
        &self,
        _request: Request<v1::ProbeRequest>,
    ) -> Result<Response<v1::ProbeResponse>, Status> {
        Err(Status::unimplemented("this is a replica"))
    }
}
