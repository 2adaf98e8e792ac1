//! Zones: gone, out of reach, or both at once in several places.

use std::time::Duration;

use ostler_core::detect::{Class, Fact, Replica, Subject, Verdict, ZoneReach};
use ostler_core::id::NodeKey;

use crate::harness::{CALM, Health, Network, ROUGH, World, zone_id};

fn world(network: Network) -> World {
    let mut world = World::new(5, 60, 3, network);
    world.run(20_000);
    world
}

fn darken(world: &mut World, zone: usize) {
    for node in 0..world.nodes.len() {
        if world.zones[node] == zone {
            world.nodes[node] = Health::Silent;
        }
    }
}

fn lighten(world: &mut World) {
    world.nodes.iter_mut().for_each(|health| *health = Health::Up);
}

fn members(world: &World, zone: usize) -> Vec<u32> {
    (0..).zip(&world.zones).filter(|(_, at)| **at == zone).map(|(node, _)| node).collect()
}

#[test]
fn a_dark_zone_is_down_within_six_seconds_and_its_nodes_are_not_drained_one_by_one() {
    for (seed, network) in [(1, CALM), (2, CALM), (3, ROUGH), (4, ROUGH), (5, ROUGH), (6, ROUGH)] {
        let mut world = World::new(seed, 60, 3, network);
        world.run(20_000 + seed * 137);
        let from = world.now;
        darken(&mut world, 1);
        let mut disruptive = 0;
        while world.now < from + 8_000 {
            world.run(20);
            let drains = |node: &u32| world.allowed(*node).allows(Class::Disruptive);
            disruptive += members(&world, 1).iter().filter(|node| drains(node)).count();
        }
        assert_eq!(world.zone_verdict(1), Verdict::ZoneDown);
        let down =
            world.transitions.iter().find(|(_, it)| it.finding.verdict == Verdict::ZoneDown).unwrap().0;
        assert!(down - from <= 6_000, "{}", down - from);
        assert_eq!(disruptive, 0);
        assert_eq!(world.detector.allowed(&Subject::Zone(zone_id(1))).to_string(), "A0 A1 A2");
        assert_eq!(world.count(Verdict::ObserverIsolated) + world.count(Verdict::GlobalFreeze), 0);
    }
}

#[test]
fn a_dark_zone_of_a_thousand_nodes_is_down_as_soon_and_hides_no_other_node() {
    let mut world = World::new(9, 3_000, 3, CALM);
    world.run(5_000);
    let from = world.now;
    darken(&mut world, 1);
    world.run(1_000);
    world.nodes[0] = Health::Silent;
    world.run(5_000);
    assert_eq!(world.zone_verdict(1), Verdict::ZoneDown);
    assert!(world.became(0, Verdict::NodeUnreachable, from).unwrap() - from <= 4_000);
    assert!(world.detector.report().rounds < 6_000, "{}", world.detector.report().rounds);
}

#[test]
fn a_zone_recovers_when_nine_tenths_are_back() {
    let mut world = world(CALM);
    darken(&mut world, 1);
    world.run(8_000);
    for node in members(&world, 1).into_iter().take(16) {
        world.nodes[node as usize] = Health::Up;
    }
    world.run(20_000);
    assert_ne!(world.zone_verdict(1), Verdict::Healthy, "16 of 20");
    lighten(&mut world);
    world.run(20_000);
    assert_eq!(world.zone_verdict(1), Verdict::Healthy);
    assert_eq!(world.detector.findings().count(), 0);
}

#[test]
fn a_zone_that_only_we_do_not_reach_is_a_partition() {
    let mut world = world(CALM);
    world.cut_off.insert(1);
    world.run(15_000);
    assert_eq!(world.zone_verdict(1), Verdict::ZonePartition, "probers of other zones reach it");
    assert_eq!(world.detector.allowed(&Subject::Zone(zone_id(1))).to_string(), "A0 A2");
    assert_eq!(world.count(Verdict::NodeUnreachable) + world.count(Verdict::ZoneDown), 0);
    assert!(!world.disrupts());
    world.cut_off.clear();
    world.run(20_000);
    assert_eq!(world.detector.findings().count(), 0);
}

#[test]
fn a_zone_that_nobody_reaches_but_that_serves_is_a_partition() {
    let mut world = world(CALM);
    world.cut_off.insert(1);
    world.islands.insert(1);
    for _ in 0..12 {
        world.run(1_000);
        for node in members(&world, 1) {
            let (node, span) = (NodeKey(node), Duration::from_millis(500));
            world.tell(Fact::DataPlane { node, span, succeeded: 10, failed: 0 });
        }
    }
    assert_eq!(world.zone_verdict(1), Verdict::ZonePartition);
    assert_eq!(world.count(Verdict::ZoneDown), 0);
    assert!(!world.disrupts());
    let words = world.words(&Subject::Zone(zone_id(1)));
    assert!(words.contains("of 20 nodes are silent") && words.contains("gateways see it serve"), "{words}");
}

#[test]
fn a_zone_that_another_replica_reaches_is_a_partition() {
    let mut world = world(CALM);
    world.cut_off.insert(1);
    world.islands.insert(1);
    for _ in 0..10 {
        let reach: Vec<_> =
            (0..3).map(|zone| (zone_id(zone), ZoneReach { nodes: 20, reached: 20 })).collect();
        world.tell(Fact::Replica(Replica { name: "r2", reach: &reach }));
        world.run(1_000);
    }
    assert_eq!(world.zone_verdict(1), Verdict::ZonePartition);
    assert_eq!(world.count(Verdict::ZoneDown), 0);
    assert!(!world.disrupts());
}

#[test]
fn half_a_zone_that_another_replica_does_not_reach_either_is_no_partition() {
    let mut world = world(CALM);
    for node in members(&world, 1).into_iter().take(10) {
        world.nodes[node as usize] = Health::Silent;
    }
    for _ in 0..10 {
        let reach: Vec<_> = [(0, 20), (1, 10), (2, 20)]
            .map(|(zone, reached)| (zone_id(zone), ZoneReach { nodes: 20, reached }))
            .to_vec();
        world.tell(Fact::Replica(Replica { name: "r2", reach: &reach }));
        world.run(1_000);
    }
    assert_eq!(world.count(Verdict::ZonePartition), 0);
}

#[test]
fn two_zones_failing_together_freeze_all_but_adding() {
    let mut world = World::new(5, 80, 4, CALM);
    world.run(20_000);
    for zone in [1, 2] {
        for node in members(&world, zone).into_iter().take(9) {
            world.nodes[node as usize] = Health::Silent;
        }
    }
    world.run(6_000);
    assert_eq!(world.detector.verdict(&Subject::Fleet), Verdict::GlobalFreeze);
    assert_eq!(world.detector.ceiling().to_string(), "A0 A2");
    assert!(world.words(&Subject::Fleet).ends_with("b, c"), "{}", world.words(&Subject::Fleet));
    let node = members(&world, 1)[0];
    assert_eq!(
        (world.verdict(node), world.allowed(node).to_string()),
        (Verdict::NodeUnreachable, "A0 A2".into())
    );
    let healed = world.now;
    lighten(&mut world);
    let mut disruptive = 0;
    while world.now < healed + 30_000 {
        world.run(20);
        disruptive += usize::from(world.disrupts());
    }
    assert_eq!(disruptive, 0, "nothing disruptive on the way out");
    assert_eq!(world.detector.findings().count(), 0);
}

#[test]
fn two_failing_zones_that_gateways_confirm_do_not_freeze() {
    let mut world = World::new(5, 80, 4, CALM);
    world.run(20_000);
    darken(&mut world, 1);
    darken(&mut world, 2);
    for _ in 0..8 {
        world.run(1_000);
        for node in [members(&world, 1), members(&world, 2)].concat() {
            let (node, span) = (NodeKey(node), Duration::from_secs(1));
            world.tell(Fact::DataPlane { node, span, succeeded: 0, failed: 5 });
        }
    }
    assert_eq!(world.detector.verdict(&Subject::Fleet), Verdict::Healthy);
    assert_eq!((world.zone_verdict(1), world.zone_verdict(2)), (Verdict::ZoneDown, Verdict::ZoneDown));
}

#[test]
fn agents_that_crash_together_are_no_matter_of_the_zone() {
    let mut world = world(CALM);
    members(&world, 1).into_iter().for_each(|node| world.crash(node));
    world.run(20_000);
    assert_eq!(world.count(Verdict::AgentDown), 20);
    assert_eq!(world.zone_verdict(1), Verdict::Healthy);
    assert_eq!(world.count(Verdict::NodeUnreachable) + world.count(Verdict::NodeSuspect), 0);
}
