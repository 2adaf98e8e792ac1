//! What one reading of a node is: plain data, units in names, nothing that can block.
//!
//! The vocabulary (metrics, states, inventory) is the wire's own, because an agent has no other view of the world than
//! the one it reports. A value that a source cannot read is `None`, which is never the same as zero.

use std::{sync::Arc, time::Duration};

use ostler_proto::v1;
use tokio::sync::Notify;

/// Values of one owner that are read together, and so share one age.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// How often the group is read.
    pub period: Duration,
    /// Whether it was read in this interval; when not, the values are those of the last reading.
    pub sampled: bool,
    /// One entry for each metric the group has, always the same ones in the same order for the same owner.
    pub values: Vec<(v1::Metric, Option<i64>)>,
}

/// One GPU.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GpuSample {
    /// Identity, state and the reason for it.
    pub info: v1::GpuInfo,
    /// Fast values first, then those that are read less often.
    pub groups: Vec<Group>,
}

/// One inference server process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineSample {
    /// Identity, state and the reason for it.
    pub info: v1::EngineInfo,
    /// Usually one group.
    pub groups: Vec<Group>,
}

/// Everything a node knows about itself at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeSample {
    /// In index order; at most [`GPUS_MAX`].
    pub gpus: Vec<GpuSample>,
    /// In name order; at most [`ENGINES_MAX`].
    pub engines: Vec<EngineSample>,
    /// The machine itself.
    pub host: Option<Group>,
    /// One for each source: "nvml", "kmsg", "host", "engines", "cloud".
    pub sources: Vec<v1::SourceStatus>,
    /// What happened since the sample before.
    pub events: Vec<v1::agent_event::Kind>,
}

/// GPUs a node can report, as the wire's contract says.
pub const GPUS_MAX: usize = 16;

/// Engines a node can report, as the wire's contract says.
pub const ENGINES_MAX: usize = 64;

/// Where samples come from: the machine itself, or a simulation that says so.
pub trait Source: Send {
    /// The newest sample. Never blocks: whatever can hang is read elsewhere and only looked up here.
    fn read(&mut self) -> NodeSample;

    /// Whether the readings are simulated.
    fn simulated(&self) -> bool {
        false
    }

    /// Tells the source how often it will be read from now on.
    fn set_interval(&mut self, interval: Duration) {
        let _ = interval;
    }

    /// Told when something happened that should not wait for the next reading; `None`: never.
    fn news(&self) -> Option<Arc<Notify>> {
        None
    }

    /// Lets go of NVML for a time, for a driver upgrade or a GPU reset. Never blocks.
    ///
    /// # Errors
    /// Says why there is nothing to let go of.
    fn release_nvml(&mut self, hold: Duration) -> Result<(), String> {
        let _ = hold;
        Err("this node's readings do not come from NVML, so there is nothing to let go of".to_owned())
    }
}
