//! Faults of etcd and of the way to it.

use ostler_core::action::audit::{Deed, Head, Verb};
use ostler_core::desk::{Item, Key, Phase};
use ostler_core::id::Term;
use ostler_core::time::Time;

use crate::agent::Health;
use crate::net::Side;
use crate::script::{LEADERLESS_MS, quiet};
use crate::sink::Fencing;
use crate::world::World;

#[test]
fn f12_another_leader_of_etcd_deposes_nobody() {
    let mut world = quiet(12);
    let (leader, _) = world.leader_and_other();
    for _ in 0..5 {
        world.etcd.change_leader(world.now_ms);
        world.run(3_000);
    }
    assert_eq!((world.leader(), world.terms().len()), (Some(leader), 1));
}

#[test]
fn f12_while_etcd_is_away_nobody_leads_all_see_and_nobody_is_accused() {
    let mut world = quiet(30);
    let from_ms = world.now_ms;
    world.etcd_fails(20_000);
    world.run(8_000);
    assert_eq!(world.leader(), None);
    let lost_ms = world.now_ms;
    world.set_health(4, Health::Off);
    world.run(8_000);
    assert!((0..3).all(|replica| world.found_after(replica, 4, lost_ms).is_some()), "followers see");
    assert_eq!((world.accusations(from_ms), world.record.permits), (3, 0), "and nobody acts");
    world.run(4_000 + LEADERLESS_MS);
    assert!(world.leader().is_some());
    world.run(30_000);
    assert_eq!(world.sink.effects(), 1, "what waited is done");
}

#[test]
fn f13_a_write_whose_answer_is_lost_has_one_effect() {
    let mut world = quiet(30);
    let (leader, _) = world.leader_and_other();
    let end_ms = world.now_ms + 30_000;
    for node in [4, 8, 12] {
        world.set_health(node, Health::Off);
        // Requests come through and answers do not, a second and a half of each four.
        while world.now_ms < end_ms && !world.now_ms.is_multiple_of(10_000) {
            world.net.cut(Side::Etcd, Side::Replica(leader), world.now_ms + 1_500);
            world.run(4_000);
        }
        world.run(1);
    }
    world.run(60_000);
    assert_eq!(world.sink.effects(), 3, "each node is drained once");
    assert_eq!(world.terms().len(), 1, "the lease was kept all the time");
}

#[test]
fn f14_a_candidate_whose_lease_expires_while_it_waits_does_not_lead_by_it() {
    let mut world = quiet(12);
    let (leader, other) = world.leader_and_other();
    world.pause_replica(other, 12_000);
    world.run(10_000);
    world.crash_replica(leader, 30_000);
    world.run(20_000);
    assert!(world.leader().is_some());
    assert_eq!(world.terms().len(), 2, "one leader after the other, and no phantom");
}

#[test]
fn f15_a_leader_whose_keepalives_are_not_answered_ends_before_its_lease_does() {
    let mut world = quiet(12);
    let (leader, _) = world.leader_and_other();
    world.net.cut(Side::Etcd, Side::Replica(leader), world.now_ms + 60_000);
    // The lease that etcd keeps goes on, because the requests come through; the token ends all the same, and the lease is
    // given back.
    world.run(6_000);
    assert!(world.leader().is_some_and(|it| it != leader));
}

#[test]
fn f16_watches_that_stall_or_are_compacted_delay_a_leader_and_nothing_else() {
    let mut world = quiet(12);
    let (leader, _) = world.leader_and_other();
    for replica in &mut world.replicas {
        replica.watch_stalled_until_ms = u64::MAX;
    }
    world.etcd.compact();
    world.crash_replica(leader, 30_000);
    world.run(LEADERLESS_MS + 2_000);
    assert!(world.leader().is_some_and(|it| it != leader));
}

#[test]
fn when_the_audit_log_is_full_its_oldest_entries_go_and_leaders_go_on() {
    let mut world = World::new(1, 12, 3, Fencing::On);
    let (mut head, mut items) = (Head::EMPTY, Vec::new());
    for _ in 0..10_000 {
        let deed = Deed { verb: Verb::OrderGiven, actor: "ann", subject: "", detail: "" };
        let entry = head.append(deed, Term(0), Time::ZERO);
        head = entry.head();
        items.push((Key::Audit(entry.sequence), Item::Audit(entry)));
    }
    items.push((Key::AuditHead, Item::AuditHead(head)));
    world.etcd.begin_with(items);
    world.run(20_000);
    world.set_health(4, Health::Off);
    world.run(15_000);
    let leader = world.leader().expect("somebody leads");
    world.crash_replica(leader, 1_000);
    world.set_health(8, Health::Off);
    world.run(30_000);
    assert_eq!(world.sink.effects(), 2, "each leader drains one");
    assert_eq!(world.etcd.count("audit/"), 10_000);
}

#[test]
fn decisions_are_not_ended_by_replicas_that_have_all_just_begun() {
    let mut world = quiet(12);
    world.set_health(4, Health::Off);
    world.run(15_000);
    assert_eq!(world.sink.effects(), 1);
    let open = |world: &mut World| {
        let kept = world.etcd.load();
        let is_open = |item: &Item| matches!(item, Item::Decision(it) if it.phase != Phase::Ended);
        kept.iter().filter(|it| is_open(&it.item)).count()
    };
    assert_eq!(open(&mut world), 1);
    (0..3).for_each(|replica| world.crash_replica(replica, 500));
    world.run(60_000);
    assert!(world.leader().is_some());
    assert_eq!(open(&mut world), 1, "none of them knows the node, and it may connect yet");
    world.run(240_000);
    assert_eq!(open(&mut world), 0, "it is gone, and nothing is to be undone");
}
