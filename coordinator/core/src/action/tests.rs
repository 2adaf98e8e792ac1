//! Actions: the table, the journal, the audit log, and leaders that come and go.

mod chain;
mod journal;
mod leaders;
mod table;

use std::time::Duration;

use super::{Cause, Effect, Intent, Target};
use crate::id::{Incarnation, NodeId};
use crate::time::Time;

/// A moment, in seconds.
fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1_000)
}

/// Drains node `name`, for a cause at this second, valid for a minute.
fn drain(name: &str, generation: u64, cause_at: u64) -> Intent {
    Intent {
        effect: Effect::Drain,
        target: Target::Node(NodeId::from(name)),
        uid: format!("uid-of-{name}").into(),
        incarnation: Incarnation(1),
        cause: Cause { generation, at: at(cause_at), evidence_revision: 40 },
        valid_until: at(cause_at) + Duration::from_secs(60),
        reason: "it is silent".into(),
    }
}
