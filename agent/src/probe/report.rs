//! The JSON form of a reading.
//!
//! Metrics have the names of the wire's `Metric` in lower case (`gpu_power_milliwatts`), whole numbers in the unit that
//! the name ends with, and `null` where there is no value, which never means zero. States are the wire's without their
//! prefix, in lower case (`ok`, `degraded`, `lost`, `hung`, `unreadable`).

use std::{collections::BTreeMap, time::Duration};

use ostler_proto::v1::{self, Metric, agent_event};
use serde::Serialize;

use crate::{
    nvml::CallTime,
    sample::{GpuSample, Group, NodeSample},
};

/// Values by metric name.
pub(crate) type Metrics = BTreeMap<String, Option<i64>>;
/// Microseconds by call.
type CallTimes = BTreeMap<&'static str, u64>;

/// One reading of a machine.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// Name of the node.
    pub(crate) node: String,
    /// Version of this program.
    pub(crate) agent_version: &'static str,
    /// How long the reading took, in milliseconds.
    pub(crate) took_ms: u64,
    /// GPUs in index order.
    pub(crate) gpus: Vec<Gpu>,
    /// Inference servers in name order.
    pub(crate) engines: Vec<Engine>,
    /// The machine's own metrics.
    pub(crate) host: Metrics,
    /// Where the readings come from, and why some may be missing.
    pub(crate) sources: Vec<Source>,
    /// Errors of the driver: in the kernel log since boot, and of NVML while this program ran.
    pub(crate) xids: Vec<Xid>,
    /// How long NVML calls took that belong to no GPU; only with `--timings`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) nvml_call_us: CallTimes,
}

/// One GPU.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Gpu {
    pub(crate) index: u32,
    pub(crate) uuid: String,
    pub(crate) model: String,
    pub(crate) pci_bus_id: String,
    pub(crate) serial: String,
    pub(crate) vbios_version: String,
    pub(crate) driver_version: String,
    pub(crate) cuda_compute_capability: String,
    pub(crate) state: String,
    /// Why the state is not `ok`.
    pub(crate) detail: String,
    pub(crate) mig_instances: Vec<MigInstance>,
    pub(crate) metrics: Metrics,
    /// How long each NVML call took on this GPU the last time; only with `--timings`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) nvml_call_us: CallTimes,
}

/// One MIG device.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct MigInstance {
    pub(crate) uuid: String,
    pub(crate) profile: String,
    pub(crate) gpu_instance_id: u32,
    pub(crate) compute_instance_id: u32,
    pub(crate) memory_total_bytes: Option<u64>,
}

/// One inference server.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Engine {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) model: String,
    pub(crate) pool: String,
    pub(crate) url: String,
    pub(crate) state: String,
    pub(crate) detail: String,
    pub(crate) metrics: Metrics,
}

/// How one source is doing.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) state: String,
    /// What is wrong and what to do.
    pub(crate) detail: String,
}

/// One error of the driver.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Xid {
    pub(crate) xid: u32,
    pub(crate) gpu_uuid: String,
    pub(crate) pci_bus_id: String,
    pub(crate) source: String,
    pub(crate) message: String,
    pub(crate) nvswitch: bool,
}

impl Report {
    pub(crate) fn new(node: String, sample: &NodeSample, times: &[CallTime], took: Duration) -> Report {
        let call_times = |gpu: Option<u32>| {
            let of_gpu = times.iter().filter(|time| time.gpu.map(u32::from) == gpu);
            of_gpu.map(|time| (time.call, time.us)).collect()
        };
        Report {
            node,
            agent_version: env!("CARGO_PKG_VERSION"),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            gpus: sample.gpus.iter().map(|gpu| Gpu::new(gpu, call_times(Some(gpu.info.index)))).collect(),
            engines: sample.engines.iter().map(|engine| Engine::new(&engine.info, &engine.groups)).collect(),
            host: metrics(sample.host.as_slice()),
            sources: sample.sources.iter().map(Source::new).collect(),
            xids: sample.events.iter().filter_map(Xid::new).collect(),
            nvml_call_us: call_times(None),
        }
    }
}

impl Gpu {
    fn new(gpu: &GpuSample, nvml_call_us: CallTimes) -> Gpu {
        let info = gpu.info.clone();
        let state = lower(info.state().as_str_name(), "GPU_STATE_");
        let instances = info.mig_instances.into_iter().map(|instance| MigInstance {
            uuid: instance.uuid,
            profile: instance.profile,
            gpu_instance_id: instance.gpu_instance_id,
            compute_instance_id: instance.compute_instance_id,
            memory_total_bytes: instance.memory_total_bytes,
        });
        Gpu {
            index: info.index,
            uuid: info.uuid,
            model: info.model,
            pci_bus_id: info.pci_bus_id,
            serial: info.serial,
            vbios_version: info.vbios_version,
            driver_version: info.driver_version,
            cuda_compute_capability: info.cuda_compute_capability,
            state,
            detail: info.detail,
            mig_instances: instances.collect(),
            metrics: metrics(&gpu.groups),
            nvml_call_us,
        }
    }

    /// The value of a metric, if it has one.
    pub(crate) fn value(&self, metric: Metric) -> Option<i64> {
        self.metrics.get(&metric_name(metric)).copied().flatten()
    }
}

impl Engine {
    fn new(info: &v1::EngineInfo, groups: &[Group]) -> Engine {
        Engine {
            name: info.name.clone(),
            kind: lower(info.kind().as_str_name(), "ENGINE_KIND_"),
            model: info.model.clone(),
            pool: info.pool.clone(),
            url: info.url.clone(),
            state: lower(info.state().as_str_name(), "ENGINE_STATE_"),
            detail: info.detail.clone(),
            metrics: metrics(groups),
        }
    }
}

impl Source {
    fn new(status: &v1::SourceStatus) -> Source {
        Source {
            name: status.name.clone(),
            state: lower(status.state().as_str_name(), "SOURCE_STATE_"),
            detail: status.detail.clone(),
        }
    }
}

impl Xid {
    fn new(event: &agent_event::Kind) -> Option<Xid> {
        let agent_event::Kind::Xid(event) = event else { return None };
        Some(Xid {
            xid: event.xid,
            gpu_uuid: event.gpu_uuid.clone(),
            pci_bus_id: event.pci_bus_id.clone(),
            source: event.source.clone(),
            message: event.message.clone(),
            nvswitch: event.nvswitch,
        })
    }
}

/// A metric's name in this form.
pub(crate) fn metric_name(metric: Metric) -> String {
    lower(metric.as_str_name(), "METRIC_")
}

fn metrics(groups: &[Group]) -> Metrics {
    let values = groups.iter().flat_map(|group| &group.values);
    values.map(|(metric, value)| (metric_name(*metric), *value)).collect()
}

fn lower(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_not_there_is_null_and_a_zero_is_zero() {
        let mut gpu = GpuSample::default();
        gpu.info.set_state(v1::GpuState::Hung);
        let values = vec![(Metric::GpuPowerMilliwatts, Some(0)), (Metric::GpuMemoryTemperatureCelsius, None)];
        gpu.groups.push(Group { values, ..Group::default() });
        let times = [CallTime { gpu: Some(0), call: "nvmlDeviceGetPowerUsage", us: 7 }];
        let sample = NodeSample { gpus: vec![gpu], ..NodeSample::default() };
        let report = Report::new("n".into(), &sample, &times, Duration::from_millis(3));
        let json = serde_json::to_value(&report).unwrap();
        let gpu = &json["gpus"][0];
        assert_eq!(gpu["state"], "hung");
        assert_eq!(gpu["metrics"]["gpu_power_milliwatts"], 0);
        assert!(gpu["metrics"]["gpu_memory_temperature_celsius"].is_null());
        assert_eq!(gpu["nvml_call_us"]["nvmlDeviceGetPowerUsage"], 7);
        assert!(json.get("nvml_call_us").is_none());
    }
}
