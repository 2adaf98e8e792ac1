//! A simulated machine, and what its agent says.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ostler_core::event::{Hello, RowFact, SnapshotFact};
use ostler_core::id::{GpuId, Incarnation, NodeId, Session, Term, ZoneId};
use ostler_core::inventory::{Gpu, GpuState};
use ostler_core::layout::{Group, Layout, Owner};
use ostler_core::metric::Metric;

/// How often an agent reports.
const INTERVAL: Duration = Duration::from_secs(1);

/// Values of a snapshot, one a GPU: how busy it is.
const VALUES: [i64; GPUS_MAX] = [10; GPUS_MAX];

/// GPUs a machine can have.
pub(super) const GPUS_MAX: usize = 8;

/// A machine.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) name: NodeId,
    pub(super) zone: usize,
    pub(super) up: bool,
    /// When it came up or fell.
    pub(super) since_ms: u64,
    /// Whether it was ever up.
    pub(super) seen: bool,
    /// Times that it started; what an earlier life sent is not folded.
    pub(super) life: u64,
    /// Its stream, while its agent is connected.
    pub(super) session: Option<Session>,
    /// Messages of the stream so far.
    pub(super) seq: u64,
}

impl Machine {
    pub(super) fn new(name: &str, zone: usize) -> Self {
        let name = NodeId::from(name);
        Self { name, zone, up: false, since_ms: 0, seen: false, life: 0, session: None, seq: 0 }
    }

    pub(super) fn hello(&self, zone: &ZoneId) -> Hello {
        Hello {
            encoded: Box::default(),
            node: self.name.clone(),
            zone: zone.clone(),
            boot_id: format!("boot-{}", self.life).into(),
            incarnation: Incarnation(self.life),
            agent_version: Box::from("0.1.0"),
            highest_term_seen: Term(0),
            interval: INTERVAL,
            probe_address: Box::default(),
            labels: BTreeMap::new(),
            simulated: true,
            sources: Vec::new(),
        }
    }

    /// The name of one of its GPUs.
    pub(super) fn gpu(&self, number: usize) -> GpuId {
        GpuId::from(format!("GPU-{}-{number}", self.name).as_str())
    }

    pub(super) fn snapshot(&mut self, layout: &Arc<Layout>, gpus: usize) -> SnapshotFact<'static> {
        SnapshotFact {
            seq: self.next_seq(),
            age: Duration::ZERO,
            gpus: (0..gpus).map(|number| Gpu::new(self.gpu(number), GpuState::Ok)).collect(),
            engines: Vec::new(),
            layout: Arc::clone(layout),
            values: &VALUES[..gpus],
            absent: &[],
            sampled: &[],
            sources: Vec::new(),
        }
    }

    /// A row in which nothing changed.
    pub(super) fn row(&mut self) -> RowFact<'static> {
        let seq = self.next_seq();
        RowFact {
            seq,
            age: Duration::ZERO,
            changed: &[],
            change: &[],
            sampled: &[],
            absent: None,
            sources: &[],
        }
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }
}

/// So many GPUs with one value a second each.
pub(super) fn layout(gpus: usize) -> Arc<Layout> {
    let numbers = 0..u8::try_from(gpus).expect("at most eight");
    let group = |number| Group {
        owner: Owner::Gpu(number),
        period: INTERVAL,
        metrics: vec![Metric::GpuUtilizationPercent],
    };
    let groups = numbers.map(group).collect();
    Arc::new(Layout::new(gpus, 0, groups).expect("the layout is right"))
}
