//! What a brake remembers from one leader to the next.

use std::collections::{BTreeMap, VecDeque};

use super::{Freeze, Hold, HoldId, Limits, Outcome, PermitId, Scene, ZoneLevel};
use crate::action::Class;
use crate::id::ZoneId;
use crate::time::Time;

/// Disruptive actions remembered a zone. The rate permits 30 in the five minutes of the latch; a shorter interval set
/// by an operator does not make it grow without end, and forgetting the oldest of so many cannot close a latch that
/// they would open in a zone of up to 5,000 nodes.
const DISRUPTED_MAX: usize = 1_000;

/// What a brake remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// By zone, those in which something happened.
    pub zones: BTreeMap<ZoneId, ZoneMemory>,
    /// What was frozen at the last look.
    pub frozen: Option<Freeze>,
    /// When a freeze ended for a class; what was decided before is not carried out.
    pub thawed: BTreeMap<Class, Time>,
    /// When the last irreversible action was permitted.
    pub irreversible_last: Option<Time>,
    /// Since when a person must release irreversible actions.
    pub irreversible_latched: Option<Time>,
    /// What people said.
    pub holds: BTreeMap<HoldId, Hold>,
    /// Holds ever placed.
    pub holds_placed: u64,
}

/// What a brake remembers of a zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ZoneMemory {
    /// When disruptive and irreversible actions were permitted, oldest first, as far back as the latch's window.
    pub disrupted: VecDeque<Time>,
    /// When the zone was last seen in a storm or partly lost.
    pub troubled: Option<Time>,
    /// The zone was partly lost or partitioned at the last look.
    pub stopped: bool,
    /// When it last was no longer so, or a latch was closed; what was decided before is not carried out.
    pub thawed: Option<Time>,
    /// Present while the latch is not closed.
    pub latch: Option<Latch>,
}

/// A latch that opened because too much was disrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latch {
    /// Since when.
    pub since: Time,
    /// Nodes disrupted in its window by then.
    pub disrupted: u32,
    /// Nodes of the zone.
    pub nodes: u32,
    /// The one action that is let through to see whether the zone is well.
    pub trial: Option<PermitId>,
}

impl ZoneMemory {
    /// When an open latch lets one action through, if nothing happens until then.
    pub fn half_open_at(&self, limits: &Limits) -> Option<Time> {
        let latch = self.latch?;
        Some(latch.since.max(self.troubled.unwrap_or_default()) + limits.latch_cooldown)
    }

    /// How many were disrupted in the latch's window that ends now.
    pub fn disrupted_in_window(&self, limits: &Limits, now: Time) -> u32 {
        let count = self.disrupted.iter().filter(|at| now.since(**at) < limits.latch_window).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

impl Memory {
    /// The permits of an earlier leader are not known: the next one is the trial.
    pub(super) fn forget_trials(&mut self) {
        for latch in self.zones.values_mut().filter_map(|it| it.latch.as_mut()) {
            latch.trial = None;
        }
    }

    /// Looks at what is frozen and which zones are in trouble.
    pub(super) fn observe(&mut self, scene: &Scene, limits: &Limits, now: Time) {
        for class in Class::BRAKED {
            let stops = |freeze: Option<Freeze>| freeze.is_some_and(|freeze| freeze.stops(class));
            if stops(self.frozen) && !stops(scene.freeze) {
                self.thawed.insert(class, now);
            }
        }
        self.frozen = scene.freeze;
        for it in self.zones.values_mut() {
            it.disrupted.retain(|at| now.since(*at) < limits.latch_window);
        }
        self.zones.retain(|zone, it| {
            scene.zones.contains_key(zone) || it.latch.is_some() || !it.disrupted.is_empty()
        });
        for (zone, level) in &scene.zones {
            self.observe_zone(zone, level, limits, now);
        }
    }

    fn observe_zone(&mut self, zone: &ZoneId, level: &ZoneLevel, limits: &Limits, now: Time) {
        let stopped = limits.is_partial(level) || level.partitioned;
        let troubled = stopped || limits.is_storm(level);
        if !troubled && !self.zones.contains_key(zone) {
            return;
        }
        let it = self.zones.entry(zone.clone()).or_default();
        if troubled {
            it.troubled = Some(now);
        }
        if it.stopped && !stopped {
            it.thawed = Some(now);
        }
        it.stopped = stopped;
    }

    /// A permit that passes a latch that is not closed is its trial.
    pub(super) fn begin_trial(&mut self, zone: &ZoneId, permit: PermitId) {
        if let Some(latch) = self.zones.get_mut(zone).and_then(|it| it.latch.as_mut()) {
            latch.trial = Some(permit);
        }
    }

    /// Counts a disruptive action, and opens the latch if it was one too many.
    pub(super) fn disrupt(&mut self, zone: &ZoneId, nodes: u32, limits: &Limits, now: Time) {
        let it = self.zones.entry(zone.clone()).or_default();
        it.disrupted.retain(|at| now.since(*at) < limits.latch_window);
        if it.disrupted.len() == DISRUPTED_MAX {
            it.disrupted.pop_front();
        }
        it.disrupted.push_back(now);
        let disrupted = it.disrupted_in_window(limits, now);
        if it.latch.is_none() && limits.is_too_much(disrupted, nodes) {
            it.latch = Some(Latch { since: now, disrupted, nodes, trial: None });
            self.irreversible_latched.get_or_insert(now);
        }
    }

    /// The trial of a latch ended. Done closes the latch, unless what was disrupted in its window is still too much;
    /// anything else opens it again.
    pub(super) fn end_trial(
        &mut self,
        zone: &ZoneId,
        permit: PermitId,
        outcome: Outcome,
        limits: &Limits,
        now: Time,
    ) {
        let Some(it) = self.zones.get_mut(zone) else { return };
        let (half_open_at, disrupted) = (it.half_open_at(limits), it.disrupted_in_window(limits, now));
        let Some(latch) = it.latch.as_mut().filter(|latch| latch.trial == Some(permit)) else { return };
        if outcome == Outcome::Done && !limits.is_too_much(disrupted, latch.nodes) {
            it.latch = None;
            it.thawed = it.thawed.max(half_open_at.filter(|at| *at <= now));
        } else {
            *latch = Latch { since: now, disrupted, nodes: latch.nodes, trial: None };
        }
    }

    pub(super) fn release_zone(&mut self, zone: &ZoneId, now: Time) {
        if let Some(it) = self.zones.get_mut(zone)
            && it.latch.take().is_some()
        {
            it.thawed = Some(now);
        }
    }

    pub(super) fn release_fleet(&mut self, now: Time) {
        let zones: Vec<ZoneId> = self.zones.keys().cloned().collect();
        for zone in zones {
            self.release_zone(&zone, now);
        }
        if self.irreversible_latched.take().is_some() {
            self.thawed.insert(Class::Irreversible, now);
        }
    }
}
