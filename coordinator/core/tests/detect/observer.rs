//! The observer proves itself first: isolated, paused, new, or unwell, it takes nothing down.

use ostler_core::detect::{
    Action, Class, Doubt, Ending, Fact, Own, Replica, Resignation, Subject, Verdict, ZoneReach,
};
use ostler_core::id::NodeKey;

use crate::harness::{CALM, Health, ROUGH, World, zone_id};

fn world(seed: u64) -> World {
    let mut world = World::new(seed, 60, 3, CALM);
    world.run(20_000);
    world
}

/// Runs, and counts the moments at which something disruptive is allowed.
fn disruption(world: &mut World, millis: u64) -> usize {
    let until = world.now + millis;
    let mut count = 0;
    while world.now < until {
        world.run(10);
        count += usize::from(world.disrupts());
    }
    count
}

fn accusations(world: &World) -> usize {
    [Verdict::NodeUnreachable, Verdict::NodeDead, Verdict::ZoneDown].map(|it| world.count(it)).iter().sum()
}

#[test]
fn an_observer_cut_off_from_everything_takes_nothing_down() {
    for (seed, network) in [(1, CALM), (2, ROUGH), (3, ROUGH)] {
        let mut world = World::new(seed, 60, 3, network);
        world.run(20_000);
        world.cut_off.extend([0, 1, 2]);
        assert_eq!(disruption(&mut world, 30_000), 0);
        assert_eq!(world.detector.verdict(&Subject::Observer), Verdict::ObserverIsolated);
        assert_eq!(world.detector.ceiling().to_string(), "nothing");
        let words = world.words(&Subject::Observer);
        assert!(words.contains("of 60 nodes and") && words.contains("nobody confirms"), "{words}");
        world.cut_off.clear();
        assert_eq!(disruption(&mut world, 30_000), 0);
        assert_eq!(accusations(&world), 0);
        assert_eq!(world.detector.verdict(&Subject::Observer), Verdict::Healthy);
        assert_eq!(world.count(Verdict::ObserverIsolated), 1, "it does not waver");
    }
}

#[test]
fn the_way_out_of_isolation_is_straight_for_a_fleet_with_other_troubles() {
    for seed in 0..10 {
        let mut world = World::new(seed, 12, 3, CALM);
        world.run(15_000);
        world.nodes[0] = Health::Silent;
        (3..8).for_each(|node| world.crash(node));
        world.nodes[2] = Health::NoStream;
        world.run(8_000);
        world.cut_off.extend([0, 1, 2]);
        world.run(5_000 + seed * 321);
        world.cut_off.clear();
        world.run(20_000);
        let isolated = world.count(Verdict::ObserverIsolated);
        assert!((1..=2).contains(&isolated), "seed {seed}: {isolated} times");
        let verdicts = [0, 2, 3, 9].map(|node| world.verdict(node));
        let expected =
            [Verdict::NodeUnreachable, Verdict::StreamBroken, Verdict::AgentDown, Verdict::Healthy];
        assert_eq!(verdicts, expected);
    }
}

#[test]
fn an_observer_that_reaches_only_one_of_three_zones_suspects_itself() {
    let mut world = world(1);
    world.cut_off.extend([1, 2]);
    world.islands.extend([1, 2]);
    assert_eq!(disruption(&mut world, 30_000), 0);
    assert_eq!(world.detector.verdict(&Subject::Observer), Verdict::ObserverIsolated);
    assert_eq!(accusations(&world), 0);
}

#[test]
fn a_loss_that_another_replica_confirms_is_not_our_isolation() {
    let mut world = World::new(1, 40, 2, CALM);
    world.run(20_000);
    (0..40).filter(|node| node % 2 == 1).for_each(|node| world.nodes[node] = Health::Silent);
    for _ in 0..8 {
        let lost = ZoneReach { nodes: 20, reached: 0 };
        let reach = [(zone_id(0), ZoneReach { nodes: 20, reached: 20 }), (zone_id(1), lost)];
        world.tell(Fact::Replica(Replica { name: "r2", reach: &reach }));
        world.run(1_000);
    }
    assert_eq!(world.detector.verdict(&Subject::Observer), Verdict::Healthy);
    assert_eq!(world.zone_verdict(1), Verdict::ZoneDown);
}

#[test]
fn a_pause_of_the_whole_process_is_nobodys_silence() {
    for seed in 1..6 {
        for step_first in [true, false] {
            let mut world = world(seed);
            world.paused = true;
            world.run(20_000);
            world.resume(step_first);
            assert_eq!(disruption(&mut world, 20_000), 0);
            assert_eq!(accusations(&world) + world.count(Verdict::NodeSuspect), 0);
            assert!(world.detector.report().away.as_secs() >= 19);
        }
    }
}

#[test]
fn a_pause_of_all_that_comes_in_is_our_own_isolation() {
    for seed in 1..6 {
        for step_first in [true, false] {
            let mut world = world(seed);
            world.clogged = true;
            assert_eq!(disruption(&mut world, 20_000), 0);
            assert_eq!(world.detector.verdict(&Subject::Observer), Verdict::ObserverIsolated);
            world.resume(step_first);
            assert_eq!(disruption(&mut world, 20_000), 0);
            assert_eq!(accusations(&world), 0);
            assert_eq!(world.detector.findings().count(), 0);
        }
    }
}

#[test]
fn a_node_that_died_during_a_pause_is_found_soon_after() {
    let mut world = world(1);
    world.paused = true;
    world.run(10_000);
    world.nodes[7] = Health::Silent;
    world.run(10_000);
    world.resume(true);
    let from = world.now;
    world.run(10_000);
    assert!(
        world.became(7, Verdict::NodeUnreachable, from).unwrap() - from <= 6_000,
        "the pause makes us patient"
    );
}

#[test]
fn a_node_that_died_with_the_leader_is_found_by_the_next_one() {
    // The new one knows the roster, and all but one node connect.
    let mut world = World::new(1, 0, 1, CALM);
    world.nodes = vec![Health::Up; 12];
    world.zones = (0..12).map(|node| node % 3).collect();
    world.nodes[4] = Health::Silent;
    for node in 0..12 {
        let identity = world.identity(node);
        world.tell(Fact::Expected(identity));
    }
    world.lead();
    let from = world.now;
    for node in (0..12).filter(|node| *node != 4) {
        world.run(50);
        world.join(node, 1);
    }
    for _ in 0..40 {
        (0..12).filter(|node| *node != 4).for_each(|node| world.tell(Fact::Beat(NodeKey(node))));
        world.run(200);
    }
    let took = world.became(4, Verdict::NodeUnreachable, from).unwrap() - from;
    assert!(took <= 4_000, "{took}");
    assert!(world.allowed(4).allows(Class::Disruptive));
    assert!(world.words(&Subject::Node(NodeKey(4))).starts_with("it is expected and has not connected for"));
}

#[test]
fn while_it_learns_nothing_disruptive_is_allowed() {
    let mut world = world(1);
    world.nodes[0] = Health::Silent;
    world.run(5_000);
    assert!(world.allowed(0).allows(Class::Disruptive));
    // A third of the fleet is silent as the lead is taken, so that learning lasts its time.
    (1..20).for_each(|node| world.tell(Fact::Ended(NodeKey(node), Ending::Reset)));
    world.lead();
    assert!(!world.allowed(0).allows(Class::Disruptive));
    world.run(2_800);
    assert!(world.detector.report().learning && !world.allowed(0).allows(Class::Disruptive));
    (1..20).for_each(|node| world.join(node, 1));
    world.run(300);
    assert!(!world.detector.report().learning && world.allowed(0).allows(Class::Disruptive));
}

#[test]
fn an_unwell_observer_disrupts_nothing_and_a_leader_gives_up() {
    let mut world = world(1);
    world.nodes[0] = Health::Silent;
    world.run(5_000);
    assert!(world.allowed(0).allows(Class::Disruptive));
    world.lead();
    for doubt in [Doubt::StoreSlow, Doubt::AnchorSilent, Doubt::Lagged] {
        world.tell(Fact::Own(Own::Doubt(doubt)));
    }
    world.run(1_000);
    for doubt in [Doubt::StoreSlow, Doubt::AnchorSilent, Doubt::Lagged] {
        world.tell(Fact::Own(Own::Doubt(doubt)));
    }
    assert_eq!(world.allowed(0).to_string(), "A0 A1 A2");
    world.run(1_000);
    let unwell = |it: &Action| matches!(it, Action::Resign(Resignation::Unwell { score: 6 }));
    assert!(world.actions.iter().any(unwell), "{:?}", world.actions);
    world.run(10_000);
    assert_eq!(world.detector.report().local_health.score(), 0);
    assert!(world.allowed(0).allows(Class::Disruptive));
}

#[test]
fn a_lost_election_key_isolates() {
    let mut world = world(1);
    world.tell(Fact::Own(Own::KeyMissing));
    world.run(200);
    assert_eq!(world.detector.verdict(&Subject::Observer), Verdict::ObserverIsolated);
    world.tell(Fact::Own(Own::KeyHeld));
    world.run(200);
    assert_eq!(world.detector.verdict(&Subject::Observer), Verdict::Healthy);
}

#[test]
fn a_leader_that_reaches_less_than_half_of_what_another_does_resigns_after_five_seconds() {
    let mut world = world(1);
    world.lead();
    world.cut_off.extend([1, 2]);
    let mut resigned = None;
    for second in 0..20 {
        let reach: Vec<_> =
            (0..3).map(|zone| (zone_id(zone), ZoneReach { nodes: 20, reached: 20 })).collect();
        world.tell(Fact::Replica(Replica { name: "r2", reach: &reach }));
        world.run(1_000);
        let outreached = |it: &Action| matches!(it, Action::Resign(Resignation::Outreached { .. }));
        if resigned.is_none() && world.actions.iter().any(outreached) {
            resigned = Some(second);
        }
    }
    assert!((6..=9).contains(&resigned.unwrap()), "{resigned:?}");
    world.tell(Fact::Own(Own::Following));
    world.actions.clear();
    world.run(3_000);
    assert_eq!(world.actions, [], "a follower has nothing to give up");
}

#[test]
fn a_replica_that_has_just_begun_and_reaches_the_few_nodes_it_knows_outdoes_nobody() {
    let mut world = world(1);
    world.lead();
    world.nodes[..33].fill(Health::Silent);
    for _ in 0..10 {
        let few = [(zone_id(0), ZoneReach { nodes: 3, reached: 3 })];
        world.tell(Fact::Replica(Replica { name: "new", reach: &few }));
        world.run(1_000);
    }
    let outreached = |it: &Action| matches!(it, Action::Resign(Resignation::Outreached { .. }));
    assert!(!world.actions.iter().any(outreached), "{:?}", world.actions);
}

#[test]
fn one_that_is_new_remembers_how_many_nodes_others_knew_and_later_goes_by_its_own() {
    for (known_for_s, isolated) in [(20, true), (700, false)] {
        let mut world = World::new(1, 6, 3, CALM);
        world.run(known_for_s * 1_000);
        let all = [0, 1, 2].map(|zone| (zone_id(zone), ZoneReach { nodes: 20, reached: 20 }));
        world.tell(Fact::Replica(Replica { name: "r2", reach: &all }));
        world.run(10_000);
        let verdict = world.detector.verdict(&Subject::Observer);
        assert_eq!(verdict == Verdict::ObserverIsolated, isolated, "after {known_for_s} s");
    }
}

#[test]
fn probes_that_cannot_be_made_are_no_doubt_about_ourselves() {
    let mut world = world(1);
    world.nameless.extend(0..12);
    world.nodes[..12].fill(Health::Silent);
    let before = world.detector.report().rounds;
    world.run(60_000);
    let rounds = world.detector.report().rounds - before;
    assert!(rounds <= 12 * 13, "{rounds} rounds: one in five seconds is enough");
    assert_eq!(world.detector.report().local_health.score(), 0);
    assert_eq!((0..12).filter(|node| world.verdict(*node) == Verdict::NodeSuspect).count(), 12);
    assert_eq!(accusations(&world), 0, "that it cannot be asked is no proof that it is gone");
}

#[test]
fn one_node_alone_cannot_be_told_from_ourselves() {
    let mut world = World::new(1, 1, 1, CALM);
    world.run(10_000);
    world.nodes[0] = Health::Silent;
    world.run(10_000);
    assert_eq!(world.detector.verdict(&Subject::Observer), Verdict::ObserverIsolated);
    assert_eq!(accusations(&world), 0);
    world.nodes[0] = Health::Up;
    world.run(10_000);
    world.crash(0);
    world.run(500);
    assert_eq!(world.verdict(0), Verdict::AgentDown, "a refusal is an answer");
}
