//! The values each metric can have, as `metrics.proto` says.
//!
//! A coordinator refuses a row with any other value and ends the stream. A driver or an engine does give nonsense now
//! and then (101 %, a negative size), and one wrong number must not blind the whole node: it counts as absent.

use std::ops::RangeInclusive;

use ostler_proto::v1::Metric;

/// The largest value of a metric that has no tighter bound: 2^53, up to which a double is exact.
const VALUE_MAX: i64 = 1 << 53;

/// Metrics that say yes or no.
const FLAGS: [Metric; 5] = [
    Metric::GpuRowRemapPending,
    Metric::GpuRowRemapFailed,
    Metric::GpuMigEnabled,
    Metric::GpuSramEccThresholdExceeded,
    Metric::EngineUp,
];

/// Metrics that are a number from a short list of the driver's.
const CODES: [Metric; 2] = [Metric::GpuRecoveryAction, Metric::GpuFabricState];

/// What the values of a unit can be, by the end of the metric's name.
const UNITS: [(&str, RangeInclusive<i64>); 5] = [
    ("_PERCENT", 0..=100),
    ("_PPM", 0..=1_000_000),
    ("_CELSIUS", -300..=300),
    ("_MILLIWATTS", 0..=10_000_000),
    ("_MEGAHERTZ", 0..=100_000),
];

/// The values that a coordinator takes for a metric. Zero is always one of them.
#[must_use]
pub fn allowed(metric: Metric) -> RangeInclusive<i64> {
    let name = metric.as_str_name();
    if FLAGS.contains(&metric) {
        0..=1
    } else if CODES.contains(&metric) {
        0..=255
    } else if name.starts_with("METRIC_GPU_PCIE_LINK") {
        0..=256
    } else {
        let unit = UNITS.iter().find(|(unit, _)| name.ends_with(unit));
        unit.map_or(0..=VALUE_MAX, |(_, range)| range.clone())
    }
}
