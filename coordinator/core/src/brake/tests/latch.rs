//! The latch: too much opens it, quiet lets one through, and what is irreversible waits for a person.

use super::super::{Advice, Brake, Outcome, Veto};
use super::{ask, at, brake, disrupt, name, scene, zone, zone_a};
use crate::action::Class;

/// A brake whose latch of zone "a" opened at 290 s: 20 of 100 nodes, one each ten seconds from 100 s on.
fn latched() -> Brake {
    let mut brake = brake();
    for number in 0..20 {
        let permit = disrupt(&mut brake, 100 + number * 10).expect("a permit");
        brake.give_back(permit, Outcome::Done, at(101 + number * 10));
    }
    brake
}

#[test]
fn a_fifth_of_a_zone_in_five_minutes_opens_the_latch_for_traffic_and_all_that_disrupts() {
    let mut brake = latched();
    let veto = disrupt(&mut brake, 300).expect_err("the latch is open");
    let expected = Veto::Latched { zone: zone("a"), disrupted: 20, nodes: 100, half_open_at: at(410) };
    assert_eq!((&veto, veto.advice()), (&expected, Advice::WaitUntil(at(410))));
    let check =
        |class, replicas| name(brake.check(&ask(class, replicas, at(300)), &scene(300), at(300)).as_ref());
    assert_eq!(check(Class::Traffic, 1), "latched");
    assert_eq!(check(Class::Traffic, 0), "permitted", "restoring is no harm");
    assert_eq!(check(Class::Additive, 0), "permitted");
    assert_eq!(check(Class::Irreversible, 1), "latched_for_person");
    let mut elsewhere = ask(Class::Disruptive, 1, at(300));
    elsewhere.zone = zone("b");
    assert_eq!(brake.check(&elsewhere, &scene(300), at(300)), None);
}

#[test]
fn the_same_number_over_a_longer_time_does_not_open_it() {
    let mut brake = brake();
    for number in 0..40 {
        let now = 100 + number * 16;
        let permit = disrupt(&mut brake, now).expect("18 or 19 of 100 in each five minutes");
        brake.give_back(permit, Outcome::Done, at(now + 1));
    }
}

#[test]
fn two_minutes_without_trouble_let_one_through_and_its_success_closes_the_latch() {
    let mut brake = latched();
    let trial = disrupt(&mut brake, 410).expect("the trial");
    let veto = disrupt(&mut brake, 425).expect_err("one at a time");
    assert_eq!(veto, Veto::OnTrial { zone: zone("a") });
    brake.give_back(trial, Outcome::Done, at(430));
    let memory = &brake.memory().zones[&zone("a")];
    assert_eq!((memory.latch, memory.thawed), (None, Some(at(410))));
    assert!(disrupt(&mut brake, 440).is_ok());
}

#[test]
fn a_latch_stays_while_what_was_disrupted_in_its_window_is_too_much() {
    let small = |seconds| zone_a(scene(seconds), |a| a.nodes = 10);
    let mut brake = brake();
    let mut disrupt = |seconds| {
        let permit = brake.take(ask(Class::Disruptive, 1, at(seconds)), &small(seconds), at(seconds));
        permit.map(|permit| brake.give_back(permit, Outcome::Done, at(seconds + 1)))
    };
    assert_eq!((disrupt(100), disrupt(110)), (Ok(()), Ok(())), "two of ten");
    assert_eq!(disrupt(230), Ok(()), "the trial");
    assert_eq!(name(disrupt(240).as_ref().err()), "latched", "three in five minutes");
    assert_eq!(disrupt(600), Ok(()), "the next trial closes it");
    assert_eq!(disrupt(610), Ok(()));
    assert_eq!(name(disrupt(620).as_ref().err()), "latched", "and the second after it opens it again");
}

#[test]
fn a_storm_puts_the_trial_off() {
    let mut brake = latched();
    brake.observe(&zone_a(scene(400), |a| a.changed = 30), at(400));
    assert_eq!(disrupt(&mut brake, 519).expect_err("quiet since 400 s").advice(), Advice::WaitUntil(at(520)));
    assert!(disrupt(&mut brake, 520).is_ok());
}

#[test]
fn a_trial_that_fails_or_never_tells_opens_the_latch_again() {
    let mut brake = latched();
    let trial = disrupt(&mut brake, 410).expect("the trial");
    brake.give_back(trial, Outcome::Failed, at(430));
    assert_eq!(disrupt(&mut brake, 440).expect_err("open").advice(), Advice::WaitUntil(at(550)));
    drop(disrupt(&mut brake, 550).expect("the second trial"));
    assert_eq!(disrupt(&mut brake, 4_000).expect_err("not told yet"), Veto::OnTrial { zone: zone("a") });
    assert_eq!(name(disrupt(&mut brake, 4_151).as_ref().err()), "latched", "after its hour");
}

#[test]
fn what_was_decided_while_the_latch_was_open_is_given_up() {
    let mut brake = latched();
    let old = ask(Class::Disruptive, 1, at(350));
    let veto = brake.take(old, &scene(500), at(500)).expect_err("decided while it was open");
    assert_eq!(veto, Veto::Stale { planned: at(350), thawed: at(410) });
}

#[test]
fn only_a_person_releases_what_is_irreversible() {
    let mut brake = latched();
    let trial = disrupt(&mut brake, 410).expect("the trial");
    brake.give_back(trial, Outcome::Done, at(430));
    let irreversible = |brake: &Brake, planned, now| {
        name(brake.check(&ask(Class::Irreversible, 1, at(planned)), &scene(now), at(now)).as_ref())
    };
    assert_eq!(irreversible(&brake, 100_000, 100_000), "latched_for_person");
    brake.release_zone(&zone("a"), at(100_001));
    assert_eq!(irreversible(&brake, 100_001, 100_001), "latched_for_person");
    brake.release_fleet(at(100_002));
    assert_eq!(irreversible(&brake, 99_000, 100_003), "stale", "and what was decided before is given up");
    assert_eq!(irreversible(&brake, 100_003, 100_003), "permitted");
}

#[test]
fn a_person_closes_a_zones_latch_at_once() {
    let mut brake = latched();
    brake.release_zone(&zone("a"), at(310));
    assert_eq!(
        name(brake.check(&ask(Class::Disruptive, 1, at(309)), &scene(311), at(311)).as_ref()),
        "stale"
    );
    assert!(disrupt(&mut brake, 311).is_ok());
}

#[test]
fn the_next_leader_goes_on_with_what_is_remembered_and_counts_what_it_adopts() {
    let brake = latched();
    let mut next = Brake::new(brake.policy().clone(), brake.memory().clone());
    assert_eq!(name(disrupt(&mut next, 300).as_ref().err()), "latched");
    let adopted: Vec<_> = (0..5).map(|_| next.adopt(ask(Class::Disruptive, 1, at(280)))).collect();
    let trial = disrupt(&mut next, 410).expect_err("five of the earlier leader's still run");
    assert_eq!(name(Some(&trial)), "running");
    for permit in adopted {
        next.give_back(permit, Outcome::Done, at(411));
    }
    assert!(disrupt(&mut next, 412).is_ok());
    let mut third = Brake::new(next.policy().clone(), next.memory().clone());
    assert!(
        disrupt(&mut third, 430).is_ok(),
        "a trial that only the leader before knew does not stop it for ever"
    );
}

#[test]
fn a_zone_that_is_gone_is_forgotten_once_nothing_of_it_counts() {
    let mut brake = brake();
    drop(disrupt(&mut brake, 100).expect("a permit"));
    let without = |seconds| {
        let mut scene = scene(seconds);
        scene.zones.clear();
        scene
    };
    brake.observe(&without(399), at(399));
    assert!(brake.memory().zones.contains_key(&zone("a")));
    brake.observe(&without(400), at(400));
    assert!(brake.memory().zones.is_empty());
}
