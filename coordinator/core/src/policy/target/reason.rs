//! Why the autoscaler wants what it wants.

use std::fmt;

use crate::policy::observation::{MetricName, Reading};

/// One step of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The pool is switched off.
    Disabled,
    /// There are more replicas than allowed.
    AboveMax {
        /// The limit.
        max: u32,
    },
    /// There are fewer replicas than allowed.
    BelowMin {
        /// The limit.
        min: u32,
    },
    /// What one metric asks for.
    MetricAsks {
        /// Which one.
        metric: MetricName,
        /// The count; below 0 when its value is.
        replicas: i32,
    },
    /// One metric cannot say.
    MetricFailed {
        /// Which one.
        metric: MetricName,
        /// Why.
        failure: Failure,
    },
    /// Nothing changes, because what failed might have asked for more.
    Held {
        /// Metrics that failed.
        failed: usize,
        /// Of so many.
        metrics: usize,
    },
    /// What the metrics ask for together.
    Asked {
        /// The one that asks for most.
        metric: MetricName,
        /// The count.
        replicas: i32,
    },
    /// Less was asked for recently.
    ScaleUpStabilized {
        /// What is asked for now.
        asked: i32,
        /// What it became.
        replicas: i32,
    },
    /// More was asked for recently.
    ScaleDownStabilized {
        /// What is asked for now.
        asked: i32,
        /// What it became.
        replicas: i32,
    },
    /// It was too much or too little at once or at all.
    Limited {
        /// What was wanted.
        asked: i32,
        /// What it became.
        replicas: i32,
        /// By which limit.
        by: ConditionReason,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Disabled => f.write_str("the pool is switched off: it has no replicas"),
            Reason::AboveMax { max } => write!(f, "there are more replicas than the maximum of {max}"),
            Reason::BelowMin { min } => write!(f, "there are fewer replicas than the minimum of {min}"),
            Reason::MetricAsks { metric, replicas } => write!(f, "{metric} asks for {replicas}"),
            Reason::MetricFailed { metric, failure } => write!(f, "{metric} cannot be used: {failure}"),
            Reason::Held { failed, metrics } => {
                write!(f, "nothing changes: {failed} of {metrics} metrics cannot be used")
            }
            Reason::Asked { metric, replicas } => write!(f, "{metric} asks for most: {replicas}"),
            Reason::ScaleUpStabilized { asked, replicas } => {
                write!(f, "{replicas} instead of {asked}: less was asked for recently")
            }
            Reason::ScaleDownStabilized { asked, replicas } => {
                write!(f, "{replicas} instead of {asked}: more was asked for recently")
            }
            Reason::Limited { asked, replicas, by } => write!(f, "{replicas} instead of {asked}: {by}"),
        }
    }
}

/// Why a metric cannot say how many replicas it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The pool has no replica that could be counted.
    NoReplicas,
    /// No replica that counts has a reading.
    NoReadings,
    /// A replica does not say what it asked for.
    NoRequest,
    /// The replicas asked for nothing.
    NothingRequested,
    /// The value of the pool is not a fresh number.
    Unreadable(Reading),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NoReplicas => f.write_str("the pool has no replicas"),
            Failure::NoReadings => f.write_str("no replica that counts has a reading"),
            Failure::NoRequest => f.write_str("a replica has no request for it"),
            Failure::NothingRequested => f.write_str("the requests add up to nothing"),
            Failure::Unreadable(reading) => write!(f, "its value is {reading}"),
        }
    }
}

/// Why a condition holds or does not, in Kubernetes' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionReason {
    /// The current count is known.
    SucceededGetScale,
    /// Nothing is in the way of a change.
    ReadyForNewScale,
    /// A window keeps the pool from growing as asked.
    ScaleUpStabilized,
    /// A window keeps the pool from shrinking as asked.
    ScaleDownStabilized,
    /// The pool is switched off.
    ScalingDisabled,
    /// A metric could be used.
    ValidMetricFound,
    /// A resource could not be read.
    FailedGetResourceMetric,
    /// A container's resource could not be read.
    FailedGetContainerResourceMetric,
    /// A metric of the replicas could not be read.
    FailedGetPodsMetric,
    /// A metric of an object could not be read.
    FailedGetObjectMetric,
    /// A metric from outside could not be read.
    FailedGetExternalMetric,
    /// The count is what was wanted.
    DesiredWithinRange,
    /// The pool would grow faster than allowed.
    ScaleUpLimit,
    /// The pool would shrink faster than allowed.
    ScaleDownLimit,
    /// The maximum.
    TooManyReplicas,
    /// The minimum.
    TooFewReplicas,
}

impl ConditionReason {
    /// The word that Kubernetes has for it.
    pub const fn name(self) -> &'static str {
        match self {
            ConditionReason::SucceededGetScale => "SucceededGetScale",
            ConditionReason::ReadyForNewScale => "ReadyForNewScale",
            ConditionReason::ScaleUpStabilized => "ScaleUpStabilized",
            ConditionReason::ScaleDownStabilized => "ScaleDownStabilized",
            ConditionReason::ScalingDisabled => "ScalingDisabled",
            ConditionReason::ValidMetricFound => "ValidMetricFound",
            ConditionReason::FailedGetResourceMetric => "FailedGetResourceMetric",
            ConditionReason::FailedGetContainerResourceMetric => "FailedGetContainerResourceMetric",
            ConditionReason::FailedGetPodsMetric => "FailedGetPodsMetric",
            ConditionReason::FailedGetObjectMetric => "FailedGetObjectMetric",
            ConditionReason::FailedGetExternalMetric => "FailedGetExternalMetric",
            ConditionReason::DesiredWithinRange => "DesiredWithinRange",
            ConditionReason::ScaleUpLimit => "ScaleUpLimit",
            ConditionReason::ScaleDownLimit => "ScaleDownLimit",
            ConditionReason::TooManyReplicas => "TooManyReplicas",
            ConditionReason::TooFewReplicas => "TooFewReplicas",
        }
    }
}

impl fmt::Display for ConditionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ConditionReason::SucceededGetScale => "the current count is known",
            ConditionReason::ReadyForNewScale => "nothing is in the way of a change",
            ConditionReason::ScaleUpStabilized => "less was asked for recently",
            ConditionReason::ScaleDownStabilized => "more was asked for recently",
            ConditionReason::ScalingDisabled => "the pool is switched off",
            ConditionReason::ValidMetricFound => "a metric could be used",
            ConditionReason::FailedGetResourceMetric => "a resource could not be read",
            ConditionReason::FailedGetContainerResourceMetric => "a container's resource could not be read",
            ConditionReason::FailedGetPodsMetric => "a metric of the replicas could not be read",
            ConditionReason::FailedGetObjectMetric => "a metric of an object could not be read",
            ConditionReason::FailedGetExternalMetric => "a metric from outside could not be read",
            ConditionReason::DesiredWithinRange => "the count is within the limits",
            ConditionReason::ScaleUpLimit => "the pool would grow faster than allowed",
            ConditionReason::ScaleDownLimit => "the pool would shrink faster than allowed",
            ConditionReason::TooManyReplicas => "the maximum",
            ConditionReason::TooFewReplicas => "the minimum",
        })
    }
}
