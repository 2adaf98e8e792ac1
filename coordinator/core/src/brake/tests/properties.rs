//! What no sequence of asks, failures, freezes and late ends may do.

use std::time::Duration;

use proptest::prelude::*;

use super::super::{
    Ask, Brake, Freeze, Memory, Mode, Modes, Outcome, Permit, Policy, PoolLevel, Scene, Take, ZoneLevel,
};
use crate::action::Class;
use crate::id::{PoolId, ZoneId};
use crate::time::Time;

const ZONES: [&str; 2] = ["a", "b"];
const POOLS: [&str; 2] = ["p", "q"];

/// How long an action can have an effect.
const LASTS: Duration = Duration::from_secs(300);

/// One thing that happens; numbers choose among what there is.
#[derive(Clone, Debug)]
enum Deed {
    Ask {
        class: usize,
        zone: usize,
        pool: usize,
        ready: u32,
        dead: u32,
        age_s: u64,
        witnesses: u32,
    },
    /// What was permitted takes effect, which nobody has looked at yet.
    Effect {
        number: usize,
    },
    /// It tells its end, with or without an effect.
    End {
        number: usize,
        done: bool,
    },
    Look,
    /// Something else happens, and is looked at.
    Freeze {
        freeze: Option<Freeze>,
    },
    Trouble {
        zone: usize,
        lost: u32,
        changed: u32,
        partitioned: bool,
    },
    Demand {
        zone: usize,
        pool: usize,
        needed: u32,
    },
    Fail {
        zone: usize,
        pool: usize,
        count: u32,
    },
    Recover {
        zone: usize,
        pool: usize,
    },
    Pass {
        seconds: u64,
    },
}

struct Out {
    permit: Permit,
    ask: Ask,
    happened: bool,
}

/// The fleet as it is, beside the brake that sees it by looks.
struct World {
    brake: Brake,
    now: Time,
    /// The fleet now.
    fleet: Scene,
    /// The last look.
    seen: Scene,
    out: Vec<Out>,
    /// Disruptive and irreversible permits: zone, class and when.
    disrupted: Vec<(ZoneId, Class, Time)>,
    /// By class, when a freeze that stopped it ended.
    thawed: [Time; 4],
    permits: u32,
}

impl World {
    fn new() -> World {
        let level = PoolLevel { endpoints: 10, removed: 0, ready: 10, floor: 2, needed: 4 };
        let zone_level = ZoneLevel { nodes: 10, ..ZoneLevel::default() };
        let now = Time::from_millis(1_000_000);
        let zones = ZONES.map(|zone| (ZoneId::from(zone), zone_level));
        let pools = POOLS
            .iter()
            .flat_map(|pool| ZONES.map(|zone| ((PoolId::from(*pool), ZoneId::from(zone)), level)));
        let fleet = Scene { at: now, freeze: None, zones: zones.into(), pools: pools.collect() };
        let policy = Policy { modes: Modes::all(Mode::Act), ..Policy::default() };
        World {
            brake: Brake::new(policy, Memory::default()),
            now,
            seen: fleet.clone(),
            fleet,
            out: Vec::new(),
            disrupted: Vec::new(),
            thawed: [Time::ZERO; 4],
            permits: 0,
        }
    }

    fn act(&mut self, deed: &Deed) {
        match *deed {
            Deed::Ask { class, zone, pool, ready, dead, age_s, witnesses } => {
                let take = Take { pool: PoolId::from(POOLS[pool]), endpoints: ready + dead, ready };
                self.ask(Ask {
                    class: Class::BRAKED[class],
                    zone: ZoneId::from(ZONES[zone]),
                    node: None,
                    takes: vec![take],
                    planned: self.now - Duration::from_secs(age_s),
                    until: self.now + LASTS,
                    witnesses,
                });
            }
            Deed::Effect { number } if !self.out.is_empty() => self.effect(number % self.out.len()),
            Deed::End { number, done } if !self.out.is_empty() => self.end(number % self.out.len(), done),
            Deed::Effect { .. } | Deed::End { .. } => {}
            Deed::Look => self.look(),
            Deed::Freeze { freeze } => self.freeze(freeze),
            Deed::Trouble { zone, lost, changed, partitioned } => {
                let level = self.fleet.zones.get_mut(&ZoneId::from(ZONES[zone])).expect("a zone");
                *level = ZoneLevel { lost, changed, partitioned, ..*level };
                self.look();
            }
            Deed::Demand { zone, pool, needed } => self.change(zone, pool, |it| it.needed = needed),
            Deed::Fail { zone, pool, count } => {
                self.change(zone, pool, |it| it.ready = it.ready.saturating_sub(count));
            }
            Deed::Recover { zone, pool } => {
                self.change(zone, pool, |it| (it.ready, it.removed) = (it.endpoints, 0));
            }
            Deed::Pass { seconds } => {
                self.now = self.now + Duration::from_secs(seconds);
                self.out.retain(|out| out.ask.until > self.now);
            }
        }
    }

    fn look(&mut self) {
        self.fleet.at = self.now;
        self.seen = self.fleet.clone();
        self.brake.observe(&self.seen, self.now);
    }

    fn change(&mut self, zone: usize, pool: usize, change: impl Fn(&mut PoolLevel)) {
        change(self.level_mut(&PoolId::from(POOLS[pool]), &ZoneId::from(ZONES[zone])));
        self.look();
    }

    fn level_mut(&mut self, pool: &PoolId, zone: &ZoneId) -> &mut PoolLevel {
        self.fleet.pools.get_mut(&(pool.clone(), zone.clone())).expect("a pool's part in a zone")
    }

    fn freeze(&mut self, freeze: Option<Freeze>) {
        for (at, class) in Class::BRAKED.into_iter().enumerate() {
            let stops = |freeze: Option<Freeze>| freeze.is_some_and(|freeze| freeze.stops(class));
            if stops(self.fleet.freeze) && !stops(freeze) {
                self.thawed[at] = self.now;
            }
        }
        self.fleet.freeze = freeze;
        self.look();
    }

    fn effect(&mut self, number: usize) {
        let out = &mut self.out[number];
        if std::mem::replace(&mut out.happened, true) {
            return;
        }
        let ask = out.ask.clone();
        for take in &ask.takes {
            let level = self.level_mut(&take.pool, &ask.zone);
            level.ready = level.ready.saturating_sub(take.ready);
            if ask.class == Class::Traffic {
                level.removed += take.endpoints;
            }
        }
    }

    fn end(&mut self, number: usize, done: bool) {
        if done {
            self.effect(number);
        }
        let out = self.out.remove(number);
        let outcome = if done { Outcome::Done } else { Outcome::Failed };
        self.brake.give_back(out.permit, outcome, self.now);
    }

    fn ask(&mut self, ask: Ask) {
        self.brake.observe(&self.seen, self.now);
        let memory = self.brake.memory().clone();
        let expected = self.brake.check(&ask, &self.seen, self.now);
        assert_eq!(self.brake.memory(), &memory, "reading changes nothing");
        match self.brake.take(ask.clone(), &self.seen, self.now) {
            Err(veto) => {
                assert_eq!(Some(veto), expected);
                assert_eq!(self.brake.memory(), &memory, "a veto changes nothing");
            }
            Ok(permit) => {
                assert_eq!(expected, None);
                self.check(&ask);
                if matches!(ask.class, Class::Disruptive | Class::Irreversible) {
                    self.disrupted.push((ask.zone.clone(), ask.class, self.now));
                }
                self.out.push(Out { permit, ask, happened: false });
                self.permits += 1;
            }
        }
    }

    /// What must hold when a permit is given, by the fleet as it is and not as it was seen.
    fn check(&self, ask: &Ask) {
        let class = Class::BRAKED.iter().position(|it| *it == ask.class).expect("all are listed");
        assert!(self.fleet.freeze.is_none_or(|freeze| !freeze.stops(ask.class)));
        self.check_pool(ask);
        if matches!(ask.class, Class::Disruptive | Class::Irreversible) {
            assert!(ask.planned >= self.thawed[class], "decided before a freeze ended");
            self.check_zone(ask);
        }
    }

    fn check_pool(&self, ask: &Ask) {
        for take in &ask.takes {
            let level = self.fleet.pools[&(take.pool.clone(), ask.zone.clone())];
            let pending = self.out.iter().filter(|out| !out.happened && out.ask.zone == ask.zone);
            let pending: Vec<_> = pending
                .flat_map(|out| out.ask.takes.iter().map(|take| (out.ask.class, take)))
                .filter(|(_, it)| it.pool == take.pool)
                .collect();
            let leaving: u32 = pending.iter().map(|(_, it)| it.ready).sum();
            if take.ready > 0 {
                assert!(
                    level.ready >= leaving + take.ready + level.floor.max(level.needed),
                    "{level:?} {ask:?}"
                );
            }
            if ask.class == Class::Traffic && take.endpoints > 0 {
                let traffic = pending.iter().filter(|(class, _)| *class == Class::Traffic);
                let removed: u32 = traffic.map(|(_, it)| it.endpoints).sum();
                assert!(
                    (level.removed + removed + take.endpoints) * 2 <= level.endpoints,
                    "{level:?} {ask:?}"
                );
            }
        }
    }

    fn check_zone(&self, ask: &Ask) {
        let level = self.fleet.zones[&ask.zone];
        let partial = level.lost >= 3 && level.lost * 100 >= level.nodes * 33;
        assert!(!level.partitioned && !partial);
        let disrupts = |class| matches!(class, Class::Disruptive | Class::Irreversible);
        let running =
            self.out.iter().filter(|out| disrupts(out.ask.class) && out.ask.zone == ask.zone).count();
        assert!(running < 1, "one of 10 nodes at a time");
        let storm = level.changed >= 2 && level.changed * 10 >= level.nodes;
        for (zone, class, then) in &self.disrupted {
            let passed = self.now.since(*then);
            if ask.class == Class::Irreversible && *class == Class::Irreversible {
                assert!(passed >= Duration::from_secs(60));
            }
            if *zone == ask.zone && ask.class == Class::Disruptive {
                assert!(passed >= Duration::from_secs(if storm { 60 } else { 10 }));
            }
        }
        assert!(ask.class != Class::Irreversible || (ask.witnesses >= 2 && !storm));
        let window = self
            .disrupted
            .iter()
            .filter(|(zone, _, then)| *zone == ask.zone && self.now.since(*then) < Duration::from_secs(300));
        // A fifth of 10 nodes, and one trial each two minutes.
        assert!(window.count() < 2 + 3, "the latch");
    }
}

fn freeze() -> impl Strategy<Value = Option<Freeze>> {
    prop_oneof![
        3 => Just(None),
        1 => Just(Some(Freeze::ObserverIsolated)),
        1 => Just(Some(Freeze::Global { zones: 2 })),
        1 => Just(Some(Freeze::Learning)),
        1 => Just(Some(Freeze::Unwell { score: 5 })),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    let (zone, pool, number) = (0..2_usize, 0..2_usize, 0..16_usize);
    let ask = (0..4_usize, zone.clone(), pool.clone(), 0..4_u32, 0..2_u32, 0..60_u64, 1..4_u32);
    prop_oneof![
        16 => ask.prop_map(|(class, zone, pool, ready, dead, age_s, witnesses)| {
            Deed::Ask { class, zone, pool, ready, dead, age_s, witnesses }
        }),
        5 => number.clone().prop_map(|number| Deed::Effect { number }),
        5 => (number, any::<bool>()).prop_map(|(number, done)| Deed::End { number, done }),
        4 => Just(Deed::Look),
        1 => freeze().prop_map(|freeze| Deed::Freeze { freeze }),
        1 => (zone.clone(), 0..5_u32, 0..4_u32, prop::bool::weighted(0.1)).prop_map(
            |(zone, lost, changed, partitioned)| Deed::Trouble { zone, lost, changed, partitioned }
        ),
        1 => (zone.clone(), pool.clone(), 0..12_u32)
            .prop_map(|(zone, pool, needed)| Deed::Demand { zone, pool, needed }),
        1 => (zone.clone(), pool.clone(), 0..4_u32).prop_map(|(zone, pool, count)| Deed::Fail { zone, pool, count }),
        4 => (zone, pool).prop_map(|(zone, pool)| Deed::Recover { zone, pool }),
        5 => (0..30_u64).prop_map(|seconds| Deed::Pass { seconds }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_sequence_takes_a_pool_below_its_floor_or_demand_or_exceeds_a_limit(
        deeds in proptest::collection::vec(deed(), 1..300),
    ) {
        let mut world = World::new();
        for deed in &deeds {
            world.act(deed);
        }
    }

    #[test]
    fn no_pace_of_asks_disrupts_more_of_a_zone_than_the_latch_and_its_trials_allow(
        asks in proptest::collection::vec((0..60_u64, 2..4_usize, prop::bool::weighted(0.8)), 10..80),
    ) {
        let mut world = World::new();
        for (seconds, class, done) in asks {
            world.act(&Deed::Pass { seconds });
            world.act(&Deed::Recover { zone: 0, pool: 0 });
            world.act(&Deed::Ask { class, zone: 0, pool: 0, ready: 1, dead: 0, age_s: 0, witnesses: 2 });
            world.act(&Deed::End { number: 0, done });
        }
    }
}

#[test]
fn a_quiet_fleet_is_not_braked_to_a_stand_still() {
    let mut world = World::new();
    for number in 0..200 {
        let (zone, pool) = (number % 2, number / 2 % 2);
        world.act(&Deed::Look);
        world.act(&Deed::Ask { class: 2, zone, pool, ready: 1, dead: 0, age_s: 0, witnesses: 1 });
        world.act(&Deed::End { number: 0, done: true });
        world.act(&Deed::Pass { seconds: 150 });
        world.act(&Deed::Recover { zone, pool });
    }
    assert_eq!(world.permits, 200, "one each five minutes in each zone of ten nodes is not too much");
}
