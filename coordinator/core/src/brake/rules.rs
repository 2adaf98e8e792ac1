//! The rules, in the order in which they veto.

use std::time::Duration;

use super::{Ask, Brake, Mode, PERMITS_MAX, PoolLevel, Scene, Take, Veto, ZoneLevel, ZoneMemory};
use crate::action::Class;
use crate::id::PoolId;
use crate::time::Time;

/// One question to the brake.
struct Question<'a> {
    brake: &'a Brake,
    ask: &'a Ask,
    scene: &'a Scene,
    now: Time,
}

/// The first veto, if any. What concerns the whole fleet comes before what concerns the zone and the pools, and that it
/// would only be a rehearsal comes last, so that a dry run says everything else first.
pub(super) fn check(brake: &Brake, ask: &Ask, scene: &Scene, now: Time) -> Option<Veto> {
    let question = Question { brake, ask, scene, now };
    question
        .old_scene()
        .or_else(|| question.switched_off())
        .or_else(|| question.held())
        .or_else(|| question.frozen())
        .or_else(|| question.stale())
        .or_else(|| question.zone())
        .or_else(|| question.pools())
        .or_else(|| question.too_many())
        .or_else(|| question.dry_run())
}

/// Whether an open latch stops it by its zone. Restoring traffic is never stopped so.
pub(super) fn is_latched_class(ask: &Ask) -> bool {
    match ask.class {
        Class::Traffic => ask.takes_away(),
        Class::Annotate | Class::Additive => false,
        Class::Disruptive | Class::Irreversible => true,
    }
}

impl Question<'_> {
    fn old_scene(&self) -> Option<Veto> {
        let (age, limit) = (self.now.since(self.scene.at), self.brake.policy.limits.scene_age_max);
        (age > limit).then_some(Veto::OldScene { age, limit })
    }

    fn mode(&self, take: &Take) -> Mode {
        self.brake.policy.mode(self.ask.class, &take.pool)
    }

    /// The strictest of the pools decides; where there is none, what holds for all.
    fn strictest(&self) -> Mode {
        let modes = self.ask.takes.iter().map(|take| self.mode(take));
        modes.min().unwrap_or(self.brake.policy.modes.of(self.ask.class))
    }

    fn pool_in(&self, mode: Mode) -> Option<PoolId> {
        let take = self.ask.takes.iter().find(|take| self.mode(take) == mode)?;
        Some(take.pool.clone())
    }

    fn switched_off(&self) -> Option<Veto> {
        let off = self.strictest() == Mode::Off;
        off.then(|| Veto::SwitchedOff { class: self.ask.class, pool: self.pool_in(Mode::Off) })
    }

    fn dry_run(&self) -> Option<Veto> {
        let dry = self.strictest() == Mode::DryRun;
        dry.then(|| Veto::DryRun { class: self.ask.class, pool: self.pool_in(Mode::DryRun) })
    }

    fn held(&self) -> Option<Veto> {
        let (id, hold) = self
            .brake
            .memory
            .holds
            .iter()
            .find(|(_, hold)| hold.is_live(self.now) && hold.covers(self.ask))?;
        Some(Veto::Held { id: *id, hold: Box::new(hold.clone()) })
    }

    fn frozen(&self) -> Option<Veto> {
        let freeze = self.scene.freeze.filter(|freeze| freeze.stops(self.ask.class))?;
        Some(Veto::Frozen { freeze })
    }

    fn stale(&self) -> Option<Veto> {
        let memory = &self.brake.memory;
        let by_zone = memory.zones.get(&self.ask.zone).filter(|_| is_latched_class(self.ask));
        let thawed = memory.thawed.get(&self.ask.class).copied().max(by_zone.and_then(|zone| {
            // A latch that lets one through was open until then.
            zone.thawed.max(zone.half_open_at(&self.brake.policy.limits).filter(|at| *at <= self.now))
        }))?;
        let planned = self.ask.planned;
        (planned < thawed).then_some(Veto::Stale { planned, thawed })
    }

    fn zone(&self) -> Option<Veto> {
        if !is_latched_class(self.ask) {
            return None;
        }
        let Some(level) = self.scene.zones.get(&self.ask.zone) else {
            return Some(Veto::UnknownZone { zone: self.ask.zone.clone() });
        };
        let none = ZoneMemory::default();
        let memory = self.brake.memory.zones.get(&self.ask.zone).unwrap_or(&none);
        match self.ask.class {
            Class::Traffic => self.latched(memory),
            Class::Annotate | Class::Additive => None,
            Class::Disruptive => self
                .stopped(level)
                .or_else(|| self.latched(memory))
                .or_else(|| self.rate(level, memory))
                .or_else(|| self.running(level)),
            Class::Irreversible => self
                .stopped(level)
                .or_else(|| self.latched_for_person())
                .or_else(|| self.latched(memory))
                .or_else(|| self.storm())
                .or_else(|| self.witnesses())
                .or_else(|| self.irreversible_rate())
                .or_else(|| self.running(level)),
        }
    }

    fn stopped(&self, level: &ZoneLevel) -> Option<Veto> {
        let (zone, ZoneLevel { nodes, lost, .. }) = (self.ask.zone.clone(), *level);
        if level.partitioned {
            return Some(Veto::Partitioned { zone });
        }
        self.brake.policy.limits.is_partial(level).then_some(Veto::PartlyLost { zone, lost, nodes })
    }

    fn latched(&self, memory: &ZoneMemory) -> Option<Veto> {
        let latch = memory.latch?;
        let half_open_at = memory.half_open_at(&self.brake.policy.limits)?;
        let zone = self.ask.zone.clone();
        if self.now < half_open_at {
            let (disrupted, nodes) = (latch.disrupted, latch.nodes);
            return Some(Veto::Latched { zone, disrupted, nodes, half_open_at });
        }
        latch.trial.is_some().then_some(Veto::OnTrial { zone })
    }

    fn latched_for_person(&self) -> Option<Veto> {
        self.brake.memory.irreversible_latched.map(|since| Veto::LatchedForPerson { since })
    }

    fn storm(&self) -> Option<Veto> {
        let limits = &self.brake.policy.limits;
        let (zone, level) = self.scene.zones.iter().find(|(_, level)| limits.is_storm(level))?;
        Some(Veto::Storm { zone: zone.clone(), changed: level.changed, nodes: level.nodes })
    }

    fn witnesses(&self) -> Option<Veto> {
        let (seen_by, needed) = (self.ask.witnesses, self.brake.policy.limits.witnesses_min);
        (seen_by < needed).then_some(Veto::Witnesses { seen_by, needed })
    }

    fn rate(&self, level: &ZoneLevel, memory: &ZoneMemory) -> Option<Veto> {
        let limits = &self.brake.policy.limits;
        let storm = limits.is_storm(level);
        let interval = if storm {
            limits.disruptive_interval.saturating_mul(limits.storm_slowdown)
        } else {
            limits.disruptive_interval
        };
        let zone = self.ask.zone.clone();
        let next = self.next(memory.disrupted.back().copied(), interval)?;
        Some(Veto::Rate { zone, interval, storm, next })
    }

    fn irreversible_rate(&self) -> Option<Veto> {
        let interval = self.brake.policy.limits.irreversible_interval;
        let next = self.next(self.brake.memory.irreversible_last, interval)?;
        Some(Veto::IrreversibleRate { interval, next })
    }

    /// When the interval since the last one will have passed, unless it has.
    fn next(&self, last: Option<Time>, interval: Duration) -> Option<Time> {
        last.map(|last| last + interval).filter(|next| self.now < *next)
    }

    fn running(&self, level: &ZoneLevel) -> Option<Veto> {
        let disrupts = |ask: &&Ask| {
            matches!(ask.class, Class::Disruptive | Class::Irreversible) && ask.zone == self.ask.zone
        };
        let running =
            u32::try_from(self.brake.unseen(self.scene).filter(disrupts).count()).unwrap_or(u32::MAX);
        let limit = self.brake.policy.limits.running_max(level);
        let (zone, nodes) = (self.ask.zone.clone(), level.nodes);
        (running >= limit).then_some(Veto::Running { zone, running, limit, nodes })
    }

    fn pools(&self) -> Option<Veto> {
        self.ask
            .takes
            .iter()
            .filter(|take| take.endpoints > 0 || take.ready > 0)
            .find_map(|take| self.pool(take))
    }

    fn pool(&self, take: &Take) -> Option<Veto> {
        let (pool, zone) = (take.pool.clone(), self.ask.zone.clone());
        match self.scene.pools.get(&(pool.clone(), zone.clone())) {
            None => Some(Veto::UnknownPool { pool, zone }),
            Some(level) => self.panic(take, level).or_else(|| self.floor(take, level)),
        }
    }

    fn panic(&self, take: &Take, level: &PoolLevel) -> Option<Veto> {
        if self.ask.class != Class::Traffic {
            return None;
        }
        let permitted = self.permitted(take, Some(Class::Traffic), |other| other.endpoints);
        let (removed, endpoints) = (level.removed.saturating_add(permitted), level.endpoints);
        let taking = take.endpoints;
        let panic = self.brake.policy.limits.is_panic(removed.saturating_add(taking), endpoints);
        let (pool, zone) = (take.pool.clone(), self.ask.zone.clone());
        panic.then_some(Veto::Panic { pool, zone, removed, taking, endpoints })
    }

    fn floor(&self, take: &Take, level: &PoolLevel) -> Option<Veto> {
        let permitted = self.permitted(take, None, |other| other.ready);
        let gone = permitted.saturating_add(take.ready);
        let low = take.ready > 0 && level.ready.saturating_sub(gone) < level.least();
        low.then(|| Veto::Floor {
            pool: take.pool.clone(),
            zone: self.ask.zone.clone(),
            ready: level.ready,
            permitted,
            taking: take.ready,
            floor: level.floor,
            needed: level.needed,
        })
    }

    /// What was permitted to leave the same part of a pool and may still be seen there.
    fn permitted(&self, take: &Take, class: Option<Class>, count: fn(&Take) -> u32) -> u32 {
        let same = |ask: &&Ask| ask.zone == self.ask.zone && class.is_none_or(|class| ask.class == class);
        let takes = self.brake.unseen(self.scene).filter(same).flat_map(|ask| &ask.takes);
        takes.filter(|other| other.pool == take.pool).map(count).fold(0, u32::saturating_add)
    }

    fn too_many(&self) -> Option<Veto> {
        (self.brake.held.len() >= PERMITS_MAX).then_some(Veto::TooMany { limit: PERMITS_MAX })
    }
}
