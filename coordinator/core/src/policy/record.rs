//! What one decision used and what became of it: for the eye of a person, and to decide again from.
//!
//! A record holds the count that the policy was shown, every value that it reads with its age, its proposal, which of its
//! steps cut what was wanted, and what is left of the proposal after the limits of the pool and the rule that missing
//! data never scales in. Policies that do not decide can be asked beside it, such as what Kubernetes would have done.

use std::time::Duration;

use super::decider::{Decider, Policy};
use super::limits::Limits;
use super::merge::{self, Decision, Ranked, Rule};
use super::observation::{MetricName, Pool, Reading};
use super::proposal::{self, Proposal};
use super::{panic, target, threshold, weighted};
use crate::policy::target::Source;
use crate::time::Time;

/// One pool, the policy that decides for it, and others that are only asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    decides: Decider,
    beside: Vec<Decider>,
    limits: Limits,
}

/// One decision.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// When.
    pub at: Time,
    /// The count that was asked for until now.
    pub replicas_wanted: u32,
    /// Of the policy that decides.
    pub opinion: Opinion,
    /// What comes of it.
    pub decision: Decision,
    /// Of the others, in their order.
    pub beside: Vec<Opinion>,
}

/// What one policy makes of a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinion {
    /// Every value that it reads.
    pub inputs: Vec<Input>,
    /// What it wants.
    pub proposal: Proposal,
}

/// A value that a policy reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Which one.
    pub metric: MetricName,
    /// What is known of it.
    pub seen: InputSeen,
}

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum InputSeen {
    /// Of the pool as a whole.
    Pool {
        /// Its reading.
        reading: Reading,
        /// How old the number is; none when there is no number.
        age: Option<Duration>,
    },
    /// Of each replica.
    Replicas {
        /// Replicas by what they say.
        counts: Counts,
        /// How old the oldest fresh number is; none when there is none.
        age_max: Option<Duration>,
    },
}

/// Replicas by what they say of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// A number of now.
    pub fresh: u32,
    /// A number that is too old.
    pub stale: u32,
    /// No such value.
    pub missing: u32,
    /// No answer.
    pub failed: u32,
    /// No finite number.
    pub not_finite: u32,
    /// A counter that started again.
    pub reset: u32,
}

impl Panel {
    /// Before the first look. The pool's own limits come on top of those that a policy has.
    pub fn new(decides: Policy, beside: Vec<Policy>, limits: Limits) -> Panel {
        Panel {
            decides: Decider::new(decides),
            beside: beside.into_iter().map(Decider::new).collect(),
            limits,
        }
    }

    /// The policy that decides.
    pub fn policy(&self) -> &Policy {
        self.decides.policy()
    }

    /// Those that are only asked.
    pub fn beside(&self) -> impl Iterator<Item = &Policy> {
        self.beside.iter().map(Decider::policy)
    }

    /// Shows the pool to all without a decision.
    pub fn look(&mut self, pool: &Pool, now: Time) {
        self.decides.look(pool, now);
        self.beside.iter_mut().for_each(|decider| decider.look(pool, now));
    }

    /// Shows the pool to all and decides.
    pub fn decide(&mut self, pool: &Pool, now: Time) -> Record {
        let opinion = opinion(&mut self.decides, pool, now);
        let ranked = [Ranked { rank: 0, proposal: opinion.proposal.clone() }];
        let decision = merge::merge(Rule::Priority, pool.replicas_wanted, self.limits, &ranked, &[]);
        let beside = self.beside.iter_mut().map(|decider| self::opinion(decider, pool, now)).collect();
        Record { at: now, replicas_wanted: pool.replicas_wanted, opinion, decision, beside }
    }
}

fn opinion(decider: &mut Decider, pool: &Pool, now: Time) -> Opinion {
    let inputs = inputs(decider.policy(), pool, now);
    Opinion { inputs, proposal: decider.decide(pool, now) }
}

/// What the metrics together asked for before windows, rates and limits; none when they could not say.
pub fn asked(proposal: &Proposal) -> Option<i32> {
    proposal.reasons.iter().find_map(|reason| {
        let proposal::Reason::Target(target::Reason::Asked { replicas, .. }) = reason else { return None };
        Some(*replicas)
    })
}

/// Whether a step cut what was wanted, or kept it from happening.
pub fn cuts(reason: &proposal::Reason) -> bool {
    match reason {
        proposal::Reason::Target(reason) => target_cuts(reason),
        proposal::Reason::Panic(reason) => match reason {
            panic::Reason::Panicking { .. } | panic::Reason::Delayed { .. } => true,
            panic::Reason::NoData
            | panic::Reason::Silent
            | panic::Reason::Windows { .. }
            | panic::Reason::PanicBegins
            | panic::Reason::PanicEnds
            | panic::Reason::ExcessBurst { .. } => false,
        },
        proposal::Reason::Weighted(reason) => match reason {
            weighted::Reason::Cooldown { .. }
            | weighted::Reason::Held
            | weighted::Reason::Limited { .. }
            | weighted::Reason::NotYet { .. } => true,
            weighted::Reason::Term { .. }
            | weighted::Reason::Unreadable { .. }
            | weighted::Reason::Trend { .. }
            | weighted::Reason::Scored { .. }
            | weighted::Reason::Wants { .. } => false,
        },
        proposal::Reason::Threshold(reason) => match reason {
            threshold::Reason::Cooldown { .. } | threshold::Reason::Limited { .. } => true,
            threshold::Reason::Unreadable { .. }
            | threshold::Reason::Above { .. }
            | threshold::Reason::Below { .. }
            | threshold::Reason::Wants { .. } => false,
        },
        proposal::Reason::Schedule(_) => false,
    }
}

fn target_cuts(reason: &target::Reason) -> bool {
    match reason {
        target::Reason::Disabled
        | target::Reason::AboveMax { .. }
        | target::Reason::BelowMin { .. }
        | target::Reason::Held { .. }
        | target::Reason::ScaleUpStabilized { .. }
        | target::Reason::ScaleDownStabilized { .. }
        | target::Reason::Limited { .. } => true,
        target::Reason::MetricAsks { .. }
        | target::Reason::MetricFailed { .. }
        | target::Reason::Asked { .. } => false,
    }
}

/// Every value that a policy reads of the pool, in the order of its configuration.
fn inputs(policy: &Policy, pool: &Pool, now: Time) -> Vec<Input> {
    let of_pool = |metric: &MetricName| of_pool(metric, pool, now);
    match policy {
        Policy::Target { config, .. } => {
            let of = |metric: &target::Metric| match metric.source {
                Source::Resource { .. } | Source::ContainerResource { .. } | Source::Pods { .. } => {
                    of_replicas(&metric.name, pool, now)
                }
                Source::Object(_) | Source::External(_) => of_pool(&metric.name),
            };
            config.metrics.iter().map(of).collect()
        }
        Policy::Panic { metric, .. } => vec![of_pool(metric)],
        Policy::Weighted(config) => {
            let mut inputs: Vec<Input> = config.terms.iter().map(|term| of_pool(&term.metric)).collect();
            if config.terms.iter().all(|term| term.metric != config.trend) {
                inputs.push(of_pool(&config.trend));
            }
            inputs
        }
        Policy::Threshold(config) => config.rules.iter().map(|rule| of_pool(&rule.metric)).collect(),
        Policy::Schedule(_) => Vec::new(),
    }
}

fn of_pool(metric: &MetricName, pool: &Pool, now: Time) -> Input {
    let reading = pool.readings.of(metric);
    Input { metric: metric.clone(), seen: InputSeen::Pool { reading, age: age(reading, now) } }
}

fn of_replicas(metric: &MetricName, pool: &Pool, now: Time) -> Input {
    let mut counts = Counts::default();
    let mut age_max = None;
    for replica in &pool.replicas {
        let reading = replica.readings.of(metric);
        match reading {
            Reading::Fresh(_) => {
                counts.fresh += 1;
                age_max = age_max.max(age(reading, now));
            }
            Reading::Stale(_) => counts.stale += 1,
            Reading::Missing => counts.missing += 1,
            Reading::Failed => counts.failed += 1,
            Reading::NotFinite => counts.not_finite += 1,
            Reading::Reset => counts.reset += 1,
        }
    }
    Input { metric: metric.clone(), seen: InputSeen::Replicas { counts, age_max } }
}

fn age(reading: Reading, now: Time) -> Option<Duration> {
    match reading {
        Reading::Fresh(sample) | Reading::Stale(sample) => Some(now.since(sample.at)),
        Reading::Missing | Reading::Failed | Reading::NotFinite | Reading::Reset => None,
    }
}

#[cfg(test)]
mod tests;
