//! Actions: what was decided to be done, each with one effect at most, whoever leads and however often it is tried.
//!
//! Think of a work order. Its number follows from what it is about (the kind of effect, the target, the target's
//! incarnation, and which generation of a cause asked for it), so that whoever writes the same order twice finds the
//! first. It is written down before anything is done ([`State::Planned`]), again right before the call
//! ([`State::Issued`], with the term and the attempt), and when the executor has it ([`State::Acked`]). A leader that
//! finds an order which may have been carried out looks at the world first, and only then finishes it or tries again;
//! the executor knows the number and answers a repeat with the first result. An order that is out of date, or whose
//! evidence is no longer what it was, is not begun, and the executor refuses a call that comes after
//! [`Intent::valid_until`] or with a term below the highest it has seen: a leader can stand still between writing an
//! order down and making the call.
//!
//! What it never does: act, read a clock, or change a finished order. The shell stores each [`Record`] that
//! [`Journal::apply`] returns in a transaction that is conditional on the term and on the record being as it was read,
//! and keeps the new one only if that transaction held. Beside it goes an entry of the [`audit`] log.

pub mod audit;
mod digest;
mod effect;
mod id;
mod journal;
mod state;
#[cfg(test)]
mod tests;

use std::fmt;

pub use self::digest::Digest;
pub use self::effect::Effect;
pub use self::id::ActionId;
pub use self::journal::{ACTIONS_MAX, COLLECT_MAX, Collected, Journal, KEPT_FOR, PlanRefusal, Planned};
pub use self::state::{ATTEMPTS_MAX, Abort, Event, Failure, Observed, Refusal, State, Todo};
pub use crate::class::Class;
use crate::id::{EngineId, GpuId, Incarnation, NodeId, PoolId, Term, ZoneId};
use crate::time::Time;

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// What shall be done.
    pub effect: Effect,
    /// To what.
    pub target: Target,
    /// The target's identity where it lives, for example a Kubernetes uid: a new thing of the same name has another.
    pub uid: Box<str>,
    /// The target's start that is meant.
    pub incarnation: Incarnation,
    /// Why it shall be done.
    pub cause: Cause,
    /// From then on it is not begun any more, and the executor refuses a call that comes late.
    pub valid_until: Time,
    /// For a person.
    pub reason: Box<str>,
}

/// What asked for an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Counts how often something asked for an effect on this target. The same generation asks for the same effect once.
    pub generation: u64,
    /// When the cause came to be.
    pub at: Time,
    /// The revision of the evidence that the decision went by. Evidence that has changed carries nothing.
    pub evidence_revision: u64,
}

/// What an effect is on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A zone.
    Zone(ZoneId),
    /// The replicas of one model.
    Pool(PoolId),
    /// A pool's part in a zone.
    PoolInZone(PoolId, ZoneId),
    /// A node.
    Node(NodeId),
    /// A GPU of a node.
    Gpu(NodeId, GpuId),
    /// An engine of a node.
    Engine(NodeId, EngineId),
}

/// An action as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What was decided.
    pub intent: Intent,
    /// What became of it.
    pub state: State,
    /// The highest term that touched it.
    pub term: Term,
    /// How often it was issued.
    pub attempts: u32,
    /// When it was planned.
    pub planned: Time,
    /// When its state last changed.
    pub changed: Time,
}

impl Intent {
    /// The number of the order.
    pub fn id(&self) -> ActionId {
        ActionId::of(self.effect, &self.uid, self.incarnation, self.cause.generation)
    }
}

impl Record {
    /// The number of the order.
    pub fn id(&self) -> ActionId {
        self.intent.id()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Zone(zone) => write!(f, "zone {zone}"),
            Target::Pool(pool) => write!(f, "pool {pool}"),
            Target::PoolInZone(pool, zone) => write!(f, "pool {pool} in zone {zone}"),
            Target::Node(node) => write!(f, "node {node}"),
            Target::Gpu(node, gpu) => write!(f, "GPU {gpu} of node {node}"),
            Target::Engine(node, engine) => write!(f, "engine {engine} of node {node}"),
        }
    }
}
