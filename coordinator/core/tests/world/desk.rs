//! A leader's desk: what it decides about nodes that are gone, the records in the store, permits and calls.
//!
//! It is as thin as a shell can be that keeps the rules: one write at a time, each fenced and on condition of what was read;
//! an outcome that is not known is read back; the deadline of the token is looked at right before each call; a new leader
//! loads all records and says its term to the executor before it does anything.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ostler_core::action::{
    Abort, ActionId, Cause, Effect, Event, Intent, Journal, Observed, Planned, Record, State, Target, Todo,
};
use ostler_core::brake::{
    Advice, Ask as BrakeAsk, Brake, Freeze, Memory, Mode, Modes, Outcome, Permit, Policy, Scene, ZoneLevel,
};
use ostler_core::detect::{Class, Subject, Verdict as Found};
use ostler_core::id::{NodeKey, Term};
use ostler_core::time::Time;

use crate::agent;
use crate::etcd::{Cluster, Stored, Verdict};
use crate::replica::{Replica, WALL_MS};
use crate::sink::Call;
use crate::world::{Ask, Happens, Letter, World};

/// When the outcome of a request counts as unknown.
const REQUEST_MS_MAX: u64 = 1_000;

/// How long an action may be begun.
const VALID: Duration = Duration::from_secs(60);

/// How often one thing is decided.
const GENERATIONS_MAX: u64 = 5;

/// How long after an action changed, or after the last look, the executor is asked about it.
const LOOK_MS: u64 = 3_000;

/// A question to the store.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    Load,
    Write { key: String, term: Term, record: Box<Record>, read: u64 },
    Read(ActionId),
}

/// Its answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Loaded(Vec<Stored>),
    Wrote(Verdict),
    Found(Option<Box<Stored>>),
}

/// A question without an answer yet.
#[derive(Debug)]
struct Pending {
    number: u64,
    asked_ms: u64,
    /// The record to be written; none while records are loaded.
    record: Option<Record>,
}

/// The desk of one term.
#[derive(Debug)]
pub(crate) struct Desk {
    loaded: bool,
    journal: Journal,
    brake: Brake,
    /// Revisions at which records were read.
    read: BTreeMap<ActionId, u64>,
    permits: BTreeMap<ActionId, Permit>,
    pending: Option<Pending>,
    inbox: VecDeque<(ActionId, Event)>,
    /// When the executor was last asked about an action.
    looked: BTreeMap<ActionId, u64>,
}

impl Default for Desk {
    fn default() -> Desk {
        let policy = Policy { modes: Modes::all(Mode::Act), ..Policy::default() };
        Desk {
            loaded: false,
            journal: Journal::default(),
            brake: Brake::new(policy, Memory::default()),
            read: BTreeMap::new(),
            permits: BTreeMap::new(),
            pending: None,
            inbox: VecDeque::new(),
            looked: BTreeMap::new(),
        }
    }
}

impl Question {
    pub(crate) fn carry_out(self, etcd: &mut Cluster) -> Reply {
        match self {
            Question::Load => Reply::Loaded(etcd.load()),
            Question::Write { key, term, record, read } => {
                Reply::Wrote(etcd.write(&key, term, &record, read))
            }
            Question::Read(id) => Reply::Found(etcd.read(id).map(Box::new)),
        }
    }
}

impl World {
    /// What a leader does in a step: the next thing only.
    pub(crate) fn work(&mut self, replica: usize) {
        let (now_ms, it) = (self.now_ms, &mut self.replicas[replica]);
        if !it.is_live(now_ms) || it.returns_ms.is_some() {
            return;
        }
        let (now, scene) = (it.time(now_ms), scene(it, now_ms));
        it.desk.brake.observe(&scene, now);
        if let Some(pending) = &it.desk.pending {
            if now_ms - pending.asked_ms >= REQUEST_MS_MAX {
                let again = pending.record.as_ref().map(Record::id).map_or(Question::Load, Question::Read);
                self.ask_store(replica, again);
            }
        } else if !it.desk.loaded {
            self.ask_store(replica, Question::Load);
        } else if let Some((id, event)) = it.desk.inbox.pop_front() {
            self.tell_action(replica, id, event);
        } else if let Some(intent) = next_intent(it, now) {
            let term = it.term();
            if let Planned::New(id) = it.desk.journal.plan(intent, term, now) {
                self.write(replica, id);
            }
        } else {
            self.go_on(replica, &scene);
        }
    }

    /// The first unfinished action of which something is to be done now.
    fn go_on(&mut self, replica: usize, scene: &Scene) {
        let now = self.replicas[replica].time(self.now_ms);
        for (id, todo) in self.replicas[replica].desk.journal.unfinished(now) {
            match todo {
                Todo::Issue => return self.issue(replica, id, scene),
                Todo::Observe => self.look(replica, id),
            }
        }
    }

    fn issue(&mut self, replica: usize, id: ActionId, scene: &Scene) {
        let it = &mut self.replicas[replica];
        let now = it.time(self.now_ms);
        let record = it.desk.journal.get(id).expect("it is unfinished");
        let Target::Node(node) = &record.intent.target else { unreachable!("only nodes are drained") };
        let at = agent::number(node);
        let node = it.engine.fleet().node(node).map(|node| node.key());
        let still = node.is_some_and(|key| is_gone(it, key));
        match (still, record.attempts) {
            (true, _) => {}
            (false, 0) => return self.tell_action(replica, id, Event::Abort(Abort::EvidenceChanged)),
            // It may have happened: it is not tried again, and looked for once it has run out of time.
            (false, _) => return,
        }
        let ask = ask(record, self.agents[at].zone);
        if !it.desk.permits.contains_key(&id) {
            match it.desk.brake.take(ask, scene, now) {
                Ok(permit) => {
                    it.desk.permits.insert(id, permit);
                    self.check_permit(replica, at);
                }
                Err(veto) if veto.advice() == Advice::Abort && record.attempts == 0 => {
                    return self.tell_action(replica, id, Event::Abort(Abort::Frozen));
                }
                Err(_) => return,
            }
        }
        self.tell_action(replica, id, Event::Issue { evidence_revision: 0 });
    }

    fn look(&mut self, replica: usize, id: ActionId) {
        let (now_ms, it) = (self.now_ms, &mut self.replicas[replica]);
        let looked_ms = it.desk.looked.entry(id).or_insert(now_ms);
        if now_ms - *looked_ms >= LOOK_MS {
            *looked_ms = now_ms;
            self.ask_sink(replica, Some(id));
        }
    }

    /// Says the term to the executor, and asks about an action.
    fn ask_sink(&mut self, replica: usize, id: Option<ActionId>) {
        let (term, life) = (self.replicas[replica].term(), self.replicas[replica].life);
        let way_ms = self.dice.between(1, self.late_ms);
        self.after(way_ms, Happens::Hails { replica, life, term, id });
    }

    fn tell_action(&mut self, replica: usize, id: ActionId, event: Event) {
        let it = &mut self.replicas[replica];
        let (now, term) = (it.time(self.now_ms), it.term());
        if it.desk.journal.apply(id, event, term, now).is_ok() {
            self.write(replica, id);
        }
    }

    fn write(&mut self, replica: usize, id: ActionId) {
        let it = &mut self.replicas[replica];
        let token = it.token.as_ref().expect("only a leader writes");
        let record = it.desk.journal.get(id).expect("it was just changed").clone();
        let read = it.desk.read.get(&id).copied().unwrap_or(0);
        let (key, term) = (token.key().to_owned(), token.term());
        it.desk.pending = Some(Pending { number: 0, asked_ms: 0, record: Some(record.clone()) });
        self.ask_store(replica, Question::Write { key, term, record: Box::new(record), read });
    }

    fn ask_store(&mut self, replica: usize, question: Question) {
        self.record.questions += 1;
        let (number, asked_ms) = (self.record.questions, self.now_ms);
        let it = &mut self.replicas[replica];
        let record = it.desk.pending.take().and_then(|pending| pending.record);
        it.desk.pending = Some(Pending { number, asked_ms, record });
        let life = it.life;
        self.send_etcd(replica, life, Ask::Desk(number, question));
    }

    pub(crate) fn hear_store(&mut self, replica: usize, number: u64, reply: Reply) {
        let it = &mut self.replicas[replica];
        let Some(pending) = it.desk.pending.take_if(|pending| pending.number == number) else { return };
        match (pending.record, reply) {
            (None, Reply::Loaded(all)) => self.load(replica, all),
            (Some(record), Reply::Wrote(Verdict::Applied { revision })) => {
                it.desk.read.insert(record.id(), revision);
                self.written(replica, &record);
            }
            (Some(record), Reply::Wrote(Verdict::Conflict | Verdict::Deposed)) => {
                let id = record.id();
                it.desk.pending = Some(Pending { record: Some(record), ..pending });
                self.ask_store(replica, Question::Read(id));
            }
            (Some(record), Reply::Found(stored)) => self.read_back(replica, &record, stored),
            (None, Reply::Wrote(_) | Reply::Found(_)) | (Some(_), Reply::Loaded(_)) => {
                unreachable!("an answer fits its question")
            }
        }
    }

    fn load(&mut self, replica: usize, all: Vec<Stored>) {
        let zones: Vec<usize> = self.agents.iter().map(|it| it.zone).collect();
        let desk = &mut self.replicas[replica].desk;
        desk.loaded = true;
        desk.read = all.iter().map(|it| (it.record.id(), it.mod_revision)).collect();
        for Stored { record, .. } in
            all.iter().filter(|it| matches!(it.record.state, State::Issued | State::Acked))
        {
            let Target::Node(node) = &record.intent.target else { unreachable!("only nodes are drained") };
            let permit = desk.brake.adopt(ask(record, zones[agent::number(node)]));
            desk.permits.insert(record.id(), permit);
        }
        desk.journal = Journal::restore(all.into_iter().map(|it| it.record), Time::ZERO);
        self.ask_sink(replica, None);
    }

    /// What became of a write that nobody answered, or that did not hold.
    fn read_back(&mut self, replica: usize, record: &Record, stored: Option<Box<Stored>>) {
        let desk = &mut self.replicas[replica].desk;
        match stored {
            Some(stored) => {
                desk.read.insert(record.id(), stored.mod_revision);
                if stored.record == *record {
                    return self.written(replica, record);
                }
                desk.journal.replace(stored.record);
            }
            None => {
                let others = desk.journal.records().filter(|it| it.id() != record.id()).cloned();
                desk.journal = Journal::restore(others.collect::<Vec<_>>(), Time::ZERO);
            }
        }
    }

    /// A record is stored: what it says is done now.
    fn written(&mut self, replica: usize, record: &Record) {
        let (now_ms, it) = (self.now_ms, &mut self.replicas[replica]);
        let (id, now) = (record.id(), it.time(now_ms));
        let outcome = match record.state {
            State::Issued => {
                it.desk.looked.insert(id, now_ms);
                if it.is_live(now_ms) {
                    self.send_call(replica, record);
                }
                return;
            }
            State::Acked => return,
            State::Done => Outcome::Done,
            State::Planned | State::Failed(_) | State::Aborted(_) | State::Superseded { .. } => {
                Outcome::Failed
            }
        };
        if let Some(permit) = it.desk.permits.remove(&id) {
            it.desk.brake.give_back(permit, outcome, now);
        }
    }

    /// The call may stand still on its way for long, as if the process did between its last look and the call.
    fn send_call(&mut self, replica: usize, record: &Record) {
        let Target::Node(node) = &record.intent.target else { unreachable!("only nodes are drained") };
        let it = &self.replicas[replica];
        let call = Call {
            id: record.id(),
            term: it.term(),
            attempt: record.attempts,
            valid_until_ms: record.intent.valid_until.as_millis().saturating_sub(WALL_MS),
            replica,
            life: it.life,
            node: agent::number(node),
        };
        let way_ms = self.dice.between(1, self.late_ms);
        self.record.calls += 1;
        self.after(way_ms, Happens::Calls(call));
    }

    /// A call comes to the executor; half of the answers of a bad network are lost.
    pub(crate) fn call(&mut self, call: Call) {
        let there = self.sink.call(&call, self.now_ms);
        if there && !self.dice.percent(self.net.loss_percent * 5) {
            let Call { id, attempt, replica, life, .. } = call;
            self.record.drained.insert(call.node);
            let letter = Letter::Sink { id, attempt, there, asked: false };
            self.after(5, Happens::Comes { replica, life, letter });
        }
    }

    pub(crate) fn hail(&mut self, replica: usize, life: u64, term: Term, id: Option<ActionId>) {
        let there = self.sink.ask(term, id);
        if let Some(id) = id {
            let letter = Letter::Sink { id, attempt: 0, there, asked: true };
            self.after(5, Happens::Comes { replica, life, letter });
        }
    }

    pub(crate) fn hear_sink(&mut self, replica: usize, id: ActionId, attempt: u32, there: bool, asked: bool) {
        let inbox = &mut self.replicas[replica].desk.inbox;
        match (asked, there) {
            (true, true) => inbox.push_back((id, Event::Observe(Observed::There))),
            // No older term can come through any more, and a repeat of ours has one effect all the same.
            (true, false) => inbox.push_back((id, Event::Observe(Observed::NotThere))),
            (false, _) => inbox.extend([(id, Event::Ack { attempt }), (id, Event::Succeed)]),
        }
    }
}

/// Whether a node is so gone that it may be drained.
fn is_gone(it: &Replica, node: NodeKey) -> bool {
    let (subject, detector) = (Subject::Node(node), it.engine.detector());
    let gone = matches!(detector.verdict(&subject), Found::NodeUnreachable | Found::NodeDead);
    gone && detector.allowed(&subject).allows(Class::Disruptive)
}

/// A node that may be drained, and for whose incarnation that was not decided yet.
fn next_intent(it: &Replica, now: Time) -> Option<Intent> {
    let nodes = it.engine.detector().findings().filter_map(|(subject, finding)| match subject {
        Subject::Node(node) if is_gone(it, *node) => Some((*node, finding.since)),
        Subject::Node(_)
        | Subject::Observer
        | Subject::Fleet
        | Subject::Zone(_)
        | Subject::Gpu(..)
        | Subject::Engine(..) => None,
    });
    let intents = nodes.filter_map(|(key, since)| {
        let node = it.engine.fleet().node_by_key(key)?;
        let intent = |generation| Intent {
            effect: Effect::Drain,
            target: Target::Node(node.id().clone()),
            uid: node.id().as_str().into(),
            incarnation: node.hello().incarnation,
            cause: Cause { generation, at: since, evidence_revision: 0 },
            valid_until: now + VALID,
            reason: "unreachable".into(),
        };
        // What was tried in vain, or was not begun, is decided anew.
        (1..=GENERATIONS_MAX).map(intent).find(|intent| {
            let record = it.desk.journal.get(intent.id());
            record.is_none_or(|record| !matches!(record.state, State::Failed(_) | State::Aborted(_)))
        })
    });
    intents.into_iter().find(|intent| it.desk.journal.get(intent.id()).is_none())
}

fn ask(record: &Record, zone: usize) -> BrakeAsk {
    let Target::Node(node) = &record.intent.target else { unreachable!("only nodes are drained") };
    BrakeAsk {
        class: record.intent.effect.class(),
        zone: agent::zone_id(zone),
        node: Some(node.clone()),
        takes: Vec::new(),
        planned: record.planned,
        until: record.intent.valid_until + VALID,
        witnesses: 2,
    }
}

/// The fleet as the brake sees it, from what the engine found.
fn scene(it: &Replica, now_ms: u64) -> Scene {
    let detector = it.engine.detector();
    let score = detector.report().local_health.score();
    let failing = detector.findings().filter(|(subject, _)| matches!(subject, Subject::Zone(_))).count();
    let freeze = if detector.verdict(&Subject::Observer) == Found::ObserverIsolated {
        Some(Freeze::ObserverIsolated)
    } else if detector.verdict(&Subject::Fleet) == Found::GlobalFreeze {
        Some(Freeze::Global { zones: u32::try_from(failing).expect("a few zones") })
    } else if detector.report().learning {
        Some(Freeze::Learning)
    } else {
        (score >= 4).then_some(Freeze::Unwell { score })
    };
    let level = |(zone, reach): (&ostler_core::id::ZoneId, ostler_core::detect::ZoneReach)| {
        let changed =
            it.changes.iter().filter(|(at, of)| now_ms - at < 60_000 && agent::zone_id(*of) == *zone);
        let level = ZoneLevel {
            nodes: reach.nodes,
            lost: reach.nodes - reach.reached,
            changed: u32::try_from(changed.count()).expect("few"),
            partitioned: detector.verdict(&Subject::Zone(zone.clone())) == Found::ZonePartition,
        };
        (zone.clone(), level)
    };
    Scene {
        at: it.time(now_ms),
        freeze,
        zones: detector.reach().map(level).collect(),
        pools: BTreeMap::new(),
    }
}
