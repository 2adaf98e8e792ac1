//! Between the wire and the core: the only place that names both.
//!
//! What comes in is checked here against the limits of `agent.proto`, so that the core is handed only well-formed facts;
//! what goes out is put into the units and words of `fleet.proto`.

use ostler_core::detect;
use ostler_core::inventory;
use ostler_core::metric::Metric;
use ostler_core::{fleet, journal};
use ostler_proto::v1;

pub mod decisions;
pub mod incoming;
pub mod outgoing;
pub mod signals;

/// The core's metric for a number of the wire.
pub fn metric(number: i32) -> Option<Metric> {
    u16::try_from(number).ok().and_then(Metric::from_number)
}

/// The wire's number of a metric.
pub fn metric_number(metric: Metric) -> i32 {
    i32::from(metric.number())
}

/// Maps an enumeration of the core to the wire's and back; what the wire adds later is `Unknown` to us.
macro_rules! states {
    ($to_wire:ident, $from_wire:ident, $core:ty, $wire:ty, { $($name:ident = $wire_name:ident,)* }) => {
        /// The wire's number.
        pub fn $to_wire(state: $core) -> i32 {
            (match state {
                $(<$core>::$name => <$wire>::$wire_name,)*
            }) as i32
        }

        /// The core's value; unknown numbers are those of a newer agent.
        pub fn $from_wire(number: i32) -> $core {
            match <$wire>::try_from(number).unwrap_or_default() {
                $(<$wire>::$wire_name => <$core>::$name,)*
            }
        }
    };
}

states!(gpu_state_number, gpu_state, inventory::GpuState, v1::GpuState, {
    Unknown = Unspecified, Ok = Ok, Degraded = Degraded, Lost = Lost, Hung = Hung, Unreadable = Unreadable,
});
states!(engine_state_number, engine_state, inventory::EngineState, v1::EngineState, {
    Unknown = Unspecified, Serving = Serving, Loading = Loading, Down = Down, Timeout = Timeout, Unreadable = Unreadable,
});
states!(engine_kind_number, engine_kind, inventory::EngineKind, v1::EngineKind, {
    Unknown = Unspecified, Vllm = Vllm, Sglang = Sglang, Tgi = Tgi, Triton = Triton, Trtllm = Trtllm,
    LlamaCpp = Llamacpp, Lmdeploy = Lmdeploy, Generic = Generic,
});
states!(source_state_number, source_state, inventory::SourceState, v1::SourceState, {
    Unknown = Unspecified, Ok = Ok, Degraded = Degraded, Hung = Hung, Absent = Absent, Failed = Failed, Released = Released,
});

/// The wire's number of a verdict.
pub fn verdict_number(verdict: detect::Verdict) -> i32 {
    use detect::Verdict;
    (match verdict {
        Verdict::Healthy => v1::Verdict::Healthy,
        Verdict::Left => v1::Verdict::Left,
        Verdict::ObserverIsolated => v1::Verdict::ObserverIsolated,
        Verdict::GlobalFreeze => v1::Verdict::GlobalFreeze,
        Verdict::ZonePartition => v1::Verdict::ZonePartition,
        Verdict::ZoneDown => v1::Verdict::ZoneDown,
        Verdict::NodeDead => v1::Verdict::NodeDead,
        Verdict::NodeUnreachable => v1::Verdict::NodeUnreachable,
        Verdict::NodeSuspect => v1::Verdict::NodeSuspect,
        Verdict::AgentDown => v1::Verdict::AgentDown,
        Verdict::StreamBroken => v1::Verdict::StreamBroken,
        Verdict::Flapping => v1::Verdict::Flapping,
        Verdict::GpuLost => v1::Verdict::GpuLost,
        Verdict::GpuHung => v1::Verdict::GpuHung,
        Verdict::GpuDegraded => v1::Verdict::GpuDegraded,
        Verdict::EngineStalled => v1::Verdict::EngineStalled,
    }) as i32
}

/// The wire's number of a severity.
pub fn severity_number(severity: journal::Severity) -> i32 {
    (match severity {
        journal::Severity::Info => v1::Severity::Info,
        journal::Severity::Warning => v1::Severity::Warning,
        journal::Severity::Critical => v1::Severity::Critical,
    }) as i32
}

/// The wire's number of a freshness.
pub fn freshness_number(freshness: fleet::Freshness) -> i32 {
    (match freshness {
        fleet::Freshness::Fresh => v1::Freshness::Fresh,
        fleet::Freshness::Stale => v1::Freshness::Stale,
        fleet::Freshness::Missing => v1::Freshness::Missing,
        fleet::Freshness::Reset => v1::Freshness::Reset,
    }) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_of_the_wire_and_of_the_core_agree_in_number_and_name() {
        let wire: Vec<(i32, String)> = (1..1_000)
            .filter_map(|number| v1::Metric::try_from(number).ok())
            .map(|metric| {
                (metric as i32, metric.as_str_name().trim_start_matches("METRIC_").to_ascii_lowercase())
            })
            .collect();
        let core: Vec<(i32, String)> =
            Metric::ALL.iter().map(|&metric| (metric_number(metric), metric.name().to_owned())).collect();
        assert_eq!(wire, core);
    }

    #[test]
    fn every_state_of_the_wire_survives_the_way_through_the_core() {
        for number in 0..32 {
            if v1::GpuState::try_from(number).is_ok() {
                assert_eq!(gpu_state_number(gpu_state(number)), number);
            }
            if v1::EngineState::try_from(number).is_ok() {
                assert_eq!(engine_state_number(engine_state(number)), number);
            }
            if v1::EngineKind::try_from(number).is_ok() {
                assert_eq!(engine_kind_number(engine_kind(number)), number);
            }
            if v1::SourceState::try_from(number).is_ok() {
                assert_eq!(source_state_number(source_state(number)), number);
            }
        }
        assert_eq!(gpu_state(999), inventory::GpuState::Unknown);
    }
}
