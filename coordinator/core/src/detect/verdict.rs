//! What can be true of a node, a GPU, an engine, a zone, the fleet or ourselves, and what each allows.
//!
//! A verdict is not an action: it only says up to which class of action policy may go in its name.

use std::fmt;

use crate::class::Class;
use crate::id::{EngineId, GpuId, NodeKey, ZoneId};

/// What is true of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing is wrong, as far as is known.
    Healthy,
    /// The agent said goodbye; nothing is expected of the node.
    Left,
    /// We are cut off ourselves, and what we miss says nothing about others.
    ObserverIsolated,
    /// Several zones fail together, which is more often one cause between us and them than many.
    GlobalFreeze,
    /// We are cut off from a zone that lives.
    ZonePartition,
    /// A zone is gone.
    ZoneDown,
    /// A node is unreachable, and something proves that it cannot come back by itself.
    NodeDead,
    /// Nobody reaches the node.
    NodeUnreachable,
    /// The node is silent and its probes were not answered yet, or it is back and not yet trusted.
    NodeSuspect,
    /// The host lives, its agent does not.
    AgentDown,
    /// The node lives, its stream does not.
    StreamBroken,
    /// The node fell and came back too often to be trusted for now.
    Flapping,
    /// The GPU left the bus.
    GpuLost,
    /// Calls on the GPU do not return.
    GpuHung,
    /// The GPU answers and needs attention.
    GpuDegraded,
    /// The engine has work and makes no progress.
    EngineStalled,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Verdict; 16] = [
        Verdict::Healthy,
        Verdict::Left,
        Verdict::ObserverIsolated,
        Verdict::GlobalFreeze,
        Verdict::ZonePartition,
        Verdict::ZoneDown,
        Verdict::NodeDead,
        Verdict::NodeUnreachable,
        Verdict::NodeSuspect,
        Verdict::AgentDown,
        Verdict::StreamBroken,
        Verdict::Flapping,
        Verdict::GpuLost,
        Verdict::GpuHung,
        Verdict::GpuDegraded,
        Verdict::EngineStalled,
    ];

    /// For example "NODE_UNREACHABLE".
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Healthy => "HEALTHY",
            Verdict::Left => "LEFT",
            Verdict::ObserverIsolated => "OBSERVER_ISOLATED",
            Verdict::GlobalFreeze => "GLOBAL_FREEZE",
            Verdict::ZonePartition => "ZONE_PARTITION",
            Verdict::ZoneDown => "ZONE_DOWN",
            Verdict::NodeDead => "NODE_DEAD",
            Verdict::NodeUnreachable => "NODE_UNREACHABLE",
            Verdict::NodeSuspect => "NODE_SUSPECT",
            Verdict::AgentDown => "AGENT_DOWN",
            Verdict::StreamBroken => "STREAM_BROKEN",
            Verdict::Flapping => "FLAPPING",
            Verdict::GpuLost => "GPU_LOST",
            Verdict::GpuHung => "GPU_HUNG",
            Verdict::GpuDegraded => "GPU_DEGRADED",
            Verdict::EngineStalled => "ENGINE_STALLED",
        }
    }

    /// What it allows by itself; the state of the observer and of the zone can only take away from it.
    pub const fn allowed(self) -> Allowed {
        use Class::{Additive, Annotate, Disruptive, Irreversible, Traffic};
        match self {
            Verdict::ObserverIsolated => Allowed::NONE,
            Verdict::Healthy | Verdict::Left | Verdict::AgentDown | Verdict::StreamBroken => {
                Allowed::of(&[Annotate])
            }
            Verdict::GlobalFreeze | Verdict::ZonePartition => Allowed::of(&[Annotate, Additive]),
            Verdict::ZoneDown => Allowed::of(&[Annotate, Traffic, Additive]),
            Verdict::NodeSuspect | Verdict::Flapping => Allowed::of(&[Annotate, Traffic]),
            Verdict::NodeUnreachable => Allowed::of(&[Annotate, Traffic, Additive, Disruptive]),
            Verdict::NodeDead => Allowed::of(&[Annotate, Traffic, Additive, Disruptive, Irreversible]),
            Verdict::GpuLost | Verdict::GpuHung | Verdict::GpuDegraded | Verdict::EngineStalled => {
                Allowed::of(&[Annotate, Traffic, Disruptive])
            }
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of classes. It is a set and not a highest class, because a freeze allows adding while it forbids moving.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed(u8);

impl Allowed {
    /// Nothing.
    pub const NONE: Allowed = Allowed(0);
    /// Everything.
    pub const ALL: Allowed = Allowed::of(&Class::ALL);

    /// These.
    pub const fn of(classes: &[Class]) -> Allowed {
        let mut bits = 0;
        let mut at = 0;
        while at < classes.len() {
            bits |= 1 << classes[at] as u8;
            at += 1;
        }
        Allowed(bits)
    }

    /// Whether a class is among them.
    pub const fn allows(self, class: Class) -> bool {
        self.0 >> class as u8 & 1 == 1
    }

    /// The highest of them.
    pub fn highest(self) -> Option<Class> {
        Class::ALL.into_iter().rev().find(|class| self.allows(*class))
    }

    /// What both allow.
    #[must_use]
    pub const fn and(self, other: Allowed) -> Allowed {
        Allowed(self.0 & other.0)
    }

    /// With one class more.
    #[must_use]
    pub const fn with(self, class: Class) -> Allowed {
        Allowed(self.0 | 1 << class as u8)
    }

    /// Only what is below a class.
    #[must_use]
    pub const fn below(self, class: Class) -> Allowed {
        Allowed(self.0 & ((1 << class as u8) - 1))
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Allowed::NONE {
            return f.write_str("nothing");
        }
        let mut separator = "";
        for class in Class::ALL.into_iter().filter(|class| self.allows(*class)) {
            write!(f, "{separator}{}", class.code())?;
            separator = " ";
        }
        Ok(())
    }
}

/// What a verdict is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// This replica.
    Observer,
    /// All zones together.
    Fleet,
    /// A zone.
    Zone(ZoneId),
    /// A node.
    Node(NodeKey),
    /// A GPU of a node.
    Gpu(NodeKey, GpuId),
    /// An engine of a node.
    Engine(NodeKey, EngineId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freeze_allows_adding_and_forbids_moving() {
        let freeze = Verdict::GlobalFreeze.allowed();
        assert!(freeze.allows(Class::Additive) && !freeze.allows(Class::Traffic));
        assert_eq!(freeze.to_string(), "A0 A2");
        assert_eq!(Verdict::NodeDead.allowed().and(freeze), freeze);
        assert_eq!(Verdict::ObserverIsolated.allowed().to_string(), "nothing");
    }

    #[test]
    fn only_a_dead_node_allows_what_cannot_be_undone() {
        assert_eq!(Verdict::NodeDead.allowed().highest(), Some(Class::Irreversible));
        assert_eq!(Verdict::NodeUnreachable.allowed().highest(), Some(Class::Disruptive));
        assert_eq!(Verdict::NodeDead.allowed().below(Class::Disruptive).highest(), Some(Class::Additive));
        assert_eq!(Verdict::StreamBroken.allowed().highest(), Some(Class::Annotate));
    }
}
