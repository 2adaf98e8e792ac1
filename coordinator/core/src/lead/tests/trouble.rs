//! The election when something goes wrong: outcomes nobody knows, keys and leases that go, watches that stall.

use super::super::{Input, LeaseId, Reason, Request, Role};
use super::pair::{Fate, Yard, at};
use super::sim_etcd::Op;
use crate::id::Term;

fn term(yard: &Yard, replica: usize) -> Option<Term> {
    yard.replicas[replica].token.as_ref().map(|token| token.term())
}

fn count(yard: &Yard, replica: usize, kind: fn(&Request) -> bool) -> usize {
    yard.replicas[replica].asked.iter().filter(|request| kind(request)).count()
}

fn is_put(request: &Request) -> bool {
    matches!(request, Request::PutIfAbsent { .. })
}

fn is_claim(request: &Request) -> bool {
    matches!(request, Request::Claim { .. })
}

#[test]
fn a_put_that_happened_unseen_is_found_and_not_repeated() {
    let mut yard = Yard::new(1);
    yard.replicas[0].fate = |request| if is_put(request) { Fate::AnswerLost } else { Fate::Served };
    yard.run_until(2_000);
    assert_eq!((count(&yard, 0, is_put), term(&yard, 0)), (1, Some(Term(2))));
}

#[test]
fn a_put_that_did_not_happen_is_repeated_after_it_was_not_found() {
    let mut yard = Yard::new(1);
    yard.replicas[0].fate = |request| if is_put(request) { Fate::Lost } else { Fate::Served };
    yard.run_until(1_500);
    yard.replicas[0].fate = |_| Fate::Served;
    yard.run_until(3_000);
    let asked = &yard.replicas[0].asked;
    let second = asked.iter().rposition(is_put).expect("a put");
    assert!(matches!(asked[second - 1], Request::ReadKey { .. }), "{asked:?}");
    assert_eq!(term(&yard, 0), Some(Term(2)));
}

#[test]
fn a_claim_that_happened_unseen_is_found_and_not_repeated() {
    let mut yard = Yard::new(1);
    yard.etcd.txn(&[], &[epoch(&[0; 8])], &[]).unwrap();
    yard.replicas[0].fate = |request| if is_claim(request) { Fate::AnswerLost } else { Fate::Served };
    yard.run_until(1_000);
    assert_eq!((yard.replicas[0].role(), term(&yard, 0)), (Role::Claiming, None));
    yard.run_until(2_000);
    assert_eq!((count(&yard, 0, is_claim), term(&yard, 0)), (1, Some(Term(3))));
}

#[test]
fn a_claim_that_did_not_happen_is_repeated_after_the_stored_term_was_read() {
    let mut yard = Yard::new(1);
    yard.etcd.txn(&[], &[epoch(&[0; 8])], &[]).unwrap();
    yard.replicas[0].fate = |request| if is_claim(request) { Fate::Lost } else { Fate::Served };
    yard.run_until(1_200);
    yard.replicas[0].fate = |_| Fate::Served;
    yard.run_until(2_000);
    let asked = &yard.replicas[0].asked;
    let second = asked.iter().rposition(is_claim).expect("a claim");
    assert!(matches!(asked[second - 1], Request::ReadEpoch { .. }), "{asked:?}");
    assert_eq!(term(&yard, 0), Some(Term(3)));
}

/// etcd-io/etcd#19597: who waited while its lease expired became a leader without a key.
#[test]
fn a_candidate_whose_lease_expired_while_it_waited_does_not_lead_by_it() {
    let mut yard = Yard::new(2);
    yard.run_until(1_000);
    assert_eq!(yard.replicas[1].role(), Role::Waiting);
    // The candidate's process stands still for longer than its lease; the leader dies and its key goes last.
    yard.sleep_until(20_000);
    yard.wake(1);
    assert!(matches!(yard.replicas[1].reasons[..], [Reason::Deadline { .. }]));
    assert_eq!(term(&yard, 1), None);
}

#[test]
fn a_candidate_whose_key_was_deleted_draws_a_new_number_and_never_leads_by_the_old_one() {
    let mut yard = Yard::new(2);
    yard.replicas[1].stalled = true;
    yard.run_until(1_000);
    yard.etcd.delete(vec!["ostler/candidates/0000000000000002".to_owned()]);
    yard.tell(0, Input::Shutdown);
    yard.run_until(4_000);
    assert_eq!(yard.replicas[1].reasons, [Reason::KeyLost]);
    let token = yard.replicas[1].token.as_ref().expect("it leads by a new number");
    assert_eq!(token.key(), "ostler/candidates/0000000000000003");
    assert!(token.term() > Term(3));
}

#[test]
fn an_answer_that_waited_past_the_deadline_does_not_make_a_leader() {
    let mut yard = Yard::new(1);
    yard.etcd.txn(&[], &[epoch(&[0; 8])], &[]).unwrap();
    yard.replicas[0].fate = |request| if is_claim(request) { Fate::AnswerLost } else { Fate::Served };
    yard.run_until(10);
    yard.now_ms = 4_010;
    // Its fifth request was the claim, which was carried out 4 s ago.
    let id = super::super::RequestId(u64::try_from(yard.replicas[0].asked.len()).unwrap());
    yard.tell(0, Input::Answered { id, answer: super::super::Answer::Claimed });
    assert_eq!(term(&yard, 0), None);
    assert_eq!(yard.replicas[0].reasons, [Reason::Deadline { deadline: at(4_010) }]);
}

#[test]
fn a_leader_whose_key_is_deleted_steps_down_at_once() {
    let mut yard = Yard::new(1);
    yard.run_until(1_000);
    yard.etcd.delete(vec!["ostler/candidates/0000000000000001".to_owned()]);
    yard.run_until(1_010);
    assert_eq!(yard.replicas[0].reasons, [Reason::KeyLost]);
    yard.run_until(2_000);
    assert!(term(&yard, 0) > Some(Term(2)), "and leads again, in a higher term");
}

#[test]
fn a_leader_whose_watch_stalls_finds_by_itself_that_its_key_is_gone() {
    let mut yard = Yard::new(1);
    yard.replicas[0].stalled = true;
    yard.run_until(1_000);
    yard.etcd.delete(vec!["ostler/candidates/0000000000000001".to_owned()]);
    yard.run_until(1_680);
    assert_eq!(yard.replicas[0].reasons, [Reason::KeyLost], "within a third of a lease");
}

#[test]
fn a_waiter_whose_watch_stalls_finds_by_itself_that_it_is_first() {
    let mut yard = Yard::new(2);
    yard.replicas[1].stalled = true;
    yard.run_until(1_000);
    yard.tell(0, Input::Shutdown);
    yard.run_until(2_700);
    assert_eq!(term(&yard, 1), Some(Term(5)));
}

#[test]
fn a_waiter_whose_watch_was_lost_looks_again_and_watches_from_there() {
    let mut yard = Yard::new(2);
    yard.run_until(1_000);
    yard.lose_watch(1);
    yard.run_until(1_300);
    yard.tell(0, Input::Shutdown);
    yard.run_until(1_320);
    assert_eq!(term(&yard, 1), Some(Term(5)), "the new watch told it");
}

#[test]
fn a_compacted_watch_is_begun_again() {
    let mut yard = Yard::new(2);
    yard.run_until(1_000);
    yard.etcd.txn(&[], &[Op::Put { key: "other".to_owned(), value: Vec::new(), lease: 0 }], &[]).unwrap();
    yard.etcd.compact();
    yard.run_until(1_500);
    assert_eq!(
        term(&yard, 0),
        Some(Term(2)),
        "the leader's watch was compacted too, which is no reason to step down"
    );
    yard.tell(0, Input::Shutdown);
    yard.run_until(1_520);
    assert_eq!(term(&yard, 1), Some(Term(5)));
}

#[test]
fn a_leader_whose_lease_etcd_forgot_steps_down_at_the_next_keepalive() {
    let mut yard = Yard::new(1);
    yard.replicas[0].stalled = true;
    yard.run_until(1_500);
    yard.etcd.revoke(1).unwrap();
    yard.run_until(1_680);
    assert_eq!(yard.replicas[0].reasons.len(), 1);
    assert!(matches!(yard.replicas[0].reasons[0], Reason::LeaseLost | Reason::KeyLost));
}

#[test]
fn a_put_on_a_lease_that_is_gone_begins_anew() {
    let mut yard = Yard::new(1);
    yard.replicas[0].fate = |request| if is_put(request) { Fate::Lost } else { Fate::Served };
    yard.run_until(500);
    yard.etcd.revoke(1).unwrap();
    yard.replicas[0].fate = |_| Fate::Served;
    yard.run_until(3_000);
    assert_eq!(yard.replicas[0].reasons, [Reason::LeaseLost]);
    assert_eq!(
        yard.replicas[0].token.as_ref().map(|token| token.key()),
        Some("ostler/candidates/0000000000000002")
    );
}

#[test]
fn an_unwell_leader_steps_down_at_six_and_stands_again_below_four() {
    let mut yard = Yard::new(1);
    yard.run_until(1_000);
    yard.tell(0, Input::Health { score: 5 });
    assert_eq!(yard.replicas[0].reasons, []);
    yard.tell(0, Input::Health { score: 6 });
    assert_eq!(yard.replicas[0].reasons, [Reason::Unwell { score: 6 }]);
    yard.tell(0, Input::Health { score: 4 });
    yard.run_until(10_000);
    assert_eq!((term(&yard, 0), yard.replicas[0].election.poll_timeout()), (None, None));
    yard.tell(0, Input::Health { score: 3 });
    yard.run_until(10_010);
    assert!(term(&yard, 0).is_some());
}

#[test]
fn who_reaches_less_than_half_of_the_best_for_five_seconds_lets_another_lead() {
    let mut yard = Yard::new(2);
    yard.run_until(1_000);
    yard.tell(0, Input::Reach { own: 50, best: 100 });
    yard.run_until(7_000);
    assert!(term(&yard, 0).is_some(), "half is enough");
    yard.tell(0, Input::Reach { own: 49, best: 100 });
    yard.run_until(11_990);
    assert!(term(&yard, 0).is_some());
    yard.run_until(12_010);
    assert_eq!(yard.replicas[0].reasons, [Reason::ShortReach { own: 49, best: 100 }]);
    assert!(term(&yard, 1).is_some());
    yard.run_until(20_000);
    assert_eq!(yard.replicas[0].role(), Role::Out, "it stays out while it is short");
    yard.tell(0, Input::Reach { own: 90, best: 100 });
    yard.run_until(20_100);
    assert_eq!(yard.replicas[0].role(), Role::Waiting);
}

#[test]
fn a_stored_term_that_is_too_high_or_no_number_makes_no_leader() {
    for (value, reason) in [
        (&[0, 0, 0, 0, 0, 0, 9, 9][..], Reason::EpochAhead { epoch: 9 * 256 + 9 }),
        (&[0xff, 1, 2][..], Reason::EpochUnreadable),
    ] {
        let mut yard = Yard::new(1);
        yard.etcd.txn(&[], &[epoch(value)], &[]).unwrap();
        yard.run_until(100);
        assert_eq!((term(&yard, 0), yard.replicas[0].reasons.as_slice()), (None, &[reason][..]));
        yard.run_until(3_000);
        assert!(yard.replicas[0].asked.len() < 60, "it does not spin");
        assert_eq!(yard.etcd.key("ostler/epoch").unwrap().value, value, "and writes nothing over it");
    }
}

#[test]
fn a_lease_is_revoked_by_who_leaves_so_that_nobody_waits_for_it() {
    let mut yard = Yard::new(2);
    yard.run_until(1_000);
    yard.tell(1, Input::Health { score: 8 });
    assert_eq!(yard.replicas[1].asked.last(), Some(&Request::Revoke { lease: LeaseId(2) }));
    assert!(yard.etcd.key("ostler/candidates/0000000000000002").is_none());
}

fn epoch(value: &[u8]) -> Op {
    Op::Put { key: "ostler/epoch".to_owned(), value: value.to_vec(), lease: 0 }
}
