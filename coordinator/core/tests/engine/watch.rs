//! What changed since a revision.

use std::sync::Arc;

use ostler_core::event::Reply;
use ostler_core::fleet::{REMOVALS_MAX, Removed};
use ostler_core::id::{EngineId, GpuId, NodeId};
use ostler_core::layout::{Layout, Owner};

use crate::harness::{Agent, Yard};

/// Names of the nodes that changed after a revision, newest first.
fn changed(yard: &Yard, revision: u64) -> Vec<String> {
    let since = yard.engine.fleet().since(revision).expect("the revision is known");
    for node in yard.engine.fleet().nodes() {
        let of = yard.engine.fleet().since_of(node.id(), revision).expect("the same revision is known");
        let changed = since.nodes.iter().filter(|it| it.id() == node.id()).map(|it| it.key());
        assert!(of.nodes.iter().map(|it| it.key()).eq(changed), "of one node the same is told");
        assert_eq!(of.removed, since.removed);
    }
    since.nodes.iter().map(|node| node.id().to_string()).collect()
}

fn removed(yard: &Yard, revision: u64) -> Vec<Removed> {
    let since = yard.engine.fleet().since(revision).expect("the revision is known");
    since.removed.into_iter().cloned().collect()
}

fn shrink(agent: &mut Agent) {
    agent.gpus.truncate(1);
    agent.engines.clear();
    agent.layout = Arc::new(Layout::new(1, 0, Vec::new()).expect("it is right"));
    agent.values.clear();
    agent.absent.clear();
    agent.seq += 1;
}

#[test]
fn only_what_changed_since_a_revision_is_listed() {
    let mut yard = Yard::new();
    let mut agents: Vec<Agent> = ["a", "b", "c"].map(|name| yard.agent(name)).into();
    assert_eq!(changed(&yard, 0), ["c", "b", "a"]);
    let revision = yard.engine.fleet().revision();
    assert_eq!(changed(&yard, revision), [] as [&str; 0]);
    let slot = agents[1].slot(Owner::Gpu(1), ostler_core::metric::Metric::GpuPowerMilliwatts);
    assert_eq!(agents[1].send_row(&mut yard, &[(slot, 5)]), Reply::Folded);
    assert_eq!(agents[2].send_row(&mut yard, &[]), Reply::Folded);
    assert_eq!(changed(&yard, revision), ["b"]);
    let node = yard.node("b");
    let owners = [Owner::Gpu(0), Owner::Gpu(1), Owner::Engine(0), Owner::Host];
    let newer: Vec<_> = owners.into_iter().filter(|owner| node.owner_revision(*owner) > revision).collect();
    assert_eq!(newer, [Owner::Gpu(1)]);
    yard.pass(10_000);
    let revision = yard.engine.fleet().revision();
    yard.engine.step(yard.now);
    let mut silent = changed(&yard, revision);
    silent.sort_unstable();
    assert_eq!(silent, ["a", "b", "c"], "falling silent is a change");
}

#[test]
fn what_is_gone_is_listed_until_it_comes_back() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    let revision = yard.engine.fleet().revision();
    shrink(&mut agent);
    assert_eq!(agent.send_snapshot(&mut yard), Reply::Folded);
    let engine = Removed::Engine(NodeId::from("n"), EngineId::from("vllm-8000"));
    assert_eq!(removed(&yard, revision), [engine, Removed::Gpu(GpuId::from("GPU-0-1"))]);
    assert_eq!(removed(&yard, yard.engine.fleet().revision()), []);
    let mut whole = Agent::new(agent.session);
    whole.seq = agent.seq + 1;
    assert_eq!(whole.send_snapshot(&mut yard), Reply::Folded);
    assert_eq!(removed(&yard, revision), []);
    let revision = yard.engine.fleet().revision();
    yard.pass(3_600_001);
    yard.engine.step(yard.now);
    assert_eq!(removed(&yard, revision).len(), 4, "the node, two GPUs, one engine");
    assert_eq!(changed(&yard, 0), [] as [&str; 0]);
}

#[test]
fn a_revision_that_is_too_old_or_not_yet_known_is_answered_with_none() {
    let mut yard = Yard::new();
    let mut agent = yard.agent("n");
    let revision = yard.engine.fleet().revision();
    assert!(yard.engine.fleet().since(revision + 1).is_none());
    // Two removals a round.
    for _ in 0..=REMOVALS_MAX / 2 {
        shrink(&mut agent);
        assert_eq!(agent.send_snapshot(&mut yard), Reply::Folded);
        let mut whole = Agent::new(agent.session);
        whole.seq = agent.seq + 1;
        assert_eq!(whole.send_snapshot(&mut yard), Reply::Folded);
        agent = whole;
    }
    assert!(yard.engine.fleet().since(revision).is_none());
    assert!(yard.engine.fleet().since(yard.engine.fleet().revision() - 10).is_some());
}

#[test]
fn the_journal_is_bounded_and_followed_by_revision() {
    let mut yard = Yard::new();
    for number in 0..10_001 {
        yard.join(crate::harness::hello(&format!("n{number}")));
    }
    let journal = yard.engine.fleet().journal();
    assert_eq!(journal.entries().len(), 10_000);
    assert_eq!(journal.written(), 10_001);
    assert_eq!(journal.entry(1), None);
    assert_eq!(journal.entry(0), None);
    let newest = journal.entry(10_001).expect("it is kept");
    assert_eq!(newest.place.node, Some(NodeId::from("n10000")));
    assert_eq!(journal.since(newest.revision - 1).map(|it| it.id).collect::<Vec<_>>(), [10_001]);
    assert_eq!(journal.since(newest.revision).len(), 0);
    assert_eq!(journal.after(9_999).map(|it| it.id).collect::<Vec<_>>(), [10_000, 10_001]);
}
