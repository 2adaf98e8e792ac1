//! Cases as Kubernetes' own calculation was recorded: one a line, with its settings, its steps and its decisions.
//!
//! A case becomes a header and snapshots that say the same, so that nothing else has to know this format. Keys that are not
//! known are not used, since those who record may add what they like; they are told, so that none is thought to count.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value as Json;

use ostler_core::policy::observation::Milli;

use super::format::amount::{Amount, Seconds, Share};
use super::format::settings::target::spec::{
    BehaviorSpec, Goal, GoalKind, MetricKind, MetricSpec, Named, Spec, ValueSpec,
};
use super::format::settings::target::{Begin, Target};
use super::format::snapshot::{Expect, Once, Phase, Ready, Replica, Snapshot};
use super::format::value::Value;
use super::format::{Header, Item, Wrong, item, parse};

/// What the metric is called, since cases do not name it.
const METRIC: &str = "metric";

/// A case in the format of snapshots.
pub(super) struct Translated {
    pub(super) header: Header,
    pub(super) snapshots: Vec<Snapshot>,
    /// Paths of keys that are not used.
    pub(super) unused: BTreeSet<String>,
}

/// Keys that are not known.
type Unused = BTreeMap<String, IgnoredAny>;

#[derive(Debug, Deserialize)]
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
    #[serde(flatten)]
    unused: Unused,
}

#[derive(Debug, Deserialize)]
struct Step {
    t_s: Seconds,
    current: u32,
    /// An empty list of Go is null.
    pods: Option<Vec<Pod>>,
    proposal: Option<i64>,
    desired: Option<u32>,
    metric_error: Option<MetricError>,
    #[serde(flatten)]
    unused: Unused,
}

/// Whether the metric failed, or its error; an empty text is none.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "true, false, or the text of an error")]
enum MetricError {
    Said(bool),
    Told(String),
}

#[derive(Debug, Deserialize)]
struct Pod {
    name: Option<String>,
    phase: Phase,
    ready: Option<Ready>,
    value_milli: Option<i64>,
    /// When it was told to go, or whether: anything but null and false.
    #[serde(alias = "deletionTimestamp", alias = "deletion_timestamp", alias = "deleted")]
    leaving: Option<Json>,
    #[serde(flatten)]
    unused: Unused,
}

/// Reads a case.
pub(super) fn case(line: &[u8]) -> Result<Translated, Wrong> {
    let case: Case = parse(line).map_err(|wrong| match item(line) {
        Item::Header(_) | Item::Snapshot(_) => {
            Wrong::new("", "is a header or a snapshot and no recorded case; leave --format hpa off")
        }
        Item::BadHeader(_) | Item::BadSnapshot(_) => wrong,
    })?;
    let unused = case.unused();
    let Case { _case, target_milli, min, max, tolerance_down, tolerance_up, behavior, steps, unused: _ } =
        case;
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
        pods: Some(ValueSpec { metric: Named { name: METRIC.to_owned(), selector: None }, target: goal }),
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
    Ok(Translated { header, snapshots: steps.into_iter().map(Step::snapshot).collect(), unused })
}

impl Case {
    /// Paths of keys that are not used, each once however many steps have it.
    fn unused(&self) -> BTreeSet<String> {
        let pods = || self.steps.iter().flat_map(|step| step.pods.iter().flatten());
        let of_case = self.unused.keys().cloned();
        let of_steps =
            self.steps.iter().flat_map(|step| step.unused.keys()).map(|key| format!("steps[].{key}"));
        let of_pods = pods().flat_map(|pod| pod.unused.keys()).map(|key| format!("steps[].pods[].{key}"));
        of_case.chain(of_steps).chain(of_pods).collect()
    }
}

impl Step {
    fn snapshot(self) -> Snapshot {
        let Step { t_s, current, pods, proposal, desired, metric_error, unused: _ } = self;
        let failed = metric_error.map(|error| match error {
            MetricError::Said(failed) => failed,
            MetricError::Told(text) => !text.is_empty(),
        });
        let expect = Expect { asked: proposal, replicas: desired, opinion: failed.map(|failed| !failed) };
        Snapshot {
            t_s: Some(t_s),
            time: None,
            replicas_wanted: Some(current),
            replicas_existing: None,
            replicas_serving: None,
            replicas: Some(pods.into_iter().flatten().map(Pod::replica).collect()),
            readings: Once::default(),
            decide: true,
            expect: Some(expect).filter(|expect| *expect != Expect::default()),
        }
    }
}

impl Pod {
    fn replica(self) -> Replica {
        let Pod { name, phase, ready, value_milli, leaving, unused: _ } = self;
        let value = value_milli.map_or(Value::Missing, |milli| Value::now(Amount(Milli(milli))));
        Replica {
            name,
            phase,
            ready: ready.unwrap_or(Ready::Unreported),
            ready_age_s: None,
            started_age_s: None,
            leaving: leaving.is_some_and(|it| it != Json::Bool(false)),
            readings: Once([(METRIC.to_owned(), value)].into()),
            requests: Once::default(),
        }
    }
}
