//! What dcgm-exporter also measures, in its words.

use std::collections::BTreeMap;

use ostler_proto::v1::{self, Metric};

use super::page::{Labels, Page};
use crate::sample::GpuSample;

const MEBIBYTE: i64 = 1 << 20;

/// How a value is written.
#[derive(Clone, Copy, Debug)]
enum Unit {
    /// As it is.
    Same,
    /// Bytes as whole MiB.
    Mebibytes,
    /// Milliwatts as watts with six decimals.
    Watts,
}

/// One family: our metric, its name there, its type there, its help there, and its unit.
type Row = (Metric, &'static str, &'static str, &'static str, Unit);

/// Families that have a metric of ours of their own.
const FAMILIES: [Row; 29] = [
    (Metric::GpuSmClockMegahertz, "SM_CLOCK", "gauge", "SM clock frequency (in MHz).", Unit::Same),
    (Metric::GpuMemoryClockMegahertz, "MEM_CLOCK", "gauge", "Memory clock frequency (in MHz).", Unit::Same),
    (Metric::GpuMemoryTemperatureCelsius, "MEMORY_TEMP", "gauge", "Memory temperature (in C).", Unit::Same),
    (Metric::GpuTemperatureCelsius, "GPU_TEMP", "gauge", "GPU temperature (in C).", Unit::Same),
    (Metric::GpuPowerMilliwatts, "POWER_USAGE", "gauge", "Power draw (in W).", Unit::Watts),
    (
        Metric::GpuEnergyMillijoulesTotal,
        "TOTAL_ENERGY_CONSUMPTION",
        "counter",
        "Total energy consumption since boot (in mJ).",
        Unit::Same,
    ),
    (
        Metric::GpuPcieReplayTotal,
        "PCIE_REPLAY_COUNTER",
        "counter",
        "Total number of PCIe retries.",
        Unit::Same,
    ),
    (Metric::GpuUtilizationPercent, "GPU_UTIL", "gauge", "GPU utilization (in %).", Unit::Same),
    (Metric::GpuMemoryUtilizationPercent, "MEM_COPY_UTIL", "gauge", "Memory utilization (in %).", Unit::Same),
    (Metric::GpuMemoryUsedBytes, "FB_USED", "gauge", "Framebuffer memory used (in MiB).", Unit::Mebibytes),
    (
        Metric::GpuMemoryReservedBytes,
        "FB_RESERVED",
        "gauge",
        "Framebuffer memory reserved (in MiB).",
        Unit::Mebibytes,
    ),
    (Metric::GpuMemoryTotalBytes, "FB_TOTAL", "gauge", "Framebuffer memory total (in MiB).", Unit::Mebibytes),
    (
        Metric::GpuEccCorrectedVolatileTotal,
        "ECC_SBE_VOL_TOTAL",
        "counter",
        "Total number of single-bit volatile ECC errors.",
        Unit::Same,
    ),
    (
        Metric::GpuEccUncorrectedVolatileTotal,
        "ECC_DBE_VOL_TOTAL",
        "counter",
        "Total number of double-bit volatile ECC errors.",
        Unit::Same,
    ),
    (
        Metric::GpuEccCorrectedAggregateTotal,
        "ECC_SBE_AGG_TOTAL",
        "counter",
        "Total number of single-bit persistent ECC errors.",
        Unit::Same,
    ),
    (
        Metric::GpuEccUncorrectedAggregateTotal,
        "ECC_DBE_AGG_TOTAL",
        "counter",
        "Total number of double-bit persistent ECC errors.",
        Unit::Same,
    ),
    (
        Metric::GpuPagesRetiredSingleBit,
        "RETIRED_SBE",
        "counter",
        "Total number of retired pages due to single-bit errors.",
        Unit::Same,
    ),
    (
        Metric::GpuPagesRetiredDoubleBit,
        "RETIRED_DBE",
        "counter",
        "Total number of retired pages due to double-bit errors.",
        Unit::Same,
    ),
    (
        Metric::GpuPagesRetiredPending,
        "RETIRED_PENDING",
        "counter",
        "Total number of pages pending retirement.",
        Unit::Same,
    ),
    (
        Metric::GpuRowsRemappedUncorrectable,
        "UNCORRECTABLE_REMAPPED_ROWS",
        "counter",
        "Number of remapped rows for uncorrectable errors",
        Unit::Same,
    ),
    (
        Metric::GpuRowsRemappedCorrectable,
        "CORRECTABLE_REMAPPED_ROWS",
        "counter",
        "Number of remapped rows for correctable errors",
        Unit::Same,
    ),
    (
        Metric::GpuRowRemapFailed,
        "ROW_REMAP_FAILURE",
        "gauge",
        "Whether remapping of rows has failed",
        Unit::Same,
    ),
    (
        Metric::GpuRowRemapPending,
        "ROW_REMAP_PENDING",
        "gauge",
        "Whether remapping of rows is pending",
        Unit::Same,
    ),
    (
        Metric::GpuThrottleReasons,
        "CLOCK_THROTTLE_REASONS",
        "gauge",
        "Current clock throttle reasons (bitmask).",
        Unit::Same,
    ),
    (
        Metric::GpuPowerLimitMilliwatts,
        "POWER_MGMT_LIMIT",
        "gauge",
        "Current power limit (in W).",
        Unit::Watts,
    ),
    (
        Metric::GpuTemperatureSlowdownCelsius,
        "SLOWDOWN_TEMP",
        "gauge",
        "Slowdown temperature (in C).",
        Unit::Same,
    ),
    (
        Metric::GpuTemperatureShutdownCelsius,
        "SHUTDOWN_TEMP",
        "gauge",
        "Shutdown temperature (in C).",
        Unit::Same,
    ),
    (Metric::GpuPcieLinkGeneration, "PCIE_LINK_GEN", "gauge", "PCIe link generation.", Unit::Same),
    (Metric::GpuPcieLinkWidth, "PCIE_LINK_WIDTH", "gauge", "PCIe link width.", Unit::Same),
];

/// The labels that dcgm-exporter gives every sample of a GPU, in its order.
pub(super) fn labels(info: &v1::GpuInfo, node: &str) -> Labels {
    let index = info.index.to_string();
    let device = format!("nvidia{index}");
    Labels::new(&[
        ("gpu", &index),
        ("UUID", &info.uuid),
        ("pci_bus_id", &info.pci_bus_id),
        ("device", &device),
        ("modelName", &info.model),
        ("Hostname", node),
        ("DCGM_FI_DRIVER_VERSION", &info.driver_version),
    ])
}

/// The same for a MIG instance.
pub(super) fn mig_labels(info: &v1::GpuInfo, mig: &v1::MigInstance, node: &str) -> Labels {
    let id = mig.gpu_instance_id.to_string();
    labels(info, node).and(&[("GPU_I_PROFILE", &mig.profile), ("GPU_I_ID", &id)])
}

/// All families of all GPUs. `xids` has the last XID of each GPU that had one, by UUID.
pub(super) fn write(page: &mut Page, gpus: &[GpuSample], node: &str, xids: &BTreeMap<String, u32>) {
    for gpu in gpus {
        let labels = labels(&gpu.info, node);
        let value = |metric: Metric| {
            let values = gpu.groups.iter().flat_map(|group| &group.values);
            values.filter(|(known, _)| *known == metric).find_map(|(_, value)| *value)
        };
        for (metric, name, kind, help, unit) in FAMILIES {
            let Some(value) = value(metric) else { continue };
            let mut family = page.family(&format!("DCGM_FI_DEV_{name}"), help, kind);
            match unit {
                Unit::Same => family.sample(&labels, value),
                Unit::Mebibytes => family.sample(&labels, value / MEBIBYTE),
                Unit::Watts => family.sample(&labels, format!("{:.6}", value as f64 / 1e3)),
            }
        }
        let total = value(Metric::GpuMemoryTotalBytes);
        if let (Some(total), Some(used)) = (total, value(Metric::GpuMemoryUsedBytes)) {
            let free = total - used - value(Metric::GpuMemoryReservedBytes).unwrap_or(0);
            page.gauge("DCGM_FI_DEV_FB_FREE", "Framebuffer memory free (in MiB).")
                .sample(&labels, free.max(0) / MEBIBYTE);
        }
        // As there, the last one stays until another comes, and 0 means none.
        let xid = xids.get(&gpu.info.uuid).copied().unwrap_or(0);
        page.gauge("DCGM_FI_DEV_XID_ERRORS", "Value of the last XID error encountered.").sample(&labels, xid);
    }
}
