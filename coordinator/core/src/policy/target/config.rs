//! What an autoscaler is told: `autoscaling/v2` without its names of Kubernetes objects.

use std::time::Duration;

use super::reason::ConditionReason;
use crate::policy::limits::Limits;
use crate::policy::observation::{MetricName, Milli};

/// Metrics that one autoscaler can have.
pub const METRICS_MAX: usize = 32;

/// One autoscaler.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The fewest and the most replicas.
    pub limits: Limits,
    /// 1 to [`METRICS_MAX`]; the one that asks for most decides.
    pub metrics: Vec<Metric>,
    /// How far from the target is near enough.
    pub tolerances: Tolerances,
    /// Windows and rates; without it, the largest count of `downscale_stabilization` holds, and one decision at most
    /// doubles the pool, or brings it to 4.
    pub behavior: Option<Behavior>,
    /// How long a larger count holds, where no `behavior` says otherwise.
    pub downscale_stabilization: Duration,
    /// For how long after its start a replica's CPU use is taken for its warm-up while it is unready.
    pub cpu_initialization: Duration,
    /// A replica that became unready within this of its start counts as never ready.
    pub initial_readiness_delay: Duration,
    /// Whether the pool may be put to sleep and woken.
    pub zero: ZeroReplicas,
}

impl Config {
    /// With Kubernetes' defaults (`config/v1alpha1/defaults.go`).
    pub fn new(limits: Limits, metrics: Vec<Metric>) -> Config {
        Config {
            limits,
            metrics,
            tolerances: Tolerances::default(),
            behavior: None,
            downscale_stabilization: Duration::from_secs(300),
            cpu_initialization: Duration::from_secs(300),
            initial_readiness_delay: Duration::from_secs(30),
            zero: ZeroReplicas::Manual,
        }
    }

    /// Stops at a config that nobody may write: without metrics it would ask for nothing.
    pub(super) fn check(&self) {
        assert!(
            (1..=METRICS_MAX).contains(&self.metrics.len()),
            "an autoscaler has 1 to {METRICS_MAX} metrics"
        );
        assert!(self.metrics.iter().all(|metric| metric.source.is_reachable()), "a target is positive");
    }

    pub(super) fn min(&self) -> i32 {
        i32::try_from(self.limits.min()).expect("limits are below REPLICAS_MAX")
    }

    pub(super) fn max(&self) -> i32 {
        i32::try_from(self.limits.max()).expect("limits are below REPLICAS_MAX")
    }

    /// Whether a metric has a value while the pool has no replica.
    pub(super) fn sees_beyond_replicas(&self) -> bool {
        self.metrics.iter().any(|metric| match metric.source {
            Source::Object(_) | Source::External(_) => true,
            Source::Resource { .. } | Source::ContainerResource { .. } | Source::Pods { .. } => false,
        })
    }
}

/// What zero replicas mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZeroReplicas {
    /// Someone switched the pool off, and only they switch it on.
    Manual,
    /// The autoscaler may have put it to sleep, and then wakes it (Kubernetes' gate `HPAScaleToZero`).
    Allowed,
}

/// One metric and its target.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Which reading, and which request where the target is a utilization.
    pub name: MetricName,
    /// Whose reading, and the target.
    pub source: Source,
}

/// Whose reading a metric is. Targets are positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A resource of each replica.
    Resource {
        /// Which one.
        kind: ResourceKind,
        /// The target.
        target: ResourceTarget,
    },
    /// A resource of one container of each replica.
    ContainerResource {
        /// Which one.
        kind: ResourceKind,
        /// The target.
        target: ResourceTarget,
    },
    /// Something else of each replica.
    Pods {
        /// The target of the mean.
        average: Milli,
    },
    /// One thing that belongs to the pool, for example a gateway.
    Object(PoolTarget),
    /// Something outside.
    External(PoolTarget),
}

impl Source {
    /// Whether the target is positive: nothing can be held against 0.
    fn is_reachable(self) -> bool {
        match self {
            Source::Resource { target, .. } | Source::ContainerResource { target, .. } => match target {
                ResourceTarget::UtilizationPercent(percent) => percent > 0,
                ResourceTarget::AverageValue(target) => target.0 > 0,
            },
            Source::Pods { average } => average.0 > 0,
            Source::Object(target) | Source::External(target) => match target {
                PoolTarget::Value(target) | PoolTarget::AverageValue(target) => target.0 > 0,
            },
        }
    }

    /// Why scaling is not active when it cannot be read.
    pub(super) fn failed(self) -> ConditionReason {
        match self {
            Source::Resource { .. } => ConditionReason::FailedGetResourceMetric,
            Source::ContainerResource { .. } => ConditionReason::FailedGetContainerResourceMetric,
            Source::Pods { .. } => ConditionReason::FailedGetPodsMetric,
            Source::Object(_) => ConditionReason::FailedGetObjectMetric,
            Source::External(_) => ConditionReason::FailedGetExternalMetric,
        }
    }
}

/// Which resource: only CPU is high while a replica warms up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// Processor time; unready replicas that warm up are not counted.
    Cpu,
    /// Memory and all others.
    Other,
}

/// What a resource of the replicas is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceTarget {
    /// Percent of what the replicas asked for, at least 1.
    UtilizationPercent(u16),
    /// The mean, whatever they asked for.
    AverageValue(Milli),
}

/// What a value of the pool is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolTarget {
    /// The value itself.
    Value(Milli),
    /// The value divided by the replicas.
    AverageValue(Milli),
}

/// A share of the target, for example 0.1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Tolerance(f64);

impl Tolerance {
    /// Kubernetes' `--horizontal-pod-autoscaler-tolerance`.
    pub const DEFAULT: Tolerance = Tolerance(0.1);

    /// None when it is negative or not finite.
    pub fn new(share: f64) -> Option<Tolerance> {
        (share.is_finite() && share >= 0.0).then_some(Tolerance(share))
    }
}

/// How far over and under the target is near enough.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerances {
    /// Under it.
    pub scale_down: Tolerance,
    /// Over it.
    pub scale_up: Tolerance,
}

impl Default for Tolerances {
    fn default() -> Tolerances {
        Tolerances { scale_down: Tolerance::DEFAULT, scale_up: Tolerance::DEFAULT }
    }
}

impl Tolerances {
    /// Whether a ratio of value to target is near enough to 1.
    pub(super) fn hold(self, ratio: f64) -> bool {
        1.0 - self.scale_down.0 <= ratio && ratio <= 1.0 + self.scale_up.0
    }
}

/// Windows and rates of both directions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behavior {
    /// Of growing.
    pub scale_up: Rules,
    /// Of shrinking.
    pub scale_down: Rules,
}

/// Window and rates of one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// For how long the most careful count holds; at most 1 h.
    pub stabilization: Duration,
    /// Which of the policies counts.
    pub select: Select,
    /// At least one.
    pub policies: Vec<RatePolicy>,
}

impl Rules {
    /// What Kubernetes fills in for growing (`apis/autoscaling/v2/defaults.go`).
    pub fn scale_up_default() -> Rules {
        let period = Duration::from_secs(15);
        Rules {
            stabilization: Duration::ZERO,
            select: Select::Max,
            policies: vec![
                RatePolicy::Replicas { value: 4, period },
                RatePolicy::Percent { value: 100, period },
            ],
        }
    }

    /// What Kubernetes fills in for shrinking; its window is that of the controller, see
    /// [`Config::downscale_stabilization`].
    pub fn scale_down_default(stabilization: Duration) -> Rules {
        let period = Duration::from_secs(15);
        Rules {
            stabilization,
            select: Select::Max,
            policies: vec![RatePolicy::Percent { value: 100, period }],
        }
    }

    /// The longest period of its policies.
    pub(super) fn longest_period(&self) -> Duration {
        self.policies.iter().map(|policy| policy.period()).max().unwrap_or_default()
    }
}

/// Which of several rates counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    /// The one that allows the largest change.
    Max,
    /// The one that allows the smallest change.
    Min,
    /// None: the pool does not change in this direction.
    Disabled,
}

/// How much the pool may change within a period of at most 30 min.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RatePolicy {
    /// By so many replicas.
    Replicas {
        /// Positive.
        value: u32,
        /// Within this time.
        period: Duration,
    },
    /// By so many percent of what it had when the period began.
    Percent {
        /// Positive.
        value: u32,
        /// Within this time.
        period: Duration,
    },
}

impl RatePolicy {
    pub(super) fn period(self) -> Duration {
        match self {
            RatePolicy::Replicas { period, .. } | RatePolicy::Percent { period, .. } => period,
        }
    }
}
