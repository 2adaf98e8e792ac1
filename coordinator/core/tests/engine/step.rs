//! What time alone brings about: silence, return, oblivion, and when to look again.

use ostler_core::event::{Event, GoodbyeReason, Refusal, Reply};
use ostler_core::fleet::State;
use ostler_core::id::{GpuId, NodeId, NodeKey};
use ostler_core::time::Time;

use crate::harness::{Agent, Yard, hello};

const HOUR_MS: u64 = 3_600_000;

/// Steps when the engine wants to, until it wants nothing more before `end`.
fn follow(yard: &mut Yard, end: Time) -> Vec<(u64, Option<State>)> {
    let start = yard.now;
    let mut found = Vec::new();
    while let Some(due) = yard.engine.poll_timeout().filter(|due| *due <= end) {
        yard.now = due;
        yard.engine.step(due);
        let passed = u64::from(due.millis_since(start));
        found.extend(yard.engine.report().transitions.iter().map(|it| (passed, it.state)));
    }
    yard.now = end;
    found
}

#[test]
fn a_silent_node_is_stale_after_three_intervals_and_forgotten_after_an_hour() {
    let mut yard = Yard::new();
    yard.agent("n");
    let end = yard.now + std::time::Duration::from_secs(10_000);
    assert_eq!(follow(&mut yard, end), [(3_001, Some(State::Stale)), (HOUR_MS + 1, None)]);
    assert!(yard.engine.fleet().is_empty());
    assert_eq!(yard.engine.fleet().gpu_count(), 0);
    assert_eq!(yard.told(), ["node_joined", "node_stale", "node_forgotten"]);
}

#[test]
fn a_node_that_left_is_forgotten_after_an_hour_without_being_missed() {
    let mut yard = Yard::new();
    let agent = yard.agent("n");
    let goodbye = Event::Goodbye { session: agent.session, reason: GoodbyeReason::NodeShutdown, detail: "" };
    assert_eq!(yard.handle(goodbye), Reply::Folded);
    let end = yard.now + std::time::Duration::from_secs(10_000);
    assert_eq!(follow(&mut yard, end), [(HOUR_MS + 1, None)]);
}

#[test]
fn a_row_of_a_stale_node_brings_it_back_at_once_and_its_silence_is_seen_again() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    yard.pass(10_000);
    yard.engine.step(yard.now);
    assert_eq!(yard.engine.report().nodes.stale, 1);
    assert_eq!(agent.send_row(&mut yard, &[]), Reply::Folded);
    assert_eq!(yard.told(), ["node_joined", "node_stale", "node_returned"]);
    let end = yard.now + std::time::Duration::from_secs(60);
    assert_eq!(follow(&mut yard, end), [(3_001, Some(State::Stale))]);
}

#[test]
fn any_message_of_a_stale_node_brings_it_back() {
    let mut yard = Yard::new();
    let agent = yard.agent("n");
    for times in 1..=3 {
        yard.pass(10_000);
        yard.engine.step(yard.now);
        assert_eq!(yard.engine.fleet().states().stale, 1);
        let session = agent.session;
        let reply = match times {
            1 => yard.handle(Event::RowsDropped { session, rows: 0 }),
            2 => crate::harness::Row::empty(77).send(&mut yard, session),
            _ => crate::harness::Row::empty(78).send(&mut yard, session),
        };
        assert!(!matches!(reply, Reply::Refused(_)), "{reply:?}");
        assert_eq!(yard.engine.fleet().states().fresh, 1);
        assert_eq!(yard.told().last(), Some(&"node_returned"));
    }
}

#[test]
fn a_node_that_never_sends_a_snapshot_is_stale_too() {
    let mut yard = Yard::new();
    yard.join(hello("n"));
    yard.engine.step(yard.now);
    assert_eq!(yard.engine.report().nodes.joining, 1);
    yard.pass(3_001);
    yard.engine.step(yard.now);
    assert_eq!(yard.engine.report().nodes.stale, 1);
}

#[test]
fn a_second_step_finds_nothing_new_and_a_late_one_finds_all() {
    let mut yard = Yard::new();
    for name in ["a", "b", "c"] {
        yard.agent(name);
    }
    yard.pass(50_000);
    yard.engine.step(yard.now);
    assert_eq!(yard.engine.report().transitions.len(), 3);
    let picture = yard.picture();
    yard.engine.step(yard.now);
    assert!(yard.engine.report().transitions.is_empty());
    assert_eq!(yard.picture(), picture);
}

#[test]
fn a_place_used_again_does_not_listen_to_its_former_node() {
    let mut yard = Yard::new();
    let mut former = yard.agent("former");
    yard.pass(HOUR_MS + 1);
    yard.engine.step(yard.now);
    let gone = &yard.engine.report().transitions;
    assert_eq!(
        gone.iter().map(|it| (it.node, it.name.as_str())).collect::<Vec<_>>(),
        [(NodeKey(0), "former")]
    );
    let latter = yard.agent("latter");
    assert_eq!(latter.session.node, former.session.node);
    assert_eq!(former.send_row(&mut yard, &[(0, 1)]), Reply::Refused(Refusal::Ended));
    assert_eq!(yard.node("latter").values(), latter.values);
    assert!(yard.engine.fleet().node(&NodeId::from("former")).is_none());
}

#[test]
fn a_gpu_belongs_to_the_node_that_listed_it_last() {
    let mut yard = Yard::new();
    let mut one = yard.agent("one");
    let mut two = Agent::new(yard.join(hello("two")));
    two.gpus.clone_from(&one.gpus);
    assert_eq!(two.send_snapshot(&mut yard), Reply::Folded);
    let on = |yard: &Yard| yard.engine.fleet().gpu(&GpuId::from("GPU-0-0")).map(|gpu| gpu.node.id().clone());
    assert_eq!(on(&yard), Some(NodeId::from("two")));
    yard.pass(HOUR_MS + 1);
    assert_eq!(one.send_row(&mut yard, &[]), Reply::Folded);
    yard.engine.step(yard.now);
    assert_eq!(on(&yard), None, "the node that had it last is gone");
    one.seq += 1;
    assert_eq!(one.send_snapshot(&mut yard), Reply::Folded);
    assert_eq!(on(&yard), Some(NodeId::from("one")));
}
