//! Each rule by itself.

use std::time::Duration;

use super::super::{Advice, Brake, Freeze, Memory, Mode, Modes, Outcome, PERMITS_MAX, Policy, Scene, Veto};
use super::{ask, at, brake, disrupt, name, pool_a, scene, zone, zone_a};
use crate::action::Class;
use crate::id::PoolId;

const CLASSES: [Class; 4] = Class::BRAKED;

/// What each class is told in a scene, by a brake that has done nothing yet.
fn answers(scene: &Scene) -> [&'static str; 4] {
    CLASSES.map(|class| name(brake().check(&ask(class, 1, at(100)), scene, at(100)).as_ref()))
}

const FREE: [&str; 4] = ["permitted"; 4];

#[test]
fn what_is_wrong_in_the_fleet_stops_the_classes_that_it_should() {
    let now = scene(100);
    let freeze = |freeze| Scene { freeze: Some(freeze), ..scene(100) };
    let cases = [
        (now.clone(), FREE),
        (freeze(Freeze::ObserverIsolated), ["frozen"; 4]),
        (freeze(Freeze::Global { zones: 2 }), ["frozen", "permitted", "frozen", "frozen"]),
        (freeze(Freeze::Learning), ["frozen", "permitted", "frozen", "frozen"]),
        (freeze(Freeze::Unwell { score: 4 }), ["permitted", "permitted", "frozen", "frozen"]),
        (zone_a(now.clone(), |a| a.lost = 33), ["permitted", "permitted", "partly_lost", "partly_lost"]),
        (zone_a(now.clone(), |a| a.lost = 32), FREE),
        (zone_a(now.clone(), |a| (a.nodes, a.lost) = (4, 2)), FREE),
        (
            zone_a(now.clone(), |a| (a.nodes, a.lost) = (4, 3)),
            ["permitted", "permitted", "partly_lost", "partly_lost"],
        ),
        (
            zone_a(now.clone(), |a| a.partitioned = true),
            ["permitted", "permitted", "partitioned", "partitioned"],
        ),
        (zone_a(now.clone(), |a| a.changed = 10), ["permitted", "permitted", "permitted", "storm"]),
        (zone_a(now.clone(), |a| a.changed = 9), FREE),
        (zone_a(now.clone(), |a| (a.nodes, a.changed) = (3, 1)), FREE),
        (pool_a(now.clone(), |p| p.needed = 19), FREE),
        (pool_a(now.clone(), |p| p.needed = 20), ["floor"; 4]),
        (pool_a(now.clone(), |p| p.floor = 20), ["floor"; 4]),
        (pool_a(now.clone(), |p| p.removed = 9), FREE),
        (pool_a(now.clone(), |p| p.removed = 10), ["panic", "permitted", "permitted", "permitted"]),
        (
            Scene { zones: Default::default(), ..now.clone() },
            ["unknown_zone", "permitted", "unknown_zone", "unknown_zone"],
        ),
        (Scene { pools: Default::default(), ..now.clone() }, ["unknown_pool"; 4]),
        (scene(95), FREE),
        (scene(94), ["old_scene"; 4]),
    ];
    for (scene, expected) in cases {
        assert_eq!(answers(&scene), expected, "{scene:?}");
    }
}

#[test]
fn a_storm_in_another_zone_stops_what_is_irreversible() {
    let mut scene = scene(100);
    scene.zones.get_mut(&zone("b")).expect("zone b").changed = 50;
    assert_eq!(answers(&scene), ["permitted", "permitted", "permitted", "storm"]);
}

#[test]
fn what_adds_or_restores_is_not_stopped_by_floors_zones_or_latches() {
    let scene = zone_a(pool_a(scene(100), |p| (p.ready, p.removed) = (0, 20)), |a| a.lost = 90);
    for class in [Class::Traffic, Class::Additive] {
        assert_eq!(brake().check(&ask(class, 0, at(100)), &scene, at(100)), None, "{class}");
    }
}

#[test]
fn taking_away_what_is_dead_needs_no_headroom_but_half_of_the_endpoints_stay() {
    let scene = pool_a(scene(100), |p| (p.ready, p.needed, p.removed) = (12, 12, 6));
    let mut dead = ask(Class::Traffic, 4, at(100));
    dead.takes[0].ready = 0;
    assert_eq!(brake().check(&dead, &scene, at(100)), None);
    dead.takes[0].endpoints = 5;
    assert_eq!(name(brake().check(&dead, &scene, at(100)).as_ref()), "panic");
    assert!(!brake().is_panic(&PoolId::from("p"), &zone("a"), &scene));
    let scene = pool_a(scene, |p| p.removed = 11);
    assert!(brake().is_panic(&PoolId::from("p"), &zone("a"), &scene), "all of it belongs in traffic");
}

#[test]
fn permits_that_are_out_are_counted_as_gone_until_a_newer_look_shows_their_end() {
    let mut brake = brake();
    let take = |brake: &mut Brake, look, now| {
        let scene = pool_a(scene(look), |p| p.endpoints = 40);
        brake.take(ask(Class::Traffic, 4, at(now)), &scene, at(now))
    };
    let first = take(&mut brake, 100, 100).expect("20 are ready and 12 needed");
    let second = take(&mut brake, 100, 101).expect("16");
    let veto = take(&mut brake, 101, 102).expect_err("12 are needed");
    assert!(matches!(veto, Veto::Floor { ready: 20, permitted: 8, taking: 4, needed: 12, .. }), "{veto:?}");
    brake.give_back(first, Outcome::Failed, at(103));
    assert!(take(&mut brake, 103, 103).is_err(), "a look as old as the end may not show it");
    let third = take(&mut brake, 104, 104).expect("the newer look still has 20: it failed");
    assert!(take(&mut brake, 105, 105).is_err());
    for permit in [second, third] {
        brake.give_back(permit, Outcome::Done, at(106));
    }
}

#[test]
fn a_permit_that_is_never_given_back_is_forgotten_when_its_action_has_ended_in_any_case() {
    let mut brake = brake();
    let lost = brake.take(ask(Class::Traffic, 8, at(100)), &scene(100), at(100)).expect("a permit");
    drop(lost);
    let late = at(100 + 3_601);
    assert!(brake.take(ask(Class::Traffic, 1, at(200)), &scene(200), at(200)).is_err());
    assert!(brake.take(ask(Class::Traffic, 8, late), &scene(3_701), late).is_ok());
}

#[test]
fn disruptive_actions_come_each_ten_seconds_and_six_times_slower_in_a_storm() {
    let mut brake = brake();
    let mut permits = vec![disrupt(&mut brake, 100).expect("the first")];
    let veto = disrupt(&mut brake, 109).expect_err("too soon");
    assert_eq!(veto.advice(), Advice::WaitUntil(at(110)));
    permits.push(disrupt(&mut brake, 110).expect("ten seconds later"));
    let storm = zone_a(scene(120), |a| a.changed = 20);
    let veto = brake.check(&ask(Class::Disruptive, 1, at(120)), &storm, at(120)).expect("a storm");
    assert_eq!(veto.advice(), Advice::WaitUntil(at(170)));
    let mut elsewhere = ask(Class::Disruptive, 1, at(120));
    elsewhere.zone = zone("b");
    assert_eq!(brake.check(&elsewhere, &storm, at(120)), None, "each zone has its own rate");
}

#[test]
fn as_many_run_at_a_time_as_a_twentieth_of_the_zone() {
    let mut brake = brake();
    let mut permits: Vec<_> =
        (0..5).map(|it| disrupt(&mut brake, 100 + it * 20).expect("a permit")).collect();
    let veto = disrupt(&mut brake, 200).expect_err("five run");
    assert!(matches!(veto, Veto::Running { running: 5, limit: 5, nodes: 100, .. }), "{veto:?}");
    brake.give_back(permits.remove(0), Outcome::Done, at(201));
    assert!(disrupt(&mut brake, 202).is_ok());
    let small = zone_a(scene(300), |a| a.nodes = 3);
    let alone = super::brake().take(ask(Class::Disruptive, 1, at(300)), &small, at(300));
    assert!(alone.is_ok(), "one at least");
}

#[test]
fn irreversible_actions_need_two_witnesses_and_come_each_minute_anywhere() {
    let mut brake = brake();
    let mut alone = ask(Class::Irreversible, 1, at(100));
    alone.witnesses = 1;
    assert_eq!(brake.check(&alone, &scene(100), at(100)), Some(Veto::Witnesses { seen_by: 1, needed: 2 }));
    let permit = brake.take(ask(Class::Irreversible, 1, at(100)), &scene(100), at(100)).expect("a permit");
    let mut elsewhere = ask(Class::Irreversible, 1, at(159));
    elsewhere.zone = zone("b");
    let veto = brake.check(&elsewhere, &scene(159), at(159)).expect("too soon");
    assert_eq!(veto, Veto::IrreversibleRate { interval: Duration::from_secs(60), next: at(160) });
    assert_eq!(brake.check(&elsewhere, &scene(160), at(160)), None);
    brake.give_back(permit, Outcome::Done, at(161));
}

#[test]
fn what_was_decided_before_a_freeze_ended_is_given_up() {
    let mut brake = brake();
    let frozen = Scene { freeze: Some(Freeze::Global { zones: 2 }), ..scene(100) };
    let old = ask(Class::Disruptive, 1, at(90));
    assert_eq!(brake.take(old.clone(), &frozen, at(100)).expect_err("frozen").advice(), Advice::Wait);
    brake.observe(&scene(200), at(200));
    let veto = brake.take(old, &scene(201), at(201)).expect_err("it was decided before");
    assert_eq!((&veto, veto.advice()), (&Veto::Stale { planned: at(90), thawed: at(200) }, Advice::Abort));
    assert!(disrupt(&mut brake, 202).is_ok(), "decided anew");
    let additive = ask(Class::Additive, 0, at(90));
    assert_eq!(brake.check(&additive, &scene(202), at(202)), None, "what the freeze did not stop is not old");
}

#[test]
fn what_was_decided_before_a_zone_came_back_is_given_up_there_and_not_elsewhere() {
    let mut brake = brake();
    brake.observe(&zone_a(scene(100), |a| a.lost = 50), at(100));
    brake.observe(&scene(200), at(200));
    let mut old = ask(Class::Disruptive, 1, at(150));
    assert_eq!(name(brake.check(&old, &scene(201), at(201)).as_ref()), "stale");
    old.zone = zone("b");
    assert_eq!(brake.check(&old, &scene(201), at(201)), None);
}

#[test]
fn nothing_acts_by_default_and_a_dry_run_takes_no_permit() {
    let mut brake = Brake::new(Policy::default(), Memory::default());
    for class in CLASSES {
        let veto = brake.take(ask(class, 1, at(100)), &scene(100), at(100)).expect_err("dry run");
        assert_eq!(veto, Veto::DryRun { class, pool: Some(PoolId::from("p")) });
    }
    assert_eq!(brake.memory(), &Memory::default());
    let veto = brake.check(&ask(Class::Traffic, 9, at(100)), &scene(100), at(100));
    assert_eq!(name(veto.as_ref()), "floor", "what else is in the way is said first");
}

#[test]
fn classes_are_switched_pool_by_pool_and_the_strictest_pool_decides() {
    let disruptive = |mode| Modes { disruptive: mode, ..Modes::all(Mode::DryRun) };
    let pools = [(PoolId::from("p"), disruptive(Mode::Act)), (PoolId::from("q"), disruptive(Mode::Off))];
    let brake = Brake::new(Policy { pools: pools.into(), ..Policy::default() }, Memory::default());
    let check = |pools: &[&str], class| {
        let mut ask = ask(class, 0, at(100));
        let take = ask.takes[0].clone();
        ask.takes = pools
            .iter()
            .map(|pool| super::super::Take { pool: PoolId::from(*pool), ..take.clone() })
            .collect();
        name(brake.check(&ask, &scene(100), at(100)).as_ref())
    };
    assert_eq!(check(&["p"], Class::Disruptive), "permitted");
    assert_eq!(check(&["p"], Class::Traffic), "dry_run");
    assert_eq!(check(&["other"], Class::Disruptive), "dry_run");
    assert_eq!(check(&["p", "other"], Class::Disruptive), "dry_run");
    assert_eq!(check(&["p", "q"], Class::Disruptive), "switched_off");
    assert_eq!(check(&[], Class::Disruptive), "dry_run");
}

#[test]
fn a_veto_tells_the_numbers_it_went_by() {
    let scene = pool_a(scene(100), |p| (p.ready, p.needed) = (13, 13));
    let text = |scene: &Scene, class| {
        brake()
            .check(&ask(class, 1, at(100)), scene, at(100))
            .map(|veto| veto.to_string())
            .unwrap_or_default()
    };
    assert_eq!(
        text(&scene, Class::Disruptive),
        "pool p in zone a has 13 ready replicas, 0 of them leaving; without 1 more it would have fewer than the 10 it must have and the 13 its queue needs"
    );
    assert_eq!(
        text(&zone_a(scene.clone(), |a| a.lost = 40), Class::Disruptive),
        "40 of 100 nodes of zone a are lost"
    );
    let frozen = Scene { freeze: Some(Freeze::Unwell { score: 5 }), ..scene.clone() };
    assert_eq!(
        text(&frozen, Class::Irreversible),
        "frozen: this coordinator is not well (health score 5 of 8)"
    );
    let dry = Brake::new(Policy::default(), Memory::default());
    let veto = dry.check(&ask(Class::Traffic, 1, at(100)), &super::scene(100), at(100)).expect("dry run");
    assert_eq!(
        veto.to_string(),
        "dry run: it would be done now, if traffic (A1) actions were switched on for pool p"
    );
    let veto = Veto::Rate { zone: zone("a"), interval: Duration::from_secs(60), storm: true, next: at(170) };
    assert_eq!(
        veto.to_string(),
        "one disruptive action each 60 s in zone a, which is in a storm; the next at 170.000s"
    );
}

#[test]
fn only_so_many_permits_are_out() {
    let mut brake = brake();
    for _ in 0..PERMITS_MAX {
        drop(brake.adopt(ask(Class::Additive, 0, at(100))));
    }
    let veto = brake.check(&ask(Class::Additive, 0, at(101)), &scene(101), at(101));
    assert_eq!(veto, Some(Veto::TooMany { limit: PERMITS_MAX }));
}
