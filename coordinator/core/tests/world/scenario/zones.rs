//! Zones that are dark, cut off, or lose some of their nodes.

use ostler_core::detect::{Subject, Verdict};

use crate::agent::Health;
use crate::net::Side;
use crate::script::quiet;

#[test]
fn f19_a_zone_that_goes_dark_is_told_from_single_nodes_and_none_of_it_is_drained() {
    let mut world = quiet(30);
    let (leader, _) = world.leader_and_other();
    let zone = (world.replicas[leader].zone + 1) % 3;
    let nodes = world.nodes_of(zone);
    world.break_nodes(&nodes, Health::Off);
    world.run(20_000);
    assert_eq!(world.zone_verdict(leader, zone), Verdict::ZoneDown);
    assert_eq!(world.record.permits, 0, "no node of it is a case of its own");
    assert_eq!(world.finds(leader, &Subject::Observer), Verdict::Healthy);
}

#[test]
fn f19_a_zone_that_goes_dark_with_its_replica_and_the_lead_is_down_for_the_next_leader() {
    let mut world = quiet(30);
    let (leader, _) = world.leader_and_other();
    let zone = world.replicas[leader].zone;
    let nodes = world.nodes_of(zone);
    world.break_nodes(&nodes, Health::Off);
    world.crash_replica(leader, 120_000);
    world.run(20_000);
    let next = world.leader().expect("another one leads");
    assert_eq!((world.zone_verdict(next, zone), world.record.permits), (Verdict::ZoneDown, 0));
}

#[test]
fn f18_a_zone_cut_one_way_from_all_others_is_a_partition_or_a_loss_of_the_zone_and_not_of_nodes() {
    let mut world = quiet(30);
    let (leader, _) = world.leader_and_other();
    let zone = (world.replicas[leader].zone + 1) % 3;
    world.net.cut(Side::Zone(zone), Side::Elsewhere, world.now_ms + 30_000);
    world.run(20_000);
    assert!(matches!(world.zone_verdict(leader, zone), Verdict::ZonePartition | Verdict::ZoneDown));
    assert_eq!(world.record.permits, 0);
    world.run(60_000);
    assert!((0..3).all(|replica| world.healthy_nodes(replica) == 30), "all is well again");
    assert_eq!(world.record.permits, 0);
}

#[test]
fn f18_a_zone_cut_from_the_replicas_only_is_a_partition() {
    let mut world = quiet(30);
    let (leader, _) = world.leader_and_other();
    let zone = (world.replicas[leader].zone + 1) % 3;
    let from_ms = world.now_ms;
    for replica in 0..3 {
        world.net.cut_both(Side::Replica(replica), Side::Zone(zone), world.now_ms + 30_000);
    }
    world.run(20_000);
    assert_eq!(world.zone_verdict(leader, zone), Verdict::ZonePartition);
    assert_eq!((world.accusations(from_ms), world.record.permits), (0, 0));
}

#[test]
fn f23_single_losses_are_drained_one_at_a_time_and_a_third_at_once_is_not() {
    let mut world = quiet(60);
    let (leader, _) = world.leader_and_other();
    let zone = (world.replicas[leader].zone + 1) % 3;
    let nodes = world.nodes_of(zone);
    world.set_health(nodes[0], Health::Off);
    world.run(30_000);
    assert_eq!(world.sink.effects(), 1);
    world.break_nodes(&nodes[1..9], Health::Off);
    world.run(60_000);
    assert_eq!(world.sink.effects(), 1, "40 % of the zone fell together");
}

#[test]
fn f24_zones_clogged_one_by_one_and_unclogged_in_another_order_come_back_and_nothing_is_drained() {
    let mut world = quiet(30);
    for (zone, for_ms) in [(0, 9_000), (1, 3_000), (2, 14_000)] {
        world.net.cut_both(Side::Zone(zone), Side::Elsewhere, world.now_ms + for_ms);
        world.run(2_000);
    }
    world.run(60_000);
    assert!(world.leader().is_some());
    assert!((0..3).all(|replica| world.healthy_nodes(replica) == 30), "well within a minute");
    assert_eq!(world.record.permits, 0, "nor is the last node drained that comes back");
}
