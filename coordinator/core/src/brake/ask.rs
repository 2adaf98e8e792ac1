//! What is asked of the brake, and what it hands out.

use crate::action::Class;
use crate::id::{NodeId, PoolId, ZoneId};
use crate::time::Time;

/// An action that wants a permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// How much harm it could do.
    pub class: Class,
    /// Where.
    pub zone: ZoneId,
    /// On which node, when it is on one.
    pub node: Option<NodeId>,
    /// The pools it concerns, each once, and what it takes from each.
    pub takes: Vec<Take>,
    /// When it was decided.
    pub planned: Time,
    /// By when it has ended in any case: nothing of it can have an effect later.
    pub until: Time,
    /// Replicas of the coordinator that saw for themselves what it is decided by, this one included.
    pub witnesses: u32,
}

/// What an action takes from a pool's part in the zone. An action that only adds or restores takes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Take {
    /// The pool.
    pub pool: PoolId,
    /// Endpoints that leave traffic.
    pub endpoints: u32,
    /// How many of them serve now. Taking away what is dead takes nothing from those who wait.
    pub ready: u32,
}

/// Names a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PermitId(pub u64);

/// The leave to do one action. To be given back when the action has ended, also when it failed.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Permit {
    pub(super) id: PermitId,
    pub(super) class: Class,
    pub(super) zone: ZoneId,
}

/// How an action ended, as far as the brake cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It did what it should.
    Done,
    /// It did not, or nobody knows.
    Failed,
}

impl Ask {
    /// Whether it takes traffic or capacity away.
    pub fn takes_away(&self) -> bool {
        self.takes.iter().any(|take| take.endpoints > 0 || take.ready > 0)
    }
}

impl Permit {
    /// Its name, for the journal.
    pub fn id(&self) -> PermitId {
        self.id
    }

    /// What it is for.
    pub fn class(&self) -> Class {
        self.class
    }

    /// Where.
    pub fn zone(&self) -> &ZoneId {
        &self.zone
    }
}
