//! Settings of `target`: the `spec` of a HorizontalPodAutoscaler (`autoscaling/v2`) as it stands in a cluster, and what the
//! controller beside it is told by its flags.

mod metric;
pub(crate) mod spec;

use std::time::Duration;

use ostler_core::policy::decider::{Beginning, Policy};
use ostler_core::policy::target::{
    Behavior, Config, METRICS_MAX, RatePolicy, Rules, Select, Tolerance, Tolerances, ZeroReplicas,
};
use serde::{Deserialize, Serialize};

use self::spec::{BehaviorSpec, RateKind, RateSpec, RulesSpec, SelectSpec, Spec};
use super::{counted, limits};
use crate::command::policy::format::Wrong;
use crate::command::policy::format::amount::{Seconds, Share};

/// Longest window of `behavior`, as Kubernetes allows.
const STABILIZATION_SECONDS_MAX: u64 = 3_600;

/// Longest period of a rate, as Kubernetes allows.
const PERIOD_SECONDS_MAX: u64 = 1_800;

/// Rates of one direction, far more than anybody wrote.
const POLICIES_MAX: usize = 32;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    pub(crate) spec: Spec,
    /// `--horizontal-pod-autoscaler-tolerance`, 0.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tolerance: Option<Share>,
    /// Of one direction, before `tolerance`; `tolerance` of `behavior` comes before both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tolerance_down: Option<Share>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tolerance_up: Option<Share>,
    /// `--horizontal-pod-autoscaler-downscale-stabilization`, 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) downscale_stabilization_s: Option<Seconds>,
    /// `--horizontal-pod-autoscaler-cpu-initialization-period`, 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cpu_initialization_s: Option<Seconds>,
    /// `--horizontal-pod-autoscaler-initial-readiness-delay`, 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) initial_readiness_delay_s: Option<Seconds>,
    /// The gate `HPAScaleToZero`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) scale_to_zero: bool,
    /// What is remembered at first.
    #[serde(default, skip_serializing_if = "Begin::is_first_count")]
    pub(crate) beginning: Begin,
}

/// What is remembered before the first look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Begin {
    /// The first count, as Kubernetes' controller does.
    #[default]
    FirstCount,
    /// Nothing, as its calculation alone does.
    Nothing,
    /// That the pool was put to sleep.
    Asleep,
}

impl Begin {
    fn is_first_count(&self) -> bool {
        *self == Begin::FirstCount
    }
}

impl Target {
    pub(crate) fn policy(&self) -> Result<Policy, Wrong> {
        let beginning = match self.beginning {
            Begin::FirstCount => Beginning::FirstCount,
            Begin::Nothing => Beginning::Nothing,
            Begin::Asleep => Beginning::Asleep,
        };
        Ok(Policy::Target { config: self.config()?, beginning })
    }

    fn config(&self) -> Result<Config, Wrong> {
        let Spec { scale_target_ref: _, min_replicas, max_replicas, metrics, behavior } = &self.spec;
        let limits =
            limits(min_replicas.unwrap_or(1), *max_replicas).map_err(|wrong| wrong.within("spec"))?;
        counted("spec.metrics", metrics, METRICS_MAX)?;
        let metrics = metrics.iter().enumerate().map(|(index, metric)| {
            metric.metric().map_err(|wrong| wrong.within(&format!("spec.metrics[{index}]")))
        });
        let defaults = Config::new(limits, metrics.collect::<Result<_, _>>()?);
        let seconds = |time: Option<Seconds>, default| time.map_or(default, |time| time.0);
        let downscale_stabilization =
            seconds(self.downscale_stabilization_s, defaults.downscale_stabilization);
        let behavior = behavior.clone().map(|behavior| behavior.rules(downscale_stabilization)).transpose();
        Ok(Config {
            tolerances: self.tolerances()?,
            behavior: behavior.map_err(|wrong| wrong.within("spec.behavior"))?,
            downscale_stabilization,
            cpu_initialization: seconds(self.cpu_initialization_s, defaults.cpu_initialization),
            initial_readiness_delay: seconds(
                self.initial_readiness_delay_s,
                defaults.initial_readiness_delay,
            ),
            zero: if self.scale_to_zero { ZeroReplicas::Allowed } else { ZeroReplicas::Manual },
            ..defaults
        })
    }

    /// One of a direction comes before that of the controller.
    fn tolerances(&self) -> Result<Tolerances, Wrong> {
        let checked = |key: &str, share: Option<Share>| match share {
            None => Ok(None),
            Some(Share(share)) => match Tolerance::new(share) {
                Some(tolerance) => Ok(Some(tolerance)),
                None => Err(Wrong::new(key, "must be 0 or more, for example 0.1")),
            },
        };
        let own = checked("tolerance", self.tolerance)?.unwrap_or(Tolerance::DEFAULT);
        let rules = |of: fn(&BehaviorSpec) -> &Option<RulesSpec>| {
            self.spec.behavior.as_ref().and_then(|behavior| of(behavior).as_ref()?.tolerance)
        };
        let up = checked("spec.behavior.scaleUp.tolerance", rules(|it| &it.scale_up))?;
        let down = checked("spec.behavior.scaleDown.tolerance", rules(|it| &it.scale_down))?;
        let up_here = checked("tolerance_up", self.tolerance_up)?;
        let down_here = checked("tolerance_down", self.tolerance_down)?;
        Ok(Tolerances {
            scale_down: down.or(down_here).unwrap_or(own),
            scale_up: up.or(up_here).unwrap_or(own),
        })
    }
}

impl BehaviorSpec {
    /// What is not said is Kubernetes' default.
    fn rules(self, downscale_stabilization: Duration) -> Result<Behavior, Wrong> {
        let BehaviorSpec { scale_up, scale_down } = self;
        let (up, down) = (scale_up.unwrap_or_default(), scale_down.unwrap_or_default());
        let down_default = Rules::scale_down_default(downscale_stabilization);
        Ok(Behavior {
            scale_up: up.rules(Rules::scale_up_default()).map_err(|wrong| wrong.within("scaleUp"))?,
            scale_down: down.rules(down_default).map_err(|wrong| wrong.within("scaleDown"))?,
        })
    }
}

impl RulesSpec {
    fn rules(self, default: Rules) -> Result<Rules, Wrong> {
        let RulesSpec { stabilization_window_seconds, select_policy, policies, tolerance: _ } = self;
        if stabilization_window_seconds.is_some_and(|seconds| seconds > STABILIZATION_SECONDS_MAX) {
            let problem = format!("must be at most {STABILIZATION_SECONDS_MAX}");
            return Err(Wrong::new("stabilizationWindowSeconds", problem));
        }
        let policies = match policies {
            None => default.policies,
            Some(policies) => {
                counted("policies", &policies, POLICIES_MAX)?;
                let rate = |(index, policy): (usize, &RateSpec)| {
                    policy.rate().map_err(|wrong| wrong.within(&format!("policies[{index}]")))
                };
                policies.iter().enumerate().map(rate).collect::<Result<_, _>>()?
            }
        };
        Ok(Rules {
            stabilization: stabilization_window_seconds.map_or(default.stabilization, Duration::from_secs),
            select: match select_policy {
                None => default.select,
                Some(SelectSpec::Max) => Select::Max,
                Some(SelectSpec::Min) => Select::Min,
                Some(SelectSpec::Disabled) => Select::Disabled,
            },
            policies,
        })
    }
}

impl RateSpec {
    fn rate(&self) -> Result<RatePolicy, Wrong> {
        let RateSpec { kind, value, period_seconds } = *self;
        if value == 0 {
            return Err(Wrong::new("value", "must be over 0"));
        }
        if !(1..=PERIOD_SECONDS_MAX).contains(&period_seconds) {
            return Err(Wrong::new("periodSeconds", format!("must be 1 to {PERIOD_SECONDS_MAX}")));
        }
        let period = Duration::from_secs(period_seconds);
        Ok(match kind {
            RateKind::Pods => RatePolicy::Replicas { value, period },
            RateKind::Percent => RatePolicy::Percent { value, period },
        })
    }
}
