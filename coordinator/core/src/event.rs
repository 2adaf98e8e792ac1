//! Facts that the shell feeds to the engine, and what the engine answers to each.
//!
//! The list is closed: whoever handles an [`Event`] handles every one. Facts that come a thousand times a second borrow
//! their numbers, so that folding one allocates nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::id::{EngineId, GpuId, Incarnation, NodeId, Session, Term, ZoneId};
use crate::inventory::{Engine, EngineState, Gpu, GpuState, Source};
use crate::layout::{Layout, Owner};
use crate::metric::Metric;

/// The oldest a row, snapshot or happening can be: one hour, as the wire's contract says.
pub const AGE_MAX: Duration = Duration::from_secs(3600);

/// Labels a node can have.
pub const LABELS_MAX: usize = 32;

/// Sources an agent can have; five exist.
pub const SOURCES_MAX: usize = 16;

/// One fact.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A node opened a stream. Answered with [`Reply::Joined`], which gives the session for all that follows.
    Joined(Hello),
    /// The whole node. Replaces all that was known.
    Snapshot {
        /// The stream it came by.
        session: Session,
        /// The fact.
        snapshot: SnapshotFact<'a>,
    },
    /// What changed since the message before.
    Row {
        /// The stream it came by.
        session: Session,
        /// The fact.
        row: RowFact<'a>,
    },
    /// The agent had to drop rows while it was cut off. The rows of its backlog follow as [`Event::Row`]s.
    RowsDropped {
        /// The stream it came by.
        session: Session,
        /// How many, since the stream was last up.
        rows: u64,
    },
    /// Something happened on the node.
    Happened {
        /// The stream it came by.
        session: Session,
        /// The fact.
        happening: Happening,
    },
    /// The agent ends the stream on purpose.
    Goodbye {
        /// The stream it came by.
        session: Session,
        /// Why.
        reason: GoodbyeReason,
        /// For a person; may be empty.
        detail: &'a str,
    },
    /// The stream ended without a goodbye. Nothing happens when another stream of the node has taken over.
    Disconnected {
        /// The stream that ended.
        session: Session,
        /// For a person.
        reason: &'a str,
    },
    /// Another replica leads now, or none.
    Leader {
        /// Its name; none while there is no leader.
        leader: Option<&'a str>,
        /// Under which term.
        term: Term,
    },
}

impl Event<'_> {
    /// The stream it came by; none for those that come by no stream.
    pub fn session(&self) -> Option<Session> {
        match self {
            Event::Snapshot { session, .. }
            | Event::Row { session, .. }
            | Event::RowsDropped { session, .. }
            | Event::Happened { session, .. }
            | Event::Goodbye { session, .. }
            | Event::Disconnected { session, .. } => Some(*session),
            Event::Joined(_) | Event::Leader { .. } => None,
        }
    }
}

/// Who a node is, as its agent says at the beginning of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Stable name, 1-253 characters of `[A-Za-z0-9._-]`.
    pub node: NodeId,
    /// Failure domain, 1-63 characters of `[A-Za-z0-9._-]`.
    pub zone: ZoneId,
    /// Changes when the machine restarts.
    pub boot_id: Box<str>,
    /// Increases each time the agent starts.
    pub incarnation: Incarnation,
    /// For example "0.1.0".
    pub agent_version: Box<str>,
    /// Highest leader term that the agent has persisted.
    pub highest_term_seen: Term,
    /// How often it will send a row: what the coordinator tells it in its welcome. 1 ms to
    /// [`crate::layout::PERIOD_MAX`].
    pub interval: Duration,
    /// host:port on which it answers probes; empty when it does not listen.
    pub probe_address: Box<str>,
    /// At most [`LABELS_MAX`], 63 bytes a key and a value.
    pub labels: BTreeMap<Box<str>, Box<str>>,
    /// The readings come from a simulation.
    pub simulated: bool,
    /// At most [`SOURCES_MAX`].
    pub sources: Vec<Source>,
    /// All this as the shell gives it to readers, kept for it and never looked at here: lists of ten thousand nodes then copy
    /// one piece of memory a node instead of six.
    pub encoded: Box<[u8]>,
}

/// The whole node at one moment.
#[derive(Clone, Debug)]
pub struct SnapshotFact<'a> {
    /// Counts the messages of the stream; rows continue from here.
    pub seq: u64,
    /// Time since it was read, at most [`AGE_MAX`].
    pub age: Duration,
    /// As many as the layout says, each with its own id.
    pub gpus: Vec<Gpu>,
    /// As many as the layout says, each with its own id.
    pub engines: Vec<Engine>,
    /// Which numbers follow.
    pub layout: Arc<Layout>,
    /// One a slot, in the unit of its metric.
    pub values: &'a [i64],
    /// Bitmap over slots without a value, least significant bit first; trailing zero bytes may be left off.
    pub absent: &'a [u8],
    /// Bitmap over groups read in this interval; empty means all of them.
    pub sampled: &'a [u8],
    /// All of the agent's sources.
    pub sources: Vec<Source>,
}

/// What changed on a node since the message before.
#[derive(Clone, Copy, Debug)]
pub struct RowFact<'a> {
    /// One more than the message before.
    pub seq: u64,
    /// Time since it was read, at most [`AGE_MAX`].
    pub age: Duration,
    /// Bitmap over slots that changed, least significant bit first; trailing zero bytes may be left off.
    pub changed: &'a [u8],
    /// New value minus old value, for each changed slot in order.
    pub change: &'a [i64],
    /// Bitmap over groups read in this interval; empty: the same as in the message before.
    pub sampled: &'a [u8],
    /// Bitmap over slots without a value, when it differs from the message before.
    pub absent: Option<&'a [u8]>,
    /// Sources whose state changed.
    pub sources: &'a [Source],
}

/// Something that happened on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// Counts up in one incarnation, so that a repeat after a reconnect is recognised.
    pub id: u64,
    /// Time since it happened, at most [`AGE_MAX`].
    pub age: Duration,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The driver reported an error.
    Xid(Xid),
    /// An engine's state changed.
    Engine {
        /// Which.
        engine: EngineId,
        /// What it was.
        from: EngineState,
        /// What it is.
        to: EngineState,
        /// Why, for a person.
        detail: Box<str>,
    },
    /// The cloud takes or changes the machine.
    Maintenance(Maintenance),
    /// A source's state changed.
    Source(Source),
    /// A GPU's state changed.
    Gpu {
        /// Which.
        gpu: GpuId,
        /// What it was.
        from: GpuState,
        /// What it is.
        to: GpuState,
        /// Why, for a person.
        detail: Box<str>,
    },
}

/// An error report of the GPU driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Xid {
    /// Which GPU, when known.
    pub gpu: Option<GpuId>,
    /// For example "00000000:18:00.0".
    pub pci_bus_id: Box<str>,
    /// The error's number.
    pub number: u32,
    /// For MIG, when the driver says.
    pub gpu_instance_id: Option<u32>,
    /// For MIG, when the driver says.
    pub compute_instance_id: Option<u32>,
    /// "nvml", "kmsg" or "nvml+kmsg".
    pub source: Box<str>,
    /// The kernel's own words.
    pub message: Box<str>,
    /// An NVSwitch error (`SXid`).
    pub nvswitch: bool,
}

/// A notice of the cloud about the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintenance {
    /// "aws", "gcp", "azure", "huaweicloud".
    pub provider: Box<str>,
    /// What will be done.
    pub kind: MaintenanceKind,
    /// The provider's id of the notice.
    pub notice_id: Box<str>,
    /// Time left until it begins, when the provider says; negative when it has begun.
    pub begins_in_ms: Option<i64>,
    /// An earlier notice was withdrawn.
    pub cancelled: bool,
    /// For a person.
    pub detail: Box<str>,
}

/// What a cloud will do to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum MaintenanceKind {
    Unknown,
    SpotInterruption,
    Rebalance,
    Reboot,
    Redeploy,
    Freeze,
    Terminate,
    Migrate,
}

impl MaintenanceKind {
    /// For example "spot interruption".
    pub const fn name(self) -> &'static str {
        match self {
            MaintenanceKind::Unknown => "maintenance",
            MaintenanceKind::SpotInterruption => "spot interruption",
            MaintenanceKind::Rebalance => "rebalance recommendation",
            MaintenanceKind::Reboot => "reboot",
            MaintenanceKind::Redeploy => "redeploy",
            MaintenanceKind::Freeze => "freeze",
            MaintenanceKind::Terminate => "terminate",
            MaintenanceKind::Migrate => "migrate",
        }
    }
}

/// Why an agent said goodbye.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GoodbyeReason {
    /// It did not say.
    Unknown,
    /// The agent was told to stop.
    Shutdown,
    /// The agent is replaced by another version.
    Upgrade,
    /// The machine stops.
    NodeShutdown,
}

impl GoodbyeReason {
    /// For a person.
    pub const fn name(self) -> &'static str {
        match self {
            GoodbyeReason::Unknown => "no reason given",
            GoodbyeReason::Shutdown => "agent stopped",
            GoodbyeReason::Upgrade => "agent upgrade",
            GoodbyeReason::NodeShutdown => "node shutdown",
        }
    }
}

/// The engine's answer to one fact.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Reply {
    /// The node may report under this session.
    Joined(Session),
    /// Folded; nothing to do.
    Folded,
    /// A row between the request for a snapshot and the snapshot, or a happening already known: passed over.
    Skipped,
    /// Cannot be followed: ask the agent for a snapshot. Said once; rows are skipped until the snapshot comes.
    Resync(Resync),
    /// Wrong, and nothing was changed: close the stream and say why.
    Refused(Refusal),
}

/// Why a snapshot is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Resync {
    /// Rows came before the stream's first snapshot.
    #[error("row {seq} came before a snapshot")]
    NoSnapshot {
        /// The row's number.
        seq: u64,
    },
    /// A row is missing or came twice.
    #[error("row {seq} came where row {expected} was due")]
    Gap {
        /// The number that was due.
        expected: u64,
        /// The number that came.
        seq: u64,
    },
    /// The agent counts on more slots or groups than the snapshot named.
    #[error("the bitmap `{field}` of row {seq} reaches past the {length} entries of the snapshot")]
    Bitmap {
        /// The row's number.
        seq: u64,
        /// Name of the field.
        field: &'static str,
        /// How many slots or groups there are.
        length: usize,
    },
}

/// Why a fact was refused. The texts are for the agent's operator: what is wrong, and what to do where that is not plain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another stream of the node took over, it said goodbye, or it was silent so long that it was forgotten.
    #[error("this stream has ended for the coordinator; open a new one")]
    Ended,
    /// The fleet is full.
    #[error("the fleet already has {limit} nodes, the most that one coordinator follows")]
    Full {
        /// The limit.
        limit: usize,
    },
    /// An agent that started earlier than one already seen.
    #[error(
        "incarnation {told} of node {node} is older than {known}, which has reported already; two agents may run under one name"
    )]
    OlderIncarnation {
        /// The node.
        node: NodeId,
        /// What this agent told.
        told: u64,
        /// The highest one known.
        known: u64,
    },
    /// A field is outside its limits.
    #[error("`{field}` {problem}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A list is longer or shorter than it must be.
    #[error("`{field}` has {count} entries; {expected} must come")]
    Count {
        /// Name of the field.
        field: &'static str,
        /// How many came.
        count: usize,
        /// How many must come.
        expected: usize,
    },
    /// A value that the metric cannot have.
    #[error("slot {slot}, {} of {owner}, would be {value}; it can be {min} to {max}", metric.name())]
    OutOfRange {
        /// Position of the value.
        slot: usize,
        /// What it measures.
        metric: Metric,
        /// Whose value.
        owner: Owner,
        /// The value, saturated to 64 bits.
        value: i64,
        /// Lowest value of the metric.
        min: i64,
        /// Highest value of the metric.
        max: i64,
    },
}
