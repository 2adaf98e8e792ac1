//! Settings of `threshold`, with the numbers of its source: above 80 for 5 minutes, between 3 and 10 replicas.

use ostler_core::policy::decider::Policy;
use ostler_core::policy::observation::MetricName;
use ostler_core::policy::threshold::{self, Config, RULES_MAX};
use serde::{Deserialize, Serialize};

use super::{counted, limits, positive};
use crate::command::policy::format::Wrong;
use crate::command::policy::format::amount::{Amount, Seconds};

/// The fewest and the most replicas of its source (REQUIREMENTS, source A).
const MIN: u32 = 3;
const MAX: u32 = 10;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Threshold {
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u32>,
    rules: Vec<Rule>,
    /// After a change, nothing changes for so long; 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    cooldown_s: Option<Seconds>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    metric: String,
    /// 80.
    #[serde(skip_serializing_if = "Option::is_none")]
    above: Option<Amount>,
    /// 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    above_lasting_s: Option<Seconds>,
    /// Half of `above`.
    #[serde(skip_serializing_if = "Option::is_none")]
    below: Option<Amount>,
    /// 300.
    #[serde(skip_serializing_if = "Option::is_none")]
    below_lasting_s: Option<Seconds>,
    /// To where the load is at `above`.
    #[serde(skip_serializing_if = "Option::is_none")]
    grow: Option<Step>,
    /// By one.
    #[serde(skip_serializing_if = "Option::is_none")]
    shrink: Option<Step>,
}

/// How far the pool changes: `{"replicas": 2}`, `{"percent": 50}` or `{"target": 80}`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Replicas(u32),
    Percent(u16),
    Target(Amount),
}

impl Threshold {
    pub(crate) fn policy(&self) -> Result<Policy, Wrong> {
        let Threshold { min, max, rules, cooldown_s } = self;
        counted("rules", rules, RULES_MAX)?;
        let rule = |(index, rule): (usize, &Rule)| {
            rule.rule().map_err(|wrong| wrong.within(&format!("rules[{index}]")))
        };
        Ok(Policy::Threshold(Config {
            limits: limits(min.unwrap_or(MIN), max.unwrap_or(MAX))?,
            rules: rules.iter().enumerate().map(rule).collect::<Result<_, _>>()?,
            cooldown: cooldown_s.map_or(std::time::Duration::ZERO, |time| time.0),
        }))
    }
}

impl Rule {
    fn rule(&self) -> Result<threshold::Rule, Wrong> {
        let source = threshold::Rule::source(MetricName::from(&*self.metric));
        let above = match self.above {
            Some(above) => positive("above", above)?.0,
            None => source.above,
        };
        let half = ostler_core::policy::observation::Milli(above.0 / 2);
        let below = self.below.map_or(half, |below| below.0);
        if below >= above {
            return Err(Wrong::new("below", format!("must be less than above, which is {above}")));
        }
        let step = |key: &str, step: Option<Step>, default| match step {
            None => Ok(default),
            Some(Step::Replicas(by)) => Ok(threshold::Step::Replicas(by)),
            Some(Step::Percent(percent)) => Ok(threshold::Step::Percent(percent)),
            Some(Step::Target(target)) => {
                positive(&format!("{key}.target"), target).map(|target| threshold::Step::Target(target.0))
            }
        };
        Ok(threshold::Rule {
            above,
            above_lasting: self.above_lasting_s.map_or(source.above_lasting, |time| time.0),
            below,
            below_lasting: self.below_lasting_s.map_or(source.below_lasting, |time| time.0),
            grow: step("grow", self.grow, threshold::Step::Target(above))?,
            shrink: step("shrink", self.shrink, source.shrink)?,
            ..source
        })
    }
}
