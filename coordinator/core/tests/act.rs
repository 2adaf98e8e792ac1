//! From a decision to its effect: the election, the brake and the journal together, as a shell uses them.

use std::time::Duration;

use ostler_core::action::audit::{Deed, Entry, Head, Verb, verify};
use ostler_core::action::{
    Abort, ActionId, Cause, Class, Effect, Event, Intent, Journal, Observed, Planned, Record, State, Target,
    Todo,
};
use ostler_core::brake::{
    Advice, Ask, Brake, Freeze, Memory, Mode, Modes, Outcome, Policy, PoolLevel, Scene, Take, Veto, ZoneLevel,
};
use ostler_core::id::{Incarnation, NodeId, PoolId, Term, ZoneId};
use ostler_core::lead::{Answer, Boot, Config, Election, Input, LeaderToken, LeaseId, Output, Request};
use ostler_core::time::Time;

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1_000)
}

/// The token of a replica that is elected by the answers of an etcd in which nobody else stands.
fn elected(create_revision: u64) -> (Election, LeaderToken) {
    let config = Config::try_new("replica-a", "ostler/", Duration::from_secs(5)).expect("a valid election");
    let now = Boot::from_millis(1_000);
    let mut election = Election::new(config, now);
    let mut outputs = election.handle_timeout(now);
    loop {
        let Some(Output::Send { id, request }) = outputs.pop() else { panic!("it asks until it leads") };
        let answer = match request {
            Request::Grant { ttl } => Answer::Granted { lease: LeaseId(1), ttl },
            Request::PutIfAbsent { .. } => Answer::Key { create_revision },
            Request::ReadQueue { .. } => Answer::Queue { ahead: None, revision: create_revision },
            Request::Claim { .. } => Answer::Claimed,
            Request::KeepAlive { .. }
            | Request::Revoke { .. }
            | Request::ReadKey { .. }
            | Request::ReadEpoch { .. }
            | Request::SeedEpoch { .. } => panic!("not asked on the way to the lead"),
        };
        outputs = election.handle(Input::Answered { id, answer }, now);
        if let Some(Output::Lead(token)) = outputs.pop_if(|output| matches!(output, Output::Lead(_))) {
            return (election, token);
        }
    }
}

fn acting() -> Brake {
    Brake::new(Policy { modes: Modes::all(Mode::Act), ..Policy::default() }, Memory::default())
}

/// One zone of 40 nodes in which pool "chat" has two replicas more than its queue needs.
fn scene(seconds: u64, freeze: Option<Freeze>) -> Scene {
    let zone = ZoneId::from("a");
    let level = PoolLevel { endpoints: 10, removed: 0, ready: 10, floor: 2, needed: 8 };
    Scene {
        at: at(seconds),
        freeze,
        zones: [(zone.clone(), ZoneLevel { nodes: 40, ..ZoneLevel::default() })].into(),
        pools: [((PoolId::from("chat"), zone), level)].into(),
    }
}

fn drain(generation: u64, seconds: u64) -> Intent {
    Intent {
        effect: Effect::Drain,
        target: Target::Node(NodeId::from("n1")),
        uid: "7c9e6679".into(),
        incarnation: Incarnation(3),
        cause: Cause { generation, at: at(seconds), evidence_revision: 12 },
        valid_until: at(seconds + 600),
        reason: "GPU 3 fell off the bus".into(),
    }
}

/// What the brake is asked for an action: one replica of "chat" leaves.
fn ask(record: &Record) -> Ask {
    Ask {
        class: record.intent.effect.class(),
        zone: ZoneId::from("a"),
        node: Some(NodeId::from("n1")),
        takes: vec![Take { pool: PoolId::from("chat"), endpoints: 1, ready: 1 }],
        planned: record.planned,
        until: record.intent.valid_until + Duration::from_secs(3_600),
        witnesses: 2,
    }
}

fn plan(journal: &mut Journal, intent: Intent, term: Term, now: Time) -> ActionId {
    let Planned::New(id) = journal.plan(intent, term, now) else { panic!("a new action") };
    id
}

fn issue() -> Event {
    Event::Issue { evidence_revision: 12 }
}

#[test]
fn a_decision_is_written_down_permitted_issued_and_done_and_the_log_proves_it() {
    let (_election, token) = elected(70);
    let (mut journal, mut brake) = (Journal::default(), acting());
    let mut log: Vec<Entry> = Vec::new();
    let mut head = Head::EMPTY;
    let mut write = |record: &Record, verb, now| {
        let (subject, detail) = (record.id().to_string(), record.state.to_string());
        let deed = Deed { verb, actor: "replica-a", subject: &subject, detail: &detail };
        let entry = head.append(deed, token.term(), now);
        head = entry.head();
        log.push(entry);
        head
    };

    let id = plan(&mut journal, drain(1, 100), token.term(), at(100));
    let record = journal.get(id).expect("it was just planned");
    write(record, Verb::ActionPlanned, at(100));
    assert_eq!(record.intent.effect.class(), Class::Disruptive);
    let permit = brake.take(ask(record), &scene(100, None), at(100)).expect("two replicas are to spare");
    assert!(token.is_live(Boot::from_millis(4_999)), "asked right before the call");
    let record = journal.apply(id, issue(), token.term(), at(101)).expect("it is planned");
    assert_eq!((&record.state, record.attempts), (&State::Issued, 1));
    write(record, Verb::ActionIssued, at(101));
    let record = journal.apply(id, Event::Succeed, token.term(), at(160)).expect("it is issued");
    assert_eq!(record.state, State::Done);
    let head = write(record, Verb::ActionDone, at(160));
    brake.give_back(permit, Outcome::Done, at(160));

    assert_eq!(verify(Head::EMPTY, &log, head), Ok(()));
    log[1].detail = "nothing".into();
    assert!(verify(Head::EMPTY, &log, head).is_err());
}

#[test]
fn what_was_decided_before_a_freeze_is_aborted_and_decided_anew() {
    let (mut journal, mut brake, term) = (Journal::default(), acting(), Term(70));
    let id = plan(&mut journal, drain(1, 100), term, at(100));
    let old = ask(journal.get(id).expect("it was just planned"));
    let frozen = scene(100, Some(Freeze::Global { zones: 2 }));
    assert_eq!(brake.take(old.clone(), &frozen, at(100)).map_err(|veto| veto.advice()), Err(Advice::Wait));
    let veto = brake.take(old, &scene(200, None), at(200)).expect_err("the freeze has ended");
    assert!(matches!(veto, Veto::Stale { .. }) && veto.advice() == Advice::Abort);
    let record = journal.apply(id, Event::Abort(Abort::Frozen), term, at(200)).expect("it was never issued");
    assert_eq!(record.state, State::Aborted(Abort::Frozen));
    assert!(matches!(journal.plan(drain(1, 201), term, at(201)), Planned::Known(_, State::Aborted(_))));
    let anew = plan(&mut journal, drain(2, 201), term, at(201));
    let anew = ask(journal.get(anew).expect("it was just planned"));
    assert!(brake.take(anew, &scene(202, None), at(202)).is_ok());
}

#[test]
fn the_next_leader_looks_before_it_tries_again_and_the_one_before_can_write_no_more() {
    let (mut first, mut brake, old) = (Journal::default(), acting(), Term(70));
    let id = plan(&mut first, drain(1, 100), old, at(100));
    drop(brake.take(ask(first.get(id).expect("planned")), &scene(100, None), at(100)).expect("a permit"));
    first.apply(id, issue(), old, at(101)).expect("it is planned");

    let (_election, token) = elected(90);
    let mut second = Journal::restore(first.records().cloned(), first.watermark());
    let mut next = Brake::new(brake.policy().clone(), brake.memory().clone());
    let permit = next.adopt(ask(second.get(id).expect("restored")));
    assert_eq!(second.unfinished(at(110)), [(id, Todo::Observe)]);
    second.apply(id, Event::Observe(Observed::NotThere), token.term(), at(110)).expect("it is issued");
    let again = second.apply(id, issue(), token.term(), at(111)).expect("it is planned again");
    assert_eq!((again.attempts, again.term), (2, Term(90)));
    assert!(second.apply(id, Event::Succeed, old, at(112)).is_err(), "the term is over");
    second.apply(id, Event::Succeed, token.term(), at(112)).expect("it is issued");
    next.give_back(permit, Outcome::Done, at(112));
    assert_eq!(second.unfinished(at(113)), []);
}
