//! The steps of the election, one replica or two.

use std::time::Duration;

use super::super::{Answer, Config, ConfigError, Input, LeaseId, Output, Reason, Request, RequestId, Role};
use super::pair::{Fate, TTL, Yard, at, config};
use crate::id::Term;

fn leading(yard: &Yard, replica: usize) -> bool {
    matches!(yard.replicas[replica].role(), Role::Leading(_))
}

#[test]
fn a_lone_replica_asks_for_a_lease_draws_a_number_looks_and_claims() {
    let mut yard = Yard::new(1);
    yard.run_until(10);
    let (key, candidates, epoch_key): (Box<str>, Box<str>, Box<str>) =
        ("ostler/candidates/0000000000000001".into(), "ostler/candidates/".into(), "ostler/epoch".into());
    let claim = Request::Claim {
        key: key.clone(),
        create_revision: 2,
        epoch_key: epoch_key.clone(),
        epoch: [0, 0, 0, 0, 0, 0, 0, 2],
    };
    let expected = [
        Request::Grant { ttl: TTL },
        Request::PutIfAbsent { key: key.clone(), value: "replica-0".into(), lease: LeaseId(1) },
        Request::ReadQueue { key, create_revision: 2, candidates },
        claim.clone(),
        Request::SeedEpoch { epoch_key, epoch: [0; 8] },
        claim,
    ];
    assert_eq!(yard.replicas[0].asked, expected);
    let token = yard.replicas[0].token.as_ref().expect("it leads");
    assert_eq!((token.key(), token.term()), ("ostler/candidates/0000000000000001", Term(2)));
    assert_eq!(
        token.deadline(),
        at(10 + 4_000),
        "from when the lease was asked for, a fifth of it kept back"
    );
}

#[test]
fn a_keepalive_prolongs_from_the_moment_it_was_sent() {
    let mut election = super::super::Election::new(config("a"), at(0));
    let mut sent = Vec::new();
    let mut note = |outputs: Vec<Output>| {
        for output in outputs {
            if let Output::Send { id, request } = output {
                sent.push((id, request));
            }
        }
        sent.last().cloned().expect("a request")
    };
    let (grant, _) = note(election.handle_timeout(at(100)));
    let granted = Answer::Granted { lease: LeaseId(7), ttl: TTL };
    note(election.handle(Input::Answered { id: grant, answer: granted }, at(900)));
    assert_eq!(election.poll_timeout(), Some(at(100 + 1_666)), "a third of the lease after it was asked for");
    let (keepalive, request) = note(election.handle_timeout(at(1_800)));
    assert_eq!(request, Request::KeepAlive { lease: LeaseId(7) });
    let kept = Input::Answered { id: keepalive, answer: Answer::Kept { ttl: TTL } };
    election.handle(kept, at(3_500));
    // The key's request is answered with nothing, so that only the lease counts.
    for now in (3_500..5_800).step_by(50) {
        election.handle_timeout(at(now));
    }
    assert_eq!(election.role(), Role::Joining);
    let outputs = election.handle_timeout(at(5_800));
    assert!(outputs.contains(&Output::Left(Reason::Deadline { deadline: at(1_800 + 4_000) })), "{outputs:?}");
}

#[test]
fn usable_time_is_the_lease_less_a_fifth_and_at_least_a_second() {
    let cases = [(2, 1_000), (3, 2_000), (5, 4_000), (10, 8_000), (60, 48_000)];
    for (ttl_s, usable_ms) in cases {
        assert_eq!(Config::usable(Duration::from_secs(ttl_s)), Duration::from_millis(usable_ms), "{ttl_s} s");
    }
    assert_eq!(Config::usable(Duration::from_millis(500)), Duration::ZERO);
}

#[test]
fn settings_that_make_no_election_are_refused() {
    let seconds = Duration::from_secs;
    assert_eq!(Config::try_new("", "p/", seconds(5)), Err(ConfigError::NoName));
    assert_eq!(Config::try_new("a", "p", seconds(5)), Err(ConfigError::Prefix("p".into())));
    assert_eq!(Config::try_new("a", "p/", seconds(1)), Err(ConfigError::Ttl(seconds(1))));
    assert_eq!(Config::try_new("a", "p/", seconds(61)), Err(ConfigError::Ttl(seconds(61))));
    assert_eq!(Config::try_new("a", "p/", Duration::from_millis(5_900)).unwrap().ttl(), seconds(5));
}

#[test]
fn the_second_waits_and_leads_as_soon_as_the_first_gives_its_lease_back() {
    let mut yard = Yard::new(2);
    yard.run_until(1_000);
    assert_eq!((leading(&yard, 0), yard.replicas[1].role()), (true, Role::Waiting));
    yard.tell(0, Input::Shutdown);
    assert_eq!(yard.replicas[0].role(), Role::Ended);
    assert_eq!(yard.replicas[0].said, [Output::Ended]);
    yard.run_until(1_020);
    assert!(leading(&yard, 1));
    assert_eq!(
        yard.replicas[1].token.as_ref().map(|token| token.term()),
        Some(Term(5)),
        "revisions 3 and 4 stored the first term"
    );
}

#[test]
fn the_second_leads_after_the_first_died_and_its_lease_expired() {
    let mut yard = Yard::new(2);
    yard.run_until(1_000);
    yard.replicas.swap_remove(0);
    yard.run_until(5_000);
    assert!(!leading(&yard, 0));
    yard.run_until(5_700);
    assert!(leading(&yard, 0), "the lease of 5 s was asked for at 10 ms, and the scan comes each 500 ms");
}

#[test]
fn a_token_lives_on_while_keepalives_are_answered() {
    let mut yard = Yard::new(1);
    yard.run_until(60_000);
    assert!(leading(&yard, 0));
    let token = yard.replicas[0].token.as_ref().expect("it leads");
    assert_eq!(token.term(), Term(2), "one term");
    assert!(token.is_live(at(60_000 + 2_000)) && !token.is_live(at(60_000 + 4_001)));
}

#[test]
fn a_leader_looks_at_its_key_when_asked_and_tells_when_it_was_there() {
    let mut yard = Yard::new(1);
    yard.tell(0, Input::Confirm);
    assert_eq!(yard.replicas[0].election.confirmed(), None);
    yard.run_until(100);
    yard.tell(0, Input::Confirm);
    assert!(matches!(yard.replicas[0].asked.last(), Some(Request::ReadQueue { .. })));
    assert_eq!(yard.replicas[0].election.confirmed(), Some(at(100)));
    yard.replicas[0].fate = |_| Fate::Lost;
    yard.run_until(200);
    yard.tell(0, Input::Confirm);
    yard.run_until(300);
    assert_eq!(yard.replicas[0].election.confirmed(), Some(at(100)), "no answer is no news");
    yard.run_until(5_000);
    assert_eq!(yard.replicas[0].election.confirmed(), None, "it leads no more");
}

#[test]
fn a_leader_whose_keepalives_are_lost_ends_before_its_lease_does() {
    let mut yard = Yard::new(1);
    yard.run_until(10);
    yard.replicas[0].fate = |request| {
        let lost = matches!(request, Request::KeepAlive { .. } | Request::Grant { .. });
        if lost { Fate::Lost } else { Fate::Served }
    };
    yard.run_until(4_000);
    assert!(leading(&yard, 0));
    yard.run_until(4_010);
    assert_eq!(yard.replicas[0].reasons, [Reason::Deadline { deadline: at(4_010) }]);
    assert!(yard.replicas[0].token.is_none());
}

#[test]
fn who_steps_down_gives_the_lease_back_only_after_the_token_is_back() {
    let mut yard = Yard::new(1);
    yard.run_until(10);
    yard.replicas[0].clings = true;
    yard.tell(0, Input::Shutdown);
    yard.run_until(1_000);
    assert_eq!(yard.replicas[0].role(), Role::SteppingDown);
    assert!(!matches!(yard.replicas[0].asked.last(), Some(Request::Revoke { .. })));
    let token = yard.replicas[0].token.take().expect("it clung to the token");
    yard.tell(0, Input::Returned(token));
    assert_eq!(yard.replicas[0].asked.last(), Some(&Request::Revoke { lease: LeaseId(1) }));
    assert_eq!(yard.replicas[0].said, [Output::Ended]);
}

#[test]
fn a_process_that_clings_to_the_token_is_told_to_abort_once() {
    let mut yard = Yard::new(1);
    yard.run_until(10);
    yard.replicas[0].clings = true;
    yard.tell(0, Input::Health { score: 6 });
    yard.run_until(2_000);
    assert_eq!(yard.replicas[0].said, []);
    yard.run_until(10_000);
    assert_eq!(yard.replicas[0].said, [Output::Abort]);
}

#[test]
fn a_shutdown_whose_revoke_is_never_answered_ends_after_a_second() {
    let mut yard = Yard::new(1);
    yard.run_until(10);
    yard.replicas[0].fate = |_| Fate::Lost;
    yard.tell(0, Input::Shutdown);
    yard.run_until(1_000);
    assert_eq!(yard.replicas[0].said, []);
    yard.run_until(1_010);
    assert_eq!(yard.replicas[0].said, [Output::Ended]);
}

#[test]
fn a_shutdown_without_a_lease_ends_at_once() {
    let mut yard = Yard::new(1);
    yard.tell(0, Input::Shutdown);
    assert_eq!(yard.replicas[0].said, [Output::Ended]);
    yard.run_until(10_000);
    assert!(yard.replicas[0].token.is_none());
}

#[test]
fn an_answer_to_a_request_that_was_given_up_is_ignored() {
    let mut yard = Yard::new(1);
    yard.run_until(1_000);
    let term = yard.replicas[0].token.as_ref().map(|token| token.term());
    for id in 1..=6 {
        yard.tell(0, Input::Answered { id: RequestId(id), answer: Answer::KeyGone });
    }
    assert_eq!(yard.replicas[0].token.as_ref().map(|token| token.term()), term);
}
