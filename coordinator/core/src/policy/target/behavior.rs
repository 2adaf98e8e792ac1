//! Smoothing and rates of an autoscaler with a behavior.

use super::config::{Behavior, Config, RatePolicy, Rules, Select};
use super::memory::Memory;
use super::reason::{ConditionReason, Reason};
use super::{ConditionKind, Notes};
use crate::time::Time;

/// The most careful count of each direction's window, held to its rates and the limits.
pub(super) fn normalize(
    config: &Config,
    behavior: &Behavior,
    memory: &mut Memory,
    current: i32,
    asked: i32,
    now: Time,
    notes: &mut Notes,
) -> i32 {
    let stable = stabilize(behavior, memory, current, asked, now);
    let (able, reason) = if asked >= current {
        (ConditionReason::ScaleUpStabilized, Reason::ScaleUpStabilized { asked, replicas: stable })
    } else {
        (ConditionReason::ScaleDownStabilized, Reason::ScaleDownStabilized { asked, replicas: stable })
    };
    if stable == asked {
        notes.condition(ConditionKind::AbleToScale, true, ConditionReason::ReadyForNewScale);
    } else {
        notes.condition(ConditionKind::AbleToScale, true, able);
        notes.reasons.push(reason);
    }
    let (replicas, by) = limit(config, behavior, memory, current, stable, now);
    notes.condition(ConditionKind::ScalingLimited, replicas != stable, by);
    if replicas != stable {
        notes.reasons.push(Reason::Limited { asked: stable, replicas, by });
    }
    replicas
}

/// Grows only to what was asked for all through the window of growing, shrinks only to what was enough all through the
/// window of shrinking.
fn stabilize(behavior: &Behavior, memory: &mut Memory, current: i32, asked: i32, now: Time) -> i32 {
    let up_window = behavior.scale_up.stabilization;
    let down_window = behavior.scale_down.stabilization;
    let mut up = asked;
    let mut down = asked;
    let mut old = None;
    for (index, known) in memory.recommendations.iter().enumerate() {
        if known.at + up_window > now {
            up = up.min(known.replicas);
        }
        if known.at + down_window > now {
            down = down.max(known.replicas);
        }
        if known.at + up_window.max(down_window) < now {
            old = Some(index);
        }
    }
    memory.recommend(asked, old, now);
    current.max(up).min(down)
}

fn limit(
    config: &Config,
    behavior: &Behavior,
    memory: &Memory,
    current: i32,
    wanted: i32,
    now: Time,
) -> (i32, ConditionReason) {
    if wanted > current {
        let rate = up_to(&behavior.scale_up, memory, current, now).max(current);
        let (most, reason) = if config.max() > rate {
            (rate, ConditionReason::ScaleUpLimit)
        } else {
            (config.max(), ConditionReason::TooManyReplicas)
        };
        if wanted > most {
            return (most, reason);
        }
    } else if wanted < current {
        let rate = down_to(&behavior.scale_down, memory, current, now).min(current);
        let (least, reason) = if config.min() < rate {
            (rate, ConditionReason::ScaleDownLimit)
        } else {
            (config.min(), ConditionReason::TooFewReplicas)
        };
        if wanted < least {
            return (least, reason);
        }
    }
    (wanted, ConditionReason::DesiredWithinRange)
}

/// The most that the rates allow. A percentage is rounded up, so that a small pool can grow at all.
fn up_to(rules: &Rules, memory: &Memory, current: i32, now: Time) -> i32 {
    let limits = rules.policies.iter().map(|policy| {
        let start = memory.replicas_at_start(current, policy.period(), now);
        match *policy {
            RatePolicy::Replicas { value, .. } => start.saturating_add_unsigned(value),
            RatePolicy::Percent { value, .. } => {
                (f64::from(start) * (1.0 + f64::from(value) / 100.0)).ceil() as i32
            }
        }
    });
    match rules.select {
        Select::Disabled => current,
        Select::Max => limits.max().unwrap_or(current),
        Select::Min => limits.min().unwrap_or(current),
    }
}

/// The least that the rates allow. A percentage is cut off.
fn down_to(rules: &Rules, memory: &Memory, current: i32, now: Time) -> i32 {
    let limits = rules.policies.iter().map(|policy| {
        let start = memory.replicas_at_start(current, policy.period(), now);
        match *policy {
            RatePolicy::Replicas { value, .. } => start.saturating_sub_unsigned(value),
            RatePolicy::Percent { value, .. } => (f64::from(start) * (1.0 - f64::from(value) / 100.0)) as i32,
        }
    });
    match rules.select {
        Select::Disabled => current,
        Select::Max => limits.min().unwrap_or(current),
        Select::Min => limits.max().unwrap_or(current),
    }
}
