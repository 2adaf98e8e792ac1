//! One metric of an autoscaler.

use ostler_core::policy::observation::MetricName;
use ostler_core::policy::target::{Metric, PoolTarget, ResourceKind, ResourceTarget, Source};

use serde_json::Value;

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

    /// What tells its series from others of its name: the selector, and the object.
    fn series(&self) -> [Option<&Value>; 2] {
        let MetricSpec { kind: _, resource: _, container_resource: _, pods, object, external } = self;
        let named = [pods, external].into_iter().flatten().map(|it| &it.metric);
        let selector = named.chain(object.as_ref().map(|it| &it.metric)).find_map(|it| it.selector.as_ref());
        [selector, object.as_ref().and_then(|it| it.described_object.as_ref())]
    }
}

/// Refuses metrics that differ in what is read and not used: they would be given the same readings.
pub(super) fn told_apart(specs: &[MetricSpec], metrics: &[Metric]) -> Result<(), Wrong> {
    let series = |index: usize| (specs[index].series(), matches!(specs[index].kind, MetricKind::Object));
    for (index, metric) in metrics.iter().enumerate() {
        let clashes = |before: &usize| {
            let other = &metrics[*before];
            other.name == metric.name
                && of_replicas(&other.source) == of_replicas(&metric.source)
                && series(*before) != series(index)
        };
        if let Some(before) = (0..index).find(clashes) {
            let problem = format!(
                "is called {:?} as spec.metrics[{before}] is, of another series: readings are known by their names \
                 alone, so give it a name of its own",
                metric.name.as_str()
            );
            return Err(Wrong::new(&format!("spec.metrics[{index}]"), problem));
        }
    }
    Ok(())
}

/// Whether a metric has a reading in each replica, and not one of the pool.
fn of_replicas(source: &Source) -> bool {
    match source {
        Source::Resource { .. } | Source::ContainerResource { .. } | Source::Pods { .. } => true,
        Source::Object(_) | Source::External(_) => false,
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
