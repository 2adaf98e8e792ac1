//! Which machines there are, what they serve, and how they are called. All of it follows from three numbers.

use ostler_proto::v1::EngineKind;

use super::hardware::{self, GpuModel};

/// GPUs in every simulated node.
pub const GPUS_PER_NODE: usize = 8;

/// The simulated failure domains.
pub const ZONES: [&str; 3] = ["zone-a", "zone-b", "zone-c"];

/// More nodes a zone would make the simulation itself, not the coordinator, the thing that is measured.
pub const NODES_PER_ZONE_MAX: u16 = 200;

/// How large the fleet is, and the seed from which all its randomness comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// From 1 to [`NODES_PER_ZONE_MAX`]; others are clamped.
    pub nodes_per_zone: u16,
    /// The same seed gives the same fleet, load and incidents.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Plan {
        Plan { nodes_per_zone: 4, seed: 7 }
    }
}

/// One machine of the plan.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// Unique in the fleet, for example `sim-a-02-h200`.
    pub name: String,
    /// One of [`ZONES`].
    pub zone: &'static str,
    /// What its GPUs are.
    pub gpu: &'static GpuModel,
    /// UUIDs of its GPUs, by index.
    pub gpu_uuids: Vec<String>,
    /// What its engines serve; engine `i` runs on the GPUs from `i * model.gpus`.
    pub model: &'static ServedModel,
    /// How much faster than the reference machine of its model it is.
    pub speed: f64,
}

impl NodePlan {
    /// How many engines the node runs.
    pub fn engines(&self) -> usize {
        GPUS_PER_NODE / self.model.gpus
    }

    /// The engine that runs on the GPU with this index.
    pub fn engine_of(&self, gpu: usize) -> usize {
        gpu / self.model.gpus
    }
}

/// A model, and how fast one replica of it is: a decode step takes `step_us + batch * step_per_sequence_us`.
#[derive(Debug, PartialEq)]
pub struct ServedModel {
    /// The pool its replicas form.
    pub pool: &'static str,
    /// As the engine names it.
    pub name: &'static str,
    /// Which engine serves it.
    pub kind: EngineKind,
    /// GPUs of one replica.
    pub gpus: usize,
    /// Sequences decoded together at most.
    pub sequences_max: usize,
    /// Part of a decode step that the batch does not change.
    pub step_us: f64,
    /// Part of a decode step that each sequence adds.
    pub step_per_sequence_us: f64,
    /// Prompt tokens read per second.
    pub prefill_tokens_per_second: f64,
    /// Tokens that the KV cache holds.
    pub kv_tokens: f64,
    /// Mean length of a prompt.
    pub prompt_tokens: f64,
    /// Mean length of an answer.
    pub output_tokens: f64,
    /// Share of device memory taken by weights and cache.
    pub memory_share: f64,
}

impl ServedModel {
    /// Requests per second that one replica can do with a full batch, at `speed` times the reference.
    pub fn requests_per_second_max(&self, speed: f64) -> f64 {
        let batch = self.sequences_max as f64;
        let step_seconds = (self.step_us + batch * self.step_per_sequence_us) / speed * 1e-6;
        let decoding = self.output_tokens * step_seconds / batch;
        let reading = self.prompt_tokens / (self.prefill_tokens_per_second * speed);
        1.0 / (decoding + STEP_PREFILL_SHARE * reading)
    }
}

/// How much longer a decode step takes while prompts are read all the time, as a share of it.
pub(super) const STEP_PREFILL_SHARE: f64 = 0.6;

/// The models that the fleet serves, one pool each.
pub static MODELS: [ServedModel; 3] = [
    ServedModel {
        pool: "llama-3.1-8b",
        name: "meta-llama/Llama-3.1-8B-Instruct",
        kind: EngineKind::Vllm,
        gpus: 1,
        sequences_max: 128,
        step_us: 9_000.0,
        step_per_sequence_us: 60.0,
        prefill_tokens_per_second: 40_000.0,
        kv_tokens: 110_000.0,
        prompt_tokens: 600.0,
        output_tokens: 220.0,
        memory_share: 0.89,
    },
    ServedModel {
        pool: "llama-3.3-70b",
        name: "meta-llama/Llama-3.3-70B-Instruct",
        kind: EngineKind::Vllm,
        gpus: 4,
        sequences_max: 96,
        step_us: 18_000.0,
        step_per_sequence_us: 120.0,
        prefill_tokens_per_second: 20_000.0,
        kv_tokens: 130_000.0,
        prompt_tokens: 900.0,
        output_tokens: 320.0,
        memory_share: 0.91,
    },
    ServedModel {
        pool: "deepseek-r1",
        name: "deepseek-ai/DeepSeek-R1",
        kind: EngineKind::Sglang,
        gpus: 8,
        sequences_max: 128,
        step_us: 24_000.0,
        step_per_sequence_us: 150.0,
        prefill_tokens_per_second: 14_000.0,
        kv_tokens: 260_000.0,
        prompt_tokens: 1_100.0,
        output_tokens: 900.0,
        memory_share: 0.93,
    },
];

/// Nodes of a zone repeat in this order: (suffix of the name, GPU, index in [`MODELS`], speed).
static RACK: [(&str, &GpuModel, usize, f64); 4] = [
    ("h100", &hardware::H100, 1, 1.0),
    ("h200", &hardware::H200, 2, 1.0),
    ("a100", &hardware::A100, 0, 1.0),
    ("b200", &hardware::B200, 2, 1.5),
];

impl Plan {
    /// The machines, zone by zone.
    pub fn nodes(&self) -> Vec<NodePlan> {
        let per_zone = self.nodes_per_zone.clamp(1, NODES_PER_ZONE_MAX);
        let places = ZONES.iter().flat_map(|zone| (0..per_zone).map(move |place| (*zone, place)));
        places.map(|(zone, place)| self.node(zone, place)).collect()
    }

    fn node(&self, zone: &'static str, place: u16) -> NodePlan {
        let (suffix, gpu, model, speed) = RACK[usize::from(place) % RACK.len()];
        let letter = zone.trim_start_matches("zone-");
        let name = format!("sim-{letter}-{:02}-{suffix}", place + 1);
        let gpu_uuids = (0..GPUS_PER_NODE).map(|index| uuid(self.seed, &name, index)).collect();
        NodePlan { name, zone, gpu, gpu_uuids, model: &MODELS[model], speed }
    }
}

/// A UUID in NVML's form that only the seed, the node's name and the index decide.
fn uuid(seed: u64, node: &str, index: usize) -> String {
    let high = mix(node.bytes().fold(mix(seed), |hash, byte| mix(hash ^ u64::from(byte))) ^ index as u64);
    let low = mix(high);
    format!(
        "GPU-{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

/// The finalizer of splitmix64: spreads every input bit over the whole word.
pub(super) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_default_fleet_has_three_zones_of_four_nodes_that_serve_every_model() {
        let nodes = Plan::default().nodes();
        assert_eq!(nodes.len(), 12);
        let pools: BTreeSet<_> = nodes.iter().map(|node| node.model.pool).collect();
        assert_eq!(pools, BTreeSet::from(["deepseek-r1", "llama-3.1-8b", "llama-3.3-70b"]));
        assert_eq!(nodes.iter().map(NodePlan::engines).sum::<usize>(), 36);
    }

    #[test]
    fn names_and_uuids_are_unique_and_follow_from_the_seed() {
        let plan = Plan { nodes_per_zone: NODES_PER_ZONE_MAX, seed: 1 };
        let nodes = plan.nodes();
        let names: BTreeSet<_> = nodes.iter().map(|node| node.name.as_str()).collect();
        let uuids: BTreeSet<_> = nodes.iter().flat_map(|node| &node.gpu_uuids).collect();
        assert_eq!((names.len(), uuids.len()), (nodes.len(), nodes.len() * GPUS_PER_NODE));
        assert_eq!(nodes[5].gpu_uuids, plan.nodes()[5].gpu_uuids);
        assert_ne!(nodes[5].gpu_uuids, Plan { seed: 2, ..plan }.nodes()[5].gpu_uuids);
    }
}
