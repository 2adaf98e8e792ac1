//! What there is on a node: its GPUs, its engines and the sources its agent reads. Plain data, as the agent told it.

use crate::id::{EngineId, GpuId, PoolId};

/// One GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gpu {
    /// Its UUID.
    pub id: GpuId,
    /// The driver's index; not stable across reboots.
    pub index: u32,
    /// For example "NVIDIA H200".
    pub model: Box<str>,
    /// For example "00000000:18:00.0".
    pub pci_bus_id: Box<str>,
    /// The board's serial number.
    pub serial: Box<str>,
    /// Version of its firmware.
    pub vbios_version: Box<str>,
    /// Version of the driver that runs it.
    pub driver_version: Box<str>,
    /// For example "9.0".
    pub cuda_compute_capability: Box<str>,
    /// Whether it works, as the agent sees it.
    pub state: GpuState,
    /// Why the state is not [`GpuState::Ok`], for a person.
    pub detail: Box<str>,
    /// The slices it is cut into.
    pub mig_instances: Box<[MigInstance]>,
}

impl Gpu {
    /// A GPU in a state, of which nothing else is known.
    pub fn new(id: GpuId, state: GpuState) -> Gpu {
        Gpu {
            id,
            index: 0,
            model: Box::default(),
            pci_bus_id: Box::default(),
            serial: Box::default(),
            vbios_version: Box::default(),
            driver_version: Box::default(),
            cuda_compute_capability: Box::default(),
            state,
            detail: Box::default(),
            mig_instances: Box::default(),
        }
    }
}

/// A slice of a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigInstance {
    /// Its own UUID.
    pub uuid: Box<str>,
    /// Number of the GPU instance.
    pub gpu_instance_id: u32,
    /// Number of the compute instance.
    pub compute_instance_id: u32,
    /// For example "1g.10gb".
    pub profile: Box<str>,
    /// Its memory, when the driver says.
    pub memory_total_bytes: Option<u64>,
}

/// Whether a GPU works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GpuState {
    /// The agent did not say.
    Unknown,
    /// Nothing asks for attention.
    Ok,
    /// Readable, but something asks for attention.
    Degraded,
    /// Fell off the bus.
    Lost,
    /// A call on it did not return in time.
    Hung,
    /// Cannot be read, for a reason that is not the GPU's.
    Unreadable,
}

impl GpuState {
    /// For example "ok".
    pub const fn name(self) -> &'static str {
        match self {
            GpuState::Unknown => "unknown",
            GpuState::Ok => "ok",
            GpuState::Degraded => "degraded",
            GpuState::Lost => "lost",
            GpuState::Hung => "hung",
            GpuState::Unreadable => "unreadable",
        }
    }
}

/// One inference server process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    /// Unique on its node.
    pub id: EngineId,
    /// What software it is.
    pub kind: EngineKind,
    /// The model it serves.
    pub model: Box<str>,
    /// The pool it belongs to. When the agent names none, the fleet fills in the model's name.
    pub pool: Option<PoolId>,
    /// Where its metrics are read.
    pub url: Box<str>,
    /// UUIDs of the GPUs it runs on, when known.
    pub gpus: Box<[GpuId]>,
    /// The pod it runs in, when it does.
    pub pod: Box<str>,
    /// The pod's namespace.
    pub namespace: Box<str>,
    /// Whether it serves, as the agent sees it.
    pub state: EngineState,
    /// Why the state is not [`EngineState::Serving`], for a person.
    pub detail: Box<str>,
}

impl Engine {
    /// An engine in a state, of which nothing else is known.
    pub fn new(id: EngineId, state: EngineState) -> Engine {
        Engine {
            id,
            kind: EngineKind::Generic,
            model: Box::default(),
            pool: None,
            url: Box::default(),
            gpus: Box::default(),
            pod: Box::default(),
            namespace: Box::default(),
            state,
            detail: Box::default(),
        }
    }
}

/// What software an engine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum EngineKind {
    Unknown,
    Vllm,
    Sglang,
    Tgi,
    Triton,
    Trtllm,
    LlamaCpp,
    Lmdeploy,
    Generic,
}

/// Whether an engine serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EngineState {
    /// The agent did not say.
    Unknown,
    /// Answers with its metrics.
    Serving,
    /// Answers, but still loads weights.
    Loading,
    /// The process is gone.
    Down,
    /// Did not answer in time.
    Timeout,
    /// Answered with something that is not its metrics.
    Unreadable,
}

impl EngineState {
    /// For example "serving".
    pub const fn name(self) -> &'static str {
        match self {
            EngineState::Unknown => "unknown",
            EngineState::Serving => "serving",
            EngineState::Loading => "loading",
            EngineState::Down => "down",
            EngineState::Timeout => "timeout",
            EngineState::Unreadable => "unreadable",
        }
    }
}

/// How one of an agent's sources is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// "nvml", "kmsg", "host", "engines", "cloud".
    pub name: Box<str>,
    /// How it is doing.
    pub state: SourceState,
    /// What is wrong and what to do, for a person.
    pub detail: Box<str>,
}

/// How a source is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceState {
    /// The agent did not say.
    Unknown,
    /// Works.
    Ok,
    /// Works in part.
    Degraded,
    /// A call did not return within its deadline.
    Hung,
    /// Not there at all.
    Absent,
    /// Does not work.
    Failed,
    /// Let go on command.
    Released,
}

impl SourceState {
    /// For example "ok".
    pub const fn name(self) -> &'static str {
        match self {
            SourceState::Unknown => "unknown",
            SourceState::Ok => "ok",
            SourceState::Degraded => "degraded",
            SourceState::Hung => "hung",
            SourceState::Absent => "absent",
            SourceState::Failed => "failed",
            SourceState::Released => "released",
        }
    }
}
