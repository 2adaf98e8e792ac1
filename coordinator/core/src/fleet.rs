//! Everything that is known of the fleet now, folded from facts one at a time.
//!
//! Nodes live in a slab, so that a row finds its node by index; names and GPU ids lead there by ordered maps. Facts are
//! applied or refused whole. The fleet never looks at a clock and never forgets by itself: [`crate::engine::Engine::step`]
//! passes the time in and drops who has been silent for too long.

mod bits;
mod change;
mod check;
mod fold;
mod happening;
mod ledger;
mod node;
mod row;
mod seen;
mod snapshot;
mod totals;

use std::collections::{BTreeMap, VecDeque};
use std::ops::{Bound, Range};
use std::sync::Arc;
use std::time::Duration;

pub use self::change::{REMOVALS_MAX, Removed};
use self::ledger::Ledger;
pub(crate) use self::ledger::Note;
pub(crate) use self::node::Slot;
pub use self::node::{Freshness, Node, PATIENCE, Reading, State, StateCounts};
pub use self::totals::{Sum, Totals};
use crate::id::{EngineId, GpuId, NodeId, NodeKey};
use crate::inventory;
use crate::journal::Journal;
use crate::layout::{Layout, Owner};
use crate::metric::Metric;
use crate::time::Time;

/// Nodes that one coordinator follows. Ten times the 5,000 of the largest Kubernetes clusters, rounded up; at 100 kB a
/// node with its history that is 6.5 GB, the memory of one large process.
pub const NODES_MAX: usize = 65_536;

/// Layouts kept for sharing: as many kinds of machine as a fleet commonly has.
const LAYOUTS_SHARED: usize = 16;

/// All nodes and what happened to them.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// By [`NodeKey`]; none where a node was forgotten and its place is free.
    nodes: Vec<Option<Box<Node>>>,
    /// Free places, used last in first out.
    free: Vec<NodeKey>,
    names: BTreeMap<NodeId, NodeKey>,
    /// Which node listed a GPU last.
    gpus: BTreeMap<GpuId, NodeKey>,
    /// The newest different layouts, so that nodes of one kind share one.
    layouts: VecDeque<Arc<Layout>>,
    ledger: Ledger,
    /// Streams ever opened; the number of the newest session.
    sessions: u64,
}

/// A GPU and the node it is on.
#[derive(Clone, Copy, Debug)]
pub struct Gpu<'a> {
    /// The node.
    pub node: &'a Node,
    /// Position among the node's GPUs.
    pub position: u8,
}

/// An engine and the node it is on.
#[derive(Clone, Copy, Debug)]
pub struct Engine<'a> {
    /// The node.
    pub node: &'a Node,
    /// Position among the node's engines.
    pub position: u8,
}

/// What changed after a revision.
#[derive(Clone, Debug)]
pub struct Since<'a> {
    /// Nodes that changed, newest first; [`Node::owner_revision`] tells which of their GPUs and engines did.
    pub nodes: Vec<&'a Node>,
    /// What is gone and has not come back, oldest first. What went twice is listed twice.
    pub removed: Vec<&'a Removed>,
}

impl Fleet {
    /// A fleet without nodes.
    pub(crate) fn new() -> Fleet {
        Fleet {
            nodes: Vec::new(),
            free: Vec::new(),
            names: BTreeMap::new(),
            gpus: BTreeMap::new(),
            layouts: VecDeque::new(),
            ledger: Ledger::new(),
            sessions: 0,
        }
    }

    /// How many nodes there are, whatever their state.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// All nodes, ordered by name.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = &Node> {
        self.names.values().filter_map(|&key| self.node_by_key(key))
    }

    /// Nodes whose names follow this one, ordered by name.
    pub fn nodes_after(&self, name: &NodeId) -> impl DoubleEndedIterator<Item = &Node> {
        let range = (Bound::Excluded(name), Bound::Unbounded);
        self.names.range(range).filter_map(|(_, &key)| self.node_by_key(key))
    }

    /// All nodes in order of their keys, which is faster than by name.
    pub fn nodes_by_key(&self) -> impl DoubleEndedIterator<Item = &Node> {
        self.nodes.iter().filter_map(|node| node.as_deref())
    }

    /// How many keys there are, with and without nodes.
    pub fn keys(&self) -> usize {
        self.nodes.len()
    }

    /// The nodes of some keys, in order; keys past the last have none.
    pub fn nodes_in(&self, keys: Range<usize>) -> impl Iterator<Item = &Node> {
        let end = keys.end.min(self.nodes.len());
        self.nodes[keys.start.min(end)..end].iter().filter_map(|node| node.as_deref())
    }

    /// The node of this name.
    pub fn node(&self, name: &NodeId) -> Option<&Node> {
        self.node_by_key(*self.names.get(name)?)
    }

    /// The node at this place.
    pub fn node_by_key(&self, key: NodeKey) -> Option<&Node> {
        self.nodes.get(key.0 as usize)?.as_deref()
    }

    /// The GPU with this UUID, on the node that listed it last.
    pub fn gpu(&self, gpu: &GpuId) -> Option<Gpu<'_>> {
        let node = self.node_by_key(*self.gpus.get(gpu)?)?;
        Some(Gpu { node, position: node.gpu_position(gpu)? })
    }

    /// All GPUs, ordered by UUID.
    pub fn gpus(&self) -> impl DoubleEndedIterator<Item = Gpu<'_>> {
        self.gpus.keys().filter_map(|gpu| self.gpu(gpu))
    }

    /// GPUs whose UUIDs follow this one, ordered by UUID.
    pub fn gpus_after(&self, gpu: &GpuId) -> impl DoubleEndedIterator<Item = Gpu<'_>> {
        let range = (Bound::Excluded(gpu), Bound::Unbounded);
        self.gpus.range::<GpuId, _>(range).filter_map(|(gpu, _)| self.gpu(gpu))
    }

    /// How many GPUs there are.
    pub fn gpu_count(&self) -> usize {
        self.gpus.len()
    }

    /// The engine of this name on the node of this name.
    pub fn engine(&self, node: &NodeId, engine: &EngineId) -> Option<Engine<'_>> {
        let node = self.node(node)?;
        Some(Engine { node, position: node.engine_position(engine)? })
    }

    /// How many nodes are in each state, as far as facts and steps have told.
    pub fn states(&self) -> StateCounts {
        self.ledger.states
    }

    /// What happened, newest last.
    pub fn journal(&self) -> &Journal {
        &self.ledger.journal
    }

    /// Number of the newest change of anything: nodes, values, and the journal.
    pub fn revision(&self) -> u64 {
        self.ledger.changes.revision()
    }

    /// What changed after a revision; none when that is so long ago that removals may have been missed, or when there
    /// is no such revision yet. The journal's part is [`Journal::since`].
    pub fn since(&self, revision: u64) -> Option<Since<'_>> {
        let changes = &self.ledger.changes;
        changes.remembers(revision).then(|| Since {
            nodes: changes.nodes_since(revision).filter_map(|key| self.node_by_key(key)).collect(),
            removed: changes.removed_since(revision).filter(|it| !self.exists(it)).collect(),
        })
    }

    /// The same of one node only, at the cost of one.
    pub fn since_of(&self, node: &NodeId, revision: u64) -> Option<Since<'_>> {
        let changes = &self.ledger.changes;
        changes.remembers(revision).then(|| Since {
            nodes: self.node(node).filter(|node| node.revision() > revision).into_iter().collect(),
            removed: changes.removed_since(revision).filter(|it| !self.exists(it)).collect(),
        })
    }

    /// Whether it is known what changed after a revision.
    pub fn remembers(&self, revision: u64) -> bool {
        self.ledger.changes.remembers(revision)
    }

    fn exists(&self, what: &Removed) -> bool {
        match what {
            Removed::Node(node) => self.names.contains_key(node),
            Removed::Gpu(gpu) => self.gpus.contains_key(gpu),
            Removed::Engine(node, engine) => self.engine(node, engine).is_some(),
        }
    }
}

impl<'a> Gpu<'a> {
    /// What the agent told of it.
    pub fn info(&self) -> &'a inventory::Gpu {
        &self.node.gpus()[usize::from(self.position)]
    }

    /// Its place in the node's layout.
    pub fn owner(&self) -> Owner {
        Owner::Gpu(self.position)
    }

    /// Its value of a metric; none when the node does not report it.
    pub fn reading(&self, metric: Metric, now: Time) -> Option<Reading> {
        self.node.reading(self.owner(), metric, now)
    }

    /// Age and freshness of its most often read values.
    pub fn freshness(&self, now: Time) -> (Duration, Freshness) {
        self.node.freshness(self.owner(), now)
    }

    /// The fleet's revision at which it last changed.
    pub fn revision(&self) -> u64 {
        self.node.owner_revision(self.owner())
    }
}

impl<'a> Engine<'a> {
    /// What the agent told of it.
    pub fn info(&self) -> &'a inventory::Engine {
        &self.node.engines()[usize::from(self.position)]
    }

    /// Its place in the node's layout.
    pub fn owner(&self) -> Owner {
        Owner::Engine(self.position)
    }

    /// Its value of a metric; none when the node does not report it.
    pub fn reading(&self, metric: Metric, now: Time) -> Option<Reading> {
        self.node.reading(self.owner(), metric, now)
    }

    /// Age and freshness of its most often read values.
    pub fn freshness(&self, now: Time) -> (Duration, Freshness) {
        self.node.freshness(self.owner(), now)
    }

    /// The fleet's revision at which it last changed.
    pub fn revision(&self) -> u64 {
        self.node.owner_revision(self.owner())
    }
}
