//! An agent: a process on a machine, and its streams to the replicas.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use ostler_core::event::{Happening, Hello, RowFact, SnapshotFact, What};
use ostler_core::id::{GpuId, Incarnation, NodeId, Term, ZoneId};
use ostler_core::inventory::{Gpu, GpuState};
use ostler_core::layout::{Group, Layout, Owner};
use ostler_core::metric::Metric;

use crate::net::{Side, Spot};

/// Pieces of a stream that wait while nothing gets through; the oldest is dropped for a newer one.
const STUCK_MAX: usize = 16;

/// How a machine and its agent are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Well,
    /// The agent stands still; its host answers.
    Hung,
    /// The agent does not run; its host does.
    Crashed,
    /// Nothing comes from the machine.
    Off,
}

/// The agent's end of a stream to a replica.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// Names it; zero for none.
    pub(crate) number: u64,
    /// Life of the replica at its other end.
    pub(crate) life: u64,
    pub(crate) seq: u64,
    /// When the newest piece arrives: none comes before it.
    pub(crate) arrives_ms: u64,
    /// What could not be sent, and since when.
    pub(crate) stuck: VecDeque<Piece>,
    pub(crate) stuck_since_ms: u64,
}

/// One message of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Hello { incarnation: u64, boot: u64 },
    Snapshot { seq: u64, at_ms: u64, gpu: GpuState },
    Row { seq: u64, at_ms: u64 },
    GpuLost { id: u64 },
    Closed,
}

/// An agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) at: usize,
    pub(crate) zone: usize,
    pub(crate) health: Health,
    /// When its health last changed.
    pub(crate) since_ms: u64,
    pub(crate) incarnation: u64,
    pub(crate) boot: u64,
    pub(crate) gpu: GpuState,
    /// When a GPU fell off.
    pub(crate) gpu_since_ms: u64,
    /// By replica.
    pub(crate) streams: BTreeMap<usize, Stream>,
}

impl Agent {
    pub(crate) fn new(at: usize, zone: usize) -> Agent {
        Agent {
            at,
            zone,
            health: Health::Well,
            since_ms: 0,
            incarnation: 1,
            boot: 1,
            gpu: GpuState::Ok,
            gpu_since_ms: 0,
            streams: BTreeMap::new(),
        }
    }

    pub(crate) fn spot(&self) -> Spot {
        Spot { side: Side::Node(self.at), zone: Some(self.zone) }
    }
}

impl Stream {
    pub(crate) fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    /// Keeps what cannot be sent now.
    pub(crate) fn keep(&mut self, piece: Piece, now_ms: u64) {
        if self.stuck.is_empty() {
            self.stuck_since_ms = now_ms;
        }
        if self.stuck.len() < STUCK_MAX {
            self.stuck.push_back(piece);
        }
    }
}

pub(crate) fn name(at: usize) -> NodeId {
    NodeId::from(format!("n{at}").as_str())
}

/// The number in a node's name.
pub(crate) fn number(name: &NodeId) -> usize {
    name.as_str()[1..].parse().expect("nodes are numbered")
}

pub(crate) fn zone_id(zone: usize) -> ZoneId {
    ZoneId::from(["a", "b", "c", "d"][zone])
}

fn gpu_id(at: usize) -> GpuId {
    GpuId::from(format!("GPU-{at}").as_str())
}

pub(crate) fn hello(at: usize, zone: usize, incarnation: u64, boot: u64) -> Hello {
    Hello {
        encoded: Box::default(),
        node: name(at),
        zone: zone_id(zone),
        boot_id: format!("boot-{boot}").into(),
        incarnation: Incarnation(incarnation),
        agent_version: Box::from("0.1.0"),
        highest_term_seen: Term(0),
        interval: Duration::from_secs(1),
        probe_address: Box::default(),
        labels: BTreeMap::new(),
        simulated: true,
        sources: Vec::new(),
    }
}

/// One GPU with one value a second.
pub(crate) fn layout() -> Arc<Layout> {
    let group = Group {
        owner: Owner::Gpu(0),
        period: Duration::from_secs(1),
        metrics: vec![Metric::GpuUtilizationPercent],
    };
    Arc::new(Layout::new(1, 0, vec![group]).expect("the layout is right"))
}

pub(crate) fn snapshot(
    at: usize,
    seq: u64,
    gpu: GpuState,
    age: Duration,
    layout: &Arc<Layout>,
) -> SnapshotFact<'static> {
    SnapshotFact {
        seq,
        age,
        gpus: vec![Gpu::new(gpu_id(at), gpu)],
        engines: Vec::new(),
        layout: Arc::clone(layout),
        values: &[10],
        absent: &[],
        sampled: &[],
        sources: Vec::new(),
    }
}

/// A row in which nothing changed.
pub(crate) fn row(seq: u64, age: Duration) -> RowFact<'static> {
    RowFact { seq, age, changed: &[], change: &[], sampled: &[], absent: None, sources: &[] }
}

pub(crate) fn gpu_lost(at: usize, id: u64) -> Happening {
    let (gpu, from, to) = (gpu_id(at), GpuState::Ok, GpuState::Lost);
    Happening { id, age: Duration::ZERO, what: What::Gpu { gpu, from, to, detail: Box::default() } }
}
