//! Cases as Kubernetes' own calculation was recorded: one a line, with its settings, its steps and its decisions.
//!
//! A case becomes a header and snapshots that say the same, so that nothing else has to know this format.

use serde::Deserialize;
use serde_json::Value as Json;

use ostler_core::policy::observation::Milli;

use super::format::amount::{Amount, Seconds, Share};
use super::format::settings::target::spec::{
    BehaviorSpec, Goal, GoalKind, MetricKind, MetricSpec, Named, Spec, ValueSpec,
};
use super::format::settings::target::{Begin, Target};
use super::format::snapshot::{Expect, Once, Phase, Ready, Replica, Snapshot};
use super::format::value::Value;
use super::format::{Header, Wrong, parse};

/// What the metric is called, since cases do not name it.
const METRIC: &str = "metric";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Its number, for people.
    #[serde(rename = "case")]
    _case: Option<Json>,
    target_milli: i64,
    #[serde(rename = "Min")]
    min: u32,
    #[serde(rename = "Max")]
    max: u32,
    tolerance_down: Option<Share>,
    tolerance_up: Option<Share>,
    behavior: Option<BehaviorSpec>,
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    t_s: Seconds,
    current: u32,
    pods: Vec<Pod>,
    proposal: Option<i64>,
    desired: Option<u32>,
    metric_error: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Pod {
    name: Option<String>,
    phase: Phase,
    ready: Ready,
    value_milli: Option<i64>,
}

/// A case as a header and its snapshots.
pub(super) fn case(line: &[u8]) -> Result<(Header, Vec<Snapshot>), Wrong> {
    let Case { _case, target_milli, min, max, tolerance_down, tolerance_up, behavior, steps } = parse(line)?;
    let goal = Goal {
        kind: GoalKind::AverageValue,
        value: None,
        average_value: Some(Amount(Milli(target_milli))),
        average_utilization: None,
    };
    let metric = MetricSpec {
        kind: MetricKind::Pods,
        resource: None,
        container_resource: None,
        pods: Some(ValueSpec { metric: Named { name: METRIC.to_owned() }, target: goal }),
        object: None,
        external: None,
    };
    let spec = Spec {
        scale_target_ref: None,
        min_replicas: Some(min),
        max_replicas: max,
        metrics: vec![metric],
        behavior,
    };
    let target = Target {
        spec,
        tolerance: None,
        tolerance_down,
        tolerance_up,
        downscale_stabilization_s: None,
        cpu_initialization_s: None,
        initial_readiness_delay_s: None,
        scale_to_zero: false,
        beginning: Begin::Nothing,
    };
    let header = Header { target: Some(target), ..Header::empty() };
    Ok((header, steps.into_iter().map(Step::snapshot).collect()))
}

impl Step {
    fn snapshot(self) -> Snapshot {
        let Step { t_s, current, pods, proposal, desired, metric_error } = self;
        let expect = Expect { asked: proposal, replicas: desired, opinion: metric_error.map(|error| !error) };
        Snapshot {
            t_s: Some(t_s),
            time: None,
            replicas_wanted: Some(current),
            replicas_existing: None,
            replicas_serving: None,
            replicas: Some(pods.into_iter().map(Pod::replica).collect()),
            readings: Once::default(),
            decide: true,
            expect: Some(expect).filter(|expect| *expect != Expect::default()),
        }
    }
}

impl Pod {
    fn replica(self) -> Replica {
        let Pod { name, phase, ready, value_milli } = self;
        let value = value_milli.map_or(Value::Missing, |milli| Value::now(Amount(Milli(milli))));
        Replica {
            name,
            phase,
            ready,
            ready_age_s: None,
            started_age_s: None,
            leaving: false,
            readings: Once([(METRIC.to_owned(), value)].into()),
            requests: Once::default(),
        }
    }
}
