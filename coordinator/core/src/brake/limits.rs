//! What the brake goes by. Every value means something: a percentage over 100 is never reached, an interval of zero never
//! waits.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ZoneLevel;
use crate::action::Class;
use crate::id::PoolId;

/// A zone of this many nodes or fewer would be "in a storm" or latch by a single node; it takes at least two.
const NODES_OF_A_STORM_MIN: u32 = 2;

/// What the brake goes by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// How much at a time.
    pub limits: Limits,
    /// What is switched on where nothing else is said.
    pub modes: Modes,
    /// What is switched on for a pool.
    pub pools: BTreeMap<PoolId, Modes>,
}

/// How much at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of a pool's endpoints in a zone, taken out of traffic by verdicts of health: at most this many percent. Envoy's panic
    /// threshold.
    pub removed_percent_max: u32,
    /// Between two disruptive actions in a zone. Kubernetes evicts 0.1 nodes a second.
    pub disruptive_interval: Duration,
    /// How many times longer it is in a storm.
    pub storm_slowdown: u32,
    /// Disruptive actions that run in a zone at a time, in percent of its nodes, and one at least.
    pub running_percent_max: u32,
    /// A storm is when this many percent of a zone's nodes, and two at least, changed in the last minute.
    pub storm_percent: u32,
    /// A zone is partly lost when this many percent of its nodes are.
    pub partial_percent: u32,
    /// And this many at least. Kubernetes' partial disruption needs three too.
    pub partial_nodes: u32,
    /// Between two irreversible actions anywhere.
    pub irreversible_interval: Duration,
    /// Replicas of the coordinator that must have seen what an irreversible action is decided by.
    pub witnesses_min: u32,
    /// The latch opens when this many percent of a zone's nodes, and two at least, were disrupted ...
    pub latch_percent: u32,
    /// ... in this time.
    pub latch_window: Duration,
    /// How long a zone must be without trouble before an open latch lets one action through.
    pub latch_cooldown: Duration,
    /// A look at the fleet that is older than this is not gone by.
    pub scene_age_max: Duration,
}

/// What is done about actions of a class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Nothing, and it is not even said what would be done.
    Off,
    /// It is said what would be done.
    #[default]
    DryRun,
    /// It is done.
    Act,
}

/// What is done, by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Modes {
    pub traffic: Mode,
    pub additive: Mode,
    pub disruptive: Mode,
    pub irreversible: Mode,
}

impl Policy {
    /// What is done about actions of a class on a pool.
    pub fn mode(&self, class: Class, pool: &PoolId) -> Mode {
        self.pools.get(pool).unwrap_or(&self.modes).of(class)
    }
}

impl Modes {
    /// The same for each class.
    pub const fn all(mode: Mode) -> Modes {
        Modes { traffic: mode, additive: mode, disruptive: mode, irreversible: mode }
    }

    /// That of a class.
    pub const fn of(&self, class: Class) -> Mode {
        match class {
            Class::Annotate => Mode::Act,
            Class::Traffic => self.traffic,
            Class::Additive => self.additive,
            Class::Disruptive => self.disruptive,
            Class::Irreversible => self.irreversible,
        }
    }
}

impl Limits {
    /// Disruptive actions that may run in a zone at a time.
    pub fn running_max(&self, zone: &ZoneLevel) -> u32 {
        (share(zone.nodes, self.running_percent_max)).max(1)
    }

    /// Whether much of a zone changes at once.
    pub fn is_storm(&self, zone: &ZoneLevel) -> bool {
        zone.changed >= NODES_OF_A_STORM_MIN && reaches(zone.changed, zone.nodes, self.storm_percent)
    }

    /// Whether much of a zone is lost.
    pub fn is_partial(&self, zone: &ZoneLevel) -> bool {
        zone.lost >= self.partial_nodes && reaches(zone.lost, zone.nodes, self.partial_percent)
    }

    /// Whether so many endpoints are out of traffic that health is no longer believed.
    pub fn is_panic(&self, removed: u32, endpoints: u32) -> bool {
        u64::from(removed) * 100 > u64::from(endpoints) * u64::from(self.removed_percent_max)
    }

    /// Whether the latch opens when so many nodes of a zone were disrupted in its window.
    pub fn is_too_much(&self, disrupted: u32, nodes: u32) -> bool {
        disrupted >= NODES_OF_A_STORM_MIN && reaches(disrupted, nodes, self.latch_percent)
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            removed_percent_max: 50,
            disruptive_interval: Duration::from_secs(10),
            storm_slowdown: 6,
            running_percent_max: 5,
            storm_percent: 10,
            partial_percent: 33,
            partial_nodes: 3,
            irreversible_interval: Duration::from_secs(60),
            witnesses_min: 2,
            latch_percent: 20,
            latch_window: Duration::from_secs(300),
            latch_cooldown: Duration::from_secs(120),
            scene_age_max: Duration::from_secs(5),
        }
    }
}

/// Whether a part is at least so many percent of the whole.
fn reaches(part: u32, whole: u32, percent: u32) -> bool {
    u64::from(part) * 100 >= u64::from(whole) * u64::from(percent)
}

/// So many percent of the whole, rounded down.
fn share(whole: u32, percent: u32) -> u32 {
    u32::try_from(u64::from(whole) * u64::from(percent) / 100).unwrap_or(u32::MAX)
}
