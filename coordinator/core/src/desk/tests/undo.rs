//! What was taken out of traffic comes back, whatever happens in between.

use std::collections::BTreeMap;

use super::table::{Hand, Table, case, node, policy};
use crate::action::Effect;
use crate::brake::{Mode, Modes, NewHold, Scope};
use crate::desk::{Fate, Order, Phase, Policy, Standing, Wanted};
use crate::detect::Verdict;
use crate::id::{Incarnation, NodeId};

/// A table at which a node was taken out of traffic, and nothing is found any more.
fn out(policy: Policy) -> Table {
    let mut table = Table::new(policy);
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(5);
    assert!(table.desk.is_out(&node(1)));
    table.find(Vec::new());
    table
}

/// What its last wish waits for.
fn undo_waits_for(table: &Table) -> &str {
    let decision = table.desk.decisions().next().expect("there is one");
    let Some(Fate::Waits(obstacle)) = decision.wishes.last().map(|it| &it.fate) else {
        panic!("{decision:?}")
    };
    &obstacle.name
}

fn acts_on_one_pool() -> Policy {
    let mut policy = policy(Mode::DryRun);
    policy.brake.pools = BTreeMap::from([("p".into(), Modes::all(Mode::Act))]);
    policy
}

#[test]
fn what_was_taken_out_of_a_pool_that_is_switched_on_comes_back_though_all_else_is_a_rehearsal() {
    let mut table = out(acts_on_one_pool());
    table.next_leader();
    table.run(5);
    assert_eq!(table.effects_of(Effect::RestoreEndpoint), 1);
    assert_eq!(table.decision().phase, Phase::Ended);
}

#[test]
fn what_was_taken_out_of_a_pool_that_is_held_comes_back_when_the_pool_is_released() {
    let mut table = out(policy(Mode::Act));
    let what =
        NewHold { scope: Scope::Pool("p".into()), until: None, by: "ann".into(), reason: "why".into() };
    let id = table.desk.brake.hold(what, table.now).expect("it is held");
    table.run(5);
    assert_eq!((undo_waits_for(&table), table.effects_of(Effect::RestoreEndpoint)), ("held", 0));
    table.desk.brake.release(id);
    table.run(5);
    assert_eq!(table.effects_of(Effect::RestoreEndpoint), 1);
}

#[test]
fn a_node_that_is_gone_is_waited_for_and_put_back_when_it_returns_well() {
    let mut table = out(policy(Mode::Act));
    table.standings.insert(node(1), Standing::Gone);
    table.run(60);
    table.next_leader();
    table.run(60);
    assert_eq!((undo_waits_for(&table), table.decision().phase), ("gone", Phase::Ending));
    assert!(table.desk.is_out(&node(1)));
    table.standings.clear();
    table.run(5);
    assert_eq!(table.effects_of(Effect::RestoreEndpoint), 1);
    let restored = table.desk.actions().find(|it| it.intent.effect == Effect::RestoreEndpoint);
    assert_eq!(restored.expect("it is kept").intent.incarnation, Incarnation(2), "of its new start");
    assert_eq!(table.decision().phase, Phase::Ended);
}

#[test]
fn a_node_that_is_gone_and_of_which_nothing_is_out_is_waited_for_by_nobody() {
    let mut table = Table::new(policy(Mode::DryRun));
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(5);
    table.find(Vec::new());
    table.standings.insert(node(1), Standing::Gone);
    table.run(5);
    assert_eq!(table.decision().phase, Phase::Ended);
}

#[test]
fn a_person_ends_the_waiting_for_a_node_that_is_gone() {
    let mut table = out(policy(Mode::Act));
    table.standings.insert(node(1), Standing::Gone);
    table.run(5);
    let wanted = Wanted::Release(Scope::Node(NodeId::from("n1")));
    let order = Order { request_id: "1".into(), by: "ann".into(), reason: "sold".into(), wanted };
    let taken = table.desk.order(&order, table.now).expect("it is released");
    assert!(taken.message.contains("1 decisions about what is gone"), "{}", taken.message);
    table.run(5);
    table.next_leader();
    table.run(5);
    assert_eq!(table.decision().phase, Phase::Ended);
    assert!(!table.desk.is_out(&node(1)));
}

#[test]
fn a_restore_that_failed_once_and_was_not_wanted_for_a_while_is_done_in_the_end() {
    let mut table = out(policy(Mode::Act));
    table.hand = Hand::Refuses;
    table.run(2);
    assert_eq!(undo_waits_for(&table), "failed");
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(5);
    assert_eq!(table.decision().phase, Phase::Open);
    table.hand = Hand::Answers;
    table.find(Vec::new());
    table.run(30);
    assert_eq!(table.effects_of(Effect::RestoreEndpoint), 1);
    assert_eq!(table.decision().phase, Phase::Ended);
}

#[test]
fn a_restore_that_is_refused_again_and_again_is_tried_until_it_is_done() {
    let mut table = out(policy(Mode::Act));
    table.hand = Hand::Refuses;
    table.run(3_000);
    assert!(table.desk.is_out(&node(1)));
    table.hand = Hand::Answers;
    table.run(301);
    assert_eq!(table.effects_of(Effect::RestoreEndpoint), 1);
}

#[test]
fn a_node_that_fails_again_while_its_drain_goes_on_is_taken_out_again() {
    let mut table = Table::new(policy(Mode::Act));
    table.hand = Hand::DrainsLong;
    table.find(vec![case(1, Verdict::NodeDead)]);
    table.run(30);
    table.find(Vec::new());
    table.run(5);
    assert_eq!(table.effects_of(Effect::RestoreEndpoint), 1);
    table.find(vec![case(1, Verdict::NodeDead)]);
    table.run(5);
    assert_eq!((table.effects_of(Effect::RemoveEndpoint), table.decision().phase), (2, Phase::Open));
    table.find(Vec::new());
    table.run(5);
    assert_eq!(table.effects_of(Effect::RestoreEndpoint), 2);
}

#[test]
fn what_waits_is_done_to_the_start_of_the_target_that_is_there_now() {
    let mut table = Table::new(policy(Mode::DryRun));
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(5);
    let mut restarted = case(1, Verdict::NodeUnreachable);
    restarted.wants[0].incarnation = Incarnation(7);
    table.find(vec![restarted]);
    table.run(5);
    assert_eq!(table.decision().wishes[0].incarnation, Incarnation(7));
}
