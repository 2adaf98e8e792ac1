//! The `spec` of a HorizontalPodAutoscaler, `autoscaling/v2`, key by key.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::command::policy::format::amount::{Amount, Share};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Spec {
    /// Read and not used: there is one pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scale_target_ref: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min_replicas: Option<u32>,
    pub(crate) max_replicas: u32,
    pub(crate) metrics: Vec<MetricSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) behavior: Option<BehaviorSpec>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MetricSpec {
    #[serde(rename = "type")]
    pub(crate) kind: MetricKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<ResourceSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) container_resource: Option<ContainerSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pods: Option<ValueSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<ObjectSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) external: Option<ValueSpec>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum MetricKind {
    Resource,
    ContainerResource,
    Pods,
    Object,
    External,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ResourceSpec {
    pub(crate) name: String,
    pub(crate) target: Goal,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ContainerSpec {
    pub(crate) name: String,
    pub(crate) container: String,
    pub(crate) target: Goal,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ValueSpec {
    pub(crate) metric: Named,
    pub(crate) target: Goal,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ObjectSpec {
    /// Read and not used: the reading's name tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) described_object: Option<Value>,
    pub(crate) metric: Named,
    pub(crate) target: Goal,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    pub(crate) name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Goal {
    #[serde(rename = "type")]
    pub(crate) kind: GoalKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) average_value: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) average_utilization: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum GoalKind {
    Utilization,
    Value,
    AverageValue,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BehaviorSpec {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scale_up: Option<RulesSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) scale_down: Option<RulesSpec>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RulesSpec {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stabilization_window_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) select_policy: Option<SelectSpec>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) policies: Option<Vec<RateSpec>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tolerance: Option<Share>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum SelectSpec {
    Max,
    Min,
    Disabled,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RateSpec {
    #[serde(rename = "type")]
    pub(crate) kind: RateKind,
    pub(crate) value: u32,
    pub(crate) period_seconds: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RateKind {
    Pods,
    Percent,
}
