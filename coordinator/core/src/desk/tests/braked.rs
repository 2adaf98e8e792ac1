//! The brake is asked before each call, and what is planned is what it will permit.

use super::table::{Hand, Table, case, node, policy, zone};
use crate::action::{Effect, State};
use crate::brake::{Mode, NewHold, Scope};
use crate::desk::{Case, Fate, Standing};
use crate::detect::Verdict;

/// A table at which a call was made that did not arrive.
fn lost_call() -> Table {
    let mut table = Table::new(policy(Mode::Act));
    table.hand = Hand::Deaf;
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    while table.calls.is_empty() {
        table.tick();
    }
    table
}

#[test]
fn a_call_that_did_not_arrive_is_made_again() {
    let mut table = lost_call();
    table.hand = Hand::Answers;
    table.run(10);
    assert_eq!((table.calls.len(), table.effects.len()), (2, 1));
}

#[test]
fn a_hold_between_two_calls_stops_the_second_one() {
    let mut table = lost_call();
    let what = NewHold { scope: Scope::Fleet, until: None, by: "ann".into(), reason: "why".into() };
    table.desk.brake.hold(what, table.now).expect("it is held");
    table.run(120);
    assert_eq!(table.calls.len(), 1);
}

#[test]
fn a_leader_that_only_rehearses_does_not_repeat_the_calls_of_one_that_acted() {
    for mode in [Mode::DryRun, Mode::Off] {
        let mut table = lost_call();
        table.policy = policy(mode);
        table.next_leader();
        table.run(120);
        assert_eq!(table.calls.len(), 1, "{mode:?}");
    }
}

#[test]
fn a_drain_whose_call_is_repeated_disrupts_once() {
    let mut table = Table::new(policy(Mode::Act));
    table.hand = Hand::Deaf;
    table.find(vec![case(1, Verdict::NodeDead)]);
    table.run(20);
    let drains = table.calls.iter().filter(|(effect, _)| *effect == Effect::Drain).count();
    assert!(drains > 1, "{drains} calls");
    let zone = &table.desk.memory().zones[&zone()];
    assert_eq!((zone.disrupted.len(), zone.latch), (1, None));
}

/// A large zone with a large pool.
fn large() -> Table {
    let mut table = Table::new(policy(Mode::Act));
    table.look.scene.zones.values_mut().for_each(|level| level.nodes = 500);
    table.look.scene.pools.values_mut().for_each(|level| (level.endpoints, level.ready) = (500, 400));
    table
}

#[test]
fn of_many_dead_nodes_each_is_drained_in_its_turn_and_none_is_planned_before() {
    let mut table = large();
    table.find((0..20).map(|number| case(number, Verdict::NodeDead)).collect());
    table.run(260);
    assert_eq!((table.effects_of(Effect::RemoveEndpoint), table.effects_of(Effect::Drain)), (20, 20));
    assert!(table.desk.actions().all(|it| it.state == State::Done), "none was given up");
}

#[test]
fn what_is_given_up_before_it_was_called_is_no_failed_try() {
    let mut table = Table::new(policy(Mode::Act));
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    for _ in 0..12 {
        // The write that plans it is carried out, and then it is held until it is out of date.
        while table.desk.actions().all(|it| it.state.is_final()) {
            table.tick();
        }
        let what = NewHold { scope: Scope::Fleet, until: None, by: "ann".into(), reason: "why".into() };
        let id = table.desk.brake.hold(what, table.now).expect("it is held");
        table.run(70);
        table.desk.brake.release(id);
    }
    assert_eq!(table.calls.len(), 0);
    table.run(10);
    assert_eq!(table.effects.len(), 1);
}

#[test]
fn a_drain_counts_as_running_for_as_long_as_it_runs() {
    let mut table = Table::new(policy(Mode::Act));
    table.hand = Hand::DrainsLong;
    table.find(vec![case(1, Verdict::NodeDead)]);
    table.run(30);
    table.find(vec![case(1, Verdict::NodeDead), case(2, Verdict::NodeDead)]);
    table.run(1_800);
    let second = table.desk.open(&node(2)).expect("it is open");
    let Fate::Waits(obstacle) = &second.wishes[1].fate else { panic!("{second:?}") };
    assert_eq!(&*obstacle.name, "running", "one in twenty nodes may be drained at a time");
}

fn serving(number: u32) -> Case {
    let mut case = case(number, Verdict::NodeUnreachable);
    case.wants[0].takes[0].ready = 1;
    case
}

#[test]
fn what_an_earlier_leader_issued_is_counted_before_anything_else_is_permitted() {
    let mut table = Table::new(policy(Mode::Act));
    table.look.scene.pools.values_mut().for_each(|level| (level.ready, level.needed) = (6, 5));
    table.hand = Hand::Silent;
    table.find(vec![serving(1)]);
    while table.calls.is_empty() {
        table.tick();
    }
    // Its case is not told any more, and nobody says what became of it.
    table.standings.insert(node(1), Standing::Unsure);
    table.find(vec![serving(2)]);
    table.effects.clear();
    table.next_leader();
    while table.desk.open(&node(2)).is_none() {
        table.tick();
    }
    table.tick();
    let second = table.desk.open(&node(2)).expect("it is open");
    let Fate::Waits(obstacle) = &second.wishes[0].fate else { panic!("{second:?}") };
    assert_eq!(&*obstacle.name, "floor");
}
