use std::collections::{BTreeMap, VecDeque};

use ostler_core::action::audit::Verb;
use ostler_core::action::{Abort, Effect, Target};
use ostler_core::brake::{Freeze, Hold, HoldId, Latch, Memory, NewHold, Scope, ZoneMemory};
use ostler_core::class::Class;
use ostler_core::detect::Verdict;

use super::*;

fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

fn comes_back(key: Key, item: Item) {
    let bytes = encode(&item);
    let (read_key, read) = decode(&key.to_string(), &bytes).unwrap().unwrap();
    assert_eq!((read_key, read), (key, item));
}

fn record(effect: Effect, target: Target, state: State) -> Record {
    let cause = Cause { generation: 9, at: at(3), evidence_revision: 7 };
    let intent = Intent {
        effect,
        target,
        uid: "n1/e1".into(),
        incarnation: Incarnation(5),
        cause,
        valid_until: at(60_000),
        reason: "why".into(),
    };
    Record { intent, state, term: Term(4), attempts: 2, planned: at(10), changed: at(11) }
}

#[test]
fn actions_of_every_effect_target_and_state_come_back() {
    let id = ActionId::of(Effect::Drain, "x", Incarnation(1), 1);
    let states = [
        State::Planned,
        State::Issued,
        State::Acked,
        State::Done,
        State::Failed(Failure::Refused { detail: "no".into() }),
        State::Failed(Failure::Attempts),
        State::Failed(Failure::NoEffect),
        State::Failed(Failure::OutcomeUnknown),
        State::Aborted(Abort::Expired),
        State::Aborted(Abort::EvidenceChanged),
        State::Aborted(Abort::Frozen),
        State::Aborted(Abort::Operator),
        State::Aborted(Abort::TargetGone),
        State::Superseded { by: id },
    ];
    let targets = [
        Target::Zone("z".into()),
        Target::Pool("p".into()),
        Target::PoolInZone("p".into(), "z".into()),
        Target::Node("n".into()),
        Target::Gpu("n".into(), "g".into()),
        Target::Engine("n".into(), "e".into()),
    ];
    let effects = [
        Effect::SetWeight { weight_ppm: 7 },
        Effect::RemoveEndpoint,
        Effect::RestoreEndpoint,
        Effect::ScaleOut { replicas: 3 },
        Effect::Preload,
        Effect::Uncordon,
        Effect::ScaleIn { replicas: 0 },
        Effect::Cordon,
        Effect::Drain,
        Effect::Evict,
        Effect::Migrate,
        Effect::RestartEngine,
        Effect::Reboot,
        Effect::ForceDelete,
        Effect::Terminate,
    ];
    for (number, state) in states.into_iter().enumerate() {
        let target = targets[number % targets.len()].clone();
        let record = record(effects[number % effects.len()], target, state);
        comes_back(Key::Action(record.id()), Item::Action(Box::new(record)));
    }
    for effect in effects {
        let record = record(effect, Target::Node("n".into()), State::Planned);
        comes_back(Key::Action(record.id()), Item::Action(Box::new(record)));
    }
}

#[test]
fn decisions_with_every_fate_come_back() {
    let obstacle =
        Obstacle { name: "floor".into(), text: "2 of 3".into(), since: at(1), last: at(2), count: 3 };
    let fates = [
        Fate::Waits(obstacle),
        Fate::Begun,
        Fate::Done,
        Fate::Failed("no".into()),
        Fate::Dropped("over".into()),
    ];
    let wish = |fate| Wish {
        effect: Effect::RemoveEndpoint,
        target: Target::Node("n".into()),
        uid: "n".into(),
        incarnation: Incarnation(1),
        takes: vec![Take { pool: "p".into(), endpoints: 2, ready: 1 }],
        actions: 3,
        tries: 2,
        not_before: at(5),
        action: Some(ActionId::of(Effect::Drain, "x", Incarnation(1), 1)),
        mode: Mode::Act,
        unsure: fate == Fate::Begun,
        fate,
    };
    let seen = Verdict::ALL.map(|verdict| Seen { at: at(1), verdict, evidence: "it is".into() });
    for phase in [Phase::Open, Phase::Ending, Phase::Ended] {
        let decision = Decision {
            id: DecisionId(12),
            about: Target::Gpu("n".into(), "g".into()),
            zone: "z".into(),
            seen: seen.to_vec(),
            wishes: fates.clone().map(wish).to_vec(),
            phase,
            made: at(1),
            changed: at(2),
            term: Term(3),
        };
        comes_back(Key::Decision(decision.id), Item::Decision(Box::new(decision)));
    }
}

#[test]
fn what_the_brake_remembers_comes_back_but_for_the_permit_on_trial() {
    let scopes = [Scope::Fleet, Scope::Zone("z".into()), Scope::Pool("p".into()), Scope::Node("n".into())];
    let hold = |(id, scope): (u64, Scope)| {
        let what = NewHold { scope, until: Some(at(9)), by: "ann".into(), reason: "why".into() };
        (HoldId(id), Hold { what, since: at(1) })
    };
    let zone = ZoneMemory {
        disrupted: VecDeque::from([at(1), at(2)]),
        troubled: Some(at(3)),
        stopped: true,
        thawed: Some(at(4)),
        latch: Some(Latch { since: at(5), disrupted: 2, nodes: 9, trial: None }),
    };
    let freezes = [
        Freeze::ObserverIsolated,
        Freeze::Global { zones: 2 },
        Freeze::Learning,
        Freeze::Unwell { score: 5 },
    ];
    for freeze in freezes {
        let memory = Memory {
            zones: BTreeMap::from([("z".into(), zone.clone())]),
            frozen: Some(freeze),
            thawed: BTreeMap::from([(Class::Traffic, at(6)), (Class::Irreversible, at(7))]),
            irreversible_last: Some(at(8)),
            irreversible_latched: Some(at(9)),
            holds: (1..).zip(scopes.clone()).map(hold).collect(),
            holds_placed: 4,
        };
        comes_back(Key::Memory, Item::Memory(memory));
    }
}

#[test]
fn the_rest_comes_back_and_what_is_not_ours_or_cannot_be_read_is_told_apart() {
    let deed = ostler_core::action::audit::Deed {
        verb: Verb::HoldPlaced,
        actor: "ann",
        subject: "the fleet",
        detail: "why",
    };
    let entry = Head::EMPTY.append(deed, Term(3), at(4));
    comes_back(Key::AuditHead, Item::AuditHead(entry.head()));
    comes_back(Key::Audit(1), Item::Audit(entry));
    comes_back(Key::Watermark, Item::Watermark(at(77)));
    let given = Given { request_id: "r".into(), at: at(1), what: "hold".into(), message: "held".into() };
    comes_back(Key::Orders, Item::Orders(vec![given]));
    assert!(decode("events/1", b"{}").unwrap().is_none());
    assert!(decode("decisions/d1", b"{}").is_err());
    assert!(decode("actions/nothex", b"{}").is_err());
    let text = String::from_utf8(encode(&Item::Watermark(at(5)))).unwrap();
    assert_eq!(text, "5");
}
