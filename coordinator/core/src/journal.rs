//! What happened in the fleet, newest last: a bounded list for people to read and for watchers to follow.

use std::collections::VecDeque;

use crate::id::{EngineId, GpuId, NodeId, ZoneId};
use crate::time::Time;

/// Entries kept: a zone of 1,000 nodes that goes dark and comes back writes 2,000, so several such storms fit; at about
/// 300 bytes an entry they take 3 MB.
pub const ENTRIES_MAX: usize = 10_000;

/// How much an entry matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Someone should look.
    Warning,
    /// Capacity is lost.
    Critical,
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A node reported for the first time.
    NodeJoined,
    /// A node said goodbye.
    NodeLeft,
    /// A node fell silent.
    NodeStale,
    /// A silent node, or one that had left, reports again.
    NodeReturned,
    /// A node's agent started again.
    NodeRestarted,
    /// A node's machine started again.
    NodeRebooted,
    /// A node was silent for so long that it was dropped from the fleet.
    NodeForgotten,
    /// A GPU's state changed.
    GpuState,
    /// An engine's state changed.
    EngineState,
    /// A source's state changed.
    SourceState,
    /// The GPU driver reported an error.
    Xid,
    /// The cloud will take or change a machine.
    Maintenance,
    /// A node's agent dropped rows while it was cut off.
    RowsDropped,
    /// Another replica leads.
    LeaderChanged,
    /// What is true of something changed.
    Verdict,
}

impl Kind {
    /// For example "node_joined".
    pub const fn name(self) -> &'static str {
        match self {
            Kind::NodeJoined => "node_joined",
            Kind::NodeLeft => "node_left",
            Kind::NodeStale => "node_stale",
            Kind::NodeReturned => "node_returned",
            Kind::NodeRestarted => "node_restarted",
            Kind::NodeRebooted => "node_rebooted",
            Kind::NodeForgotten => "node_forgotten",
            Kind::GpuState => "gpu_state",
            Kind::EngineState => "engine_state",
            Kind::SourceState => "source_state",
            Kind::Xid => "xid",
            Kind::Maintenance => "maintenance",
            Kind::RowsDropped => "rows_dropped",
            Kind::LeaderChanged => "leader_changed",
            Kind::Verdict => "verdict",
        }
    }
}

/// Where it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The zone, unless it concerns the whole fleet.
    pub zone: Option<ZoneId>,
    /// The node, unless it concerns the whole fleet.
    pub node: Option<NodeId>,
    /// The GPU, when it concerns one.
    pub gpu: Option<GpuId>,
    /// The engine, when it concerns one.
    pub engine: Option<EngineId>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Increases by one an entry.
    pub id: u64,
    /// The fleet's revision that the entry made; increases with `id`.
    pub revision: u64,
    /// When it happened, by the coordinator's clock.
    pub at: Time,
    /// What kind of thing.
    pub kind: Kind,
    /// How much it matters.
    pub severity: Severity,
    /// Where.
    pub place: Place,
    /// For a person.
    pub message: String,
    /// Facts of the kind, by name.
    pub attributes: Vec<(&'static str, String)>,
}

/// The newest [`ENTRIES_MAX`] entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    entries: VecDeque<Entry>,
    /// Entries ever written; the id of the newest.
    written: u64,
}

impl Journal {
    /// All entries, oldest first.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.iter()
    }

    /// Entries with a higher id, oldest first.
    pub fn after(&self, id: u64) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.range(self.entries.partition_point(|entry| entry.id <= id)..)
    }

    /// Entries with a higher revision, oldest first.
    pub fn since(&self, revision: u64) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.range(self.entries.partition_point(|entry| entry.revision <= revision)..)
    }

    /// The entry with this id, if it is still kept.
    pub fn entry(&self, id: u64) -> Option<&Entry> {
        self.after(id.checked_sub(1)?).next().filter(|entry| entry.id == id)
    }

    /// Entries ever written, which is the newest one's id.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Adds an entry, whose id is set here, and drops the oldest when there are too many.
    pub(crate) fn write(&mut self, mut entry: Entry) {
        self.written += 1;
        entry.id = self.written;
        if self.entries.len() == ENTRIES_MAX {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }
}
