//! What the detector is told.
//!
//! The list is closed. Facts that come every second carry numbers and borrowed names only, so that folding one allocates
//! nothing. Absent is not bad: a fact that is never told (no Kubernetes, no gateway, no cloud) takes no side.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::xid::Table;
use crate::event::GoodbyeReason;
use crate::id::{EngineId, GpuId, Incarnation, NodeId, NodeKey, ZoneId};
use crate::inventory::{EngineState, GpuState};

/// One fact.
#[derive(Clone, Debug)]
pub enum Fact<'a> {
    /// A node that should be there, from the stored roster. Does nothing when the node is known.
    Expected(Identity),
    /// The node opened a stream.
    Joined {
        /// Who it is.
        identity: Identity,
        /// Of its agent.
        incarnation: Incarnation,
        /// What has started since it was last seen.
        start: Start,
    },
    /// The first snapshot of the stream was folded.
    Snapshot(NodeKey),
    /// Any message came on the node's stream.
    Beat(NodeKey),
    /// The stream ended without a goodbye.
    Ended(NodeKey, Ending),
    /// The agent said goodbye.
    Goodbye(NodeKey, GoodbyeReason),
    /// The fleet dropped the node; its key may be given to another.
    Forgotten(NodeKey),
    /// A probe that was asked for has its answer.
    Probed(Probed),
    /// The node's Kubernetes lease was renewed, or was found renewed so long ago.
    Lease {
        /// The node.
        node: NodeKey,
        /// Time since then.
        age: Duration,
    },
    /// What gateways saw of the node's endpoints.
    DataPlane {
        /// The node.
        node: NodeKey,
        /// Over this last time.
        span: Duration,
        /// Requests that were answered.
        succeeded: u64,
        /// Requests that timed out or found nobody.
        failed: u64,
    },
    /// What the cloud says of the machine.
    Cloud(NodeKey, CloudState),
    /// Proof that the node does nothing any more.
    Fenced(NodeKey, FenceProof),
    /// A canary request went through the node, or did not.
    Canary(NodeKey, CanaryResult),
    /// What another replica knows of a node.
    Witness {
        /// The replica's name.
        replica: &'a str,
        /// The node.
        node: NodeKey,
        /// What it said.
        testimony: Testimony,
    },
    /// What another replica reaches; sent every second or so.
    Replica(Replica<'a>),
    /// Something about ourselves.
    Own(Own),
    /// A sample of a GPU.
    Gpu {
        /// The node it is on.
        node: NodeKey,
        /// Which.
        gpu: &'a GpuId,
        /// How it is.
        sample: GpuSample,
    },
    /// The driver reported an error of a GPU.
    Xid {
        /// The node it is on.
        node: NodeKey,
        /// Which.
        gpu: &'a GpuId,
        /// Its number.
        number: u32,
        /// The kernel's words; XID 154 names the driver's verdict in them.
        message: &'a str,
    },
    /// A sample of an engine.
    Engine {
        /// The node it is on.
        node: NodeKey,
        /// Which.
        engine: &'a EngineId,
        /// The GPUs that it runs on, when known.
        gpus: &'a [GpuId],
        /// How it is.
        sample: EngineSample,
    },
    /// What errors mean on this node's GPUs, when its pool says something else than [`Table::standard`].
    XidTable(NodeKey, Arc<Table>),
}

/// Who a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its place in the fleet.
    pub node: NodeKey,
    /// Its name.
    pub name: NodeId,
    /// Its failure domain.
    pub zone: ZoneId,
    /// How often it will send; 1 ms or more.
    pub interval: Duration,
}

/// What has started anew when a node joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Only the stream, or the agent.
    Agent,
    /// The machine: what its GPUs were accused of is over.
    Machine,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In order, which the kernel does for a process that was killed.
    Closed,
    /// By a reset.
    Reset,
}

/// The answer to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probed {
    /// The node that was asked about.
    pub node: NodeKey,
    /// The round that asked.
    pub round: u32,
    /// Who asked it.
    pub by: Prober,
    /// What came back.
    pub answer: Answer,
    /// Until it came.
    pub round_trip: Duration,
}

/// Who makes a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prober {
    /// This replica.
    Own,
    /// The agent of a node.
    Node(NodeKey),
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The host let our own probe in, and its agent has not answered yet; another answer follows.
    LetIn,
    /// The agent answered.
    Ok,
    /// The host refused: it lives, the agent does not.
    Refused,
    /// Nothing in time.
    TimedOut,
    /// The network knows no way to it.
    NoRoute,
    /// It could not be asked, for example because its name is unknown: that says nothing of anybody.
    Unasked,
}

/// What a cloud says of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudState {
    /// Runs.
    Running,
    /// On its way down.
    Stopping,
    /// Off; it will not come back by itself.
    Stopped,
    /// Gone.
    Terminated,
}

/// Why a node certainly does nothing any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FenceProof {
    /// The cloud says that the machine is off or gone.
    Cloud,
    /// An operator put the out-of-service taint on it.
    OutOfServiceTaint,
    /// An operator said so.
    Operator,
    /// The agent must have stopped serving by itself: its self-fence time is over.
    SelfFence,
}

impl FenceProof {
    /// For a person.
    pub const fn name(self) -> &'static str {
        match self {
            FenceProof::Cloud => "the cloud says that the machine is off",
            FenceProof::OutOfServiceTaint => "an operator tainted it as out of service",
            FenceProof::Operator => "an operator says that it is off",
            FenceProof::SelfFence => "its agent's time to fence itself is over",
        }
    }
}

/// How a canary request fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CanaryResult {
    Passed,
    Failed,
}

/// What another replica says of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Testimony {
    /// It hears the node, or its probe was answered.
    Alive,
    /// It neither hears it nor gets an answer.
    Lost,
}

/// What another replica reaches.
#[derive(Clone, Copy, Debug)]
pub struct Replica<'a> {
    /// Its name.
    pub name: &'a str,
    /// Nodes it knows and nodes it reaches, by zone.
    pub reach: &'a [(ZoneId, ZoneReach)],
}

/// How much of a zone is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ZoneReach {
    /// Nodes that should be there.
    pub nodes: u32,
    /// Nodes that are heard or answer probes.
    pub reached: u32,
}

impl ZoneReach {
    /// Whether less than half is reached; no nodes are no loss.
    pub fn is_lost(self) -> bool {
        self.reached < self.nodes.div_ceil(2)
    }

    /// This and another one together.
    pub(super) fn and(self, more: ZoneReach) -> ZoneReach {
        ZoneReach {
            nodes: self.nodes.saturating_add(more.nodes),
            reached: self.reached.saturating_add(more.reached.min(more.nodes)),
        }
    }
}

/// Something about ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// A linearizable read of our own election key found it ours.
    KeyHeld,
    /// It found another's, or nothing came within a second.
    KeyMissing,
    /// Something of ours is slow or silent.
    Doubt(super::local_health::Doubt),
    /// We lead from now on.
    Leading,
    /// We do not, or no longer.
    Following,
}

/// A GPU at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GpuSample {
    /// As the agent sees it.
    pub state: GpuState,
    /// The driver's own verdict, NVML field 230; none when this driver has no such field or it was not read.
    pub recovery: Option<u8>,
    /// A row could not be remapped, or the count of SRAM errors passed its threshold: the board must be looked at.
    pub worn: Wear,
}

/// Whether a GPU's memory can still repair itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wear {
    /// As far as is known.
    #[default]
    None,
    /// A row could not be remapped.
    RemapFailed,
    /// More SRAM errors than the vendor allows.
    SramThreshold,
}

/// An engine at one moment. Absent is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineSample {
    /// As the agent sees it.
    pub state: EngineState,
    /// Requests being worked on.
    pub running: Option<u64>,
    /// Requests that wait.
    pub waiting: Option<u64>,
    /// Anything that grows as work is done: tokens read and written and requests finished, added up.
    pub progress: Option<u64>,
    /// The busiest of its GPUs.
    pub gpu_percent: Option<u8>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Answer::LetIn => "let in",
            Answer::Ok => "ok",
            Answer::Refused => "refused",
            Answer::TimedOut => "timed out",
            Answer::NoRoute => "no route",
            Answer::Unasked => "could not be asked",
        })
    }
}
