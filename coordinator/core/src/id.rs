//! Names of things. Each is its own type, so that a zone can never be passed where a node is meant.

use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $type:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(Arc<str>);

        impl $type {
            /// The name as given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $type {
            fn from(name: &str) -> Self {
                Self(Arc::from(name))
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A node, as Kubernetes knows it.
    NodeId
);
name!(
    /// A failure domain (`topology.kubernetes.io/zone`).
    ZoneId
);
name!(
    /// The replicas of one model, scaled together.
    PoolId
);
name!(
    /// A GPU's UUID (`GPU-...`).
    GpuId
);
name!(
    /// An inference server process, unique on its node only.
    EngineId
);

/// A node's place in [`crate::fleet::Fleet`] for as long as the fleet knows it; cheaper to look up than its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeKey(pub u32);

/// Counts an agent's starts; a higher one replaces a lower one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Incarnation(pub u64);

/// The create revision of the election key under which a leader acts: the fencing token. Zero is "no leader".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term(pub u64);

/// One report stream of one node. A node that opens a second stream gets a new session, and facts that still arrive
/// under the old one are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    /// The node that reports.
    pub node: NodeKey,
    /// Counts all streams of the fleet; never used twice.
    pub number: u64,
}
