//! Above a limit for a time: the alert that scales, of the first sources (REQUIREMENTS, sources A and B).
//!
//! The pool grows when one metric was above its limit for its time, and shrinks when all of them were below theirs. It
//! never shrinks to where the same load would be above a limit again, so that a step down is not followed by a step up.

use std::fmt;
use std::time::Duration;

use super::limits::Limits;
use super::observation::{MetricName, Milli, Pool, Reading};
use super::proposal::{self, Bounds, Evidence, Proposal};
use super::sustained::{Side, Sustained};
use crate::time::Time;

/// Rules that one pool can have.
pub const RULES_MAX: usize = 32;

/// One pool's rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The fewest and the most replicas.
    pub limits: Limits,
    /// 1 to [`RULES_MAX`].
    pub rules: Vec<Rule>,
    /// After a change, nothing changes for so long.
    pub cooldown: Duration,
}

/// When one metric is too high or low, and what then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which reading of the pool.
    pub metric: MetricName,
    /// Above it the pool grows; positive.
    pub above: Milli,
    /// After being above for so long.
    pub above_lasting: Duration,
    /// Below it the pool shrinks; less than `above`.
    pub below: Milli,
    /// After being below for so long.
    pub below_lasting: Duration,
    /// By how much it grows.
    pub grow: Step,
    /// By how much it shrinks.
    pub shrink: Step,
}

/// How far the pool changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// By so many replicas.
    Replicas(u32),
    /// By this share of itself, and by one at least.
    Percent(u16),
    /// To where the same load is at this value; positive.
    Target(Milli),
}

impl Rule {
    /// Above 80 % for 5 minutes, to a target of 80 %, as source A has it; below half of that for as long, by one.
    pub fn source(metric: MetricName) -> Rule {
        let five_minutes = Duration::from_secs(300);
        Rule {
            metric,
            above: Milli::from_units(80),
            above_lasting: five_minutes,
            below: Milli::from_units(40),
            below_lasting: five_minutes,
            grow: Step::Target(Milli::from_units(80)),
            shrink: Step::Replicas(1),
        }
    }

    fn side(&self, value: Milli) -> Option<Side> {
        if value > self.above {
            Some(Side::Above)
        } else if value < self.below {
            Some(Side::Below)
        } else {
            None
        }
    }

    fn grown(&self, replicas: u32, value: Milli) -> u32 {
        let grown = match self.grow {
            Step::Replicas(by) => replicas.saturating_add(by),
            Step::Percent(percent) => replicas.saturating_add(part(replicas, percent)),
            Step::Target(target) => at_target(replicas, value, target),
        };
        grown.max(replicas.saturating_add(1))
    }

    /// Not further than to where the same load stays at or under the upper limit.
    fn shrunk(&self, replicas: u32, value: Milli) -> u32 {
        let shrunk = match self.shrink {
            Step::Replicas(by) => replicas.saturating_sub(by),
            Step::Percent(percent) => replicas.saturating_sub(part(replicas, percent)),
            Step::Target(target) => at_target(replicas, value, target),
        };
        shrunk.max(at_target(replicas, value, self.above)).min(replicas)
    }
}

fn part(replicas: u32, percent: u16) -> u32 {
    u32::try_from(u64::from(replicas) * u64::from(percent) / 100).unwrap_or(u32::MAX).max(1)
}

/// The replicas over which the load of so many at this value is at the target.
fn at_target(replicas: u32, value: Milli, target: Milli) -> u32 {
    assert!(target.0 > 0, "a target is positive");
    let load = u128::from(replicas) * u128::from(value.0.max(0).unsigned_abs());
    u32::try_from(load.div_ceil(u128::from(target.0.unsigned_abs()))).unwrap_or(u32::MAX)
}

/// Kept by the caller between two decisions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// One a rule, in the same order.
    runs: Vec<Sustained>,
    /// When the pool was last changed.
    changed: Option<Time>,
}

impl Memory {
    /// Notes that the pool was changed, by whomever.
    pub fn scaled(&mut self, now: Time) {
        self.changed = Some(now);
    }
}

/// What the rules say.
pub fn propose(pool: &Pool, config: &Config, memory: &mut Memory, now: Time) -> Proposal {
    assert!((1..=RULES_MAX).contains(&config.rules.len()), "a pool has 1 to {RULES_MAX} rules");
    memory.runs.resize(config.rules.len(), Sustained::default());
    let replicas = pool.replicas_wanted;
    let mut reasons = Vec::new();
    let (mut grown, mut shrunk, mut evidence) = (None, Some(0), Evidence::Enough);
    for (rule, run) in config.rules.iter().zip(&mut memory.runs) {
        match look(pool, rule, run, now) {
            Look::Unreadable(reading) => {
                (shrunk, evidence) = (None, Evidence::Lacking);
                reasons.push(Reason::Unreadable { metric: rule.metric.clone(), reading });
            }
            Look::Above(value) => {
                shrunk = None;
                grown = grown.max(Some(rule.grown(replicas, value)));
                reasons.push(Reason::Above { metric: rule.metric.clone(), value, limit: rule.above });
            }
            Look::Below(value) => {
                shrunk = shrunk.map(|least| rule.shrunk(replicas, value).max(least));
                reasons.push(Reason::Below { metric: rule.metric.clone(), value, limit: rule.below });
            }
            Look::Between => shrunk = None,
        }
    }
    let pause = memory.changed.map(|changed| config.cooldown.saturating_sub(now.since(changed)));
    let wanted = if let Some(left) = pause.filter(|left| !left.is_zero()) {
        reasons.push(Reason::Cooldown { left });
        replicas
    } else {
        grown.or(shrunk).map_or(replicas, |asked| limited(asked, config.limits, &mut reasons))
    };
    reasons.push(Reason::Wants { replicas, wanted });
    Proposal {
        replicas: Some(wanted),
        bounds: Bounds::NONE,
        evidence,
        reasons: reasons.into_iter().map(proposal::Reason::Threshold).collect(),
        conditions: Vec::new(),
    }
}

fn limited(asked: u32, limits: Limits, reasons: &mut Vec<Reason>) -> u32 {
    let replicas = limits.clamp(asked);
    if replicas != asked {
        reasons.push(Reason::Limited { asked, replicas });
    }
    replicas
}

/// What one rule sees.
enum Look {
    Above(Milli),
    Below(Milli),
    /// Between its limits, or not beyond one of them for long enough.
    Between,
    Unreadable(Reading),
}

fn look(pool: &Pool, rule: &Rule, run: &mut Sustained, now: Time) -> Look {
    let reading = pool.readings.of(&rule.metric);
    let Some(sample) = reading.fresh() else {
        run.miss();
        return Look::Unreadable(reading);
    };
    let side = rule.side(sample.value);
    let lasting = match side {
        Some(Side::Above) => rule.above_lasting,
        Some(Side::Below) => rule.below_lasting,
        None => Duration::ZERO,
    };
    let lasted = run.see(side, lasting, now);
    match side.filter(|_| lasted) {
        Some(Side::Above) => Look::Above(sample.value),
        Some(Side::Below) => Look::Below(sample.value),
        None => Look::Between,
    }
}

/// One step of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A metric has no number.
    Unreadable {
        /// Which one.
        metric: MetricName,
        /// What it has.
        reading: Reading,
    },
    /// A metric was above its limit for its time.
    Above {
        /// Which one.
        metric: MetricName,
        /// Its value.
        value: Milli,
        /// Its limit.
        limit: Milli,
    },
    /// A metric was below its limit for its time.
    Below {
        /// Which one.
        metric: MetricName,
        /// Its value.
        value: Milli,
        /// Its limit.
        limit: Milli,
    },
    /// The pool was changed not long ago.
    Cooldown {
        /// Until it may change again.
        left: Duration,
    },
    /// What the rules ask for is beyond the limits.
    Limited {
        /// What they ask for.
        asked: u32,
        /// What it became.
        replicas: u32,
    },
    /// What comes of it.
    Wants {
        /// What there is.
        replicas: u32,
        /// What there should be.
        wanted: u32,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Unreadable { metric, reading } => write!(f, "{metric} is {reading}"),
            Reason::Above { metric, value, limit } => {
                write!(f, "{metric} of {value} is above {limit} for long enough")
            }
            Reason::Below { metric, value, limit } => {
                write!(f, "{metric} of {value} is below {limit} for long enough")
            }
            Reason::Cooldown { left } => write!(f, "nothing changes for another {} s", left.as_secs()),
            Reason::Limited { asked, replicas } => write!(f, "{replicas} instead of {asked}: the limits"),
            Reason::Wants { replicas, wanted } if replicas == wanted => write!(f, "{replicas} are right"),
            Reason::Wants { replicas, wanted } => write!(f, "{wanted} instead of {replicas}"),
        }
    }
}

#[cfg(test)]
mod tests;
