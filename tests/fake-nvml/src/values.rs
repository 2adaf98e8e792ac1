//! Everything one GPU answers: the keys of `[all]` and `[gpu.N]` in a scenario, and of the profiles.
//!
//! A table lists only what differs: profile, then `[all]`, then `[gpu.N]` are laid over each other, and a key that none of
//! them has takes the value of a healthy idle GPU. Unknown keys are errors.

use serde::Deserialize;

use crate::{abi::NOT_SUPPORTED, signal::Signal};

/// One GPU. Units are in the names; a [`Signal`] may also be `"N/A"`, an error, a wave or a ramp.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Values {
    /// Every call on this GPU, its handle included, answers `GPU_IS_LOST`.
    pub(crate) lost: bool,
    /// Calls that this GPU answers with `NOT_SUPPORTED`, by their C names.
    pub(crate) unsupported: Vec<String>,

    pub(crate) name: String,
    /// Made from the index when absent.
    pub(crate) uuid: Option<String>,
    /// Made from the index when absent.
    pub(crate) serial: Option<String>,
    pub(crate) vbios_version: String,
    /// Made from the index when absent. "00000000:18:00.0"
    pub(crate) pci_bus_id: Option<String>,
    /// Device id in the upper half, vendor in the lower.
    pub(crate) pci_device_id: u32,
    pub(crate) pci_subsystem_id: u32,
    /// The index when absent.
    pub(crate) minor_number: Option<u32>,
    /// Major and minor.
    pub(crate) cuda_compute_capability: [i32; 2],
    /// `NVML_DEVICE_ARCH_*`.
    pub(crate) architecture: u32,
    pub(crate) gsp_firmware_version: Option<String>,

    pub(crate) utilization_percent: Signal,
    pub(crate) memory_utilization_percent: Signal,
    pub(crate) memory_total_bytes: Signal,
    pub(crate) memory_reserved_bytes: Signal,
    /// Without the reserved part.
    pub(crate) memory_used_bytes: Signal,

    pub(crate) temperature_c: Signal,
    pub(crate) memory_temperature_c: Signal,
    /// Distance to the limit at which the GPU slows down (`nvmlDeviceGetMarginTemperature`).
    pub(crate) temperature_margin_c: Signal,
    pub(crate) shutdown_threshold_c: Signal,
    pub(crate) slowdown_threshold_c: Signal,
    pub(crate) memory_max_threshold_c: Signal,
    pub(crate) gpu_max_threshold_c: Signal,
    /// Fields 193-196: as distances to the limit, so usually negative or zero.
    pub(crate) shutdown_tlimit_c: Signal,
    pub(crate) slowdown_tlimit_c: Signal,
    pub(crate) memory_max_tlimit_c: Signal,
    pub(crate) gpu_max_tlimit_c: Signal,

    pub(crate) power_mw: Signal,
    /// Field 185; `power_mw` when absent.
    pub(crate) power_average_mw: Option<Signal>,
    /// Field 186; `power_mw` when absent.
    pub(crate) power_instant_mw: Option<Signal>,
    pub(crate) power_limit_mw: Signal,
    pub(crate) power_limit_default_mw: Signal,
    pub(crate) power_limit_min_mw: Signal,
    pub(crate) power_limit_max_mw: Signal,
    /// When absent, `power_mw` is added up over real time.
    pub(crate) energy_mj: Option<Signal>,

    pub(crate) graphics_clock_mhz: Signal,
    pub(crate) sm_clock_mhz: Signal,
    pub(crate) memory_clock_mhz: Signal,
    pub(crate) video_clock_mhz: Signal,
    pub(crate) graphics_clock_max_mhz: Signal,
    pub(crate) sm_clock_max_mhz: Signal,
    pub(crate) memory_clock_max_mhz: Signal,
    pub(crate) video_clock_max_mhz: Signal,
    /// Bits of `nvmlClocksEventReason*`.
    pub(crate) throttle_reasons: Signal,
    pub(crate) throttle_reasons_supported: Signal,
    pub(crate) power_violation_ns: Signal,
    pub(crate) thermal_violation_ns: Signal,
    pub(crate) sync_boost_violation_ns: Signal,
    pub(crate) board_limit_violation_ns: Signal,
    pub(crate) low_utilization_violation_ns: Signal,
    pub(crate) reliability_violation_ns: Signal,
    pub(crate) hw_thermal_violation_ns: Signal,
    pub(crate) hw_power_brake_violation_ns: Signal,

    pub(crate) ecc_enabled: Signal,
    pub(crate) ecc_pending: Signal,
    pub(crate) ecc_volatile_corrected: Signal,
    pub(crate) ecc_volatile_uncorrected: Signal,
    pub(crate) ecc_aggregate_corrected: Signal,
    pub(crate) ecc_aggregate_uncorrected: Signal,
    /// The part of the aggregates that happened in SRAM; the rest is DRAM.
    pub(crate) ecc_sram_corrected: Signal,
    pub(crate) ecc_sram_uncorrected: Signal,
    pub(crate) ecc_sram_threshold_exceeded: Signal,
    pub(crate) remapped_rows_corrected: Signal,
    pub(crate) remapped_rows_uncorrected: Signal,
    pub(crate) remap_pending: Signal,
    pub(crate) remap_failure: Signal,
    /// Banks with all their spare rows left.
    pub(crate) remap_banks_max: Signal,
    pub(crate) retired_pages_single_bit: Signal,
    pub(crate) retired_pages_double_bit: Signal,
    pub(crate) retired_pages_pending: Signal,
    pub(crate) channel_repair_pending: Signal,
    pub(crate) tpc_repair_pending: Signal,
    /// Field 230: 0 none, 1 GPU reset, 2 node reboot, 3 drain P2P, 4 drain and reset.
    pub(crate) recovery_action: Signal,

    pub(crate) pcie_generation: Signal,
    pub(crate) pcie_generation_max: Signal,
    pub(crate) pcie_width: Signal,
    pub(crate) pcie_width_max: Signal,
    pub(crate) pcie_replays: Signal,
    pub(crate) pcie_replay_rollovers: Signal,
    pub(crate) pcie_tx_kib_s: Signal,
    pub(crate) pcie_rx_kib_s: Signal,

    pub(crate) nvlink_count: u32,
    /// 3 (A100), 4 (H100, H200), 5 (B200): decides which of the error counters exist.
    pub(crate) nvlink_generation: u32,
    pub(crate) nvlink_speed_mbps: Signal,
    /// Links that are down.
    pub(crate) nvlink_inactive: Vec<u32>,
    /// Error counters of each link.
    pub(crate) nvlink_crc_flit_errors: Signal,
    pub(crate) nvlink_crc_data_errors: Signal,
    pub(crate) nvlink_replay_errors: Signal,
    pub(crate) nvlink_recovery_errors: Signal,
    pub(crate) nvlink_ecc_errors: Signal,
    /// Data over all links.
    pub(crate) nvlink_tx_kib: Signal,
    pub(crate) nvlink_rx_kib: Signal,
    /// `NVML_GPU_FABRIC_STATE_*`.
    pub(crate) fabric_state: Signal,
    /// An NVML return code.
    pub(crate) fabric_status: u32,
    pub(crate) fabric_clique_id: u32,
    pub(crate) fabric_health_mask: u32,
    /// `NVML_GPU_FABRIC_HEALTH_SUMMARY_*`.
    pub(crate) fabric_health_summary: u8,

    pub(crate) persistence_mode: Signal,
    pub(crate) performance_state: Signal,
    /// `NVML_GPU_VIRTUALIZATION_MODE_*`: 0 none, 1 passthrough.
    pub(crate) virtualization_mode: Signal,
    pub(crate) compute_mode: Signal,

    /// `"N/A"` where the part has no MIG.
    pub(crate) mig_enabled: Signal,
    /// As `mig_enabled` when absent.
    pub(crate) mig_pending: Option<Signal>,
    pub(crate) mig_instances: Vec<MigInstance>,
    pub(crate) processes: Vec<Process>,
}

/// One compute instance of a GPU in MIG mode.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MigInstance {
    /// Made from the GPU's index and this one's position when absent.
    #[serde(default)]
    pub(crate) uuid: Option<String>,
    pub(crate) gpu_instance: u32,
    #[serde(default)]
    pub(crate) compute_instance: u32,
    /// For example "1g.10gb".
    pub(crate) profile: String,
    pub(crate) memory_total_bytes: u64,
    #[serde(default)]
    pub(crate) memory_used_bytes: u64,
}

/// A process on the GPU.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// Listed by `nvmlDeviceGetGraphicsRunningProcesses` instead of the compute list.
    #[serde(default)]
    pub(crate) graphics: bool,
    #[serde(default)]
    pub(crate) memory_bytes: u64,
    #[serde(default)]
    pub(crate) gpu_instance: Option<u32>,
    #[serde(default)]
    pub(crate) compute_instance: Option<u32>,
    #[serde(default)]
    pub(crate) sm_percent: u32,
    #[serde(default)]
    pub(crate) memory_percent: u32,
}

impl Default for Values {
    #[expect(clippy::too_many_lines, reason = "one line for each key of the format")]
    fn default() -> Self {
        let zero = || Signal::Fixed(0);
        let on = || Signal::Fixed(1);
        let missing = || Signal::Error(NOT_SUPPORTED);
        Self {
            lost: false,
            unsupported: Vec::new(),
            name: "Simulated GPU".to_owned(),
            uuid: None,
            serial: None,
            vbios_version: "00.00.00.00.00".to_owned(),
            pci_bus_id: None,
            pci_device_id: 0x10de,
            pci_subsystem_id: 0x10de,
            minor_number: None,
            cuda_compute_capability: [0, 0],
            architecture: u32::MAX,
            gsp_firmware_version: None,
            utilization_percent: zero(),
            memory_utilization_percent: zero(),
            memory_total_bytes: missing(),
            memory_reserved_bytes: zero(),
            memory_used_bytes: zero(),
            temperature_c: missing(),
            memory_temperature_c: missing(),
            temperature_margin_c: missing(),
            shutdown_threshold_c: missing(),
            slowdown_threshold_c: missing(),
            memory_max_threshold_c: missing(),
            gpu_max_threshold_c: missing(),
            shutdown_tlimit_c: missing(),
            slowdown_tlimit_c: missing(),
            memory_max_tlimit_c: missing(),
            gpu_max_tlimit_c: missing(),
            power_mw: missing(),
            power_average_mw: None,
            power_instant_mw: None,
            power_limit_mw: missing(),
            power_limit_default_mw: missing(),
            power_limit_min_mw: missing(),
            power_limit_max_mw: missing(),
            energy_mj: None,
            graphics_clock_mhz: missing(),
            sm_clock_mhz: missing(),
            memory_clock_mhz: missing(),
            video_clock_mhz: missing(),
            graphics_clock_max_mhz: missing(),
            sm_clock_max_mhz: missing(),
            memory_clock_max_mhz: missing(),
            video_clock_max_mhz: missing(),
            throttle_reasons: on(),
            throttle_reasons_supported: Signal::Fixed(0x1ff),
            power_violation_ns: zero(),
            thermal_violation_ns: zero(),
            sync_boost_violation_ns: zero(),
            board_limit_violation_ns: zero(),
            low_utilization_violation_ns: zero(),
            reliability_violation_ns: zero(),
            hw_thermal_violation_ns: zero(),
            hw_power_brake_violation_ns: zero(),
            ecc_enabled: on(),
            ecc_pending: on(),
            ecc_volatile_corrected: zero(),
            ecc_volatile_uncorrected: zero(),
            ecc_aggregate_corrected: zero(),
            ecc_aggregate_uncorrected: zero(),
            ecc_sram_corrected: zero(),
            ecc_sram_uncorrected: zero(),
            ecc_sram_threshold_exceeded: zero(),
            remapped_rows_corrected: zero(),
            remapped_rows_uncorrected: zero(),
            remap_pending: zero(),
            remap_failure: zero(),
            remap_banks_max: missing(),
            retired_pages_single_bit: missing(),
            retired_pages_double_bit: missing(),
            retired_pages_pending: missing(),
            channel_repair_pending: missing(),
            tpc_repair_pending: missing(),
            recovery_action: zero(),
            pcie_generation: missing(),
            pcie_generation_max: missing(),
            pcie_width: missing(),
            pcie_width_max: missing(),
            pcie_replays: zero(),
            pcie_replay_rollovers: zero(),
            pcie_tx_kib_s: zero(),
            pcie_rx_kib_s: zero(),
            nvlink_count: 0,
            nvlink_generation: 0,
            nvlink_speed_mbps: missing(),
            nvlink_inactive: Vec::new(),
            nvlink_crc_flit_errors: zero(),
            nvlink_crc_data_errors: zero(),
            nvlink_replay_errors: zero(),
            nvlink_recovery_errors: zero(),
            nvlink_ecc_errors: zero(),
            nvlink_tx_kib: zero(),
            nvlink_rx_kib: zero(),
            fabric_state: missing(),
            fabric_status: 0,
            fabric_clique_id: 0,
            fabric_health_mask: 0,
            fabric_health_summary: 0,
            persistence_mode: on(),
            performance_state: zero(),
            virtualization_mode: zero(),
            compute_mode: zero(),
            mig_enabled: zero(),
            mig_pending: None,
            mig_instances: Vec::new(),
            processes: Vec::new(),
        }
    }
}
