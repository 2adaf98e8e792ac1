//! A yard of simulated agents that speak the engine's language, and a clock.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ostler_core::engine::{Engine, Policy};
use ostler_core::event::{Event, Hello, Reply, RowFact, SnapshotFact};
use ostler_core::fleet::Node;
use ostler_core::id::{EngineId, GpuId, Incarnation, NodeId, PoolId, Session, Term, ZoneId};
use ostler_core::inventory::{self, EngineState, GpuState, Source};
use ostler_core::layout::{Group, Layout, Owner};
use ostler_core::metric::Metric;
use ostler_core::time::Time;

/// GPUs of a standard node.
pub(crate) const GPUS: u8 = 2;

const GPU_FAST: [Metric; 4] = [
    Metric::GpuUtilizationPercent,
    Metric::GpuMemoryUsedBytes,
    Metric::GpuMemoryTotalBytes,
    Metric::GpuPowerMilliwatts,
];
const GPU_SLOW: [Metric; 2] = [Metric::GpuEnergyMillijoulesTotal, Metric::GpuTemperatureMarginCelsius];
const ENGINE: [Metric; 5] = [
    Metric::EngineRequestsRunning,
    Metric::EngineRequestsWaiting,
    Metric::EngineKvCacheUsagePpm,
    Metric::EngineTtftP95Microseconds,
    Metric::EngineGenerationTokensTotal,
];

/// An engine and its clock.
pub(crate) struct Yard {
    pub(crate) engine: Engine,
    pub(crate) now: Time,
}

impl Yard {
    pub(crate) fn new() -> Yard {
        Yard { engine: Engine::new(Policy::default(), "replica-1"), now: Time::from_millis(1_000_000) }
    }

    pub(crate) fn pass(&mut self, millis: u64) {
        self.now = self.now + Duration::from_millis(millis);
    }

    pub(crate) fn handle(&mut self, event: Event<'_>) -> Reply {
        self.engine.handle(event, self.now)
    }

    pub(crate) fn join(&mut self, hello: Hello) -> Session {
        let reply = self.handle(Event::Joined(hello));
        let Reply::Joined(session) = reply else { panic!("not joined: {reply:?}") };
        session
    }

    /// A standard node that has joined and sent its snapshot.
    pub(crate) fn agent(&mut self, name: &str) -> Agent {
        let mut agent = Agent::new(self.join(hello(name)));
        assert_eq!(agent.send_snapshot(self), Reply::Folded);
        agent
    }

    pub(crate) fn node(&self, name: &str) -> &Node {
        self.engine.fleet().node(&NodeId::from(name)).expect("the node is known")
    }

    /// Names of the kinds in the journal but for verdicts, oldest first.
    pub(crate) fn told(&self) -> Vec<&'static str> {
        let names = self.engine.fleet().journal().entries().map(|entry| entry.kind.name());
        names.filter(|name| *name != "verdict").collect()
    }

    /// All that the fleet knows, to see whether anything changed.
    pub(crate) fn picture(&self) -> String {
        format!("{:?}", self.engine.fleet())
    }
}

/// The hello of a standard node: zone "a", incarnation 1, a row a second.
pub(crate) fn hello(name: &str) -> Hello {
    Hello {
        encoded: Box::default(),
        node: NodeId::from(name),
        zone: ZoneId::from("a"),
        boot_id: Box::from("boot-1"),
        incarnation: Incarnation(1),
        agent_version: Box::from("0.1.0"),
        highest_term_seen: Term(0),
        interval: Duration::from_secs(1),
        probe_address: Box::default(),
        labels: BTreeMap::new(),
        simulated: false,
        sources: Vec::new(),
    }
}

/// Two GPUs, each with values a second and values a half minute, one engine, and the host.
pub(crate) fn layout() -> Layout {
    let group = |owner, seconds, metrics: &[Metric]| Group {
        owner,
        period: Duration::from_secs(seconds),
        metrics: metrics.to_vec(),
    };
    let mut groups = Vec::new();
    for gpu in 0..GPUS {
        groups.push(group(Owner::Gpu(gpu), 1, &GPU_FAST));
        groups.push(group(Owner::Gpu(gpu), 30, &GPU_SLOW));
    }
    groups.push(group(Owner::Engine(0), 1, &ENGINE));
    groups.push(group(Owner::Host, 1, &[Metric::HostCpuUsedPpm]));
    Layout::new(usize::from(GPUS), 1, groups).expect("the layout is right")
}

/// One simulated agent.
pub(crate) struct Agent {
    pub(crate) session: Session,
    pub(crate) seq: u64,
    pub(crate) layout: Arc<Layout>,
    pub(crate) gpus: Vec<inventory::Gpu>,
    pub(crate) engines: Vec<inventory::Engine>,
    pub(crate) values: Vec<i64>,
    pub(crate) absent: Vec<u8>,
    pub(crate) sources: Vec<Source>,
}

impl Agent {
    pub(crate) fn new(session: Session) -> Agent {
        let layout = Arc::new(layout());
        let gpu = |at| {
            inventory::Gpu::new(GpuId::from(format!("GPU-{}-{at}", session.node.0).as_str()), GpuState::Ok)
        };
        let mut engine = inventory::Engine::new(EngineId::from("vllm-8000"), EngineState::Serving);
        engine.pool = Some(PoolId::from("chat"));
        Agent {
            session,
            seq: 1,
            gpus: (0..GPUS).map(gpu).collect(),
            engines: vec![engine],
            values: vec![10; layout.slots().len()],
            absent: vec![0; layout.slots().len().div_ceil(8)],
            layout,
            sources: Vec::new(),
        }
    }

    pub(crate) fn slot(&self, owner: Owner, metric: Metric) -> usize {
        self.layout.find(owner, metric).expect("the layout has it")
    }

    /// Sets a value, to be sent in a snapshot.
    pub(crate) fn set(&mut self, owner: Owner, metric: Metric, value: i64) {
        let slot = self.slot(owner, metric);
        self.values[slot] = value;
    }

    pub(crate) fn snapshot(&self) -> SnapshotFact<'_> {
        SnapshotFact {
            seq: self.seq,
            age: Duration::ZERO,
            gpus: self.gpus.clone(),
            engines: self.engines.clone(),
            layout: Arc::clone(&self.layout),
            values: &self.values,
            absent: &self.absent,
            sampled: &[],
            sources: self.sources.clone(),
        }
    }

    pub(crate) fn send_snapshot(&mut self, yard: &mut Yard) -> Reply {
        let snapshot = self.snapshot();
        yard.handle(Event::Snapshot { session: self.session, snapshot })
    }

    /// The next row, which sets these slots; the agent holds the new values afterwards.
    pub(crate) fn row(&mut self, values: &[(usize, i64)]) -> Row {
        self.seq += 1;
        let mut values = values.to_vec();
        values.sort_unstable();
        let mut row = Row::empty(self.seq);
        for (slot, value) in values {
            set_bit(&mut row.changed, slot);
            row.change.push(value - self.values[slot]);
            self.values[slot] = value;
        }
        row
    }

    pub(crate) fn send_row(&mut self, yard: &mut Yard, values: &[(usize, i64)]) -> Reply {
        let row = self.row(values);
        row.send(yard, self.session)
    }
}

/// A row with its own memory.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) seq: u64,
    pub(crate) age: Duration,
    pub(crate) changed: Vec<u8>,
    pub(crate) change: Vec<i64>,
    pub(crate) sampled: Vec<u8>,
    pub(crate) absent: Option<Vec<u8>>,
    pub(crate) sources: Vec<Source>,
}

impl Row {
    pub(crate) fn empty(seq: u64) -> Row {
        Row {
            seq,
            age: Duration::ZERO,
            changed: Vec::new(),
            change: Vec::new(),
            sampled: Vec::new(),
            absent: None,
            sources: Vec::new(),
        }
    }

    pub(crate) fn send(&self, yard: &mut Yard, session: Session) -> Reply {
        let row = RowFact {
            seq: self.seq,
            age: self.age,
            changed: &self.changed,
            change: &self.change,
            sampled: &self.sampled,
            absent: self.absent.as_deref(),
            sources: &self.sources,
        };
        yard.handle(Event::Row { session, row })
    }
}

/// The text of a refusal.
pub(crate) fn refusal(reply: &Reply) -> String {
    let Reply::Refused(refusal) = reply else { panic!("not refused: {reply:?}") };
    refusal.to_string()
}

/// Sets a bit, making the bitmap longer when it must be.
pub(crate) fn set_bit(bitmap: &mut Vec<u8>, bit: usize) {
    if bitmap.len() <= bit / 8 {
        bitmap.resize(bit / 8 + 1, 0);
    }
    bitmap[bit / 8] |= 1 << (bit % 8);
}

/// A bitmap with these bits.
pub(crate) fn bits(set: &[usize]) -> Vec<u8> {
    let mut bitmap = Vec::new();
    set.iter().for_each(|&bit| set_bit(&mut bitmap, bit));
    bitmap
}
