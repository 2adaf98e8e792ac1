//! One simulated node: GPUs, engines, and what happens to them.

use ostler_proto::v1;
use ostler_proto::v1::agent_event::Kind;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::gpu::{Gpu, Work};
use super::plan::{GPUS_PER_NODE, NodePlan, mix};
use super::replica::{Replica, Request, TICK_SECONDS};

/// Time an engine needs to load its weights after a start, in seconds. A real one needs minutes; a demonstration that
/// lasts one minute cannot wait for it.
const LOADING_SECONDS: f64 = 6.0;

/// XID that the kernel logs when a GPU has fallen off the bus.
const XID_OFF_THE_BUS: u32 = 79;

/// Events that wait for the agent at most; a node has 8 GPUs and 8 engines, and each changes a few times a minute.
const EVENTS_MAX: usize = 64;

/// Bus addresses of the eight slots, as in an HGX board.
pub(super) const PCI_BUS_IDS: [&str; GPUS_PER_NODE] = [
    "00000000:18:00.0",
    "00000000:2A:00.0",
    "00000000:3A:00.0",
    "00000000:5D:00.0",
    "00000000:9A:00.0",
    "00000000:AB:00.0",
    "00000000:BA:00.0",
    "00000000:DB:00.0",
];

/// One engine process.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) replica: Replica,
    pub(super) state: v1::EngineState,
    /// When it has loaded, in seconds; only meaningful while it loads.
    ready_at: f64,
}

/// One node.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) plan: NodePlan,
    pub(super) gpus: Vec<Gpu>,
    pub(super) engines: Vec<Engine>,
    /// Whether it has power and network.
    pub(super) alive: bool,
    /// What its agent has not been told yet.
    events: Vec<Kind>,
    random: StdRng,
}

impl Machine {
    pub(super) fn new(plan: NodePlan, seed: u64) -> Machine {
        let own_seed = plan.name.bytes().fold(mix(seed), |hash, byte| mix(hash ^ u64::from(byte)));
        let mut random = StdRng::seed_from_u64(own_seed);
        let gpus = (0..GPUS_PER_NODE).map(|_| Gpu::new(plan.gpu, &mut random)).collect();
        let engine = || Engine {
            replica: Replica::new(plan.model, plan.speed),
            state: v1::EngineState::Serving,
            ready_at: 0.0,
        };
        let engines = (0..plan.engines()).map(|_| engine()).collect();
        Machine { plan, gpus, engines, alive: true, events: Vec::new(), random }
    }

    /// Works for one tick that ends at `now`; true when an engine has finished loading.
    pub(super) fn tick(&mut self, now: f64) -> bool {
        if !self.alive {
            return false;
        }
        let mut loaded = false;
        for index in 0..self.engines.len() {
            let engine = &mut self.engines[index];
            if engine.state == v1::EngineState::Loading && now >= engine.ready_at {
                self.set_engine(index, v1::EngineState::Serving, "");
                loaded = true;
            }
            self.engines[index].replica.tick(now);
        }
        for index in 0..self.gpus.len() {
            let work = self.work_of(index);
            self.gpus[index].tick(work, TICK_SECONDS, &mut self.random);
        }
        loaded
    }

    /// Whether the engine takes requests.
    pub(super) fn serves(&self, engine: usize) -> bool {
        self.alive && self.engines[engine].state == v1::EngineState::Serving
    }

    /// A GPU falls off the bus, and the engine on it dies: gives back the requests that it had.
    pub(super) fn lose_gpu(&mut self, gpu: usize) -> Vec<Request> {
        self.gpus[gpu].present = false;
        self.gpus[gpu].xid_errors += 1;
        // The kernel writes the domain with four digits and leaves the function out.
        let bus = PCI_BUS_IDS[gpu][4..].trim_end_matches(".0").to_lowercase();
        let uuid = self.plan.gpu_uuids[gpu].clone();
        self.push(Kind::Xid(v1::XidEvent {
            gpu_uuid: uuid.clone(),
            pci_bus_id: PCI_BUS_IDS[gpu].to_owned(),
            xid: XID_OFF_THE_BUS,
            source: "nvml+kmsg".to_owned(),
            message: format!(
                "NVRM: Xid (PCI:{bus}): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."
            ),
            ..v1::XidEvent::default()
        }));
        self.push(Kind::Gpu(v1::GpuEvent {
            gpu_uuid: uuid,
            from: v1::GpuState::Ok.into(),
            to: v1::GpuState::Lost.into(),
            detail: "NVML: GPU is lost".to_owned(),
        }));
        let engine = self.plan.engine_of(gpu);
        self.set_engine(engine, v1::EngineState::Down, "connection refused");
        self.engines[engine].replica.stop()
    }

    /// The power goes: everything stops without a word. Gives back the requests that it had.
    pub(super) fn cut(&mut self) -> Vec<Request> {
        self.alive = false;
        self.events.clear();
        self.engines.iter_mut().flat_map(|engine| engine.replica.stop()).collect()
    }

    /// The machine starts anew at `now`, with all its GPUs; engines load their weights first.
    pub(super) fn boot(&mut self, now: f64) -> Vec<Request> {
        let lost = self.cut();
        self.alive = true;
        self.gpus = (0..GPUS_PER_NODE).map(|_| Gpu::new(self.plan.gpu, &mut self.random)).collect();
        for engine in &mut self.engines {
            engine.state = v1::EngineState::Loading;
            engine.ready_at = now + LOADING_SECONDS;
        }
        lost
    }

    /// What happened since the last call.
    pub(super) fn take_events(&mut self) -> Vec<Kind> {
        std::mem::take(&mut self.events)
    }

    fn set_engine(&mut self, index: usize, state: v1::EngineState, detail: &str) {
        let from = self.engines[index].state;
        self.engines[index].state = state;
        self.push(Kind::Engine(v1::EngineEvent {
            engine: self.engine_name(index),
            from: from.into(),
            to: state.into(),
            detail: detail.to_owned(),
        }));
    }

    fn push(&mut self, event: Kind) {
        if self.events.len() < EVENTS_MAX {
            self.events.push(event);
        }
    }

    /// For example `vllm-8000`: the kind and the port.
    pub(super) fn engine_name(&self, index: usize) -> String {
        let kind = if self.plan.model.kind == v1::EngineKind::Sglang { "sglang" } else { "vllm" };
        format!("{kind}-{}", engine_port(index))
    }

    fn work_of(&mut self, gpu: usize) -> Work {
        if !self.gpus[gpu].present {
            return Work::default();
        }
        let engine = &self.engines[self.plan.engine_of(gpu)];
        let memory = match engine.state {
            v1::EngineState::Serving => self.plan.model.memory_share,
            v1::EngineState::Loading => self.plan.model.memory_share * 0.5,
            v1::EngineState::Unspecified
            | v1::EngineState::Down
            | v1::EngineState::Timeout
            | v1::EngineState::Unreadable => 0.0,
        };
        let (batch, prefill) = (engine.replica.batch_share(), engine.replica.prefill_share);
        let wobble = self.random.random_range(-0.03..0.03);
        let busy = if batch + prefill > 0.0 {
            (0.45 + 0.45 * batch + 0.25 * prefill + wobble).min(1.0)
        } else {
            0.0
        };
        Work { busy, intensity: (0.25 + 0.45 * batch + 0.6 * prefill).min(1.0), memory }
    }
}

/// Where the engine listens.
pub(super) fn engine_port(index: usize) -> usize {
    8000 + index
}
