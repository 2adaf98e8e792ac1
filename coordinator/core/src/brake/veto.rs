//! Why not: each veto with the numbers it went by, in words for an operator.

use std::time::Duration;

use super::{Freeze, Hold, HoldId};
use crate::action::Class;
use crate::id::{PoolId, ZoneId};
use crate::time::Time;

/// Why an action may not be done now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are the numbers of the text, which says what each is")]
pub enum Veto {
    /// The look at the fleet is too old.
    #[error("the fleet was looked at {} ms ago; the most to go by is {} ms", .age.as_millis(), .limit.as_millis())]
    OldScene { age: Duration, limit: Duration },
    /// Actions of this class are switched off.
    #[error("{class} actions are switched off {}", of(.pool.as_ref()))]
    SwitchedOff { class: Class, pool: Option<PoolId> },
    /// A person said so.
    #[error("hold {} on {} by {}: {}", .id.0, .hold.what.scope, .hold.what.by, .hold.what.reason)]
    Held { id: HoldId, hold: Box<Hold> },
    /// Little may be done anywhere.
    #[error("frozen: {freeze}")]
    Frozen { freeze: Freeze },
    /// It was decided before something ended that stopped it.
    #[error("decided at {planned}, while it was stopped, which ended at {thawed}: to be decided anew")]
    Stale { planned: Time, thawed: Time },
    /// Nothing is known of the zone.
    #[error("nothing is known of zone {zone}")]
    UnknownZone { zone: ZoneId },
    /// The zone is cut off from us and works by itself.
    #[error("zone {zone} is cut off from this coordinator and works by itself")]
    Partitioned { zone: ZoneId },
    /// Much of the zone is lost.
    #[error("{lost} of {nodes} nodes of zone {zone} are lost")]
    PartlyLost { zone: ZoneId, lost: u32, nodes: u32 },
    /// Too much was disrupted.
    #[error(
        "{disrupted} of {nodes} nodes of zone {zone} were disrupted in a short time; one is let through at {half_open_at}"
    )]
    Latched { zone: ZoneId, disrupted: u32, nodes: u32, half_open_at: Time },
    /// The one action that an open latch lets through has not ended.
    #[error("zone {zone} is on trial after too much was disrupted: the one action let through has not ended")]
    OnTrial { zone: ZoneId },
    /// Too much was disrupted, and only a person releases irreversible actions.
    #[error(
        "too much was disrupted at {since}; a person must release the latch before anything irreversible"
    )]
    LatchedForPerson { since: Time },
    /// Much changes at once.
    #[error("{changed} of {nodes} nodes of zone {zone} changed in the last minute")]
    Storm { zone: ZoneId, changed: u32, nodes: u32 },
    /// Too few have seen it.
    #[error("{seen_by} coordinators have seen it and {needed} must have")]
    Witnesses { seen_by: u32, needed: u32 },
    /// The last one is too short ago.
    #[error("one disruptive action each {} s in zone {zone}{}; the next at {next}", .interval.as_secs(), storm_note(*.storm))]
    Rate { zone: ZoneId, interval: Duration, storm: bool, next: Time },
    /// The last irreversible one is too short ago.
    #[error("one irreversible action each {} s; the next at {next}", .interval.as_secs())]
    IrreversibleRate { interval: Duration, next: Time },
    /// Too many are on their way.
    #[error("{running} disruptive actions run in zone {zone}, and {limit} may for its {nodes} nodes")]
    Running { zone: ZoneId, running: u32, limit: u32, nodes: u32 },
    /// Nothing is known of the pool's part in the zone.
    #[error("nothing is known of pool {pool} in zone {zone}")]
    UnknownPool { pool: PoolId, zone: ZoneId },
    /// Too much of the pool would be out of traffic.
    #[error(
        "{removed} of {endpoints} endpoints of pool {pool} in zone {zone} are out of traffic; {taking} more are too many to believe"
    )]
    Panic { pool: PoolId, zone: ZoneId, removed: u32, taking: u32, endpoints: u32 },
    /// The pool would have fewer replicas than it must.
    #[error(
        "pool {pool} in zone {zone} has {ready} ready replicas, {permitted} of them leaving; without {taking} more it would have fewer than the {floor} it must have and the {needed} its queue needs"
    )]
    Floor { pool: PoolId, zone: ZoneId, ready: u32, permitted: u32, taking: u32, floor: u32, needed: u32 },
    /// Too many permits are out.
    #[error("{limit} permits are out, the most there can be")]
    TooMany { limit: usize },
    /// Nothing else is in the way: it would be done if this class were switched on.
    #[error("dry run: it would be done now, if {class} actions were switched on {}", of(.pool.as_ref()))]
    DryRun { class: Class, pool: Option<PoolId> },
}

/// What to do with an action that was vetoed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Ask again at each step.
    Wait,
    /// Ask again then: not before.
    WaitUntil(Time),
    /// Give it up, and decide anew if the cause is still there.
    Abort,
    /// A person must do something first.
    Person,
}

impl Veto {
    /// What to do with the action.
    pub fn advice(&self) -> Advice {
        match self {
            Veto::Stale { .. } => Advice::Abort,
            Veto::Rate { next, .. } | Veto::IrreversibleRate { next, .. } => Advice::WaitUntil(*next),
            Veto::Latched { half_open_at, .. } => Advice::WaitUntil(*half_open_at),
            Veto::Held { hold, .. } => hold.what.until.map_or(Advice::Person, Advice::WaitUntil),
            Veto::LatchedForPerson { .. } | Veto::SwitchedOff { .. } | Veto::DryRun { .. } => Advice::Person,
            Veto::OldScene { .. }
            | Veto::Frozen { .. }
            | Veto::UnknownZone { .. }
            | Veto::Partitioned { .. }
            | Veto::PartlyLost { .. }
            | Veto::OnTrial { .. }
            | Veto::Storm { .. }
            | Veto::Witnesses { .. }
            | Veto::Running { .. }
            | Veto::UnknownPool { .. }
            | Veto::Panic { .. }
            | Veto::Floor { .. }
            | Veto::TooMany { .. } => Advice::Wait,
        }
    }

    /// For example "floor": the veto's label in metrics and the API.
    pub const fn name(&self) -> &'static str {
        match self {
            Veto::OldScene { .. } => "old_scene",
            Veto::SwitchedOff { .. } => "switched_off",
            Veto::Held { .. } => "held",
            Veto::Frozen { .. } => "frozen",
            Veto::Stale { .. } => "stale",
            Veto::UnknownZone { .. } => "unknown_zone",
            Veto::Partitioned { .. } => "partitioned",
            Veto::PartlyLost { .. } => "partly_lost",
            Veto::Latched { .. } => "latched",
            Veto::OnTrial { .. } => "on_trial",
            Veto::LatchedForPerson { .. } => "latched_for_person",
            Veto::Storm { .. } => "storm",
            Veto::Witnesses { .. } => "witnesses",
            Veto::Rate { .. } => "rate",
            Veto::IrreversibleRate { .. } => "irreversible_rate",
            Veto::Running { .. } => "running",
            Veto::UnknownPool { .. } => "unknown_pool",
            Veto::Panic { .. } => "panic",
            Veto::Floor { .. } => "floor",
            Veto::TooMany { .. } => "too_many",
            Veto::DryRun { .. } => "dry_run",
        }
    }
}

fn of(pool: Option<&PoolId>) -> String {
    pool.map_or_else(|| "where no pool is concerned".to_owned(), |pool| format!("for pool {pool}"))
}

fn storm_note(storm: bool) -> &'static str {
    if storm { ", which is in a storm" } else { "" }
}
