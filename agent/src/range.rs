//! The values each metric can have, as `metrics.proto` says.
//!
//! A coordinator refuses a row with any other value and ends the stream. A driver or an engine does give nonsense now
//! and then (101 %, a negative size), and one wrong number must not blind the whole node: it counts as absent.

use std::ops::RangeInclusive;

use ostler_proto::v1::Metric;

/// The largest value of a metric that has no tighter bound: 2^53, up to which a double is exact.
const VALUE_MAX: i64 = 1 << 53;

/// The values that a coordinator takes for a metric. Zero is always one of them.
#[must_use]
pub fn allowed(metric: Metric) -> RangeInclusive<i64> {
    let name = metric.as_str_name();
    let ends = |unit: &str| name.ends_with(unit);
    match metric {
        Metric::GpuRowRemapPending
        | Metric::GpuRowRemapFailed
        | Metric::GpuMigEnabled
        | Metric::GpuSramEccThresholdExceeded
        | Metric::EngineUp => 0..=1,
        Metric::GpuRecoveryAction | Metric::GpuFabricState => 0..=255,
        _ if name.starts_with("METRIC_GPU_PCIE_LINK") => 0..=256,
        _ if ends("_PERCENT") => 0..=100,
        _ if ends("_PPM") => 0..=1_000_000,
        _ if ends("_CELSIUS") => -300..=300,
        _ if ends("_MILLIWATTS") => 0..=10_000_000,
        _ if ends("_MEGAHERTZ") => 0..=100_000,
        _ => 0..=VALUE_MAX,
    }
}
