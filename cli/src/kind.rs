//! The things that can be listed, and one entry of any of them.

use clap::ValueEnum;
use ostler_proto::v1;
use serde_json::Value;

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Kind {
    /// Machines
    #[value(alias = "node", alias = "no")]
    Nodes,
    /// GPUs; the name is the UUID
    #[value(alias = "gpu")]
    Gpus,
    /// Inference servers; the name is NODE/ENGINE
    #[value(alias = "engine")]
    Engines,
    /// Replicas of one model, scaled together
    #[value(alias = "pool")]
    Pools,
    /// Failure domains
    #[value(alias = "zone")]
    Zones,
    /// What happened
    #[value(alias = "event", alias = "ev")]
    Events,
    /// What was wanted because of what was seen, and why it was done or not
    #[value(alias = "decision")]
    Decisions,
    /// What was done about it
    #[value(alias = "action")]
    Actions,
    /// What people hold, and what the brake has latched
    #[value(alias = "hold")]
    Holds,
}

impl Kind {
    /// One of them, for a sentence.
    pub(crate) fn singular(self) -> &'static str {
        match self {
            Kind::Nodes => "node",
            Kind::Gpus => "gpu",
            Kind::Engines => "engine",
            Kind::Pools => "pool",
            Kind::Zones => "zone",
            Kind::Events => "event",
            Kind::Decisions => "decision",
            Kind::Actions => "action",
            Kind::Holds => "hold",
        }
    }

    /// Its number in a watch; decisions, actions and holds cannot be watched.
    pub(crate) fn watched(self) -> Option<v1::Kind> {
        match self {
            Kind::Nodes => Some(v1::Kind::Node),
            Kind::Gpus => Some(v1::Kind::Gpu),
            Kind::Engines => Some(v1::Kind::Engine),
            Kind::Pools => Some(v1::Kind::Pool),
            Kind::Zones => Some(v1::Kind::Zone),
            Kind::Events => Some(v1::Kind::Event),
            Kind::Decisions | Kind::Actions | Kind::Holds => None,
        }
    }
}

/// One entry of any kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Entry {
    Node(v1::Node),
    Gpu(v1::Gpu),
    Engine(v1::Engine),
    Pool(v1::Pool),
    Zone(v1::Zone),
    Event(v1::Event),
    Decision(v1::Decision),
    Action(v1::Action),
    Hold(v1::Hold),
}

impl Entry {
    /// What it is.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Entry::Node(_) => Kind::Nodes,
            Entry::Gpu(_) => Kind::Gpus,
            Entry::Engine(_) => Kind::Engines,
            Entry::Pool(_) => Kind::Pools,
            Entry::Zone(_) => Kind::Zones,
            Entry::Event(_) => Kind::Events,
            Entry::Decision(_) => Kind::Decisions,
            Entry::Action(_) => Kind::Actions,
            Entry::Hold(_) => Kind::Holds,
        }
    }

    /// How it is called.
    pub(crate) fn name(&self) -> &str {
        match self {
            Entry::Node(entry) => &entry.name,
            Entry::Gpu(entry) => &entry.name,
            Entry::Engine(entry) => &entry.name,
            Entry::Pool(entry) => &entry.name,
            Entry::Zone(entry) => &entry.name,
            Entry::Event(entry) => &entry.name,
            Entry::Decision(entry) => &entry.name,
            Entry::Action(entry) => &entry.name,
            Entry::Hold(entry) => &entry.name,
        }
    }

    /// Its canonical JSON.
    pub(crate) fn json(&self) -> Value {
        let value = match self {
            Entry::Node(entry) => serde_json::to_value(entry),
            Entry::Gpu(entry) => serde_json::to_value(entry),
            Entry::Engine(entry) => serde_json::to_value(entry),
            Entry::Pool(entry) => serde_json::to_value(entry),
            Entry::Zone(entry) => serde_json::to_value(entry),
            Entry::Event(entry) => serde_json::to_value(entry),
            Entry::Decision(entry) => serde_json::to_value(entry),
            Entry::Action(entry) => serde_json::to_value(entry),
            Entry::Hold(entry) => serde_json::to_value(entry),
        };
        value.unwrap_or_else(|error| Value::String(format!("not representable in JSON: {error}")))
    }

    /// What a watch tells of; none for the news that something is gone.
    pub(crate) fn from_change(change: v1::change::Entry) -> Result<Entry, v1::Removed> {
        match change {
            v1::change::Entry::Zone(entry) => Ok(Entry::Zone(entry)),
            v1::change::Entry::Node(entry) => Ok(Entry::Node(entry)),
            v1::change::Entry::Gpu(entry) => Ok(Entry::Gpu(entry)),
            v1::change::Entry::Engine(entry) => Ok(Entry::Engine(entry)),
            v1::change::Entry::Pool(entry) => Ok(Entry::Pool(entry)),
            v1::change::Entry::Event(entry) => Ok(Entry::Event(entry)),
            v1::change::Entry::Removed(removed) => Err(removed),
        }
    }
}

/// The value of a field such as `state` or `signals.requests_waiting`.
pub(crate) fn field<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, part| value.get(part))
}
