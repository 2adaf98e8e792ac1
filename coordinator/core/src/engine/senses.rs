//! What the detection is told of the facts that the fleet has folded.
//!
//! A row is a beat, and nearly always nothing else: GPUs are looked at only when a number that they are judged by moved, and
//! engines only when one has work and did nothing, or while something is held against one of them. What a node did not
//! report accuses nobody.

use std::time::Duration;

use crate::detect::{Detector, EngineSample, Fact, GpuSample, Wear};
use crate::event::{RowFact, What};
use crate::fleet::{Fleet, Freshness, Node};
use crate::id::{GpuId, NodeKey};
use crate::inventory::{Gpu, GpuState, SourceState};
use crate::layout::{DONE, Owner};
use crate::metric::Metric;
use crate::time::Time;

/// A row older than this is of a backlog, and says nothing of what an engine does now.
const PRESENT: Duration = Duration::from_secs(2);

/// Tells the detection of one node, after the fleet has folded a fact about it.
pub(super) struct Senses<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) detector: &'a mut Detector,
    pub(super) now: Time,
}

/// What is to be looked at once the fleet has folded a happening.
pub(super) enum Concern {
    /// An error of a GPU that the node lists.
    Xid {
        gpu: GpuId,
        number: u32,
        message: Box<str>,
    },
    Gpus,
    Engines,
    /// It says nothing of what is true now.
    Nothing,
}

impl Concern {
    pub(super) fn of(what: &What, node: Option<&Node>) -> Concern {
        match what {
            What::Xid(xid) => {
                let by_bus = |bus: &str| !xid.pci_bus_id.is_empty() && *xid.pci_bus_id == *bus;
                let is_it = |gpu: &&Gpu| match &xid.gpu {
                    Some(id) => gpu.id == *id,
                    None => by_bus(&gpu.pci_bus_id),
                };
                let gpu = node.and_then(|node| node.gpus().iter().find(is_it)).map(|gpu| gpu.id.clone());
                gpu.filter(|_| !xid.nvswitch).map_or(Concern::Nothing, |gpu| Concern::Xid {
                    gpu,
                    number: xid.number,
                    message: xid.message.clone(),
                })
            }
            What::Gpu { .. } | What::Source(_) => Concern::Gpus,
            What::Engine { .. } => Concern::Engines,
            What::Maintenance(_) => Concern::Nothing,
        }
    }
}

impl Senses<'_> {
    /// Any message of a node.
    #[inline]
    pub(super) fn beat(&mut self, node: NodeKey) {
        self.detector.handle(Fact::Beat(node), self.now);
    }

    /// A row is about to be folded that takes values away: what engines held until now tells whether one that falls silent
    /// has work.
    pub(super) fn row_without(&mut self, node: NodeKey, row: &RowFact<'_>) {
        if let Some(known) = self.fleet.node_by_key(node).filter(|_| row.age <= PRESENT) {
            self.engines(known);
        }
    }

    /// A row was folded.
    pub(super) fn row(&mut self, node: NodeKey, row: &RowFact<'_>) {
        self.beat(node);
        let Some(known) = self.fleet.node_by_key(node) else { return };
        let minded = self.detector.minded(node);
        let odd = row.absent.is_some() || !row.sources.is_empty();
        if odd || minded.gpus || known.layout().watched().judges_by(row.changed) {
            self.gpus(known, row.age);
        }
        if row.age > PRESENT {
            return;
        }
        if odd || minded.engines {
            self.engines(known);
        } else {
            known.still_engines(row.changed).for_each(|engine| self.engine(known, engine));
        }
    }

    /// A snapshot was folded.
    pub(super) fn snapshot(&mut self, node: NodeKey, age: Duration) {
        self.beat(node);
        self.detector.handle(Fact::Snapshot(node), self.now);
        let Some(known) = self.fleet.node_by_key(node) else { return };
        self.gpus(known, age);
        if self.detector.minded(node).engines {
            self.engines(known);
        }
    }

    /// Something happened on a node.
    pub(super) fn happened(&mut self, node: NodeKey, concern: &Concern) {
        let Some(known) = self.fleet.node_by_key(node) else { return };
        match concern {
            Concern::Xid { gpu, number, message } => {
                self.detector.handle(Fact::Xid { node, gpu, number: *number, message }, self.now);
            }
            Concern::Gpus => self.gpus(known, Duration::ZERO),
            Concern::Engines => self.engines(known),
            Concern::Nothing => {}
        }
    }

    fn gpus(&mut self, node: &Node, age: Duration) {
        let hung = nvml_hangs(node);
        for (position, gpu) in (0u8..).zip(node.gpus()) {
            let state = if hung { GpuState::Hung } else { gpu.state };
            let sample = gpu_sample(node, position, state, age, self.now);
            self.detector.handle(Fact::Gpu { node: node.key(), gpu: &gpu.id, sample }, self.now);
        }
    }

    fn engines(&mut self, node: &Node) {
        (0u8..).zip(node.engines()).for_each(|(position, _)| self.engine(node, position));
    }

    fn engine(&mut self, node: &Node, position: u8) {
        let engine = &node.engines()[usize::from(position)];
        let value = |metric| current(node, Owner::Engine(position), metric, self.now);
        let add = |sum: Option<u64>, more: u64| Some(sum.unwrap_or(0).saturating_add(more));
        let sample = EngineSample {
            state: engine.state,
            running: value(Metric::EngineRequestsRunning),
            waiting: value(Metric::EngineRequestsWaiting),
            progress: DONE.into_iter().filter_map(value).fold(None, add),
            gpu_percent: self.busiest(node, position),
        };
        let fact = Fact::Engine { node: node.key(), engine: &engine.id, gpus: &engine.gpus, sample };
        self.detector.handle(fact, self.now);
    }

    /// Utilization of the busiest GPU that an engine runs on, when it is known.
    fn busiest(&self, node: &Node, engine: u8) -> Option<u8> {
        let bits = node.engine_gpus(usize::from(engine));
        let on = (0u8..).zip(node.gpus()).map(|(at, _)| at).filter(|at| bits >> at & 1 == 1);
        let percent = |at| current(node, Owner::Gpu(at), Metric::GpuUtilizationPercent, self.now);
        on.filter_map(percent).max().and_then(|percent| u8::try_from(percent).ok())
    }
}

/// A value that is fresh, or just started again.
fn current(node: &Node, owner: Owner, metric: Metric, now: Time) -> Option<u64> {
    let slot = node.slot(node.layout().find(owner, metric)?, now);
    match slot.freshness {
        Freshness::Fresh | Freshness::Reset => u64::try_from(slot.value).ok(),
        Freshness::Stale | Freshness::Missing => None,
    }
}

/// Whether calls into the driver do not return, and the agent cannot say on which GPU.
fn nvml_hangs(node: &Node) -> bool {
    let hangs = |it: &crate::inventory::Source| &*it.name == "nvml" && it.state == SourceState::Hung;
    node.sources().iter().any(hangs)
        && !node.gpus().iter().any(|gpu| matches!(gpu.state, GpuState::Hung | GpuState::Lost))
}

/// How a GPU is, by a message that is so old. That the driver asks for nothing counts only when it was read for that
/// message: an older reading must not clear what came after it.
fn gpu_sample(node: &Node, position: u8, state: GpuState, age: Duration, now: Time) -> GpuSample {
    let owner = Owner::Gpu(position);
    let read = |metric| node.reading(owner, metric, now).filter(|it| it.freshness != Freshness::Missing);
    let recovery = read(Metric::GpuRecoveryAction).filter(|it| it.value != 0 || it.age <= age);
    let is_set = |metric| read(metric).is_some_and(|it| it.value != 0);
    let worn = if is_set(Metric::GpuRowRemapFailed) {
        Wear::RemapFailed
    } else if is_set(Metric::GpuSramEccThresholdExceeded) {
        Wear::SramThreshold
    } else {
        Wear::None
    };
    GpuSample { state, recovery: recovery.and_then(|it| u8::try_from(it.value).ok()), worn }
}
