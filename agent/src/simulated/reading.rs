//! Puts a simulated machine into the words of a real agent's reading.

use std::time::Duration;

use ostler_proto::v1::{self, Metric};

use super::gpu::Gpu;
use super::machine::{Engine, Machine, PCI_BUS_IDS, engine_port};
use super::replica::TICK_SECONDS;
use super::world::gpu_state;
use crate::sample::{EngineSample, GpuSample, Group, NodeSample};

/// How often the fast values are read.
const FAST: Duration = Duration::from_secs(1);

/// How often the slow ones are.
const SLOW: Duration = Duration::from_secs(10);

/// Readings of the fast values to one of the slow ones.
const SLOW_EVERY: u64 = 10;

/// Memory of every simulated machine: 2 TiB.
const HOST_MEMORY_BYTES: i64 = 2 << 40;

/// Local disk of every simulated machine: 30 TB.
const HOST_DISK_BYTES: i64 = 30_000_000_000_000;

/// Reads one machine, and remembers the slow values between their readings.
#[derive(Debug, Default)]
pub(super) struct Reader {
    readings: u64,
    slow: Vec<Vec<(Metric, Option<i64>)>>,
}

impl Reader {
    /// One reading of `machine` at `now`.
    pub(super) fn read(&mut self, machine: &mut Machine, now: f64) -> NodeSample {
        let sampled = self.readings.is_multiple_of(SLOW_EVERY);
        self.readings += 1;
        if sampled {
            self.slow = machine.gpus.iter().map(slow_values).collect();
        }
        let gpu = |(index, gpu): (usize, &Gpu)| GpuSample {
            info: gpu_info(machine, index),
            groups: vec![
                Group { period: FAST, sampled: true, values: fast_values(gpu) },
                Group { period: SLOW, sampled, values: self.slow[index].clone() },
            ],
        };
        let gpus = machine.gpus.iter().enumerate().map(gpu).collect();
        let engine = |(index, engine): (usize, &Engine)| EngineSample {
            info: engine_info(machine, index),
            groups: vec![Group { period: FAST, sampled: true, values: engine_values(engine, now) }],
        };
        let engines = machine.engines.iter().enumerate().map(engine).collect();
        let host = Some(Group { period: FAST, sampled: true, values: host_values(machine) });
        let sources = sources(machine);
        NodeSample { gpus, engines, host, sources, events: machine.take_events() }
    }
}

fn sources(machine: &Machine) -> Vec<v1::SourceStatus> {
    let ok = |name: &str| v1::SourceStatus {
        name: name.to_owned(),
        state: v1::SourceState::Ok.into(),
        detail: String::new(),
    };
    let mut sources: Vec<_> = ["nvml", "kmsg", "host", "engines"].into_iter().map(ok).collect();
    let lost = machine.gpus.iter().filter(|gpu| !gpu.present).count();
    if lost > 0 {
        sources[0].state = v1::SourceState::Degraded.into();
        sources[0].detail = format!("{lost} of {} GPUs cannot be read: GPU is lost", machine.gpus.len());
    }
    sources.push(v1::SourceStatus {
        name: "cloud".to_owned(),
        state: v1::SourceState::Absent.into(),
        detail: "a simulated machine has no metadata service".to_owned(),
    });
    sources
}

fn gpu_info(machine: &Machine, index: usize) -> v1::GpuInfo {
    let gpu = &machine.gpus[index];
    let detail =
        if gpu.present { "" } else { "GPU is lost (XID 79: it has fallen off the bus); reboot the node" };
    v1::GpuInfo {
        index: index as u32,
        uuid: machine.plan.gpu_uuids[index].clone(),
        model: gpu.model.name.to_owned(),
        pci_bus_id: PCI_BUS_IDS[index].to_owned(),
        serial: format!("SIM{}", &machine.plan.gpu_uuids[index][4..12].to_uppercase()),
        vbios_version: "simulated".to_owned(),
        driver_version: "580.95.05".to_owned(),
        state: gpu_state(gpu.present).into(),
        detail: detail.to_owned(),
        mig_instances: Vec::new(),
        cuda_compute_capability: gpu.model.compute_capability.to_owned(),
    }
}

fn fast_values(gpu: &Gpu) -> Vec<(Metric, Option<i64>)> {
    let model = gpu.model;
    let busy = (gpu.work.busy * 100.0).round() as i64;
    let temperature = gpu.temperature_celsius.round() as i64;
    let read = |metric, value: i64| (metric, gpu.present.then_some(value));
    vec![
        read(Metric::GpuUtilizationPercent, busy),
        read(Metric::GpuMemoryUtilizationPercent, (gpu.work.busy * 70.0).round() as i64),
        read(Metric::GpuMemoryUsedBytes, gpu.memory_used_bytes()),
        read(Metric::GpuMemoryTotalBytes, model.memory_bytes),
        read(Metric::GpuMemoryReservedBytes, model.memory_reserved_bytes),
        read(Metric::GpuTemperatureCelsius, temperature),
        read(Metric::GpuMemoryTemperatureCelsius, temperature + 8),
        read(Metric::GpuPowerMilliwatts, (gpu.power_watts * 1e3) as i64),
        read(Metric::GpuEnergyMillijoulesTotal, (gpu.energy_joules * 1e3) as i64),
        read(Metric::GpuSmClockMegahertz, gpu.clock_megahertz as i64),
        read(Metric::GpuMemoryClockMegahertz, model.memory_clock_megahertz),
        read(Metric::GpuThrottleReasons, gpu.throttle_reasons()),
        read(Metric::GpuPcieTxKibibytesPerSecond, (gpu.work.busy * 90_000.0) as i64),
        read(Metric::GpuPcieRxKibibytesPerSecond, (gpu.work.busy * 140_000.0) as i64),
        (Metric::GpuXidErrorsTotal, Some(gpu.xid_errors)),
    ]
}

fn slow_values(gpu: &Gpu) -> Vec<(Metric, Option<i64>)> {
    let model = gpu.model;
    let temperature = gpu.temperature_celsius.round() as i64;
    let zeros = [
        Metric::GpuEccCorrectedVolatileTotal,
        Metric::GpuEccUncorrectedVolatileTotal,
        Metric::GpuRowsRemappedCorrectable,
        Metric::GpuRowsRemappedUncorrectable,
        Metric::GpuRowRemapPending,
        Metric::GpuRowRemapFailed,
        Metric::GpuPcieReplayTotal,
        Metric::GpuNvlinkErrorsTotal,
        Metric::GpuRecoveryAction,
        Metric::GpuMigEnabled,
    ];
    let mut values: Vec<(Metric, i64)> = zeros.into_iter().map(|metric| (metric, 0)).collect();
    values.extend([
        (Metric::GpuTemperatureMarginCelsius, model.temperature_slowdown_celsius - temperature),
        (Metric::GpuTemperatureSlowdownCelsius, model.temperature_slowdown_celsius),
        (Metric::GpuTemperatureShutdownCelsius, model.temperature_shutdown_celsius),
        (Metric::GpuPowerLimitMilliwatts, (model.power_limit_watts * 1e3) as i64),
        (Metric::GpuSmClockMaxMegahertz, model.sm_clock_max_megahertz as i64),
        (Metric::GpuMemoryClockMaxMegahertz, model.memory_clock_megahertz),
        (Metric::GpuPcieLinkGeneration, model.pcie_generation),
        (Metric::GpuPcieLinkWidth, 16),
        (Metric::GpuPcieLinkGenerationMax, model.pcie_generation),
        (Metric::GpuPcieLinkWidthMax, 16),
        (Metric::GpuNvlinkActiveLinks, model.nvlink_links),
        (Metric::GpuNvlinkTxKibibytesTotal, gpu.nvlink_kibibytes as i64),
        (Metric::GpuNvlinkRxKibibytesTotal, gpu.nvlink_kibibytes as i64),
        (Metric::GpuProcesses, i64::from(gpu.work.memory > 0.0)),
        (Metric::GpuFabricState, 3),
    ]);
    values.into_iter().map(|(metric, value)| (metric, gpu.present.then_some(value))).collect()
}

fn engine_info(machine: &Machine, index: usize) -> v1::EngineInfo {
    let (plan, state) = (&machine.plan, machine.engines[index].state);
    let port = engine_port(index);
    let first = index * plan.model.gpus;
    let detail = match state {
        v1::EngineState::Down => "connection refused: the process is gone",
        v1::EngineState::Loading => "loading weights",
        v1::EngineState::Unspecified
        | v1::EngineState::Serving
        | v1::EngineState::Timeout
        | v1::EngineState::Unreadable => "",
    };
    v1::EngineInfo {
        name: machine.engine_name(index),
        kind: plan.model.kind.into(),
        model: plan.model.name.to_owned(),
        pool: plan.model.pool.to_owned(),
        url: format!("http://127.0.0.1:{port}/metrics"),
        gpu_uuids: plan.gpu_uuids[first..first + plan.model.gpus].to_vec(),
        pod: format!("{}-{}-{index}", plan.model.pool.replace('.', "-"), plan.name),
        namespace: "serving".to_owned(),
        state: state.into(),
        detail: detail.to_owned(),
    }
}

fn engine_values(engine: &Engine, now: f64) -> Vec<(Metric, Option<i64>)> {
    let (replica, totals) = (&engine.replica, &engine.replica.totals);
    let up = engine.state == v1::EngineState::Serving;
    let mut values = vec![
        (Metric::EngineRequestsRunning, Some(replica.running() as i64)),
        (Metric::EngineRequestsWaiting, Some(replica.waiting() as i64)),
        (Metric::EngineKvCacheUsagePpm, Some((replica.kv_usage() * 1e6) as i64)),
        (Metric::EnginePromptTokensMilliPerSecond, Some(totals.prompt_tokens.milli_per_second(TICK_SECONDS))),
        (
            Metric::EngineGenerationTokensMilliPerSecond,
            Some(totals.generated_tokens.milli_per_second(TICK_SECONDS)),
        ),
        (Metric::EngineRequestsMilliPerSecond, Some(totals.finished.milli_per_second(TICK_SECONDS))),
        (Metric::EngineErrorsMilliPerSecond, Some(totals.refused.milli_per_second(TICK_SECONDS))),
        (Metric::EnginePreemptionsMilliPerSecond, Some(totals.preempted.milli_per_second(TICK_SECONDS))),
        (Metric::EnginePromptTokensTotal, Some(totals.prompt_tokens.total())),
        (Metric::EngineGenerationTokensTotal, Some(totals.generated_tokens.total())),
        (Metric::EngineRequestsTotal, Some(totals.finished.total())),
        (Metric::EngineErrorsTotal, Some(totals.refused.total())),
    ];
    use Metric::*;
    let quantiles = [
        (
            [EngineTtftP50Microseconds, EngineTtftP95Microseconds, EngineTtftP99Microseconds],
            &totals.first_token_seconds,
        ),
        (
            [EngineItlP50Microseconds, EngineItlP95Microseconds, EngineItlP99Microseconds],
            &totals.step_seconds,
        ),
        (
            [EngineE2eP50Microseconds, EngineE2eP95Microseconds, EngineE2eP99Microseconds],
            &totals.total_seconds,
        ),
        (
            [EngineQueueTimeP50Microseconds, EngineQueueTimeP95Microseconds, EngineQueueTimeP99Microseconds],
            &totals.queue_seconds,
        ),
    ];
    for (metrics, seconds) in quantiles {
        let read = seconds.read(now);
        let micros = |place: usize| read.map(|seconds| (seconds[place] * 1e6) as i64);
        values.extend(metrics.into_iter().enumerate().map(|(place, metric)| (metric, micros(place))));
    }
    for (_, value) in &mut values {
        *value = value.filter(|_| up);
    }
    values.push((Metric::EngineUp, Some(i64::from(up))));
    values
}

fn host_values(machine: &Machine) -> Vec<(Metric, Option<i64>)> {
    let requests: usize =
        machine.engines.iter().map(|engine| engine.replica.running() + engine.replica.waiting()).sum();
    let cpu = (0.04 + requests as f64 / 4_000.0).min(0.9);
    let bytes = requests as i64 * 40_000;
    let values = [
        (Metric::HostCpuUsedPpm, (cpu * 1e6) as i64),
        (Metric::HostMemoryUsedBytes, HOST_MEMORY_BYTES / 5 + requests as i64 * (4 << 20)),
        (Metric::HostMemoryTotalBytes, HOST_MEMORY_BYTES),
        (Metric::HostDiskUsedBytes, HOST_DISK_BYTES / 3),
        (Metric::HostDiskTotalBytes, HOST_DISK_BYTES),
        (Metric::HostNetworkRxBytesPerSecond, bytes),
        (Metric::HostNetworkTxBytesPerSecond, bytes * 2),
        (Metric::HostDiskReadBytesPerSecond, 0),
        (Metric::HostDiskWriteBytesPerSecond, 120_000),
        (Metric::HostLoad1mMilli, (cpu * 192_000.0) as i64),
        (Metric::HostPressureCpuSomePpm, (cpu * 9e3) as i64),
        (Metric::HostPressureMemorySomePpm, 0),
        (Metric::HostPressureIoSomePpm, 400),
    ];
    values.into_iter().map(|(metric, value)| (metric, Some(value))).collect()
}
