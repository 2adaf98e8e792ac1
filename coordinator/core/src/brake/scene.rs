//! The fleet as the brake sees it: levels at one moment.

use std::collections::BTreeMap;
use std::fmt;

use crate::action::Class;
use crate::id::{PoolId, ZoneId};
use crate::time::Time;

/// The fleet at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// When it was so.
    pub at: Time,
    /// Why nothing, or little, may be done anywhere.
    pub freeze: Option<Freeze>,
    /// Each zone.
    pub zones: BTreeMap<ZoneId, ZoneLevel>,
    /// Each pool's part in each zone.
    pub pools: BTreeMap<(PoolId, ZoneId), PoolLevel>,
}

/// A zone at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ZoneLevel {
    /// All nodes.
    pub nodes: u32,
    /// Nodes that cannot be reached.
    pub lost: u32,
    /// Nodes whose verdict changed in the last minute.
    pub changed: u32,
    /// The zone is cut off from us and works by itself.
    pub partitioned: bool,
}

/// A pool's part in a zone at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolLevel {
    /// All endpoints.
    pub endpoints: u32,
    /// Endpoints that were taken out of traffic because of their health.
    pub removed: u32,
    /// Endpoints that serve.
    pub ready: u32,
    /// Endpoints that must serve in any case.
    pub floor: u32,
    /// Endpoints that what waits and runs now needs.
    pub needed: u32,
}

/// Why little may be done anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freeze {
    /// We are cut off ourselves, so that what looks lost may be well.
    ObserverIsolated,
    /// Several zones are in trouble at once and nothing explains it.
    Global {
        /// How many.
        zones: u32,
    },
    /// This leader, or what was frozen before, does not know the fleet yet.
    Learning,
    /// This replica is slow or its network is bad.
    Unwell {
        /// Its health score, 0 to 8.
        score: u8,
    },
}

impl Freeze {
    /// Whether actions of this class wait.
    pub const fn stops(self, class: Class) -> bool {
        match (self, class) {
            (Freeze::ObserverIsolated, _) => true,
            (Freeze::Global { .. } | Freeze::Learning, Class::Annotate | Class::Additive) => false,
            (Freeze::Global { .. } | Freeze::Learning, _) => true,
            (Freeze::Unwell { .. }, Class::Annotate | Class::Traffic | Class::Additive) => false,
            (Freeze::Unwell { .. }, Class::Disruptive | Class::Irreversible) => true,
        }
    }
}

impl PoolLevel {
    /// Below this the part never falls by an action.
    pub fn least(&self) -> u32 {
        self.floor.max(self.needed)
    }
}

impl fmt::Display for Freeze {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Freeze::ObserverIsolated => f.write_str("this coordinator is cut off itself"),
            Freeze::Global { zones } => write!(f, "{zones} zones are in trouble at once"),
            Freeze::Learning => f.write_str("this coordinator does not know the fleet yet"),
            Freeze::Unwell { score } => {
                write!(f, "this coordinator is not well (health score {score} of 8)")
            }
        }
    }
}
