//! Golden scripts of what people and time do to orders: a latch that is open for a day, a hold while the machine acts, orders
//! given twice, and records that are not what they should be.

use std::time::Duration;

use ostler_core::action::{
    Abort, ActionId, Cause, Class, Effect, Event, Intent, Journal, Planned, Refusal, State, Target, Todo,
};
use ostler_core::brake::{
    Advice, Ask, Brake, Memory, Mode, Modes, NewHold, Outcome, Policy, PoolLevel, Scene, Scope, Take, Veto,
    ZoneLevel,
};
use ostler_core::id::{Incarnation, NodeId, PoolId, Term, ZoneId};
use ostler_core::time::Time;

const TERM: Term = Term(70);

/// A day later, in seconds.
const DAY_S: u64 = 86_400;

fn at(seconds: u64) -> Time {
    Time::from_millis(seconds * 1_000)
}

fn acting() -> Brake {
    Brake::new(Policy { modes: Modes::all(Mode::Act), ..Policy::default() }, Memory::default())
}

/// A healthy zone of 100 nodes, and a pool that can spare half of its 20 replicas.
fn scene(seconds: u64) -> Scene {
    let zone = ZoneId::from("a");
    let level = PoolLevel { endpoints: 20, removed: 0, ready: 20, floor: 2, needed: 10 };
    Scene {
        at: at(seconds),
        freeze: None,
        zones: [(zone.clone(), ZoneLevel { nodes: 100, ..ZoneLevel::default() })].into(),
        pools: [((PoolId::from("chat"), zone), level)].into(),
    }
}

fn order(effect: Effect, node: u64, generation: u64, seconds: u64) -> Intent {
    Intent {
        effect,
        target: Target::Node(NodeId::from(format!("n{node}").as_str())),
        uid: format!("uid-{node}").into(),
        incarnation: Incarnation(1),
        cause: Cause { generation, at: at(seconds), evidence_revision: 1 },
        valid_until: at(seconds + 600),
        reason: "it is not reached".into(),
    }
}

fn ask(intent: &Intent, planned: Time) -> Ask {
    let Target::Node(node) = &intent.target else { panic!("orders are about nodes") };
    Ask {
        class: intent.effect.class(),
        zone: ZoneId::from("a"),
        node: Some(node.clone()),
        takes: vec![Take { pool: PoolId::from("chat"), endpoints: 1, ready: 1 }],
        planned,
        until: planned + Duration::from_secs(3_600),
        witnesses: 2,
    }
}

/// Plans an order and asks for its permit; what came of it, in a word, and the order's number.
fn try_order(
    journal: &mut Journal,
    brake: &mut Brake,
    intent: Intent,
    seconds: u64,
) -> (&'static str, ActionId) {
    let asked = ask(&intent, at(seconds));
    let id = match journal.plan(intent, TERM, at(seconds)) {
        Planned::New(id) => id,
        Planned::Known(id, _) => return ("known", id),
        Planned::Refused(_) => panic!("there is room"),
    };
    (take(brake, asked, seconds), id)
}

/// Asks for a permit, and gives it back a second later.
fn take(brake: &mut Brake, asked: Ask, seconds: u64) -> &'static str {
    match brake.take(asked, &scene(seconds), at(seconds)) {
        Ok(permit) => {
            brake.give_back(permit, Outcome::Done, at(seconds + 1));
            "permitted"
        }
        Err(veto) => veto.name(),
    }
}

/// A brake whose latch opened: 20 of 100 nodes drained, one each ten seconds until second 290.
fn latched() -> (Journal, Brake) {
    let (mut journal, mut brake) = (Journal::default(), acting());
    for node in 0..20 {
        let seconds = 100 + node * 10;
        let (word, id) = try_order(&mut journal, &mut brake, order(Effect::Drain, node, 1, seconds), seconds);
        assert_eq!(word, "permitted");
        journal.apply(id, Event::Issue { evidence_revision: 1 }, TERM, at(seconds)).expect("it is planned");
        journal.apply(id, Event::Succeed, TERM, at(seconds + 1)).expect("it is issued");
    }
    (journal, brake)
}

#[test]
fn f36_what_was_decided_while_the_latch_was_open_is_not_replayed_after_a_day_by_anybody() {
    let (mut journal, mut brake) = latched();
    let waiting: Vec<ActionId> = (20..30)
        .map(|node| try_order(&mut journal, &mut brake, order(Effect::Drain, node, 1, 300), 300))
        .map(|(word, id)| {
            assert_eq!(word, "latched");
            id
        })
        .collect();
    // A day of looks, under the leader after the next.
    let mut brake = Brake::new(brake.policy().clone(), brake.memory().clone());
    (301..DAY_S).step_by(600).for_each(|seconds| brake.observe(&scene(seconds), at(seconds)));
    assert!(journal.unfinished(at(DAY_S)).iter().all(|(_, todo)| *todo == Todo::Issue));
    for id in waiting {
        let record = journal.get(id).expect("it waits");
        let asked = ask(&record.intent, record.planned);
        let veto = brake.take(asked, &scene(DAY_S), at(DAY_S)).expect_err("it is a day old");
        assert!(matches!(veto, Veto::Stale { .. }) && veto.advice() == Advice::Abort, "{veto}");
        journal
            .apply(id, Event::Issue { evidence_revision: 1 }, TERM, at(DAY_S))
            .expect("the journal says why not");
        let state = &journal.get(id).expect("it is kept").state;
        assert_eq!(*state, State::Aborted(Abort::Expired), "nor would it be begun without the brake");
    }
    assert_eq!(journal.unfinished(at(DAY_S)), []);
    let (word, _) = try_order(&mut journal, &mut brake, order(Effect::Drain, 20, 2, DAY_S), DAY_S);
    assert_eq!(word, "permitted", "what is decided anew is");
}

#[test]
fn f36_what_is_irreversible_waits_a_day_for_a_person_and_is_then_decided_anew() {
    let (mut journal, mut brake) = latched();
    let old = order(Effect::ForceDelete, 1, 1, 300);
    assert_eq!(old.effect.class(), Class::Irreversible);
    // When it was decided, when it is asked for, and the answer.
    let script =
        [(300, 300, "latched_for_person"), (300, DAY_S, "stale"), (DAY_S, DAY_S, "latched_for_person")];
    for (planned, seconds, word) in script {
        brake.observe(&scene(seconds), at(seconds));
        assert_eq!(take(&mut brake, ask(&old, at(planned)), seconds), word, "of {planned} s at {seconds} s");
    }
    brake.release_fleet(at(DAY_S + 10));
    assert_eq!(take(&mut brake, ask(&old, at(DAY_S)), DAY_S + 11), "stale");
    let anew = order(Effect::ForceDelete, 1, 2, DAY_S + 12);
    assert_eq!(try_order(&mut journal, &mut brake, anew, DAY_S + 12).0, "permitted");
}

#[test]
fn f37_a_hold_stops_the_machine_and_people_alike_and_what_runs_goes_on() {
    let (mut journal, mut brake) = (Journal::default(), acting());
    let first = order(Effect::Drain, 1, 1, 100);
    let running = brake.take(ask(&first, at(100)), &scene(100), at(100)).expect("all is well");
    let hold = NewHold { scope: Scope::Fleet, until: None, by: "alice".into(), reason: "firmware".into() };
    let hold = brake.hold(hold, at(105)).expect("placed");
    let script = [
        (Effect::Drain, 2, 1, 110, "held"),
        (Effect::Cordon, 3, 1, 111, "held"),
        (Effect::ForceDelete, 4, 1, 112, "held"),
        // The second click on the same order.
        (Effect::Drain, 2, 1, 113, "known"),
    ];
    for (effect, node, generation, seconds, expected) in script {
        let told = try_order(&mut journal, &mut brake, order(effect, node, generation, seconds), seconds);
        assert_eq!(told.0, expected, "{effect:?} of n{node} at {seconds} s");
    }
    brake.give_back(running, Outcome::Done, at(120));
    assert!(brake.release(hold));
    let anew = order(Effect::Drain, 5, 1, 130);
    assert_eq!(try_order(&mut journal, &mut brake, anew, 130).0, "permitted");
}

#[test]
fn f37_an_order_given_twice_is_one_order_whoever_leads_and_whatever_became_of_it() {
    let mut journal = Journal::default();
    let Planned::New(id) = journal.plan(order(Effect::Drain, 1, 1, 100), TERM, at(100)) else {
        panic!("it is new")
    };
    let again = |journal: &mut Journal, seconds| {
        let planned = journal.plan(order(Effect::Drain, 1, 1, seconds), Term(90), at(seconds));
        let Planned::Known(known, state) = planned else { panic!("it is known") };
        assert_eq!(known, id);
        state
    };
    assert_eq!(again(&mut journal, 101), State::Planned);
    journal.apply(id, Event::Issue { evidence_revision: 1 }, TERM, at(102)).expect("it is planned");
    assert_eq!(again(&mut journal, 103), State::Issued);
    let mut journal = Journal::restore(journal.records().cloned(), journal.watermark());
    assert_eq!(again(&mut journal, 104), State::Issued);
    journal.apply(id, Event::Succeed, Term(90), at(105)).expect("it is issued");
    assert_eq!(again(&mut journal, 106), State::Done);
    let issued = journal.apply(id, Event::Issue { evidence_revision: 1 }, Term(90), at(107));
    assert_eq!(issued, Err(Refusal::Finished));
}

#[test]
fn f37_of_two_orders_that_contradict_each_other_the_newer_takes_the_place_of_one_that_was_not_begun() {
    let mut journal = Journal::default();
    let mut plan = |effect, seconds| match journal.plan(order(effect, 1, 1, seconds), TERM, at(seconds)) {
        Planned::New(id) => id,
        Planned::Known(..) | Planned::Refused(_) => panic!("it is new"),
    };
    let (cordon, uncordon) = (plan(Effect::Cordon, 100), plan(Effect::Uncordon, 110));
    journal.apply(cordon, Event::Supersede { by: uncordon }, TERM, at(110)).expect("it was not begun");
    assert_eq!(journal.unfinished(at(111)), [(uncordon, Todo::Issue)]);
    journal.apply(uncordon, Event::Issue { evidence_revision: 1 }, TERM, at(111)).expect("it is planned");
    let Planned::New(third) = journal.plan(order(Effect::Cordon, 1, 2, 112), TERM, at(112)) else {
        panic!("another generation is another order")
    };
    let refused = journal.apply(uncordon, Event::Supersede { by: third }, TERM, at(112));
    assert_eq!(refused, Err(Refusal::MayHaveHappened), "what may have happened is looked at first");
}
