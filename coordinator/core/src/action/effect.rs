//! Effects, and how much harm each could do.

use std::fmt;

use crate::class::Class;

/// What an action does. Numbers are what shall be, not by how much it changes, so that doing it twice does it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Sets the share of traffic, in millionths of the full weight.
    SetWeight {
        /// 0 to 1,000,000.
        weight_ppm: u32,
    },
    /// Takes an endpoint out of traffic.
    RemoveEndpoint,
    /// Puts an endpoint back into traffic.
    RestoreEndpoint,
    /// Raises the number of replicas.
    ScaleOut {
        /// To this.
        replicas: u32,
    },
    /// Makes a node ready for a model before it is needed.
    Preload,
    /// Lets a node take new work again.
    Uncordon,
    /// Lowers the number of replicas.
    ScaleIn {
        /// To this.
        replicas: u32,
    },
    /// Keeps a node from taking new work.
    Cordon,
    /// Empties a node: its work is handed over first.
    Drain,
    /// Ends a pod, as its disruption budget allows.
    Evict,
    /// Moves running requests to other engines.
    Migrate,
    /// Starts an engine again.
    RestartEngine,
    /// Starts a machine again.
    Reboot,
    /// Deletes what does not answer, without waiting for it.
    ForceDelete,
    /// Gives a machine back to the cloud.
    Terminate,
}

impl Effect {
    /// How much harm it could do.
    pub const fn class(self) -> Class {
        match self {
            Effect::SetWeight { .. } | Effect::RemoveEndpoint | Effect::RestoreEndpoint => Class::Traffic,
            Effect::ScaleOut { .. } | Effect::Preload | Effect::Uncordon => Class::Additive,
            Effect::ScaleIn { .. }
            | Effect::Cordon
            | Effect::Drain
            | Effect::Evict
            | Effect::Migrate
            | Effect::RestartEngine => Class::Disruptive,
            Effect::Reboot | Effect::ForceDelete | Effect::Terminate => Class::Irreversible,
        }
    }

    /// The kind as it is hashed and stored. A number is never used for another kind.
    pub const fn code(self) -> u8 {
        match self {
            Effect::SetWeight { .. } => 1,
            Effect::RemoveEndpoint => 2,
            Effect::RestoreEndpoint => 3,
            Effect::ScaleOut { .. } => 4,
            Effect::Preload => 5,
            Effect::Uncordon => 6,
            Effect::ScaleIn { .. } => 7,
            Effect::Cordon => 8,
            Effect::Drain => 9,
            Effect::Evict => 10,
            Effect::Migrate => 11,
            Effect::RestartEngine => 12,
            Effect::Reboot => 13,
            Effect::ForceDelete => 14,
            Effect::Terminate => 15,
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effect::SetWeight { weight_ppm } => {
                write!(f, "set the weight to {}.{:04} %", weight_ppm / 10_000, weight_ppm % 10_000)
            }
            Effect::RemoveEndpoint => f.write_str("take out of traffic"),
            Effect::RestoreEndpoint => f.write_str("put back into traffic"),
            Effect::ScaleOut { replicas } => write!(f, "scale out to {replicas} replicas"),
            Effect::Preload => f.write_str("preload"),
            Effect::Uncordon => f.write_str("uncordon"),
            Effect::ScaleIn { replicas } => write!(f, "scale in to {replicas} replicas"),
            Effect::Cordon => f.write_str("cordon"),
            Effect::Drain => f.write_str("drain"),
            Effect::Evict => f.write_str("evict"),
            Effect::Migrate => f.write_str("migrate requests"),
            Effect::RestartEngine => f.write_str("restart the engine"),
            Effect::Reboot => f.write_str("reboot"),
            Effect::ForceDelete => f.write_str("delete by force"),
            Effect::Terminate => f.write_str("terminate"),
        }
    }
}
