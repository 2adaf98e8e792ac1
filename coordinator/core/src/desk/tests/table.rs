//! What the tests are made of: a desk with a store and an executor, and looks made by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::action::audit::Entry;
use crate::action::{ActionId, Effect, Observed, Target};
use crate::brake::{self, Mode, Modes, PoolLevel, Scene, Take, ZoneLevel};
use crate::desk::{
    Answer, Batch, Case, Decision, Desk, Executor, Fate, Item, Kept, Key, Look, Policy, Request, Standing,
    Told, Want,
};
use crate::detect::{Allowed, Verdict};
use crate::id::{Incarnation, NodeId, Term, ZoneId};
use crate::time::Time;

/// When tests begin.
pub(super) const BEGIN_MS: u64 = 1_000_000;

/// What becomes of a request to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// It is carried out, and its answer is lost.
    AnswerLost,
    /// It is lost.
    Lost,
}

/// What the executor does with calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hand {
    /// It carries them out and says so.
    Answers,
    /// It carries them out, and its answers are lost.
    Silent,
    /// They do not come to it.
    Deaf,
    Refuses,
    /// It carries them out, and says nothing, neither then nor when it is asked.
    Dumb,
    /// Drains take for ever; it carries out everything else.
    DrainsLong,
}

/// A desk, its store and its executor.
pub(super) struct Table {
    pub(super) desk: Desk,
    pub(super) policy: Policy,
    pub(super) now: Time,
    pub(super) look: Look,
    pub(super) store: BTreeMap<String, (Key, u64, Item)>,
    pub(super) revision: u64,
    pub(super) writes: u64,
    /// Effects by action: how often each was done.
    pub(super) effects: BTreeMap<ActionId, u32>,
    /// What each effect was, in order.
    pub(super) done: Vec<(Effect, Target)>,
    /// Highest term that the executor heard.
    pub(super) heard: Term,
    pub(super) fault: Fault,
    pub(super) hand: Hand,
    /// How things are that no case tells of; what is not named is well.
    pub(super) standings: BTreeMap<Target, Standing>,
    /// All calls, those that had no effect among them.
    pub(super) calls: Vec<(Effect, Target)>,
    issued_stored: BTreeSet<ActionId>,
    /// Drains that go on.
    drains: BTreeSet<ActionId>,
}

pub(super) fn policy(mode: Mode) -> Policy {
    let brake = brake::Policy { modes: Modes::all(mode), ..brake::Policy::default() };
    Policy { brake, executor: Executor::There, ..Policy::default() }
}

pub(super) fn zone() -> ZoneId {
    ZoneId::from("a")
}

pub(super) fn node(number: u32) -> Target {
    Target::Node(NodeId::from(format!("n{number}").as_str()))
}

/// A case that a node is one of, with what its verdict is answered by.
pub(super) fn case(number: u32, verdict: Verdict) -> Case {
    let dead = [Effect::RemoveEndpoint, Effect::Drain];
    let effects = if verdict == Verdict::NodeDead { &dead[..] } else { &dead[..1] };
    let want = |effect: &Effect| Want {
        effect: *effect,
        target: node(number),
        uid: format!("n{number}").into(),
        incarnation: Incarnation(1),
        takes: vec![Take { pool: "p".into(), endpoints: 1, ready: 0 }],
    };
    Case {
        about: node(number),
        zone: zone(),
        verdict,
        since: Time::from_millis(BEGIN_MS),
        evidence: Some("nobody reaches it".into()),
        allowed: verdict.allowed(),
        wants: effects.iter().map(want).collect(),
    }
}

impl Table {
    pub(super) fn new(policy: Policy) -> Table {
        let zones = BTreeMap::from([(zone(), ZoneLevel { nodes: 20, ..ZoneLevel::default() })]);
        let level = PoolLevel { endpoints: 20, ready: 18, floor: 1, needed: 5, removed: 0 };
        let pools = BTreeMap::from([(("p".into(), zone()), level)]);
        let scene = Scene { zones, pools, ..Scene::default() };
        Table {
            desk: Desk::new(policy.clone(), Term(1), "r1"),
            policy,
            now: Time::from_millis(BEGIN_MS),
            look: Look { scene, ceiling: Allowed::ALL, ..Look::default() },
            store: BTreeMap::new(),
            revision: 0,
            writes: 0,
            effects: BTreeMap::new(),
            done: Vec::new(),
            heard: Term(0),
            fault: Fault::None,
            hand: Hand::Answers,
            standings: BTreeMap::new(),
            calls: Vec::new(),
            issued_stored: BTreeSet::new(),
            drains: BTreeSet::new(),
        }
    }

    /// Finds these, and that everything else which decisions are about is well.
    pub(super) fn find(&mut self, cases: Vec<Case>) {
        self.look.cases = cases;
    }

    /// A quarter of a second with one step, and everything that it asks for.
    pub(super) fn tick(&mut self) {
        self.now = self.now + Duration::from_millis(250);
        self.step();
    }

    /// So many seconds.
    pub(super) fn run(&mut self, seconds: u64) {
        (0..seconds * 4).for_each(|_| self.tick());
    }

    /// One step at the present moment.
    pub(super) fn step(&mut self) {
        self.look.scene.at = self.now;
        let told: BTreeSet<Target> = self.look.cases.iter().map(|case| case.about.clone()).collect();
        let open = self.desk.decisions().filter(|it| it.phase != super::super::Phase::Ended);
        let others = open.filter(|it| !told.contains(&it.about));
        let standing = |about| self.standings.get(about).cloned().unwrap_or(Standing::Well(Incarnation(2)));
        self.look.others = others.map(|it| (it.id, standing(&it.about))).collect();
        for request in self.desk.step(&self.look, self.now) {
            self.carry_out(request);
        }
    }

    /// Another leader sits down, with nothing but what is stored.
    pub(super) fn next_leader(&mut self) {
        let term = Term(self.desk.term().0 + 1);
        self.desk = Desk::new(self.policy.clone(), term, "r2");
    }

    fn carry_out(&mut self, request: Request) {
        match request {
            Request::Load { number } => {
                let kept = self.store.values();
                let kept = kept.map(|(key, revision, item)| Kept {
                    key: *key,
                    revision: *revision,
                    item: item.clone(),
                });
                // Of the audit log the newest entry.
                let newest = self.log().last().map_or(0, |entry| entry.sequence);
                let shown = |item: &Item| !matches!(item, Item::Audit(entry) if entry.sequence < newest);
                let kept = kept.filter(|it| shown(&it.item)).collect();
                self.desk.hear(Answer::Loaded { number, kept });
            }
            Request::Write(batch) => self.write(&batch),
            Request::Call(call) => {
                assert!(self.issued_stored.contains(&call.id), "{} was called and not stored first", call.id);
                self.calls.push((call.intent.effect, call.intent.target.clone()));
                let late = call.term < self.heard || self.now >= call.intent.valid_until;
                if late || self.hand == Hand::Deaf {
                    return;
                }
                self.heard = call.term;
                if self.hand == Hand::Refuses {
                    let told = Told::Refused { attempt: call.attempt, detail: "no".into() };
                    return self.desk.hear(Answer::Told { id: call.id, told });
                }
                if self.hand == Hand::DrainsLong && call.intent.effect == Effect::Drain {
                    self.drains.insert(call.id);
                    let told = Told::Acked { attempt: call.attempt };
                    return self.desk.hear(Answer::Told { id: call.id, told });
                }
                if !self.effects.contains_key(&call.id) {
                    self.done.push((call.intent.effect, call.intent.target.clone()));
                }
                self.effects.entry(call.id).or_insert(1);
                if !matches!(self.hand, Hand::Silent | Hand::Dumb) {
                    self.desk.hear(Answer::Told { id: call.id, told: Told::Done });
                }
            }
            Request::Look { id, term } => {
                if self.hand == Hand::Dumb {
                    return;
                }
                self.heard = self.heard.max(term);
                let there = self.effects.contains_key(&id);
                let told = match self.drains.contains(&id) {
                    true => Told::Working,
                    false => Told::Observed(if there { Observed::There } else { Observed::NotThere }),
                };
                self.desk.hear(Answer::Told { id, told });
            }
        }
    }

    fn write(&mut self, batch: &Batch) {
        self.writes += 1;
        if self.fault == Fault::Lost {
            return;
        }
        let read = |key: &Key| self.store.get(&key.to_string()).map_or(0, |(_, revision, _)| *revision);
        if batch
            .changes
            .iter()
            .any(|change| change.read.is_some_and(|revision| read(&change.key) != revision))
        {
            return self.desk.hear(Answer::Unknown { number: batch.number });
        }
        assert!(batch.changes.len() <= super::super::OPERATIONS_MAX);
        self.revision += 1;
        for change in &batch.changes {
            match &change.item {
                Some(item) => {
                    if let Item::Action(record) = item
                        && record.state == crate::action::State::Issued
                    {
                        self.issued_stored.insert(record.id());
                    }
                    self.store.insert(change.key.to_string(), (change.key, self.revision, item.clone()));
                }
                None => drop(self.store.remove(&change.key.to_string())),
            }
        }
        if self.fault == Fault::None {
            self.desk.hear(Answer::Written { number: batch.number, revision: self.revision });
        }
    }

    /// The audit log, oldest first.
    pub(super) fn log(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        let items = self.store.values().map(|(_, _, item)| item);
        items.filter_map(|item| if let Item::Audit(entry) = item { Some(entry) } else { None })
    }

    /// The only decision.
    pub(super) fn decision(&self) -> &Decision {
        let mut all = self.desk.decisions();
        let first = all.next().expect("there is one");
        assert!(all.next().is_none(), "there is one only");
        first
    }

    /// What its first wish waits for.
    pub(super) fn waits_for(&self) -> &str {
        let fate = &self.decision().wishes[0].fate;
        let Fate::Waits(obstacle) = fate else { panic!("it does not wait: {fate:?}") };
        &obstacle.name
    }

    pub(super) fn effects_of(&self, effect: Effect) -> usize {
        self.done.iter().filter(|(it, _)| *it == effect).count()
    }
}
