//! Losses that come again, that grow, or that wander over the fleet.

use ostler_core::detect::{Subject, Verdict};

use crate::agent::{self, Health};
use crate::dice::Dice;
use crate::net::Side;
use crate::script::quiet;
use crate::world::World;

/// A zone in which the leader is not.
fn other_zone(world: &World) -> (usize, usize) {
    let leader = world.leader().expect("somebody leads");
    (leader, (world.replicas[leader].zone + 1) % 3)
}

/// Whether a leader could do nothing disruptive at all: it holds itself to be cut off, or the fleet to be in one trouble.
fn frozen(world: &World, replica: usize) -> bool {
    let finds = |subject| world.finds(replica, &subject);
    finds(Subject::Observer) == Verdict::ObserverIsolated || finds(Subject::Fleet) == Verdict::GlobalFreeze
}

#[test]
fn f20_a_zone_that_flaps_each_ten_seconds_is_never_drained_and_its_nodes_are_trusted_later() {
    let mut world = quiet(30);
    let (leader, zone) = other_zone(&world);
    let nodes = world.nodes_of(zone);
    for _ in 0..12 {
        world.break_nodes(&nodes, Health::Off);
        world.run(5_000);
        world.break_nodes(&nodes, Health::Well);
        world.run(5_000);
    }
    assert_eq!((world.record.permits, world.sink.effects(), world.leader()), (0, 0, Some(leader)));
    world.run(30_000);
    assert_eq!(world.zone_verdict(leader, zone), Verdict::Healthy);
    let held = nodes.iter().filter(|at| world.verdict(leader, **at) == Verdict::Flapping).count();
    assert_eq!((held, world.healthy_nodes(leader)), (nodes.len(), 30 - nodes.len()));
    world.run(60_000);
    assert_eq!(world.record.permits, 0);
}

#[test]
fn f20_a_zone_whose_way_flaps_each_ten_seconds_is_never_drained_and_is_well_a_minute_after() {
    let mut world = quiet(30);
    let (_, zone) = other_zone(&world);
    for _ in 0..12 {
        world.net.cut_both(Side::Zone(zone), Side::Elsewhere, world.now_ms + 5_000);
        world.run(10_000);
    }
    assert_eq!((world.record.permits, world.sink.effects()), (0, 0));
    world.run(60_000);
    let leader = world.leader().expect("somebody leads");
    assert_eq!(world.zone_verdict(leader, zone), Verdict::Healthy);
    let fit = |at: usize| [Verdict::Healthy, Verdict::Flapping].contains(&world.verdict(leader, at));
    assert!((0..30).all(fit), "none is held to be lost");
    assert_eq!(world.record.permits, 0);
}

#[test]
fn f21_a_second_zone_that_falls_while_the_first_is_down_freezes_all_and_a_single_node_waits() {
    let mut world = quiet(30);
    let (leader, first) = other_zone(&world);
    let second = (first + 1) % 3;
    let nodes = world.nodes_of(first);
    world.break_nodes(&nodes, Health::Off);
    world.run(20_000);
    assert_eq!(world.zone_verdict(leader, first), Verdict::ZoneDown);
    assert!(!frozen(&world, leader), "one zone is one zone");
    let nodes = world.nodes_of(second);
    world.break_nodes(&nodes, Health::Off);
    world.run(15_000);
    assert!(frozen(&world, leader));
    let single = world.nodes_of(world.replicas[leader].zone)[1];
    world.set_health(single, Health::Off);
    world.run(40_000);
    assert_eq!((world.record.permits, world.sink.effects()), (0, 0));
}

/// A zone of twenty loses so many nodes, one each 400 ms: permits until 5 s after the last fell, permits of the minute after
/// that, and whether the zone is down.
fn rolls(count: usize) -> (u64, u64, bool) {
    let mut world = quiet(60);
    let (leader, zone) = other_zone(&world);
    for at in world.nodes_of(zone).into_iter().take(count) {
        world.set_health(at, Health::Off);
        world.run(400);
    }
    world.run(5_000);
    let early = world.record.permits;
    world.run(50_000);
    assert!(world.sink.effects() as u64 <= world.record.permits, "no effect without a permit");
    (early, world.record.permits - early, world.zone_verdict(leader, zone) == Verdict::ZoneDown)
}

#[test]
fn f23_what_is_drained_of_a_zone_that_loses_more_and_more_follows_the_brakes_tiers() {
    for (lost, permits, later, down) in [
        // 5 %: one node, one drain.
        (1, 1, 0, false),
        // 10 % is a storm: the second waits for a minute.
        (2, 1, 0, false),
        // The first is drained before a third has fallen; from then on the zone is partly lost, and none is.
        (7, 1, 0, false),
        (11, 1, 0, false),
        (20, 1, 0, true),
    ] {
        let (early, late, is_down) = rolls(lost);
        assert!(early <= permits, "{lost} of 20 lost: {early} permits at first");
        assert_eq!((late, is_down), (later, down), "{lost} of 20 lost");
    }
    assert_eq!(rolls(1).0, 1, "a single node is drained");
}

#[test]
fn f24_random_nodes_clogged_one_by_one_and_unclogged_in_another_order_are_all_well_within_a_minute() {
    for seed in 0..6 {
        let mut world = quiet(24);
        let mut dice = Dice(seed);
        for _ in 0..3 {
            for _ in 0..dice.between(3, 10) {
                let (node, for_ms) = (dice.index(24), dice.between(2_000, 15_000));
                world.net.cut_both(Side::Node(node), Side::Anybody, world.now_ms + for_ms);
                world.run(dice.below(1_500));
            }
            world.run(15_000);
        }
        world.run(60_000);
        let leader = world.leader().expect("somebody leads");
        let drained = world.record.drained.clone();
        for at in 0..24 {
            let verdict = world.verdict(leader, at);
            assert!(
                [Verdict::Healthy, Verdict::Flapping].contains(&verdict),
                "seed {seed}: {} is {verdict}",
                agent::name(at)
            );
        }
        assert!(drained.len() as u64 <= world.record.permits, "seed {seed}");
    }
}
