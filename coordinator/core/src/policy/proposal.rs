//! What a policy answers: a count or none, what it knew, and why.

use std::fmt;

use super::limits::REPLICAS_MAX;
use super::{panic, schedule, target, threshold, weighted};

/// What one policy wants of a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The count it wants; none when it has no opinion.
    pub replicas: Option<u32>,
    /// What it does not want anyone to leave, whatever the count.
    pub bounds: Bounds,
    /// What it knew when it decided.
    pub evidence: Evidence,
    /// Why, in the order of its steps.
    pub reasons: Vec<Reason>,
    /// What can be said of it in general; only [`target`] has any.
    pub conditions: Vec<Condition>,
}

/// The range that a policy wants all to stay within, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// At least so many; 0 when it does not care.
    pub floor: u32,
    /// At most so many; [`REPLICAS_MAX`] when it does not care.
    pub ceiling: u32,
}

impl Bounds {
    /// Of a policy that does not care.
    pub const NONE: Bounds = Bounds { floor: 0, ceiling: REPLICAS_MAX };
}

/// How much of what a policy reads was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Enough to scale in by.
    Enough,
    /// Too little: nothing may scale in while a policy says so.
    Lacking,
}

/// A step of a policy, for a person to read.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// Of [`target`].
    Target(target::Reason),
    /// Of [`mod@panic`].
    Panic(panic::Reason),
    /// Of [`weighted`].
    Weighted(weighted::Reason),
    /// Of [`threshold`].
    Threshold(threshold::Reason),
    /// Of [`schedule`].
    Schedule(schedule::Reason),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Target(reason) => reason.fmt(f),
            Reason::Panic(reason) => reason.fmt(f),
            Reason::Weighted(reason) => reason.fmt(f),
            Reason::Threshold(reason) => reason.fmt(f),
            Reason::Schedule(reason) => reason.fmt(f),
        }
    }
}

/// Something that holds or does not, as Kubernetes shows it in the status of an autoscaler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What.
    pub kind: ConditionKind,
    /// Whether it holds.
    pub holds: bool,
    /// Why it does or does not.
    pub reason: target::ConditionReason,
}

/// What a [`Condition`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConditionKind {
    /// The count can be changed now.
    AbleToScale,
    /// A count could be computed.
    ScalingActive,
    /// The count that was wanted was cut.
    ScalingLimited,
}

impl fmt::Display for ConditionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ConditionKind::AbleToScale => "AbleToScale",
            ConditionKind::ScalingActive => "ScalingActive",
            ConditionKind::ScalingLimited => "ScalingLimited",
        })
    }
}
