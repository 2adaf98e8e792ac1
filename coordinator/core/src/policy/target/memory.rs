//! What an autoscaler remembers: what the metrics asked for, and what was changed.

use std::time::Duration;

use super::config::Config;
use crate::time::Time;

/// Counts that are remembered: one a second over the longest window that Kubernetes accepts, 3,600 s, and the first.
const RECOMMENDATIONS_MAX: usize = 3_601;

/// Changes that are remembered for each direction: one a second over the longest period of a rate, 1,800 s.
const CHANGES_MAX: usize = 1_801;

/// Kept by the caller between two decisions. Losing it loses the smoothing of the past windows, and a pool that was put
/// to sleep does not wake: begin with [`Memory::beginning`] or [`Memory::asleep`] then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What the metrics asked for, before smoothing, in no order: an old one is overwritten first.
    pub(super) recommendations: Vec<Recommendation>,
    /// Replicas that were added.
    pub(super) added: Vec<Change>,
    /// Replicas that were removed.
    pub(super) removed: Vec<Change>,
    /// The last change was to zero, and was the autoscaler's own.
    slept: bool,
}

/// A count that the metrics asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recommendation {
    pub(super) replicas: i32,
    pub(super) at: Time,
}

/// A change of the pool's count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Replicas by which it changed, positive.
    pub(super) replicas: i32,
    pub(super) at: Time,
}

impl Memory {
    /// Of an autoscaler that sees its pool for the first time, as Kubernetes' controller begins: the current count is
    /// taken for what was asked for until now, so that a window holds it at first.
    pub fn beginning(current: u32, now: Time) -> Memory {
        let mut memory = Memory::empty();
        memory.recommend(i32::try_from(current).unwrap_or(i32::MAX), None, now);
        memory
    }

    /// Of Kubernetes' calculation without its controller: nothing holds the pool, which may shrink at the first look.
    pub fn empty() -> Memory {
        Memory { recommendations: Vec::new(), added: Vec::new(), removed: Vec::new(), slept: false }
    }

    /// Of an autoscaler that put its pool to sleep before it was restarted, as the condition `ScaledToZero` says.
    pub fn asleep(now: Time) -> Memory {
        Memory { slept: true, ..Memory::beginning(0, now) }
    }

    /// Notes that the autoscaler's proposal was carried out.
    pub fn scaled(&mut self, config: &Config, from: u32, to: u32, now: Time) {
        self.slept = from > 0 && to == 0 && config.limits.min() == 0 && config.sees_beyond_replicas();
        let Some(behavior) = &config.behavior else { return };
        let replicas = i32::try_from(from.abs_diff(to)).unwrap_or(i32::MAX);
        let (changes, longest) = if to > from {
            (&mut self.added, behavior.scale_up.longest_period())
        } else {
            (&mut self.removed, behavior.scale_down.longest_period())
        };
        let old = changes.iter().rposition(|change| change.at + longest < now);
        put(changes, Change { replicas, at: now }, old, CHANGES_MAX, |change| change.at);
    }

    /// Whether the pool was put to sleep by the autoscaler.
    pub(super) fn slept(&self) -> bool {
        self.slept
    }

    /// Remembers what the metrics ask for, in place of the one at `old` if there is one.
    pub(super) fn recommend(&mut self, replicas: i32, old: Option<usize>, now: Time) {
        let recommendation = Recommendation { replicas, at: now };
        put(&mut self.recommendations, recommendation, old, RECOMMENDATIONS_MAX, |known| known.at);
    }

    /// What the pool had when the period that ends now began.
    pub(super) fn replicas_at_start(&self, current: i32, period: Duration, now: Time) -> i32 {
        let within = |changes: &[Change]| {
            let young = changes.iter().filter(|change| change.at + period > now);
            young.fold(0_i32, |sum, change| sum.saturating_add(change.replicas))
        };
        current.saturating_sub(within(&self.added)).saturating_add(within(&self.removed))
    }
}

/// Writes over the one at `old`, or over the oldest when there are too many, or adds one.
fn put<T>(list: &mut Vec<T>, item: T, old: Option<usize>, max: usize, at: fn(&T) -> Time) {
    let full = || (0..list.len()).min_by_key(|index| at(&list[*index])).filter(|_| list.len() >= max);
    match old.or_else(full) {
        Some(index) => list[index] = item,
        None => list.push(item),
    }
}
