//! Faults of replicas: killed, standing still, cut off, with a wrong clock.

use ostler_core::detect::{Subject, Verdict};
use ostler_core::lead::{Input, Role};

use crate::agent::Health;
use crate::net::Side;
use crate::script::{LEADERLESS_MS, quiet};

#[test]
fn f9_a_leader_that_is_killed_is_followed_by_another_and_nobody_is_accused() {
    let mut world = quiet(12);
    let (leader, _) = world.leader_and_other();
    let from_ms = world.now_ms;
    world.crash_replica(leader, 30_000);
    world.run(LEADERLESS_MS);
    assert!(world.leader().is_some_and(|it| it != leader));
    assert_eq!((world.terms().len(), world.accusations(from_ms)), (2, 0));
}

#[test]
fn a_leader_that_ends_in_order_is_followed_within_a_second() {
    let mut world = quiet(12);
    let (leader, _) = world.leader_and_other();
    world.tell_election(leader, Input::Shutdown);
    world.run(1_000);
    assert!(world.leader().is_some_and(|it| it != leader));
}

#[test]
fn f10_a_leader_that_stood_still_beyond_its_lease_acts_no_more_when_it_wakes() {
    let mut world = quiet(30);
    let (leader, other) = world.leader_and_other();
    // It has decided to drain, and its call may be on its way for long.
    world.late_ms = 20_000;
    world.set_health(7, Health::Off);
    while world.record.calls == 0 {
        world.run(10);
    }
    world.pause_replica(leader, 25_000);
    world.run(LEADERLESS_MS + 1_000);
    assert!(world.leader().is_some_and(|it| it != leader));
    let from_ms = world.now_ms;
    world.run(20_000);
    world.late_ms = 20;
    // What the leader before had tried is tried again at once, or decided anew when its minute is over: the new leader
    // learns at first, and what was decided before that freeze is not begun after it.
    world.run(50_000);
    assert_eq!(world.replicas[leader].token, None, "it gave its token back");
    assert_eq!(world.sink.effects(), 1);
    assert_eq!(world.accusations(from_ms), 0, "time in which it stood still is nobody's silence");
    assert_eq!(world.verdict(other, 7), Verdict::NodeUnreachable);
}

#[test]
fn a_pause_shorter_than_the_lease_changes_nothing() {
    let mut world = quiet(12);
    let (leader, _) = world.leader_and_other();
    let from_ms = world.now_ms;
    world.pause_replica(leader, 2_500);
    world.run(20_000);
    assert_eq!((world.leader(), world.terms().len(), world.accusations(from_ms)), (Some(leader), 1, 0));
}

#[test]
fn f8_a_leader_cut_from_etcd_only_steps_down_and_sees_as_well_as_before_once_it_follows() {
    let mut world = quiet(30);
    let (leader, _) = world.leader_and_other();
    world.net.cut_both(Side::Replica(leader), Side::Etcd, world.now_ms + 20_000);
    world.run(LEADERLESS_MS);
    assert!(world.leader().is_some_and(|it| it != leader));
    assert!(!matches!(world.replicas[leader].election.role(), Role::Leading(_)));
    let from_ms = world.now_ms;
    world.set_health(4, Health::Off);
    world.run(8_000);
    assert_eq!(world.finds(leader, &Subject::Observer), Verdict::Healthy, "it reaches all nodes");
    assert!(world.found_after(leader, 4, from_ms).is_some(), "a follower need not hold the key to see");
}

#[test]
fn f8_a_leader_cut_from_everything_accuses_nobody_and_takes_no_permit() {
    let mut world = quiet(30);
    let (leader, _) = world.leader_and_other();
    let from_ms = world.now_ms;
    world.net.cut_both(Side::Replica(leader), Side::Anybody, world.now_ms + 30_000);
    world.run(20_000);
    assert_eq!(world.finds(leader, &Subject::Observer), Verdict::ObserverIsolated);
    assert!(world.leader().is_some_and(|it| it != leader));
    world.run(40_000);
    assert_eq!((world.accusations(from_ms), world.record.permits), (0, 0));
    assert_eq!(world.healthy_nodes(leader), 30);
}

#[test]
fn f8_a_leader_cut_from_the_agents_only_gives_the_lead_away() {
    let mut world = quiet(30);
    let (leader, _) = world.leader_and_other();
    let from_ms = world.now_ms;
    for node in 0..30 {
        world.net.cut_both(Side::Replica(leader), Side::Node(node), world.now_ms + 60_000);
    }
    world.run(20_000);
    assert!(world.leader().is_some_and(|it| it != leader), "another one reaches more");
    assert_eq!((world.accusations(from_ms), world.record.permits), (0, 0));
}

#[test]
fn f8_a_leader_cut_from_the_other_replicas_goes_on() {
    let mut world = quiet(30);
    let (leader, _) = world.leader_and_other();
    for other in (0..3).filter(|it| *it != leader) {
        world.net.cut_both(Side::Replica(leader), Side::Replica(other), world.now_ms + 60_000);
    }
    let from_ms = world.now_ms + 10_000;
    world.run(10_000);
    world.set_health(7, Health::Off);
    world.run(10_000);
    assert_eq!((world.leader(), world.terms().len()), (Some(leader), 1));
    assert!(world.found_after(leader, 7, from_ms).is_some_and(|ms| ms <= 4_000));
}

#[test]
fn f11_a_node_that_dies_with_the_leader_is_found_by_the_next_within_eight_seconds() {
    let mut world = quiet(30);
    let (leader, _) = world.leader_and_other();
    let from_ms = world.now_ms;
    let node = world.nodes_of(leader)[3];
    world.crash_replica(leader, 60_000);
    world.set_health(node, Health::Off);
    world.run(8_000);
    let next = world.leader().expect("another leads");
    assert!(world.found_after(next, node, from_ms).is_some(), "{:?}", world.verdict(next, node));
    world.run(22_000);
    assert_eq!(world.sink.effects(), 1, "and it is drained");
}

#[test]
fn f17_a_jump_of_the_wall_clock_moves_no_verdict_and_no_leader() {
    for by_ms in [3_600_000, -3_600_000] {
        let mut world = quiet(12);
        let (leader, other) = world.leader_and_other();
        let from_ms = world.now_ms;
        world.replicas[leader].skew_ms = by_ms;
        world.replicas[other].skew_ms = -by_ms;
        world.run(10_000);
        assert_eq!((world.leader(), world.accusations(from_ms)), (Some(leader), 0));
        // The next process starts an hour off.
        world.crash_replica(leader, 500);
        world.run(30_000);
        assert_eq!((world.terms().len(), world.accusations(from_ms)), (2, 0));
        assert_eq!(world.healthy_nodes(leader), 12);
    }
}
