//! Holds: a person says that nothing is to be done somewhere, and why.

use std::fmt;

use super::{Ask, Memory};
use crate::id::{NodeId, PoolId, ZoneId};
use crate::time::Time;

/// Holds at a time: more than people can keep in mind, and every check goes through them. They are stored as one value.
pub const HOLDS_MAX: usize = 500;

/// Names a hold. Counts up; never used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct HoldId(pub u64);

/// Where nothing is to be done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Anywhere.
    Fleet,
    /// In a zone.
    Zone(ZoneId),
    /// On a pool.
    Pool(PoolId),
    /// On a node.
    Node(NodeId),
}

/// What a person says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewHold {
    /// Where.
    pub scope: Scope,
    /// Until when; none for until it is released.
    pub until: Option<Time>,
    /// Who says so.
    pub by: Box<str>,
    /// Why.
    pub reason: Box<str>,
}

/// A hold as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// What was said.
    pub what: NewHold,
    /// When.
    pub since: Time,
}

/// Why a hold was not placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoldRefusal {
    /// There are too many.
    #[error("there are {HOLDS_MAX} holds already; release some")]
    Full,
    /// It would have run out.
    #[error("the hold would end at {until}, which has passed; give a later time")]
    Past {
        /// When it would end.
        until: Time,
    },
    /// Nobody could ask anybody about it.
    #[error("a hold needs a reason, and who places it")]
    Nameless,
}

impl Hold {
    /// Whether it still holds.
    pub fn is_live(&self, now: Time) -> bool {
        self.what.until.is_none_or(|until| now < until)
    }

    /// Whether it holds what is asked.
    pub(super) fn covers(&self, ask: &Ask) -> bool {
        match &self.what.scope {
            Scope::Fleet => true,
            Scope::Zone(zone) => *zone == ask.zone,
            Scope::Pool(pool) => ask.takes.iter().any(|take| take.pool == *pool),
            Scope::Node(node) => ask.node.as_ref() == Some(node),
        }
    }
}

impl Memory {
    pub(super) fn hold(&mut self, hold: NewHold, now: Time) -> Result<HoldId, HoldRefusal> {
        self.holds.retain(|_, hold| hold.is_live(now));
        if hold.by.is_empty() || hold.reason.is_empty() {
            return Err(HoldRefusal::Nameless);
        }
        if let Some(until) = hold.until.filter(|until| *until <= now) {
            return Err(HoldRefusal::Past { until });
        }
        if self.holds.len() >= HOLDS_MAX {
            return Err(HoldRefusal::Full);
        }
        self.holds_placed += 1;
        let id = HoldId(self.holds_placed);
        self.holds.insert(id, Hold { what: hold, since: now });
        Ok(id)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Fleet => f.write_str("the fleet"),
            Scope::Zone(zone) => write!(f, "zone {zone}"),
            Scope::Pool(pool) => write!(f, "pool {pool}"),
            Scope::Node(node) => write!(f, "node {node}"),
        }
    }
}
