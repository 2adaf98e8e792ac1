//! A leader's desk in a world: the real one, with a shell around it that looks, writes, calls and loses what the world makes
//! it lose.
//!
//! The shell keeps the coordinator's rules: a write is fenced and on condition of what was read; the deadline of the token is
//! looked at right before each call, which may then stand still on its way for long. What nobody reaches is drained here, by a
//! table of reactions of its own, so that permits for disruptive actions are taken and can be checked.

use ostler_core::action::{ActionId, Effect, Observed, State, Target};
use ostler_core::brake::{self, Mode, Modes};
use ostler_core::desk::{Answer, Batch, Change, Desk, Executor, Item, Look, Policy, Reaction, Request, Told};
use ostler_core::detect::Verdict;
use ostler_core::id::Term;

use crate::agent;
use crate::etcd::{self, Cluster};
use crate::replica::WALL_MS;
use crate::sink;
use crate::world::{Ask, Happens, Letter, World};

/// What is drained.
const REACTIONS: &[Reaction] = &[
    Reaction { to: Verdict::NodeUnreachable, effects: &[Effect::Drain] },
    Reaction { to: Verdict::NodeDead, effects: &[Effect::Drain] },
];

/// A request to the store, as it is on its way.
#[derive(Clone, Debug)]
pub(crate) enum Question {
    Load { number: u64 },
    Write { key: String, term: Term, batch: Box<Batch> },
}

/// The desk of a term, with its last look.
#[derive(Debug)]
pub(crate) struct Seat {
    desk: Desk,
    look: Look,
}

impl Seat {
    pub(crate) fn new(term: Term, replica: &str) -> Seat {
        let brake = brake::Policy { modes: Modes::all(Mode::Act), ..brake::Policy::default() };
        let policy = Policy { brake, reactions: REACTIONS, executor: Executor::There, ..Policy::default() };
        Seat { desk: Desk::new(policy, term, replica), look: Look::default() }
    }
}

impl Question {
    pub(crate) fn carry_out(self, etcd: &mut Cluster) -> Option<Answer> {
        match self {
            Question::Load { number } => Some(Answer::Loaded { number, kept: etcd.load() }),
            Question::Write { key, term, batch } => match etcd.write(&key, term, &batch) {
                etcd::Verdict::Applied { revision } => {
                    Some(Answer::Written { number: batch.number, revision })
                }
                etcd::Verdict::Conflict => Some(Answer::Unknown { number: batch.number }),
                // The coordinator leaves such a desk; here it hears nothing any more.
                etcd::Verdict::Deposed => None,
            },
        }
    }
}

impl World {
    /// What a leader does in a step.
    pub(crate) fn work(&mut self, replica: usize) {
        let (now_ms, it) = (self.now_ms, &mut self.replicas[replica]);
        if !it.is_live(now_ms) || it.returns_ms.is_some() {
            return;
        }
        let now = it.time(now_ms);
        let Some(Seat { desk, look }) = &mut it.seat else { return };
        *look = Look::of(it.engine.fleet(), it.engine.detector(), desk, look, now);
        for request in desk.step(look, now) {
            self.carry_out(replica, request);
        }
    }

    fn carry_out(&mut self, replica: usize, request: Request) {
        let it = &self.replicas[replica];
        let (term, life) = (it.term(), it.life);
        match request {
            Request::Load { number } => {
                self.send_etcd(replica, life, Ask::Desk(term, Question::Load { number }));
            }
            Request::Write(batch) => {
                self.note_issues(replica, &batch);
                let token = self.replicas[replica].token.as_ref().expect("only a leader writes");
                let question = Question::Write { key: token.key().to_owned(), term, batch: Box::new(batch) };
                self.send_etcd(replica, life, Ask::Desk(term, question));
            }
            Request::Call(call) => {
                if self.replicas[replica].is_live(self.now_ms) {
                    self.send_call(replica, &call);
                }
            }
            Request::Look { id, term } => {
                let way_ms = self.dice.between(1, self.late_ms);
                self.after(way_ms, Happens::Hails { replica, life, term, id });
            }
        }
    }

    /// What is issued for the first time was permitted just now.
    fn note_issues(&mut self, replica: usize, batch: &Batch) {
        for change in &batch.changes {
            let Change { item: Some(Item::Action(record)), .. } = change else { continue };
            let Target::Node(node) = &record.intent.target else { unreachable!("only nodes are drained") };
            if record.state == State::Issued && record.attempts == 1 {
                self.check_permit(replica, agent::number(node));
            }
        }
    }

    /// An answer of the store comes to the desk of the term that asked.
    pub(crate) fn hear_desk(&mut self, replica: usize, term: Term, answer: Answer) {
        let it = &mut self.replicas[replica];
        let seat = it.seat.as_mut().filter(|seat| seat.desk.term() == term);
        if let Some(seat) = seat {
            seat.desk.hear(answer);
        }
    }

    /// The call may stand still on its way for long, as if the process did between its last look and the call.
    fn send_call(&mut self, replica: usize, call: &ostler_core::desk::Call) {
        let Target::Node(node) = &call.intent.target else { unreachable!("only nodes are drained") };
        let it = &self.replicas[replica];
        let call = sink::Call {
            id: call.id,
            term: call.term,
            attempt: call.attempt,
            valid_until_ms: call.intent.valid_until.as_millis().saturating_sub(WALL_MS),
            replica,
            life: it.life,
            node: agent::number(node),
        };
        let way_ms = self.dice.between(1, self.late_ms);
        self.record.calls += 1;
        self.after(way_ms, Happens::Calls(call));
    }

    /// A call comes to the executor; half of the answers of a bad network are lost.
    pub(crate) fn call(&mut self, call: sink::Call) {
        let there = self.sink.call(&call, self.now_ms);
        if there && !self.dice.percent(self.net.loss_percent * 5) {
            let sink::Call { id, attempt, replica, life, .. } = call;
            self.record.drained.insert(call.node);
            for told in [Told::Acked { attempt }, Told::Done] {
                let letter = Letter::Sink { id, told };
                self.after(5, Happens::Comes { replica, life, letter });
            }
        }
    }

    pub(crate) fn hail(&mut self, replica: usize, life: u64, term: Term, id: ActionId) {
        let there = self.sink.ask(term, id);
        // No older term can come through any more, and a repeat of ours has one effect all the same.
        let told = Told::Observed(if there { Observed::There } else { Observed::NotThere });
        self.after(5, Happens::Comes { replica, life, letter: Letter::Sink { id, told } });
    }

    pub(crate) fn hear_sink(&mut self, replica: usize, id: ActionId, told: Told) {
        if let Some(seat) = &mut self.replicas[replica].seat {
            seat.desk.hear(Answer::Told { id, told });
        }
    }
}
