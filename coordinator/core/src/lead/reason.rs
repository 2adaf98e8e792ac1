//! Why a replica leads no more, or left the queue.

use std::fmt;

use super::Boot;

/// Why a replica gave up its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No keepalive was answered in time.
    Deadline {
        /// When the lease could no longer be relied on.
        deadline: Boot,
    },
    /// etcd does not know the lease.
    LeaseLost,
    /// The replica's own key is gone, although its lease was not known to be.
    KeyLost,
    /// A key older than the leader's is there, which cannot be.
    NotFirst,
    /// The stored term is higher than this candidate's number, which cannot be in a store that kept its data.
    EpochAhead {
        /// The stored term.
        epoch: u64,
    },
    /// The stored term is not eight bytes.
    EpochUnreadable,
    /// The replica's own health is bad.
    Unwell {
        /// Its score.
        score: u8,
    },
    /// The replica reaches less than half of the agents that the best one does.
    ShortReach {
        /// Agents it reaches.
        own: u32,
        /// Agents the best one reaches.
        best: u32,
    },
    /// The process ends.
    Shutdown,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Deadline { deadline } => {
                write!(
                    f,
                    "etcd answered no keepalive before the deadline, {deadline}; look at etcd and the network"
                )
            }
            Reason::LeaseLost => f.write_str("etcd no longer knows the lease"),
            Reason::KeyLost => f.write_str("the replica's key was deleted while its lease was alive"),
            Reason::NotFirst => {
                f.write_str("an older candidate's key is there; the store may have lost data")
            }
            Reason::EpochAhead { epoch } => write!(
                f,
                "the stored term {epoch} is higher than any number the store gives; it may have been restored from a backup"
            ),
            Reason::EpochUnreadable => {
                f.write_str("the stored term is not a number of eight bytes; something else wrote that key")
            }
            Reason::Unwell { score } => {
                write!(f, "the replica is not well (health score {score} of 8); look at its CPU and network")
            }
            Reason::ShortReach { own, best } => {
                write!(f, "it reaches {own} agents while another replica reaches {best}")
            }
            Reason::Shutdown => f.write_str("the process ends"),
        }
    }
}
