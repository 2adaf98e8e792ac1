//! Smoothing and limits of an autoscaler without a behavior.

use super::config::Config;
use super::memory::Memory;
use super::reason::{ConditionReason, Reason};
use super::{ConditionKind, Notes};
use crate::time::Time;

/// One decision at most multiplies the pool by this.
const SCALE_UP_FACTOR: i32 = 2;

/// One decision may always bring a pool to this.
const SCALE_UP_MIN: i32 = 4;

/// The largest count of the last minutes, within the limits.
pub(super) fn normalize(
    config: &Config,
    memory: &mut Memory,
    current: i32,
    asked: i32,
    now: Time,
    notes: &mut Notes,
) -> i32 {
    let stable = stabilize(config, memory, asked, now);
    if stable == asked {
        notes.condition(ConditionKind::AbleToScale, true, ConditionReason::ReadyForNewScale);
    } else {
        notes.condition(ConditionKind::AbleToScale, true, ConditionReason::ScaleDownStabilized);
        notes.reasons.push(Reason::ScaleDownStabilized { asked, replicas: stable });
    }
    let (replicas, reason) = limit(config, current, stable);
    notes.condition(ConditionKind::ScalingLimited, replicas != stable, reason);
    if replicas != stable {
        notes.reasons.push(Reason::Limited { asked: stable, replicas, by: reason });
    }
    replicas
}

fn stabilize(config: &Config, memory: &mut Memory, asked: i32, now: Time) -> i32 {
    let window = config.downscale_stabilization;
    let young = memory.recommendations.iter().filter(|known| known.at + window >= now);
    let stable = young.map(|known| known.replicas).fold(asked, i32::max);
    let old = memory.recommendations.iter().rposition(|known| known.at + window < now);
    memory.recommend(asked, old, now);
    stable
}

fn limit(config: &Config, current: i32, wanted: i32) -> (i32, ConditionReason) {
    let (min, max) = (config.min(), config.max());
    let rate = current.saturating_mul(SCALE_UP_FACTOR).max(SCALE_UP_MIN);
    if wanted < min {
        (min, ConditionReason::TooFewReplicas)
    } else if wanted > rate.min(max) {
        let reason =
            if max > rate { ConditionReason::ScaleUpLimit } else { ConditionReason::TooManyReplicas };
        (rate.min(max), reason)
    } else {
        (wanted, ConditionReason::DesiredWithinRange)
    }
}
