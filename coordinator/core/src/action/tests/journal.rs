//! Planning, finding again, and forgetting.

use std::time::Duration;

use super::super::{
    ACTIONS_MAX, COLLECT_MAX, Event, Journal, KEPT_FOR, Observed, PlanRefusal, Planned, Refusal, State, Todo,
};
use super::{at, drain};
use crate::id::Term;
use crate::time::Time;

const TERM: Term = Term(5);

/// A journal in which these many actions were done, each a second after the one before.
fn done(count: u64) -> Journal {
    let mut journal = Journal::default();
    for number in 0..count {
        let now = at(1_000 + number);
        let Planned::New(id) = journal.plan(drain(&format!("n{number}"), 1, 1_000 + number), TERM, now)
        else {
            panic!("a new action")
        };
        journal.apply(id, Event::Observe(Observed::There), TERM, now).unwrap();
    }
    journal
}

#[test]
fn the_same_order_is_planned_once() {
    let mut journal = Journal::default();
    let intent = drain("n", 1, 100);
    let id = intent.id();
    assert_eq!(journal.plan(intent.clone(), TERM, at(100)), Planned::New(id));
    assert_eq!(journal.plan(intent.clone(), Term(9), at(101)), Planned::Known(id, State::Planned));
    journal.apply(id, Event::Observe(Observed::There), TERM, at(102)).unwrap();
    assert_eq!(journal.plan(intent, Term(9), at(103)), Planned::Known(id, State::Done));
    assert_eq!(journal.records().len(), 1);
    assert!(matches!(journal.plan(drain("n", 2, 103), TERM, at(103)), Planned::New(_)));
}

#[test]
fn what_would_never_begin_is_not_planned() {
    let mut journal = Journal::default();
    let refused = Planned::Refused(PlanRefusal::Expired { valid_until: at(160) });
    assert_eq!(journal.plan(drain("n", 1, 100), TERM, at(160)), refused);
    assert_eq!(journal.records().len(), 0);
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut journal = Journal::default();
    let Planned::New(id) = journal.plan(drain("n", 1, 100), TERM, at(100)) else { panic!("a new action") };
    let before = journal.clone();
    assert_eq!(journal.apply(id, Event::Succeed, TERM, at(101)), Err(Refusal::NotIssued));
    assert_eq!(
        journal.apply(drain("other", 1, 100).id(), Event::Succeed, TERM, at(101)),
        Err(Refusal::Unknown)
    );
    assert_eq!(journal, before);
}

#[test]
fn a_new_leader_observes_what_may_have_happened_and_issues_the_rest_in_order() {
    let mut journal = Journal::default();
    let mut plan = |name: &str, second| {
        let Planned::New(id) = journal.plan(drain(name, 1, 100), TERM, at(second)) else { panic!("new") };
        id
    };
    let (first, second, third, fourth) = (plan("d", 100), plan("c", 101), plan("b", 102), plan("a", 103));
    let issue = Event::Issue { evidence_revision: 40 };
    journal.apply(second, issue.clone(), TERM, at(104)).unwrap();
    journal.apply(third, issue, TERM, at(104)).unwrap();
    journal.apply(third, Event::Ack { attempt: 1 }, TERM, at(105)).unwrap();
    journal.apply(fourth, Event::Observe(Observed::There), TERM, at(105)).unwrap();
    let restored = Journal::restore(journal.records().cloned(), journal.watermark());
    assert_eq!(restored, journal);
    let expected = [(first, Todo::Issue), (second, Todo::Observe), (third, Todo::Observe)];
    assert_eq!(restored.unfinished(at(110)), expected);
}

#[test]
fn finished_actions_are_forgotten_after_seven_days_and_not_planned_again() {
    let mut journal = done(3);
    let Planned::New(open) = journal.plan(drain("open", 1, 1_000), TERM, at(1_000)) else { panic!("new") };
    let week = at(1_001) + KEPT_FOR;
    assert_eq!(journal.collect(week - Duration::from_secs(2)).actions, []);
    let collected = journal.collect(week);
    assert_eq!((collected.actions.len(), collected.watermark), (2, at(1_001)));
    assert_eq!(journal.records().len(), 2);
    assert!(journal.get(open).is_some(), "what has not ended stays");
    let mut again = drain("n0", 1, 1_000);
    again.valid_until = week + Duration::from_secs(60);
    let forgotten = PlanRefusal::Forgotten { cause: at(1_000), watermark: at(1_001) };
    assert_eq!(journal.plan(again, TERM, week), Planned::Refused(forgotten));
    let mut restored = Journal::restore(journal.records().cloned(), collected.watermark);
    let mut known = drain("n2", 1, 1_002);
    known.valid_until = week + Duration::from_secs(60);
    assert!(matches!(restored.plan(known, TERM, week), Planned::Known(_, State::Done)));
}

#[test]
fn no_more_are_forgotten_at_a_time_than_a_transaction_holds() {
    let mut journal = done(250);
    let later = at(10_000) + KEPT_FOR;
    let counts: Vec<usize> = (0..4).map(|_| journal.collect(later).actions.len()).collect();
    assert_eq!(counts, [COLLECT_MAX, COLLECT_MAX, 50, 0]);
}

#[test]
fn a_crowded_journal_forgets_the_oldest_finished_early_and_a_full_one_plans_nothing() {
    let count = u64::try_from(ACTIONS_MAX).unwrap();
    let mut journal = done(count);
    let now = at(1_000 + count);
    let next = drain("next", 1, 1_000 + count);
    assert_eq!(journal.plan(next.clone(), TERM, now), Planned::Refused(PlanRefusal::Full));
    assert_eq!(journal.collect(now).watermark, at(1_099), "the hundred oldest");
    assert!(matches!(journal.plan(next, TERM, now), Planned::New(_)));
    while !journal.collect(now).actions.is_empty() {}
    assert_eq!(journal.records().len(), ACTIONS_MAX / 4 * 3);
    assert!(journal.watermark() > Time::ZERO);
}
