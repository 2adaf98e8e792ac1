//! Every number that is measured: its name, owner, kind and range.
//!
//! A value is a whole number in the unit that the name ends with, so it is never NaN or infinite. The numbers equal
//! those of the wire's `Metric`; a test of the shell holds the two tables together.

use std::ops::RangeInclusive;

/// What a metric belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// One GPU.
    Gpu,
    /// One inference server process.
    Engine,
    /// The node itself.
    Host,
}

/// How values of a metric relate over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A level; means over time make sense.
    Gauge,
    /// Counts up; a lower value than before means that it started again.
    Counter,
}

/// The largest value of a metric that has no tighter bound: 2^53, up to which a double is exact.
pub const VALUE_MAX: i64 = 1 << 53;

macro_rules! metrics {
    ($($variant:ident = $number:literal, $name:literal, $owner:ident, $kind:ident, $min:expr, $max:expr;)*) => {
        /// What a series measures. The unit ends the name; see `metrics.proto` for meanings.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u16)]
        #[allow(missing_docs)]
        pub enum Metric {
            $($variant = $number,)*
        }

        impl Metric {
            /// All metrics, in order of their numbers.
            pub const ALL: &[Metric] = &[$(Metric::$variant,)*];

            /// The metric with this number, if there is one.
            pub const fn from_number(number: u16) -> Option<Metric> {
                match number {
                    $($number => Some(Metric::$variant),)*
                    _ => None,
                }
            }

            /// For example `gpu_power_milliwatts`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Metric::$variant => $name,)*
                }
            }

            /// What it belongs to.
            pub const fn owner(self) -> Owner {
                match self {
                    $(Metric::$variant => Owner::$owner,)*
                }
            }

            /// Gauge or counter.
            pub const fn kind(self) -> Kind {
                match self {
                    $(Metric::$variant => Kind::$kind,)*
                }
            }

            /// The values it can have; anything else is a broken or lying agent.
            pub const fn range(self) -> RangeInclusive<i64> {
                match self {
                    $(Metric::$variant => $min..=$max,)*
                }
            }
        }
    };
}

impl Metric {
    /// Its number on the wire.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The metric with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Metric> {
        Metric::ALL.iter().copied().find(|metric| metric.name() == name)
    }
}

metrics! {
    GpuUtilizationPercent = 1, "gpu_utilization_percent", Gpu, Gauge, 0, 100;
    GpuMemoryUtilizationPercent = 2, "gpu_memory_utilization_percent", Gpu, Gauge, 0, 100;
    GpuMemoryUsedBytes = 3, "gpu_memory_used_bytes", Gpu, Gauge, 0, VALUE_MAX;
    GpuMemoryTotalBytes = 4, "gpu_memory_total_bytes", Gpu, Gauge, 0, VALUE_MAX;
    GpuMemoryReservedBytes = 5, "gpu_memory_reserved_bytes", Gpu, Gauge, 0, VALUE_MAX;
    GpuTemperatureCelsius = 6, "gpu_temperature_celsius", Gpu, Gauge, -300, 300;
    GpuMemoryTemperatureCelsius = 7, "gpu_memory_temperature_celsius", Gpu, Gauge, -300, 300;
    GpuTemperatureMarginCelsius = 8, "gpu_temperature_margin_celsius", Gpu, Gauge, -300, 300;
    GpuTemperatureSlowdownCelsius = 9, "gpu_temperature_slowdown_celsius", Gpu, Gauge, -300, 300;
    GpuTemperatureShutdownCelsius = 10, "gpu_temperature_shutdown_celsius", Gpu, Gauge, -300, 300;
    GpuPowerMilliwatts = 11, "gpu_power_milliwatts", Gpu, Gauge, 0, 10_000_000;
    GpuPowerLimitMilliwatts = 12, "gpu_power_limit_milliwatts", Gpu, Gauge, 0, 10_000_000;
    GpuEnergyMillijoulesTotal = 13, "gpu_energy_millijoules_total", Gpu, Counter, 0, VALUE_MAX;
    GpuSmClockMegahertz = 14, "gpu_sm_clock_megahertz", Gpu, Gauge, 0, 100_000;
    GpuMemoryClockMegahertz = 15, "gpu_memory_clock_megahertz", Gpu, Gauge, 0, 100_000;
    GpuSmClockMaxMegahertz = 16, "gpu_sm_clock_max_megahertz", Gpu, Gauge, 0, 100_000;
    GpuMemoryClockMaxMegahertz = 17, "gpu_memory_clock_max_megahertz", Gpu, Gauge, 0, 100_000;
    GpuThrottleReasons = 18, "gpu_throttle_reasons", Gpu, Gauge, 0, VALUE_MAX;
    GpuEccCorrectedVolatileTotal = 19, "gpu_ecc_corrected_volatile_total", Gpu, Counter, 0, VALUE_MAX;
    GpuEccUncorrectedVolatileTotal = 20, "gpu_ecc_uncorrected_volatile_total", Gpu, Counter, 0, VALUE_MAX;
    GpuEccCorrectedAggregateTotal = 21, "gpu_ecc_corrected_aggregate_total", Gpu, Counter, 0, VALUE_MAX;
    GpuEccUncorrectedAggregateTotal = 22, "gpu_ecc_uncorrected_aggregate_total", Gpu, Counter, 0, VALUE_MAX;
    GpuRowsRemappedCorrectable = 23, "gpu_rows_remapped_correctable", Gpu, Gauge, 0, VALUE_MAX;
    GpuRowsRemappedUncorrectable = 24, "gpu_rows_remapped_uncorrectable", Gpu, Gauge, 0, VALUE_MAX;
    GpuRowRemapPending = 25, "gpu_row_remap_pending", Gpu, Gauge, 0, 1;
    GpuRowRemapFailed = 26, "gpu_row_remap_failed", Gpu, Gauge, 0, 1;
    GpuPagesRetiredSingleBit = 27, "gpu_pages_retired_single_bit", Gpu, Gauge, 0, VALUE_MAX;
    GpuPagesRetiredDoubleBit = 28, "gpu_pages_retired_double_bit", Gpu, Gauge, 0, VALUE_MAX;
    GpuPagesRetiredPending = 29, "gpu_pages_retired_pending", Gpu, Gauge, 0, VALUE_MAX;
    GpuPcieLinkGeneration = 30, "gpu_pcie_link_generation", Gpu, Gauge, 0, 256;
    GpuPcieLinkWidth = 31, "gpu_pcie_link_width", Gpu, Gauge, 0, 256;
    GpuPcieLinkGenerationMax = 32, "gpu_pcie_link_generation_max", Gpu, Gauge, 0, 256;
    GpuPcieLinkWidthMax = 33, "gpu_pcie_link_width_max", Gpu, Gauge, 0, 256;
    GpuPcieReplayTotal = 34, "gpu_pcie_replay_total", Gpu, Counter, 0, VALUE_MAX;
    GpuPcieTxKibibytesPerSecond = 35, "gpu_pcie_tx_kibibytes_per_second", Gpu, Gauge, 0, VALUE_MAX;
    GpuPcieRxKibibytesPerSecond = 36, "gpu_pcie_rx_kibibytes_per_second", Gpu, Gauge, 0, VALUE_MAX;
    GpuNvlinkActiveLinks = 37, "gpu_nvlink_active_links", Gpu, Gauge, 0, VALUE_MAX;
    GpuNvlinkErrorsTotal = 38, "gpu_nvlink_errors_total", Gpu, Counter, 0, VALUE_MAX;
    GpuNvlinkTxKibibytesTotal = 39, "gpu_nvlink_tx_kibibytes_total", Gpu, Counter, 0, VALUE_MAX;
    GpuNvlinkRxKibibytesTotal = 40, "gpu_nvlink_rx_kibibytes_total", Gpu, Counter, 0, VALUE_MAX;
    GpuRecoveryAction = 41, "gpu_recovery_action", Gpu, Gauge, 0, 255;
    GpuMigEnabled = 42, "gpu_mig_enabled", Gpu, Gauge, 0, 1;
    GpuMigInstances = 43, "gpu_mig_instances", Gpu, Gauge, 0, VALUE_MAX;
    GpuProcesses = 44, "gpu_processes", Gpu, Gauge, 0, VALUE_MAX;
    GpuProcessMemoryUsedBytes = 45, "gpu_process_memory_used_bytes", Gpu, Gauge, 0, VALUE_MAX;
    GpuXidErrorsTotal = 46, "gpu_xid_errors_total", Gpu, Counter, 0, VALUE_MAX;
    GpuFabricState = 47, "gpu_fabric_state", Gpu, Gauge, 0, 255;
    GpuSramEccThresholdExceeded = 48, "gpu_sram_ecc_threshold_exceeded", Gpu, Gauge, 0, 1;
    GpuNvmlCallMicrosecondsMax = 49, "gpu_nvml_call_microseconds_max", Gpu, Gauge, 0, VALUE_MAX;
    EngineUp = 101, "engine_up", Engine, Gauge, 0, 1;
    EngineRequestsRunning = 102, "engine_requests_running", Engine, Gauge, 0, VALUE_MAX;
    EngineRequestsWaiting = 103, "engine_requests_waiting", Engine, Gauge, 0, VALUE_MAX;
    EngineKvCacheUsagePpm = 104, "engine_kv_cache_usage_ppm", Engine, Gauge, 0, 1_000_000;
    EngineKvCacheCapacityTokens = 105, "engine_kv_cache_capacity_tokens", Engine, Gauge, 0, VALUE_MAX;
    EngineTtftP50Microseconds = 106, "engine_ttft_p50_microseconds", Engine, Gauge, 0, VALUE_MAX;
    EngineTtftP95Microseconds = 107, "engine_ttft_p95_microseconds", Engine, Gauge, 0, VALUE_MAX;
    EngineTtftP99Microseconds = 108, "engine_ttft_p99_microseconds", Engine, Gauge, 0, VALUE_MAX;
    EngineItlP50Microseconds = 109, "engine_itl_p50_microseconds", Engine, Gauge, 0, VALUE_MAX;
    EngineItlP95Microseconds = 110, "engine_itl_p95_microseconds", Engine, Gauge, 0, VALUE_MAX;
    EngineItlP99Microseconds = 111, "engine_itl_p99_microseconds", Engine, Gauge, 0, VALUE_MAX;
    EngineE2eP50Microseconds = 112, "engine_e2e_p50_microseconds", Engine, Gauge, 0, VALUE_MAX;
    EngineE2eP95Microseconds = 113, "engine_e2e_p95_microseconds", Engine, Gauge, 0, VALUE_MAX;
    EngineE2eP99Microseconds = 114, "engine_e2e_p99_microseconds", Engine, Gauge, 0, VALUE_MAX;
    EngineQueueTimeP50Microseconds = 115, "engine_queue_time_p50_microseconds", Engine, Gauge, 0, VALUE_MAX;
    EngineQueueTimeP95Microseconds = 116, "engine_queue_time_p95_microseconds", Engine, Gauge, 0, VALUE_MAX;
    EngineQueueTimeP99Microseconds = 117, "engine_queue_time_p99_microseconds", Engine, Gauge, 0, VALUE_MAX;
    EnginePromptTokensMilliPerSecond = 118, "engine_prompt_tokens_milli_per_second", Engine, Gauge, 0, VALUE_MAX;
    EngineGenerationTokensMilliPerSecond = 119, "engine_generation_tokens_milli_per_second", Engine, Gauge, 0, VALUE_MAX;
    EngineRequestsMilliPerSecond = 120, "engine_requests_milli_per_second", Engine, Gauge, 0, VALUE_MAX;
    EngineErrorsMilliPerSecond = 121, "engine_errors_milli_per_second", Engine, Gauge, 0, VALUE_MAX;
    EnginePreemptionsMilliPerSecond = 122, "engine_preemptions_milli_per_second", Engine, Gauge, 0, VALUE_MAX;
    EnginePrefixCacheHitPpm = 123, "engine_prefix_cache_hit_ppm", Engine, Gauge, 0, 1_000_000;
    EnginePromptTokensTotal = 124, "engine_prompt_tokens_total", Engine, Counter, 0, VALUE_MAX;
    EngineGenerationTokensTotal = 125, "engine_generation_tokens_total", Engine, Counter, 0, VALUE_MAX;
    EngineRequestsTotal = 126, "engine_requests_total", Engine, Counter, 0, VALUE_MAX;
    EngineErrorsTotal = 127, "engine_errors_total", Engine, Counter, 0, VALUE_MAX;
    EngineCounterResetsTotal = 128, "engine_counter_resets_total", Engine, Counter, 0, VALUE_MAX;
    EngineScrapeMicroseconds = 129, "engine_scrape_microseconds", Engine, Gauge, 0, VALUE_MAX;
    EngineScrapeLinesRejected = 130, "engine_scrape_lines_rejected", Engine, Gauge, 0, VALUE_MAX;
    HostCpuUsedPpm = 201, "host_cpu_used_ppm", Host, Gauge, 0, 1_000_000;
    HostMemoryUsedBytes = 202, "host_memory_used_bytes", Host, Gauge, 0, VALUE_MAX;
    HostMemoryTotalBytes = 203, "host_memory_total_bytes", Host, Gauge, 0, VALUE_MAX;
    HostDiskUsedBytes = 204, "host_disk_used_bytes", Host, Gauge, 0, VALUE_MAX;
    HostDiskTotalBytes = 205, "host_disk_total_bytes", Host, Gauge, 0, VALUE_MAX;
    HostNetworkRxBytesPerSecond = 206, "host_network_rx_bytes_per_second", Host, Gauge, 0, VALUE_MAX;
    HostNetworkTxBytesPerSecond = 207, "host_network_tx_bytes_per_second", Host, Gauge, 0, VALUE_MAX;
    HostDiskReadBytesPerSecond = 208, "host_disk_read_bytes_per_second", Host, Gauge, 0, VALUE_MAX;
    HostDiskWriteBytesPerSecond = 209, "host_disk_write_bytes_per_second", Host, Gauge, 0, VALUE_MAX;
    HostLoad1mMilli = 210, "host_load_1m_milli", Host, Gauge, 0, VALUE_MAX;
    HostPressureCpuSomePpm = 211, "host_pressure_cpu_some_ppm", Host, Gauge, 0, 1_000_000;
    HostPressureMemorySomePpm = 212, "host_pressure_memory_some_ppm", Host, Gauge, 0, 1_000_000;
    HostPressureIoSomePpm = 213, "host_pressure_io_some_ppm", Host, Gauge, 0, 1_000_000;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_back_to_the_metric() {
        for &metric in Metric::ALL {
            assert_eq!(Metric::from_number(metric.number()), Some(metric));
            assert_eq!(Metric::from_name(metric.name()), Some(metric));
            let prefix = match metric.owner() {
                Owner::Gpu => "gpu_",
                Owner::Engine => "engine_",
                Owner::Host => "host_",
            };
            assert!(metric.name().starts_with(prefix), "{}", metric.name());
        }
    }

    #[test]
    fn exactly_the_totals_count_up() {
        for &metric in Metric::ALL {
            assert_eq!(
                metric.kind() == Kind::Counter,
                metric.name().ends_with("_total"),
                "{}",
                metric.name()
            );
        }
    }
}
