//! Inputs and expectations of Kubernetes' own tests (`replica_calculator_test.go`, `horizontal_test.go`), and what they
//! leave out. Recorded decisions are in `tests/hpa.rs`.

mod conditions;
mod metrics;
mod rates;

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::policy::limits::Limits;
use crate::policy::observation::{MetricName, Milli, Phase, Readiness, Reading, Readings, Replica, Sample};

const NOW: Time = Time::from_millis(1_000_000_000);

const NAME: &str = "cpu";

fn name() -> MetricName {
    NAME.into()
}

fn ago(seconds: u64) -> Time {
    NOW - Duration::from_secs(seconds)
}

/// A reading of now over the last minute.
fn reading(value: i64) -> Reading {
    Reading::Fresh(Sample { value: Milli(value), at: NOW, window: Duration::from_secs(60) })
}

/// A replica that has served for long and asked for one unit.
fn cool(value: i64) -> Replica {
    Replica {
        phase: Phase::Running,
        readiness: Readiness::Ready(ago(3600)),
        leaving: false,
        started: Some(ago(3600)),
        readings: Readings::from_iter([(name(), reading(value))]),
        requests: BTreeMap::from([(name(), Milli(1000))]),
    }
}

/// One that was never ready.
fn unready(value: i64) -> Replica {
    Replica { readiness: Readiness::Unready(ago(3600)), ..cool(value) }
}

/// One that started just now and is ready.
fn hot(value: i64) -> Replica {
    Replica { readiness: Readiness::Ready(NOW), started: Some(NOW), ..cool(value) }
}

/// One without a reading.
fn silent() -> Replica {
    Replica { readings: Readings::default(), ..cool(0) }
}

fn asking(value: i64, request: i64) -> Replica {
    Replica { requests: BTreeMap::from([(name(), Milli(request))]), ..cool(value) }
}

fn pool(current: u32, replicas: Vec<Replica>) -> Pool {
    Pool { replicas_wanted: current, replicas_existing: current, replicas, readings: Readings::default() }
}

/// With a value of the pool as a whole.
fn pool_at(current: u32, replicas: Vec<Replica>, value: i64) -> Pool {
    Pool { readings: Readings::from_iter([(name(), reading(value))]), ..pool(current, replicas) }
}

fn config(min: u32, max: u32, source: Source) -> Config {
    Config::new(Limits::new(min, max).unwrap(), vec![Metric { name: name(), source }])
}

fn utilization(percent: u16) -> Source {
    Source::Resource { kind: ResourceKind::Cpu, target: ResourceTarget::UtilizationPercent(percent) }
}

fn pods(average: i64) -> Source {
    Source::Pods { average: Milli(average) }
}

fn condition(proposal: &Proposal, kind: ConditionKind) -> Option<(bool, ConditionReason)> {
    let known = proposal.conditions.iter().find(|condition| condition.kind == kind);
    known.map(|condition| (condition.holds, condition.reason))
}
