//! From a verdict to an effect and back, with leaders that die in between.

use super::table::{Fault, Hand, Table, case, node, policy};
use crate::action::{Effect, State};
use crate::brake::Mode;
use crate::desk::{Answer, Fate, Phase, Told};
use crate::detect::Verdict;

#[test]
fn a_node_that_nobody_reaches_leaves_traffic_once_and_comes_back_when_it_is_well() {
    let mut table = Table::new(policy(Mode::Act));
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(60);
    assert_eq!(table.done, [(Effect::RemoveEndpoint, node(1))]);
    assert!(table.desk.is_out(&node(1)));
    table.find(Vec::new());
    table.run(5);
    assert_eq!(table.done[1..], [(Effect::RestoreEndpoint, node(1))]);
    assert_eq!(table.decision().phase, Phase::Ended);
    assert!(!table.desk.is_out(&node(1)));
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(5);
    assert_eq!(table.effects_of(Effect::RemoveEndpoint), 2, "the next time is another case");
}

#[test]
fn a_node_that_turns_out_dead_is_drained_and_not_taken_out_twice() {
    let mut table = Table::new(policy(Mode::Act));
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(5);
    table.find(vec![case(1, Verdict::NodeDead)]);
    table.run(5);
    assert_eq!((table.effects_of(Effect::RemoveEndpoint), table.effects_of(Effect::Drain)), (1, 1));
    let seen: Vec<Verdict> = table.decision().seen.iter().map(|it| it.verdict).collect();
    assert_eq!(seen, [Verdict::NodeUnreachable, Verdict::NodeDead]);
}

/// Lets a leader die when the action is in this state in the store, and counts the effects in the end.
fn effects_when_the_leader_dies_in(state: &str) -> usize {
    let mut table = Table::new(policy(Mode::Act));
    table.hand = Hand::Silent;
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    for _ in 0..400 {
        let stored = table.desk.actions().next().map(|it| it.state.name());
        if stored == Some(state) {
            break;
        }
        if state == "acked"
            && let Some(id) = table.effects.keys().next().copied()
        {
            table.desk.hear(Answer::Told { id, told: Told::Acked { attempt: 1 } });
        }
        table.tick();
    }
    assert_eq!(table.desk.actions().next().map(|it| it.state.name()), Some(state));
    table.next_leader();
    table.run(30);
    let states: Vec<State> = table.desk.actions().map(|it| it.state.clone()).collect();
    assert_eq!(states, [State::Done]);
    assert_eq!(table.decision().wishes[0].fate, Fate::Done);
    table.effects.values().map(|count| *count as usize).sum()
}

#[test]
fn a_leader_that_dies_at_any_point_leaves_one_effect_to_the_next() {
    for state in ["planned", "issued", "acked"] {
        assert_eq!(effects_when_the_leader_dies_in(state), 1, "{state}");
    }
}

#[test]
fn a_write_whose_outcome_nobody_knows_is_read_back_and_has_one_effect() {
    for fault in [Fault::AnswerLost, Fault::Lost] {
        for after in 0..8 {
            let mut table = Table::new(policy(Mode::Act));
            table.find(vec![case(1, Verdict::NodeUnreachable)]);
            (0..after).for_each(|_| table.tick());
            table.fault = fault;
            table.tick();
            table.fault = Fault::None;
            table.run(60);
            let effects: Vec<u32> = table.effects.values().copied().collect();
            assert_eq!(effects, [1], "{fault:?} after {after} steps");
            assert_eq!(table.desk.decisions().count(), 1);
        }
    }
}

#[test]
fn what_was_decided_and_is_no_longer_so_is_not_begun() {
    let mut table = Table::new(policy(Mode::Act));
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    while table.desk.actions().len() == 0 {
        table.tick();
    }
    table.find(Vec::new());
    table.run(5);
    assert_eq!(table.effects.len(), 0);
    let states: Vec<&str> = table.desk.actions().map(|it| it.state.name()).collect();
    assert_eq!(states, ["aborted"]);
    assert_eq!(table.decision().phase, Phase::Ended);
}

#[test]
fn a_next_leader_goes_on_with_the_decision_and_does_not_make_another() {
    let mut table = Table::new(policy(Mode::Act));
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(5);
    table.next_leader();
    let mut again = case(1, Verdict::NodeUnreachable);
    again.since = table.now;
    table.find(vec![again]);
    table.run(60);
    assert_eq!(table.desk.decisions().count(), 1);
    assert_eq!(table.done, [(Effect::RemoveEndpoint, node(1))]);
    table.next_leader();
    table.find(Vec::new());
    table.run(10);
    assert_eq!(table.effects_of(Effect::RestoreEndpoint), 1, "a third one puts it back");
}

#[test]
fn a_cause_that_comes_again_while_it_is_undone_is_decided_anew_after_that() {
    let mut table = Table::new(policy(Mode::Act));
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(5);
    table.hand = Hand::Silent;
    table.find(Vec::new());
    while table.effects_of(Effect::RestoreEndpoint) == 0 {
        table.tick();
    }
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    table.run(30);
    assert_eq!(table.effects_of(Effect::RemoveEndpoint), 2);
    assert_eq!(table.effects_of(Effect::RestoreEndpoint), 1);
    assert!(table.desk.is_out(&node(1)));
}
