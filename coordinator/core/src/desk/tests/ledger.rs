//! What the audit log tells of terms and latches, and what becomes of an action of which nobody tells anything.

use super::table::{Hand, Table, case, node, policy, zone};
use crate::action::audit::Verb;
use crate::action::{Effect, Failure, State};
use crate::brake::{Mode, Scope};
use crate::desk::{Fate, Order, Wanted};
use crate::detect::Verdict;
use crate::id::Term;

/// Verb, subject and term of entries of this kind.
fn told(table: &Table, kind: &[Verb]) -> Vec<(Verb, String, Term)> {
    let of_kind = table.log().filter(|entry| kind.contains(&entry.verb));
    of_kind.map(|entry| (entry.verb, entry.subject.to_string(), entry.term)).collect()
}

#[test]
fn a_term_begins_with_the_end_of_the_one_before() {
    let mut table = Table::new(policy(Mode::Act));
    table.run(1);
    table.next_leader();
    table.run(1);
    let kinds = [Verb::TermBegan, Verb::TermEnded];
    let began = |term| (Verb::TermBegan, "the lead".to_owned(), Term(term));
    let ended = (Verb::TermEnded, "term 1".to_owned(), Term(2));
    assert_eq!(told(&table, &kinds), [began(1), ended, began(2)]);
}

/// Drains until the zone's latch opens: four of 20 nodes are a fifth.
fn latched() -> Table {
    let mut table = Table::new(policy(Mode::Act));
    for number in 1..=4 {
        table.find((1..=number).map(|number| case(number, Verdict::NodeDead)).collect());
        table.run(60);
    }
    table
}

#[test]
fn a_latch_is_told_of_when_it_opens_and_when_its_trial_went_well() {
    let mut table = latched();
    let opened = |subject: &str| (Verb::LatchOpened, subject.to_owned(), Term(1));
    let kinds = [Verb::LatchOpened, Verb::LatchReleased];
    assert_eq!(told(&table, &kinds), [opened("zone a"), opened("irreversible actions")]);
    // The next leader finds both in the memory, and tells of neither again.
    table.next_leader();
    table.find(Vec::new());
    table.run(600);
    table.find(vec![case(9, Verdict::NodeDead)]);
    table.run(60);
    let released = (Verb::LatchReleased, "zone a".to_owned(), Term(2));
    assert_eq!(told(&table, &kinds), [opened("zone a"), opened("irreversible actions"), released]);
}

#[test]
fn a_latch_that_a_person_releases_is_told_of_once_and_in_their_name() {
    let mut table = latched();
    let wanted = Wanted::Release(Scope::Zone(zone()));
    let order = Order { request_id: "1".into(), by: "ann".into(), reason: "why".into(), wanted };
    table.desk.order(&order, table.now).expect("it is taken");
    table.run(5);
    let released: Vec<&str> =
        table.log().filter(|it| it.verb == Verb::LatchReleased).map(|it| &*it.actor).collect();
    assert_eq!(released, ["ann"]);
}

#[test]
fn what_an_executor_that_is_gone_was_told_to_do_ends_as_unknown_and_is_not_asked_about_for_ever() {
    let mut table = Table::new(policy(Mode::Act));
    table.hand = Hand::Dumb;
    table.find(vec![case(1, Verdict::NodeDead)]);
    table.run(5);
    assert_eq!(table.desk.actions().map(|it| it.state.clone()).collect::<Vec<_>>(), vec![State::Issued; 2]);
    table.run(1_200);
    let drain = &table.decision().wishes[1];
    assert!(matches!(&drain.fate, Fate::Failed(_)), "a drain is not done twice: {:?}", drain.fate);
    let unknown = State::Failed(Failure::OutcomeUnknown);
    assert!(table.desk.actions().filter(|it| it.state == unknown).count() >= 2);
    // What takes out of traffic is tried again, and arrives.
    table.hand = Hand::Answers;
    table.run(1_200);
    assert!(table.desk.is_out(&node(1)));
}

#[test]
fn what_may_have_left_traffic_without_anybody_knowing_is_put_back_when_its_cause_has_ended() {
    let mut table = Table::new(policy(Mode::Act));
    table.hand = Hand::Dumb;
    table.find(vec![case(1, Verdict::NodeUnreachable)]);
    while !table.desk.actions().any(|it| it.state == State::Failed(Failure::OutcomeUnknown)) {
        table.tick();
    }
    assert!(table.desk.is_out(&node(1)), "it counts as out");
    table.find(Vec::new());
    table.hand = Hand::Answers;
    table.run(1_200);
    assert_eq!(table.done.last(), Some(&(Effect::RestoreEndpoint, node(1))));
    assert!(!table.desk.is_out(&node(1)));
}
