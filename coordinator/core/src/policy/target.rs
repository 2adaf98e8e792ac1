//! Kubernetes' HorizontalPodAutoscaler v2, decision for decision.
//!
//! The intuition: each metric says by how much the pool is over or under its target, replicas without a value are
//! counted so that they slow the change down whichever way it goes, the largest count wins, and what comes of it is
//! smoothed over time and held to a rate. It is here as the yardstick that everyone knows, and it decides as Kubernetes
//! 1.36 does, integer division and rounding included (`pkg/controller/podautoscaler/horizontal.go`,
//! `replica_calculator.go`, `metrics/utilization.go`); `tests/hpa.rs` holds it to recorded decisions.
//!
//! It never changes a count: whoever does tells it so with [`Memory::scaled`], and says in the pool's
//! `replicas_wanted` what was asked for.

mod behavior;
mod calculator;
mod config;
mod memory;
mod plain;
mod reason;
#[cfg(test)]
mod tests;

pub use config::{
    Behavior, Config, METRICS_MAX, Metric, PoolTarget, RatePolicy, ResourceKind, ResourceTarget, Rules,
    Select, Source, Tolerance, Tolerances, ZeroReplicas,
};
pub use memory::Memory;
pub use reason::{ConditionReason, Failure, Reason};

use super::observation::Pool;
use super::proposal::{self, Bounds, Condition, ConditionKind, Evidence, Proposal};
use crate::time::Time;

/// What the autoscaler wants of the pool now. Remembers what the metrics asked for.
pub fn propose(pool: &Pool, config: &Config, memory: &mut Memory, now: Time) -> Proposal {
    config.check();
    let current = i32::try_from(pool.replicas_wanted).unwrap_or(i32::MAX);
    let (min, max) = (config.min(), config.max());
    let mut notes = Notes::default();
    notes.condition(ConditionKind::AbleToScale, true, ConditionReason::SucceededGetScale);
    if current == 0 && !wakes(config, memory) {
        notes.condition(ConditionKind::ScalingActive, false, ConditionReason::ScalingDisabled);
        notes.reasons.push(Reason::Disabled);
        return notes.proposal(None, Evidence::Enough);
    }
    if current > max {
        notes.reasons.push(Reason::AboveMax { max: config.limits.max() });
        return notes.proposal(Some(max), Evidence::Enough);
    }
    if current != 0 && current < min {
        notes.reasons.push(Reason::BelowMin { min: config.limits.min() });
        return notes.proposal(Some(min), Evidence::Enough);
    }
    let Asked { replicas, evidence } = ask(pool, config, current, now, &mut notes);
    let Some(asked) = replicas else { return notes.proposal(None, evidence) };
    let wanted = match &config.behavior {
        None => plain::normalize(config, memory, current, asked, now, &mut notes),
        Some(rules) => behavior::normalize(config, rules, memory, current, asked, now, &mut notes),
    };
    let wanted = if current == 0 && wanted < min { min } else { wanted };
    notes.proposal(Some(wanted), evidence)
}

/// Whether a pool without replicas may get some: only when the autoscaler put it to sleep itself, and something can wake
/// it or the minimum says that it must not sleep.
fn wakes(config: &Config, memory: &Memory) -> bool {
    let slept = config.zero == ZeroReplicas::Allowed && memory.slept();
    slept && (config.limits.min() != 0 || config.sees_beyond_replicas())
}

/// What the metrics ask for together.
struct Asked {
    /// The largest count; none when it must not be acted on.
    replicas: Option<i32>,
    evidence: Evidence,
}

/// Asks every metric. The largest count wins; one failed metric is enough to refuse a smaller count than the current.
fn ask(pool: &Pool, config: &Config, current: i32, now: Time, notes: &mut Notes) -> Asked {
    let mut best = 0;
    let mut winner = None;
    let mut first_failure = None;
    let mut failed = 0;
    for metric in &config.metrics {
        match calculator::replicas(pool, config, metric, now) {
            Ok(replicas) => {
                notes.reasons.push(Reason::MetricAsks { metric: metric.name.clone(), replicas });
                if best == 0 || replicas > best {
                    best = replicas;
                    winner = Some(&metric.name);
                }
            }
            Err(failure) => {
                notes.reasons.push(Reason::MetricFailed { metric: metric.name.clone(), failure });
                first_failure.get_or_insert(metric.source.failed());
                failed += 1;
            }
        }
    }
    let evidence = if failed == 0 { Evidence::Enough } else { Evidence::Lacking };
    if let Some(reason) = first_failure.filter(|_| failed == config.metrics.len() || best < current) {
        notes.condition(ConditionKind::ScalingActive, false, reason);
        notes.reasons.push(Reason::Held { failed, metrics: config.metrics.len() });
        return Asked { replicas: None, evidence };
    }
    notes.condition(ConditionKind::ScalingActive, true, ConditionReason::ValidMetricFound);
    let asked = best.max(0);
    if let Some(winner) = winner {
        notes.reasons.push(Reason::Asked { metric: winner.clone(), replicas: asked });
    }
    Asked { replicas: Some(asked), evidence }
}

/// What is written down while deciding.
#[derive(Default)]
struct Notes {
    reasons: Vec<Reason>,
    /// One a kind, in the order in which they were first set.
    conditions: Vec<Condition>,
}

impl Notes {
    fn condition(&mut self, kind: ConditionKind, holds: bool, reason: ConditionReason) {
        let condition = Condition { kind, holds, reason };
        match self.conditions.iter_mut().find(|known| known.kind == kind) {
            Some(known) => *known = condition,
            None => self.conditions.push(condition),
        }
    }

    fn proposal(self, replicas: Option<i32>, evidence: Evidence) -> Proposal {
        Proposal {
            replicas: replicas.map(|replicas| u32::try_from(replicas).unwrap_or(0)),
            bounds: Bounds::NONE,
            evidence,
            reasons: self.reasons.into_iter().map(proposal::Reason::Target).collect(),
            conditions: self.conditions,
        }
    }
}
