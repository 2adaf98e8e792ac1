//! The brake: everything that takes capacity or traffic away asks here first, and the answer is a permit or a veto.
//!
//! Think of a railway's signal box. A train may enter a section only with a token; how many tokens there are follows
//! from what the line looks like now, and when something is wrong on it no token is given at all. The brake goes by
//! levels, not by events: how many replicas serve, how many the live queue needs, how much of a zone is lost. It counts
//! what it has permitted as already gone until a look at the fleet that is newer than the action's end, so that no two
//! permits spend the same headroom.
//!
//! What it never does: let a pool fall below its floor or its demand by an action; act on an old look; replay what was
//! decided before a freeze; close by itself what only a person may close; mistake its own blindness for the fleet's fault.
//! It does not judge evidence: that a node is dead, and not only silent, is for its verdict to prove.
//! By default nothing acts: each class of action is switched on pool by pool, and until then the last veto is
//! [`Veto::DryRun`].
//!
//! The limits are those of Kubernetes' node-lifecycle controller (0.1 node/s a zone, partial disruption), Envoy's panic
//! threshold (50 %) and NVSentinel's circuit breaker, put together so that traffic is braked too; see [`Limits`].

mod ask;
mod hold;
mod limits;
mod memory;
mod rules;
mod scene;
#[cfg(test)]
mod tests;
mod veto;

use std::collections::BTreeMap;

pub use self::ask::{Ask, Outcome, Permit, PermitId, Take};
pub use self::hold::{HOLDS_MAX, Hold, HoldId, HoldRefusal, NewHold, Scope};
pub use self::limits::{Limits, Mode, Modes, Policy};
pub use self::memory::{Latch, Memory, ZoneMemory};
pub use self::scene::{Freeze, PoolLevel, Scene, ZoneLevel};
pub use self::veto::{Advice, Veto};
use crate::action::Class;
use crate::id::{PoolId, ZoneId};
use crate::time::Time;

/// Permits out at a time. At one disruptive permit a zone each ten seconds and drains of an hour, eleven busy zones have
/// 4,000 out.
pub const PERMITS_MAX: usize = 4_096;

/// The one brake of a leader.
#[derive(Clone, Debug)]
pub struct Brake {
    policy: Policy,
    memory: Memory,
    /// Permits whose effect a look at the fleet may not show yet.
    held: BTreeMap<PermitId, Held>,
    /// Permits ever given.
    given: u64,
}

/// A permit that is out, or whose end is not seen yet.
#[derive(Clone, Debug)]
struct Held {
    ask: Ask,
    /// When the action ended; until it is told, when it will have ended in any case.
    ends: Time,
}

impl Brake {
    /// A brake that goes on where another left off, or begins with nothing remembered.
    pub fn new(policy: Policy, mut memory: Memory) -> Brake {
        memory.forget_trials();
        Brake { policy, memory, held: BTreeMap::new(), given: 0 }
    }

    /// What the next leader must know: to be stored whenever it changed.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What it goes by.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Goes by another policy from now on.
    pub fn apply(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// Whether the action may be done now, and if not, why. Changes nothing.
    pub fn check(&self, ask: &Ask, scene: &Scene, now: Time) -> Option<Veto> {
        rules::check(self, ask, scene, now)
    }

    /// Takes a permit, which is to be given back when the action has ended.
    pub fn take(&mut self, ask: Ask, scene: &Scene, now: Time) -> Result<Permit, Veto> {
        let (class, zone) = (ask.class, ask.zone.clone());
        let permit = self.take_again(ask, scene, now)?;
        if matches!(class, Class::Disruptive | Class::Irreversible) {
            let nodes = scene.zones.get(&zone).map_or(0, |level| level.nodes);
            self.memory.disrupt(&zone, nodes, &self.policy.limits, now);
        }
        if class == Class::Irreversible {
            self.memory.irreversible_last = Some(now);
        }
        Ok(permit)
    }

    /// Takes a permit for another call of an action whose last one did not arrive, and whose permit was given back. It is
    /// asked about like any other, and is no second disruption.
    pub fn take_again(&mut self, ask: Ask, scene: &Scene, now: Time) -> Result<Permit, Veto> {
        self.observe(scene, now);
        if let Some(veto) = self.check(&ask, scene, now) {
            return Err(veto);
        }
        if rules::is_latched_class(&ask) {
            self.memory.begin_trial(&ask.zone, PermitId(self.given + 1));
        }
        Ok(self.hand_out(ask))
    }

    /// Takes a permit for an action that an earlier leader has issued already. It is counted, and not asked about.
    pub fn adopt(&mut self, ask: Ask) -> Permit {
        self.hand_out(ask)
    }

    /// Gives a permit back.
    pub fn give_back(&mut self, permit: Permit, outcome: Outcome, now: Time) {
        let Permit { id, .. } = permit;
        let Some(held) = self.held.get_mut(&id) else { return };
        held.ends = held.ends.min(now);
        let zone = held.ask.zone.clone();
        self.memory.end_trial(&zone, id, outcome, &self.policy.limits, now);
    }

    /// Looks at the fleet: what is frozen, which zones are in trouble, and which ends of actions it shows. To be called
    /// each step, whether something is asked or not.
    pub fn observe(&mut self, scene: &Scene, now: Time) {
        let limits = &self.policy.limits;
        self.memory.observe(scene, limits, now);
        let overdue = |held: &Held| held.ends < scene.at;
        for (id, held) in self.held.iter().filter(|(_, held)| overdue(held)) {
            // What never told its end did not prove that the zone is well.
            self.memory.end_trial(&held.ask.zone, *id, Outcome::Failed, limits, now);
        }
        self.held.retain(|_, held| !overdue(held));
    }

    /// Whether so much of a pool's part in a zone is out of traffic that health is no longer believed: all of it should
    /// be in traffic, and the gateways' own outlier detection decides.
    pub fn is_panic(&self, pool: &PoolId, zone: &ZoneId, scene: &Scene) -> bool {
        let level = scene.pools.get(&(pool.clone(), zone.clone()));
        level.is_some_and(|it| self.policy.limits.is_panic(it.removed, it.endpoints))
    }

    /// Stops everything in a scope until it is released or runs out.
    pub fn hold(&mut self, hold: NewHold, now: Time) -> Result<HoldId, HoldRefusal> {
        self.memory.hold(hold, now)
    }

    /// Ends a hold; false when there is none of this id.
    pub fn release(&mut self, id: HoldId) -> bool {
        self.memory.holds.remove(&id).is_some()
    }

    /// A person closes a zone's latch for traffic and disruptive actions. What was decided before is not carried out.
    pub fn release_zone(&mut self, zone: &ZoneId, now: Time) {
        self.memory.release_zone(zone, now);
    }

    /// A person closes all latches, that of irreversible actions too, which nothing else closes.
    pub fn release_fleet(&mut self, now: Time) {
        self.memory.release_fleet(now);
    }

    fn hand_out(&mut self, ask: Ask) -> Permit {
        self.given += 1;
        let id = PermitId(self.given);
        let permit = Permit { id, class: ask.class, zone: ask.zone.clone() };
        self.held.insert(id, Held { ends: ask.until, ask });
        permit
    }

    /// What a look at the fleet may not show yet.
    fn unseen(&self, scene: &Scene) -> impl Iterator<Item = &Ask> {
        self.held.values().filter(|held| held.ends >= scene.at).map(|held| &held.ask)
    }
}
