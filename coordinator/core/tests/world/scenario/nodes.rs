//! Faults of nodes and of the way to them.

use ostler_core::detect::Verdict;

use crate::agent::Health;
use crate::net::Side;
use crate::script::quiet;

#[test]
fn f1_an_agent_that_is_killed_is_down_within_two_seconds_and_its_node_is_not_drained() {
    let mut world = quiet(12);
    let from_ms = world.now_ms;
    world.crash_agent(5);
    world.run(2_000);
    assert!((0..3).all(|replica| world.verdict(replica, 5) == Verdict::AgentDown));
    world.run(60_000);
    assert_eq!((world.accusations(from_ms), world.record.permits), (0, 0));
    world.set_health(5, Health::Well);
    world.run(5_000);
    assert!((0..3).all(|replica| world.healthy_nodes(replica) == 12));
}

#[test]
fn f2_an_agent_that_stands_still_for_a_moment_is_not_noticed() {
    for (still_ms, noticed) in [(1_000, 0), (30_000, 3)] {
        let mut world = quiet(12);
        world.set_health(5, Health::Hung);
        world.run(still_ms);
        world.set_health(5, Health::Well);
        world.run(15_000);
        let accused = world.record.moved.iter().filter(|it| it.node == 5 && it.verdict != Verdict::Healthy);
        let by = (0..3).filter(|replica| accused.clone().any(|it| it.replica == *replica)).count();
        assert_eq!(by, noticed, "after {still_ms} ms: {:?}", world.record.moved);
        assert!((0..3).all(|replica| world.healthy_nodes(replica) == 12), "and is well again");
    }
}

#[test]
fn f3_a_node_without_power_is_found_by_all_replicas_within_four_seconds_and_drained_once() {
    let mut world = quiet(30);
    let from_ms = world.now_ms;
    world.set_health(4, Health::Off);
    world.run(10_000);
    for replica in 0..3 {
        assert!(world.found_after(replica, 4, from_ms).is_some_and(|ms| ms <= 4_000), "replica {replica}");
    }
    world.run(60_000);
    assert_eq!((world.record.permits, world.sink.effects(), world.accusations(from_ms)), (1, 1, 3));
}

#[test]
fn f4_a_node_that_is_cut_one_way_from_the_replicas_is_not_unreachable() {
    for outward in [true, false] {
        let mut world = quiet(12);
        let from_ms = world.now_ms;
        for replica in 0..3 {
            let (from, to) = (Side::Node(5), Side::Replica(replica));
            let (from, to) = if outward { (from, to) } else { (to, from) };
            world.net.cut(from, to, world.now_ms + 30_000);
        }
        world.run(10_000);
        assert!((0..3).all(|replica| world.verdict(replica, 5) == Verdict::StreamBroken));
        world.run(40_000);
        assert_eq!((world.accusations(from_ms), world.record.permits), (0, 0));
        assert!((0..3).all(|replica| world.healthy_nodes(replica) == 12));
    }
}

#[test]
fn f6_four_minutes_of_five_percent_loss_and_jitter_accuses_nobody() {
    let mut world = quiet(9);
    world.net.loss_percent = 5;
    world.net.jitter_ms = 300;
    world.run(240_000);
    assert_eq!(world.accusations(0), 0);
}

#[test]
fn f7_all_agents_connect_anew_at_once_and_nobody_is_accused() {
    let mut world = quiet(300);
    let (leader, other) = world.leader_and_other();
    let from_ms = world.now_ms;
    world.crash_replica(leader, 500);
    world.crash_replica(other, 500);
    world.run(15_000);
    assert!((0..3).all(|replica| world.healthy_nodes(replica) == 300), "all are back within 15 s");
    assert_eq!((world.accusations(from_ms), world.record.permits), (0, 0));
    assert!(world.leader().is_some());
}

#[test]
fn f28_a_lost_gpu_is_found_on_its_node_by_all_replicas_and_the_node_is_kept() {
    let mut world = quiet(12);
    let from_ms = world.now_ms;
    world.lose_gpu(5);
    world.run(3_000);
    for replica in &world.replicas {
        let lost = replica.engine.detector().findings().filter(|(_, it)| it.verdict == Verdict::GpuLost);
        assert_eq!(lost.count(), 1);
    }
    world.run(20_000);
    assert_eq!((world.accusations(from_ms), world.record.permits), (0, 0));
}
