//! One metric of an autoscaler.

use ostler_core::policy::observation::MetricName;
use ostler_core::policy::target::{Metric, PoolTarget, ResourceKind, ResourceTarget, Source};

use super::super::positive;
use super::spec::{
    ContainerSpec, Goal, GoalKind, MetricKind, MetricSpec, ObjectSpec, ResourceSpec, ValueSpec,
};
use crate::command::policy::format::Wrong;
use crate::command::policy::format::amount::Amount;

impl MetricSpec {
    pub(super) fn metric(&self) -> Result<Metric, Wrong> {
        let MetricSpec { kind, resource, container_resource, pods, object, external } = self;
        let given = [
            ("resource", resource.is_some()),
            ("containerResource", container_resource.is_some()),
            ("pods", pods.is_some()),
            ("object", object.is_some()),
            ("external", external.is_some()),
        ];
        let own = kind.key();
        if let Some((key, _)) = given.iter().find(|(key, given)| *given && *key != own) {
            return Err(Wrong::new(
                key,
                format!("does not belong to a metric of type {kind:?}; leave it off"),
            ));
        }
        let absent = || Wrong::new(own, format!("a metric of type {kind:?} must have it"));
        let (name, source) = match kind {
            MetricKind::Resource => {
                let ResourceSpec { name, target } = resource.as_ref().ok_or_else(absent)?;
                let source = Source::Resource { kind: resource_kind(name), target: target.of_replicas(own)? };
                (name.clone(), source)
            }
            MetricKind::ContainerResource => {
                let ContainerSpec { name, container, target } =
                    container_resource.as_ref().ok_or_else(absent)?;
                let target = target.of_replicas(own)?;
                let source = Source::ContainerResource { kind: resource_kind(name), target };
                (format!("{container}/{name}"), source)
            }
            MetricKind::Pods => {
                let ValueSpec { metric, target } = pods.as_ref().ok_or_else(absent)?;
                (metric.name.clone(), Source::Pods { average: target.average(own)?.0 })
            }
            MetricKind::Object => {
                let ObjectSpec { described_object: _, metric, target } =
                    object.as_ref().ok_or_else(absent)?;
                (metric.name.clone(), Source::Object(target.of_pool(own)?))
            }
            MetricKind::External => {
                let ValueSpec { metric, target } = external.as_ref().ok_or_else(absent)?;
                (metric.name.clone(), Source::External(target.of_pool(own)?))
            }
        };
        Ok(Metric { name: MetricName::from(&*name), source })
    }
}

impl MetricKind {
    fn key(self) -> &'static str {
        match self {
            MetricKind::Resource => "resource",
            MetricKind::ContainerResource => "containerResource",
            MetricKind::Pods => "pods",
            MetricKind::Object => "object",
            MetricKind::External => "external",
        }
    }
}

fn resource_kind(name: &str) -> ResourceKind {
    if name == "cpu" { ResourceKind::Cpu } else { ResourceKind::Other }
}

impl Goal {
    fn of_replicas(&self, key: &str) -> Result<ResourceTarget, Wrong> {
        match self.kind {
            GoalKind::Utilization => match self.average_utilization {
                Some(percent) if percent > 0 => Ok(ResourceTarget::UtilizationPercent(percent)),
                Some(_) | None => {
                    Err(Wrong::new(&format!("{key}.target.averageUtilization"), "must be there, and over 0"))
                }
            },
            GoalKind::AverageValue => Ok(ResourceTarget::AverageValue(self.average(key)?.0)),
            GoalKind::Value => Err(refused(key, "Utilization or AverageValue")),
        }
    }

    fn of_pool(&self, key: &str) -> Result<PoolTarget, Wrong> {
        match self.kind {
            GoalKind::Value => {
                let key = format!("{key}.target.value");
                let value =
                    self.value.ok_or_else(|| Wrong::new(&key, "a target of type Value must have it"))?;
                Ok(PoolTarget::Value(positive(&key, value)?.0))
            }
            GoalKind::AverageValue => Ok(PoolTarget::AverageValue(self.average(key)?.0)),
            GoalKind::Utilization => Err(refused(key, "Value or AverageValue")),
        }
    }

    fn average(&self, key: &str) -> Result<Amount, Wrong> {
        if self.kind != GoalKind::AverageValue {
            return Err(refused(key, "AverageValue"));
        }
        let key = format!("{key}.target.averageValue");
        let average = self.average_value;
        positive(&key, average.ok_or_else(|| Wrong::new(&key, "a target of type AverageValue must have it"))?)
    }
}

fn refused(key: &str, allowed: &str) -> Wrong {
    Wrong::new(&format!("{key}.target.type"), format!("must be {allowed} for this type of metric"))
}
