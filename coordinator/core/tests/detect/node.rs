//! Verdicts on single nodes: how each comes about, what it allows, and how it ends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ostler_core::detect::{
    Action, CanaryResult, Class, CloudState, Fact, FenceProof, Prober, Replica, Subject, Testimony, Verdict,
    ZoneReach,
};
use ostler_core::event::GoodbyeReason;
use ostler_core::id::{NodeKey, ZoneId};

use crate::harness::{CALM, Health, World, zone_id};

const N0: NodeKey = NodeKey(0);

/// Thirty nodes in three zones that have reported for a while.
fn world() -> World {
    let mut world = World::new(1, 30, 3, CALM);
    world.run(20_000);
    world
}

fn silent() -> World {
    let mut world = world();
    world.nodes[0] = Health::Silent;
    world.run(4_000);
    assert_eq!(world.verdict(0), Verdict::NodeUnreachable);
    world
}

fn allowed(world: &World) -> String {
    world.allowed(0).to_string()
}

/// Another replica that reaches everything.
fn other_replica(world: &mut World) {
    let reach: Vec<(ZoneId, ZoneReach)> =
        (0..3).map(|zone| (zone_id(zone), ZoneReach { nodes: 10, reached: 10 })).collect();
    world.tell(Fact::Replica(Replica { name: "r2", reach: &reach }));
}

#[test]
fn a_healthy_fleet_has_no_findings_and_is_not_asked() {
    let world = world();
    assert_eq!(world.detector.findings().count(), 0);
    assert_eq!(world.detector.report().rounds, 0);
}

#[test]
fn a_crashed_agent_is_told_from_its_node_within_half_a_second() {
    let mut world = world();
    let from = world.now;
    world.crash(0);
    world.run(500);
    assert_eq!(world.verdict(0), Verdict::AgentDown);
    assert!(world.became(0, Verdict::AgentDown, from).unwrap() - from <= 100);
    assert_eq!(allowed(&world), "A0");
    let words = world.words(&Subject::Node(N0));
    assert!(words.starts_with("its stream was closed without a goodbye"), "{words}");
    assert!(words.contains("our own probes: 1 of 1 refused"), "{words}");
    world.run(60_000);
    assert_eq!(world.verdict(0), Verdict::AgentDown, "it stays so");
    world.nodes[0] = Health::Up;
    world.join(0, 2);
    world.run(100);
    assert_eq!(world.verdict(0), Verdict::Healthy);
}

#[test]
fn a_refusal_where_nothing_else_lives_is_suspect() {
    let mut world = world();
    world.crash(0);
    world.tell(Fact::DataPlane { node: N0, span: Duration::from_secs(1), succeeded: 0, failed: 7 });
    world.run(1_000);
    assert_eq!((world.verdict(0), allowed(&world)), (Verdict::NodeSuspect, String::from("A0 A1")));
}

#[test]
fn a_silent_node_is_suspected_and_then_unreachable_with_evidence() {
    let mut world = world();
    let from = world.now;
    world.nodes[0] = Health::Silent;
    world.run(4_000);
    let suspect = world.became(0, Verdict::NodeSuspect, from).unwrap();
    let unreachable = world.became(0, Verdict::NodeUnreachable, from).unwrap();
    assert!(suspect < unreachable && unreachable - from <= 3_000);
    assert_eq!(allowed(&world), "A0 A1 A2 A3", "nobody is there to agree to what cannot be undone");
    let words = world.words(&Subject::Node(N0));
    for part in ["connected and silent for 2.", "our own probes: 2 of 2 timed out", " in b: timed out"] {
        assert!(words.contains(part), "{part} in {words}");
    }
}

#[test]
fn a_node_that_answers_has_only_a_broken_stream() {
    let mut world = world();
    world.nodes[0] = Health::NoStream;
    world.run(1_900);
    assert_eq!(world.verdict(0), Verdict::Healthy, "a beat may be late");
    world.run(60_000);
    assert_eq!((world.verdict(0), allowed(&world)), (Verdict::StreamBroken, String::from("A0")));
    assert_eq!(world.count(Verdict::NodeSuspect), 0);
    world.nodes[0] = Health::Up;
    world.run(1_200);
    assert_eq!(world.verdict(0), Verdict::Healthy);
}

#[test]
fn a_broken_stream_becomes_unreachable_when_the_answers_end() {
    let mut world = world();
    world.nodes[0] = Health::NoStream;
    world.run(10_000);
    world.nodes[0] = Health::Silent;
    world.run(15_000);
    assert_eq!(world.verdict(0), Verdict::NodeUnreachable);
    world.nodes[0] = Health::NoStream;
    world.run(15_000);
    assert_eq!(world.verdict(0), Verdict::StreamBroken, "it answers again");
}

#[test]
fn a_lease_or_a_request_after_the_silence_began_speaks_for_the_node() {
    for (fact, verdict) in [
        (Fact::Lease { node: N0, age: Duration::ZERO }, Verdict::NodeSuspect),
        (Fact::DataPlane { node: N0, span: Duration::ZERO, succeeded: 9, failed: 0 }, Verdict::StreamBroken),
    ] {
        let mut world = world();
        world.tell(fact.clone());
        world.nodes[0] = Health::Silent;
        world.run(3_000);
        assert_eq!(world.verdict(0), Verdict::NodeUnreachable, "what came before it says nothing");
        let mut world = self::world();
        world.nodes[0] = Health::Silent;
        while world.detector.report().rounds == 0 {
            world.run(50);
        }
        world.run(100);
        world.tell(fact);
        world.run(2_000);
        assert_eq!(world.verdict(0), verdict);
        world.run(30_000);
        assert_eq!(world.verdict(0), Verdict::NodeUnreachable, "it is out of date");
    }
}

#[test]
fn an_unreachable_node_returns_only_after_five_clean_seconds_and_a_canary() {
    let mut world = silent();
    let from = world.now;
    world.nodes[0] = Health::Up;
    world.run(4_000);
    assert_eq!(world.verdict(0), Verdict::NodeSuspect, "it is back and not trusted");
    assert_eq!(allowed(&world), "A0 A1");
    world.run(3_000);
    assert_eq!(world.verdict(0), Verdict::Healthy);
    let suspect = world.became(0, Verdict::NodeSuspect, from).unwrap();
    assert_eq!((world.became(0, Verdict::Healthy, from).unwrap() - suspect) / 100, 50);

    let mut world = silent();
    world.tell(Fact::Canary(N0, CanaryResult::Failed));
    world.nodes[0] = Health::Up;
    world.run(20_000);
    assert_eq!(world.verdict(0), Verdict::NodeSuspect);
    world.tell(Fact::Canary(N0, CanaryResult::Passed));
    world.run(100);
    assert_eq!(world.verdict(0), Verdict::Healthy);
}

#[test]
fn a_proof_makes_it_dead_and_only_another_incarnation_returns() {
    let mut world = silent();
    world.tell(Fact::Cloud(N0, CloudState::Running));
    world.run(10_000);
    assert_eq!(world.verdict(0), Verdict::NodeUnreachable);
    world.tell(Fact::Cloud(N0, CloudState::Terminated));
    world.run(100);
    assert_eq!(world.verdict(0), Verdict::NodeDead);
    assert!(world.words(&Subject::Node(N0)).contains("the cloud says that the machine is off"));
    world.nodes[0] = Health::Up;
    world.join(0, 1);
    world.run(20_000);
    assert_eq!(world.verdict(0), Verdict::NodeDead, "the same incarnation");
    world.join(0, 2);
    world.run(3_000);
    assert_eq!(world.verdict(0), Verdict::NodeSuspect);
    world.run(3_000);
    assert_eq!(world.verdict(0), Verdict::Healthy);
}

#[test]
fn a_proof_against_a_node_that_is_heard_does_nothing() {
    let mut world = world();
    world.tell(Fact::Fenced(N0, FenceProof::Operator));
    world.run(10_000);
    assert_eq!(world.verdict(0), Verdict::Healthy);
    world.nodes[0] = Health::Silent;
    world.run(4_000);
    assert_eq!(world.verdict(0), Verdict::NodeUnreachable, "nor when it is silent later");
}

#[test]
fn a_proof_ends_with_the_outage_that_it_proved() {
    let mut world = silent();
    world.tell(Fact::Fenced(N0, FenceProof::SelfFence));
    world.run(100);
    assert_eq!(world.verdict(0), Verdict::NodeDead);
    world.nodes[0] = Health::Up;
    world.join(0, 2);
    world.run(20_000);
    assert_eq!(world.verdict(0), Verdict::Healthy);
    world.nodes[0] = Health::Silent;
    world.run(10_000);
    assert_eq!(world.verdict(0), Verdict::NodeUnreachable);
}

#[test]
fn a_node_that_falls_three_times_is_held_down_and_longer_the_next_time() {
    let mut world = world();
    for _ in 0..3 {
        world.nodes[0] = Health::Silent;
        world.run(4_000);
        world.nodes[0] = Health::Up;
        world.run(10_000);
    }
    assert_eq!((world.verdict(0), allowed(&world)), (Verdict::Flapping, String::from("A0 A1")));
    assert!(world.words(&Subject::Node(N0)).contains("held down for 60 s"));
    world.run(60_000);
    assert_eq!(world.verdict(0), Verdict::Healthy);
    world.nodes[0] = Health::Silent;
    world.run(4_000);
    assert_eq!(world.verdict(0), Verdict::NodeUnreachable, "holding hides nothing");
    world.nodes[0] = Health::Up;
    world.run(100_000);
    assert_eq!(world.verdict(0), Verdict::Flapping);
    world.run(30_000);
    assert_eq!(world.verdict(0), Verdict::Healthy);
}

#[test]
fn nothing_is_expected_of_a_node_that_said_goodbye() {
    let mut world = world();
    world.nodes[0] = Health::Silent;
    world.tell(Fact::Goodbye(N0, GoodbyeReason::Upgrade));
    world.run(60_000);
    assert_eq!((world.verdict(0), world.detector.report().rounds), (Verdict::Left, 0));
    assert_eq!(world.words(&Subject::Node(N0)), "it said goodbye: agent upgrade");
    world.nodes[0] = Health::Up;
    world.join(0, 2);
    world.run(1_000);
    assert_eq!(world.verdict(0), Verdict::Healthy);
}

#[test]
fn where_other_replicas_live_one_of_them_must_agree_to_what_is_disruptive() {
    let mut world = world();
    other_replica(&mut world);
    world.nodes[0] = Health::Silent;
    for _ in 0..4 {
        other_replica(&mut world);
        world.run(1_000);
    }
    assert_eq!((world.verdict(0), allowed(&world)), (Verdict::NodeUnreachable, String::from("A0 A1 A2")));
    assert!(world.actions.contains(&Action::Corroborate(vec![N0])), "{:?}", world.actions);
    world.tell(Fact::Witness { replica: "r2", node: N0, testimony: Testimony::Lost });
    world.run(100);
    assert_eq!(allowed(&world), "A0 A1 A2 A3");
    world.tell(Fact::Fenced(N0, FenceProof::OutOfServiceTaint));
    world.run(100);
    assert_eq!(allowed(&world), "A0 A1 A2 A3 A4", "two observers and a proof");
    world.tell(Fact::Witness { replica: "r2", node: N0, testimony: Testimony::Alive });
    world.run(100);
    assert_eq!(world.verdict(0), Verdict::StreamBroken);
}

#[test]
fn a_silent_node_whose_address_another_has_taken_is_unreachable_all_the_same() {
    let mut world = world();
    world.taken.insert(0);
    world.nodes[0] = Health::Silent;
    world.run(6_000);
    assert_eq!(world.verdict(0), Verdict::NodeUnreachable, "{}", world.words(&Subject::Node(N0)));
}

#[test]
fn replicas_that_were_replaced_leave_their_places_to_those_that_live() {
    let mut world = silent();
    for old in 0..20 {
        world.tell(Fact::Witness { replica: &format!("old-{old}"), node: N0, testimony: Testimony::Lost });
        world.run(1);
    }
    other_replica(&mut world);
    world.tell(Fact::Witness { replica: "r2", node: N0, testimony: Testimony::Alive });
    world.run(100);
    assert_eq!(world.verdict(0), Verdict::StreamBroken);
}

#[test]
fn three_probers_of_the_zone_and_two_of_other_zones_are_asked_and_the_work_is_spread() {
    let mut world = World::new(3, 90, 3, CALM);
    world.run(5_000);
    let mut asked: BTreeMap<u32, u32> = BTreeMap::new();
    for node in 0..9 {
        world.nodes[node] = Health::Silent;
    }
    let until = world.now + 60_000;
    while world.now < until {
        let due = world.detector.poll_timeout().unwrap();
        world.run(due.as_millis().saturating_sub(world.now).max(1) - 1);
        let mut twin = world.detector.clone();
        for action in twin.step(due) {
            let Action::Probe(ask) = action else { continue };
            let zones: Vec<usize> = ask.peers.iter().map(|by| world.zones[by.0 as usize]).collect();
            let home = world.zones[ask.node.0 as usize];
            assert_eq!(zones.iter().filter(|zone| **zone == home).count(), 3, "{ask:?}");
            assert_eq!(zones.iter().collect::<BTreeSet<_>>().len(), 3, "{ask:?}");
            assert!(!ask.peers.contains(&ask.node));
            ask.peers.iter().for_each(|by| *asked.entry(by.0).or_default() += 1);
        }
        world.run(2);
    }
    let most = asked.values().max().unwrap();
    let all: u32 = asked.values().sum();
    assert!(asked.len() > 70, "{} of 81 were asked", asked.len());
    assert!(most * 81 < all * 5, "one was asked {most} of {all} times");
    assert_eq!(asked.keys().find(|by| **by < 9), None, "the silent are not asked once they are known to be");
}

#[test]
fn a_late_or_foreign_answer_changes_nothing() {
    let mut world = silent();
    let before = world.transitions.len();
    for (round, by) in [(u32::MAX, Prober::Own), (1, Prober::Own), (1, Prober::Node(NodeKey(29)))] {
        let answer = ostler_core::detect::Answer::Ok;
        let probed = ostler_core::detect::Probed { node: N0, round, by, answer, round_trip: Duration::ZERO };
        world.run(5_000);
        world.tell(Fact::Probed(probed));
    }
    world.run(1_000);
    assert_eq!((world.verdict(0), world.transitions.len()), (Verdict::NodeUnreachable, before));
}

#[test]
fn a_forgotten_node_takes_its_findings_along_and_its_key_is_free() {
    let mut world = silent();
    world.tell(Fact::Forgotten(N0));
    world.run(1_000);
    assert_eq!(world.detector.findings().count(), 0);
    world.tell(Fact::Beat(N0));
    world.nodes[0] = Health::Up;
    world.join(0, 1);
    world.run(10_000);
    assert_eq!(world.verdict(0), Verdict::Healthy);
    assert_eq!(world.detector.report().rounds_in_flight, 0);
    assert!(world.detector.allowed(&Subject::Node(N0)).highest() == Some(Class::Annotate));
}
