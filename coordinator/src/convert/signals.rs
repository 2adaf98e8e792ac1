//! Zones, pools and their signals as the read API gives them.

use ostler_core::detect::Finding;
use ostler_core::id::{PoolId, ZoneId};
use ostler_core::metric::Metric;
use ostler_core::signals::{Counts, Pool, Signals, Total};
use ostler_proto::v1;

use super::outgoing::{self, millis};

/// How much there is.
pub fn counts(counts: &Counts) -> v1::Counts {
    let Counts { nodes, nodes_fresh, gpus, gpus_ok, engines, engines_serving } = *counts;
    v1::Counts { nodes, nodes_fresh, gpus, gpus_ok, engines, engines_serving }
}

/// How it is doing.
pub fn signals(signals: &Signals) -> v1::Signals {
    v1::Signals {
        requests_running: signals.requests_running,
        requests_waiting: signals.requests_waiting,
        kv_cache_usage: signals.kv_cache_usage,
        ttft_p95_seconds: signals.ttft_p95_seconds,
        itl_p95_seconds: signals.itl_p95_seconds,
        generation_tokens_per_second: signals.generation_tokens_per_second,
        prompt_tokens_per_second: signals.prompt_tokens_per_second,
        requests_per_second: signals.requests_per_second,
        errors_per_second: signals.errors_per_second,
        gpu_utilization_percent: signals.gpu_utilization_percent,
        gpu_memory_used_bytes: signals.gpu_memory_used_bytes,
        gpu_memory_total_bytes: signals.gpu_memory_total_bytes,
        gpu_power_watts: signals.gpu_power_watts,
        age_ms: millis(signals.age),
        coverage: signals.coverage,
        freshness: super::freshness_number(signals.freshness),
    }
}

/// A zone.
pub fn zone(name: &ZoneId, total: &Total, found: Option<&Finding>) -> v1::Zone {
    v1::Zone {
        name: name.to_string(),
        counts: Some(counts(&total.counts)),
        signals: Some(signals(&total.signals)),
        verdict: outgoing::verdict(found),
        verdict_reason: outgoing::reason(found),
    }
}

/// A pool.
pub fn pool(name: &PoolId, pool: &Pool) -> v1::Pool {
    v1::Pool {
        name: name.to_string(),
        model: pool.model.to_string(),
        engines: pool.engines,
        engines_serving: pool.engines_serving,
        gpus: pool.gpus,
        zones: pool.zones.iter().map(ToString::to_string).collect(),
        signals: Some(signals(&pool.signals)),
    }
}

/// The metrics that pools and zones have, in the order of [`values`].
pub const METRICS: [Metric; 13] = [
    Metric::EngineRequestsRunning,
    Metric::EngineRequestsWaiting,
    Metric::EngineKvCacheUsagePpm,
    Metric::EngineTtftP95Microseconds,
    Metric::EngineItlP95Microseconds,
    Metric::EngineGenerationTokensMilliPerSecond,
    Metric::EnginePromptTokensMilliPerSecond,
    Metric::EngineRequestsMilliPerSecond,
    Metric::EngineErrorsMilliPerSecond,
    Metric::GpuUtilizationPercent,
    Metric::GpuMemoryUsedBytes,
    Metric::GpuMemoryTotalBytes,
    Metric::GpuPowerMilliwatts,
];

/// The signals in the units of [`METRICS`].
pub fn values(signals: &Signals) -> [Option<f64>; METRICS.len()] {
    let times = |value: Option<f64>, factor: f64| value.map(|value| value * factor);
    [
        signals.requests_running,
        signals.requests_waiting,
        times(signals.kv_cache_usage, 1e6),
        times(signals.ttft_p95_seconds, 1e6),
        times(signals.itl_p95_seconds, 1e6),
        times(signals.generation_tokens_per_second, 1e3),
        times(signals.prompt_tokens_per_second, 1e3),
        times(signals.requests_per_second, 1e3),
        times(signals.errors_per_second, 1e3),
        signals.gpu_utilization_percent,
        signals.gpu_memory_used_bytes,
        signals.gpu_memory_total_bytes,
        times(signals.gpu_power_watts, 1e3),
    ]
}
