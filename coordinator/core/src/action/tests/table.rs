//! The table of (state, event), whole.

use super::super::{Abort, Event, Failure, Intent, Observed, Record, Refusal, State, Todo};
use super::{at, drain};
use crate::id::Term;

fn record(state: State, attempts: u32) -> Record {
    let intent = drain("n", 1, 100);
    Record { intent, state, term: Term(5), attempts, planned: at(100), changed: at(100) }
}

fn newer() -> super::super::ActionId {
    Intent { uid: "newer".into(), ..drain("n", 2, 101) }.id()
}

/// Everything that can happen, as a leader of the same term tells it.
fn events() -> Vec<(&'static str, Event)> {
    vec![
        ("issue", Event::Issue { evidence_revision: 40 }),
        ("ack", Event::Ack { attempt: 1 }),
        ("succeed", Event::Succeed),
        ("fail", Event::Fail { attempt: 1, detail: "no".into() }),
        ("there", Event::Observe(Observed::There)),
        ("not there", Event::Observe(Observed::NotThere)),
        ("unclear", Event::Observe(Observed::Unclear)),
        ("abort", Event::Abort(Abort::Frozen)),
        ("supersede", Event::Supersede { by: newer() }),
    ]
}

/// What each event makes of a state, in the order of [`events`].
fn row(state: State, attempts: u32, now_s: u64) -> Vec<String> {
    let shown = |result: Result<Record, Refusal>| match result.map(|record| record.state) {
        Ok(State::Failed(failure)) => format!("{failure:?}").split(' ').next().unwrap_or_default().to_owned(),
        Ok(State::Aborted(why)) => format!("{why:?}"),
        Ok(state) => state.name().to_owned(),
        Err(refusal) => format!("!{refusal:?}"),
    };
    let record = record(state, attempts);
    events().into_iter().map(|(_, event)| shown(record.after(event, Term(5), at(now_s)))).collect()
}

#[test]
fn each_event_makes_of_each_state_what_the_table_says() {
    let (soon, late) = (110, 160);
    let may = "!MayHaveHappened";
    let not = "!NotIssued";
    #[rustfmt::skip]
    let cases = [
        // issue, ack, succeed, fail, there, not there, unclear, abort, supersede
        (State::Planned, 0, soon, ["issued", not, not, not, "done", "planned", "planned", "Frozen", "superseded"]),
        (State::Planned, 0, late, ["Expired", not, not, not, "done", "planned", "planned", "Frozen", "superseded"]),
        (State::Planned, 1, soon, ["issued", not, "done", not, "done", "planned", "planned", may, may]),
        (State::Planned, 1, late, [may, not, "done", not, "done", "NoEffect", "OutcomeUnknown", may, may]),
        (State::Planned, 5, soon, ["Attempts", not, "done", not, "done", "planned", "planned", may, may]),
        (State::Issued, 1, soon, [may, "acked", "done", "Refused", "done", "planned", "issued", may, may]),
        (State::Issued, 1, late, [may, "acked", "done", "Refused", "done", "NoEffect", "OutcomeUnknown", may, may]),
        (State::Acked, 1, soon, [may, "acked", "done", "Refused", "done", "acked", "acked", may, may]),
        (State::Acked, 1, late, [may, "acked", "done", "Refused", "done", "NoEffect", "OutcomeUnknown", may, may]),
    ];
    for (state, attempts, now, expected) in cases {
        let found = row(state.clone(), attempts, now);
        assert_eq!(found, expected, "{} after {attempts} attempts, at {now} s", state.name());
    }
}

#[test]
fn what_has_ended_does_not_change() {
    let ended = [
        State::Done,
        State::Failed(Failure::Attempts),
        State::Aborted(Abort::Expired),
        State::Superseded { by: newer() },
    ];
    for state in ended {
        assert!(state.is_final());
        assert_eq!(row(state, 1, 110), vec!["!Finished"; events().len()]);
    }
}

#[test]
fn what_was_tried_is_looked_at_once_it_has_expired() {
    let todo = |state, attempts, now| record(state, attempts).todo(at(now));
    assert_eq!(todo(State::Planned, 0, 110), Some(Todo::Issue));
    assert_eq!(todo(State::Planned, 1, 110), Some(Todo::Issue));
    assert_eq!(todo(State::Planned, 0, 160), Some(Todo::Issue), "which aborts it");
    assert_eq!(todo(State::Planned, 1, 160), Some(Todo::Observe));
    assert_eq!(todo(State::Acked, 1, 110), Some(Todo::Observe));
    assert_eq!(todo(State::Done, 1, 110), None);
}

#[test]
fn evidence_that_has_changed_carries_no_action() {
    let issue = Event::Issue { evidence_revision: 41 };
    let after = record(State::Planned, 0).after(issue, Term(5), at(110)).unwrap();
    assert_eq!((after.state, after.attempts), (State::Aborted(Abort::EvidenceChanged), 0));
    let tried = record(State::Planned, 1).after(Event::Issue { evidence_revision: 41 }, Term(5), at(110));
    assert_eq!(tried, Err(Refusal::MayHaveHappened), "an earlier call may still arrive");
}

#[test]
fn an_older_term_changes_nothing_and_a_newer_one_takes_over() {
    for (name, event) in events() {
        for state in [State::Planned, State::Issued, State::Acked] {
            let refused = record(state, 1).after(event.clone(), Term(4), at(110));
            assert_eq!(refused, Err(Refusal::OldTerm { told: Term(4), known: Term(5) }), "{name}");
        }
    }
    let issued =
        record(State::Planned, 1).after(Event::Issue { evidence_revision: 40 }, Term(9), at(110)).unwrap();
    assert_eq!((issued.term, issued.attempts, issued.changed), (Term(9), 2, at(110)));
}

#[test]
fn an_answer_to_an_older_attempt_does_not_end_a_newer_one_unless_the_effect_is_there() {
    let second = record(State::Issued, 2);
    let old = Err(Refusal::OldAttempt { told: 1, known: 2 });
    assert_eq!(second.after(Event::Ack { attempt: 1 }, Term(5), at(110)), old);
    assert_eq!(second.after(Event::Fail { attempt: 1, detail: "no".into() }, Term(5), at(110)), old);
    assert_eq!(second.after(Event::Succeed, Term(5), at(110)).map(|it| it.state), Ok(State::Done));
}

#[test]
fn texts_tell_an_operator_what_happened() {
    let cases = [
        (State::Aborted(Abort::Frozen), "aborted: it was decided before a freeze that has ended"),
        (State::Failed(Failure::Attempts), "failed: 5 attempts had no effect"),
        (State::Failed(Failure::Refused { detail: "no such node".into() }), "failed: no such node"),
        (State::Acked, "acked"),
    ];
    for (state, text) in cases {
        assert_eq!(state.to_string(), text);
    }
    let old = Refusal::OldTerm { told: Term(4), known: Term(5) };
    assert_eq!(old.to_string(), "term 4 is over: term 5 has touched the action");
}
