use super::*;

/// Two zones, linked, with a node each, and a third zone.
fn places() -> Places {
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let nodes = [("n-a", "a"), ("n-b", "b")].map(|(node, zone)| (node.to_owned(), zone.to_owned()));
    Places { zones: named(&["a", "b", "c"]), nodes: nodes.into() }
}

fn found(facts: Vec<(u64, Fact)>) -> Vec<Violation> {
    let entry = |(ms, fact)| {
        let at = Moment::from_millis(ms);
        Entry { at, asked: at, fact }
    };
    let entries: Vec<Entry> = facts.into_iter().map(entry).collect();
    violations(&entries, &places(), &Rules::default())
}

fn heard(id: &str, term: u64, response: Response) -> Fact {
    Fact::Heard(Heard { id: id.to_owned(), term, attempt: 1, response })
}

fn claimed(replica: &str, term: u64) -> Fact {
    Fact::Claimed { replica: replica.to_owned(), term }
}

fn accused(node: &str) -> Fact {
    Fact::Accused { replica: "r".to_owned(), node: node.to_owned(), verdict: "NODE_UNREACHABLE".to_owned() }
}

fn cut(from: &str, to: &str) -> Fault {
    Fault::Cut { from: from.to_owned(), to: to.to_owned() }
}

use Response::{Applied, Expired, Fenced, Looked, Repeated};

#[test]
fn a_change_of_leaders_with_a_late_call_that_is_refused_is_well() {
    let facts = vec![
        (0, claimed("x", 5)),
        (10, heard("a", 5, Applied)),
        (20, claimed("y", 7)),
        (30, heard("a", 7, Looked)),
        (40, heard("b", 5, Fenced)),
        (50, heard("b", 7, Applied)),
        (60, heard("b", 7, Repeated)),
        (70, heard("c", 5, Expired)),
    ];
    assert_eq!(found(facts), []);
}

#[test]
fn an_effect_under_an_old_term_is_found_and_so_is_the_overlap() {
    let at = Moment::from_millis(20);
    let facts = vec![(10, heard("a", 7, Fenced)), (20, heard("b", 5, Applied))];
    assert_eq!(found(facts), [Violation::OldTerm { at, id: "b".to_owned(), term: 5, heard: 7 }]);
    let facts = vec![(10, heard("a", 7, Looked)), (20, heard("a", 5, Looked))];
    assert_eq!(found(facts), [Violation::Overlap { at, older: 5, newer: 7 }]);
}

#[test]
fn an_action_that_has_its_effect_again_is_found() {
    let facts =
        vec![(10, heard("a", 5, Applied)), (20, heard("b", 5, Applied)), (30, heard("a", 7, Applied))];
    assert_eq!(found(facts), [Violation::Twice { at: Moment::from_millis(30), id: "a".to_owned() }]);
}

#[test]
fn a_history_with_refused_calls_does_not_pass_without_the_fence() {
    let facts = [(10, heard("a", 7, Applied)), (20, heard("a", 5, Fenced))];
    let entry = |(ms, fact)| {
        let at = Moment::from_millis(ms);
        Entry { at, asked: at, fact }
    };
    let entries = facts.map(entry);
    assert_eq!(violations(&entries, &places(), &Rules::default()), []);
    let found = violations(&without_fence(&entries), &places(), &Rules::default());
    assert!(found.iter().any(|it| matches!(it, Violation::OldTerm { term: 5, .. })), "{found:?}");
    assert!(found.iter().any(|it| matches!(it, Violation::Twice { .. })), "{found:?}");
}

#[test]
fn an_effect_by_a_leader_that_is_stopped_or_cut_off_is_found_once_its_time_is_over() {
    for (fault, well, ill) in [
        (Fault::ReplicaStopped("x".to_owned()), 1_900, 2_100),
        (Fault::ReplicaCutOff("x".to_owned()), 4_900, 5_100),
    ] {
        let acts =
            |ms| vec![(0, claimed("x", 5)), (0, Fact::Hurt(fault.clone())), (ms, heard("a", 5, Applied))];
        assert_eq!(found(acts(well)), []);
        let (at, replica) = (Moment::from_millis(ill), "x".to_owned());
        assert_eq!(found(acts(ill)), [Violation::ActedWhile { at, replica, fault: fault.clone() }]);
        let mut healed = acts(ill);
        healed.insert(2, (1_000, Fact::Healed(fault)));
        assert_eq!(found(healed), []);
    }
}

#[test]
fn two_that_lead_at_a_time_are_found_and_one_after_the_other_is_well() {
    assert_eq!(found(vec![(0, claimed("x", 5)), (10, claimed("y", 7)), (20, claimed("x", 9))]), []);
    let led = |at, newer| Violation::Led {
        at: Moment::from_millis(at),
        replica: "x".to_owned(),
        term: 5,
        other: "y".to_owned(),
        newer,
    };
    assert_eq!(found(vec![(10, claimed("y", 7)), (20, claimed("x", 5))]), [led(20, 7)]);
    assert_eq!(found(vec![(10, claimed("y", 5)), (10, claimed("x", 5))]), [led(10, 5)]);
    // A newer claim since does not hide the one before.
    let facts = vec![(10, claimed("y", 7)), (15, claimed("y", 9)), (20, claimed("x", 5))];
    assert_eq!(found(facts), [led(20, 7)]);
}

#[test]
fn an_answer_that_was_long_under_way_proves_nothing() {
    let entry =
        |asked, at, fact| Entry { asked: Moment::from_millis(asked), at: Moment::from_millis(at), fact };
    let entries = [entry(0, 10, claimed("y", 7)), entry(5, 500, claimed("x", 5))];
    assert_eq!(violations(&entries, &places(), &Rules::default()), []);
}

#[test]
fn what_a_process_says_right_after_it_was_stopped_may_be_old_but_not_for_long() {
    let stopped = || Fault::ReplicaStopped("x".to_owned());
    let says = |ms| {
        vec![
            (0, claimed("x", 5)),
            (100, Fact::Hurt(stopped())),
            (5_000, claimed("y", 7)),
            (6_000, Fact::Healed(stopped())),
            (ms, claimed("x", 5)),
        ]
    };
    assert_eq!(found(says(6_050)), []);
    assert_eq!(found(says(9_000)).len(), 1);
}

#[test]
fn one_that_leads_beyond_its_lease_when_cut_off_is_found() {
    let cut_off = || Fault::ReplicaCutOff("x".to_owned());
    let says = |ms| vec![(0, Fact::Hurt(cut_off())), (ms, claimed("x", 5))];
    assert_eq!(found(says(3_000)), []);
    let (at, replica) = (Moment::from_millis(6_000), "x".to_owned());
    let beyond = Violation::LedBeyondLease { at, replica, cut_off: Duration::from_secs(6) };
    assert_eq!(found(says(6_000)), [beyond]);
}

#[test]
fn a_store_that_forgets_a_term_is_found() {
    let stored = |term| Fact::Stored { term };
    assert_eq!(found(vec![(0, stored(5)), (10, stored(5)), (20, stored(8))]), []);
    let fell = Violation::TermFell { at: Moment::from_millis(20), from: 8, to: 5 };
    assert_eq!(found(vec![(0, stored(5)), (10, stored(8)), (20, stored(5))]), [fell]);
}

#[test]
fn a_node_that_is_well_must_not_be_accused() {
    let false_accusal = |ms| Violation::FalseAccusal {
        at: Moment::from_millis(ms),
        replica: "r".to_owned(),
        node: "n-a".to_owned(),
        verdict: "NODE_UNREACHABLE".to_owned(),
    };
    assert_eq!(found(vec![(0, accused("n-a"))]), [false_accusal(0)]);
    // Another one's fault is no excuse, nor is one that was long over, nor one link of two.
    let other = Fault::AgentDown("n-b".to_owned());
    assert_eq!(found(vec![(0, Fact::Hurt(other)), (10, accused("n-a"))]), [false_accusal(10)]);
    let own = Fault::AgentDown("n-a".to_owned());
    let facts = vec![(0, Fact::Hurt(own.clone())), (10, Fact::Healed(own)), (5_020, accused("n-a"))];
    assert_eq!(found(facts), [false_accusal(5_020)]);
    let facts = vec![(0, Fact::Hurt(cut("b", "a"))), (10, accused("n-a"))];
    assert_eq!(found(facts), [false_accusal(10)]);
}

#[test]
fn a_node_that_is_ill_or_that_no_other_zone_reaches_may_be_accused() {
    for fault in [Fault::AgentDown("n-a".to_owned()), Fault::NodeDark("n-a".to_owned())] {
        assert_eq!(found(vec![(0, Fact::Hurt(fault.clone())), (10, accused("n-a"))]), []);
        let facts = vec![(0, Fact::Hurt(fault.clone())), (10, Fact::Healed(fault)), (4_000, accused("n-a"))];
        assert_eq!(found(facts), []);
    }
    let facts = vec![(0, Fact::Hurt(cut("b", "a"))), (0, Fact::Hurt(cut("a", "c"))), (10, accused("n-a"))];
    assert_eq!(found(facts), []);
}

#[test]
fn what_is_decided_at_the_sink_is_written_down_in_that_order() {
    let recorder = Recorder::default();
    let next = Mutex::new(0);
    let decide = || {
        let mut next = next.lock().unwrap();
        *next += 1;
        Heard { id: next.to_string(), term: *next, attempt: 1, response: Applied }
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|_| _ = recorder.decide(decide)));
        }
    });
    let mut terms = Vec::new();
    for entry in recorder.entries() {
        let Fact::Heard(heard) = entry.fact else { panic!("not decided at the sink: {:?}", entry.fact) };
        terms.push(heard.term);
    }
    assert_eq!(terms, (1..=400).collect::<Vec<_>>());
}
