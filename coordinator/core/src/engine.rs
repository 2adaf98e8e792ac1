//! The engine: facts in by [`Engine::handle`], actions out by [`Engine::step`].
//!
//! The driver calls `handle` for each fact as it comes, and `step` when [`Engine::poll_timeout`] says so. `step` is
//! level-triggered: it goes by what is so and not by what happened since the last one, so that a step that comes late, or
//! twice, finds the same. Both take the time; it must not go back between calls.

mod senses;
mod telling;

use std::collections::BTreeSet;
use std::time::Duration;

use self::senses::{Concern, Senses};
pub use crate::detect::Action;
use crate::detect::{Detector, Ending, Fact, Identity, Own, Start};
use crate::event::{Event, Happening, Hello, Reply, RowFact};
use crate::fleet::{Fleet, State, StateCounts};
use crate::id::{NodeId, NodeKey, Session, Term};
use crate::time::Time;
use crate::window::Rate;

/// What the engine goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a node that left or fell silent is still shown.
    pub retention: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Policy { retention: Duration::from_secs(3600) }
    }
}

/// A node that a step found in another state than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Its place, which is free now if it was forgotten.
    pub node: NodeKey,
    /// Its name.
    pub name: NodeId,
    /// The state it is in; none when it was forgotten.
    pub state: Option<State>,
}

/// What the engine did, counted since it began unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Steps taken.
    pub steps: u64,
    /// When the last step was; the epoch before the first.
    pub stepped: Time,
    /// What the last step found, in the order in which it fell due.
    pub transitions: Vec<Transition>,
    /// Nodes by state, as the last step found them.
    pub nodes: StateCounts,
    /// Facts by answer.
    pub replies: ReplyCounts,
    /// Rows folded.
    pub rows: u64,
    /// Rows folded, over the last ten seconds.
    pub row_rate: Rate,
    /// Name of the replica that leads, if any.
    pub leader: Option<Box<str>>,
    /// Under which term.
    pub term: Term,
}

/// Facts by answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ReplyCounts {
    pub joined: u64,
    pub folded: u64,
    pub skipped: u64,
    pub resync: u64,
    pub refused: u64,
}

/// The pure middle.
#[derive(Clone, Debug)]
pub struct Engine {
    policy: Policy,
    /// This replica's name.
    replica: Box<str>,
    fleet: Fleet,
    detector: Detector,
    report: Report,
    /// By node key: a moment before which the node cannot be in another state without a new fact. A row leaves it alone,
    /// although it moves the true moment away, so that a step looks at a node only when this comes, once in
    /// three intervals, and at all others only here.
    due: Vec<Option<Time>>,
    /// The same moments in order, so that a step finds those that have come without looking at the others.
    queue: BTreeSet<(Time, NodeKey)>,
}

impl Engine {
    /// The engine of the replica of this name, which knows no node.
    pub fn new(policy: Policy, replica: &str) -> Engine {
        let report = Report {
            steps: 0,
            stepped: Time::ZERO,
            transitions: Vec::new(),
            nodes: StateCounts::default(),
            replies: ReplyCounts::default(),
            rows: 0,
            row_rate: Rate::new(Duration::from_secs(1)),
            leader: None,
            term: Term::default(),
        };
        Engine {
            policy,
            replica: Box::from(replica),
            fleet: Fleet::new(),
            detector: Detector::new(),
            report,
            due: Vec::new(),
            queue: BTreeSet::new(),
        }
    }

    /// Folds one fact.
    pub fn handle(&mut self, event: Event<'_>, now: Time) -> Reply {
        let session = event.session();
        let reply = self.fold(event, now);
        let replies = &mut self.report.replies;
        *match &reply {
            Reply::Joined(_) => &mut replies.joined,
            Reply::Folded => &mut replies.folded,
            Reply::Skipped => &mut replies.skipped,
            Reply::Resync(_) => &mut replies.resync,
            Reply::Refused(_) => &mut replies.refused,
        } += 1;
        let joined = if let Reply::Joined(session) = reply { Some(session) } else { None };
        if let Some(session) = session.or(joined) {
            self.expect(session.node);
        }
        reply
    }

    /// Takes a fact that only the detection goes by: an answer to a probe, a witness, something about ourselves.
    pub fn learn(&mut self, fact: Fact<'_>, now: Time) {
        self.detector.handle(fact, now);
    }

    /// Looks at the whole fleet and decides.
    pub fn step(&mut self, now: Time) -> Vec<Action> {
        self.report.steps += 1;
        self.report.stepped = now;
        self.report.transitions.clear();
        while let Some(&(due, key)) = self.queue.first()
            && due <= now
        {
            self.queue.pop_first();
            self.due[key.0 as usize] = None;
            self.step_node(key, now);
        }
        self.report.nodes = self.fleet.states();
        let actions = self.detector.step(now);
        for transition in &self.detector.report().transitions {
            telling::tell(&mut self.fleet, transition);
        }
        assert!(
            self.poll_timeout().is_none_or(|timeout| timeout > now),
            "a step leaves nothing to do at once"
        );
        actions
    }

    /// When to step although no fact came; none before the first fact.
    pub fn poll_timeout(&self) -> Option<Time> {
        let own = self.queue.first().map(|&(due, _)| due);
        [own, self.detector.poll_timeout()].into_iter().flatten().min()
    }

    /// What the engine did.
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// What is known of the fleet.
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// What is true of the fleet.
    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    fn fold(&mut self, event: Event<'_>, now: Time) -> Reply {
        match event {
            Event::Row { session, row } => self.fold_row(session, &row, now),
            Event::Snapshot { session, snapshot } => {
                let age = snapshot.age;
                let reply = self.fleet.fold_snapshot(session, snapshot, now);
                if reply == Reply::Folded {
                    self.senses(now).snapshot(session.node, age);
                }
                reply
            }
            Event::Joined(hello) => self.join(hello, now),
            Event::RowsDropped { session, rows } => {
                let reply = self.fleet.fold_rows_dropped(session, rows, now);
                self.hear(session, reply, now)
            }
            Event::Happened { session, happening } => self.fold_happening(session, happening, now),
            Event::Goodbye { session, reason, detail } => {
                let reply = self.fleet.fold_goodbye(session, reason, detail, now);
                if reply == Reply::Folded {
                    self.detector.handle(Fact::Goodbye(session.node, reason), now);
                }
                reply
            }
            Event::Disconnected { session, reason } => {
                let reply = self.fleet.fold_disconnected(session, reason);
                if reply == Reply::Folded {
                    self.detector.handle(Fact::Ended(session.node, Ending::Closed), now);
                }
                reply
            }
            Event::Leader { leader, term } => self.lead(leader, term, now),
        }
    }

    fn join(&mut self, hello: Hello, now: Time) -> Reply {
        let known = self.fleet.node(&hello.node);
        let rebooted = known.is_some_and(|known| known.hello().boot_id != hello.boot_id);
        let start = if rebooted { Start::Machine } else { Start::Agent };
        let (incarnation, interval) = (hello.incarnation, hello.interval);
        let (name, zone) = (hello.node.clone(), hello.zone.clone());
        let reply = self.fleet.join(hello, now);
        if let Reply::Joined(session) = reply {
            let identity = Identity { node: session.node, name, zone, interval };
            self.detector.handle(Fact::Joined { identity, incarnation, start }, now);
        }
        reply
    }

    fn fold_row(&mut self, session: Session, row: &RowFact<'_>, now: Time) -> Reply {
        if row.absent.is_some() {
            self.senses(now).row_without(session.node, row);
        }
        let reply = self.fleet.fold_row(session, row, now);
        if reply != Reply::Folded {
            return self.hear(session, reply, now);
        }
        self.report.rows += 1;
        self.report.row_rate.add(1, now);
        self.senses(now).row(session.node, row);
        reply
    }

    fn fold_happening(&mut self, session: Session, happening: Happening, now: Time) -> Reply {
        let concern = Concern::of(&happening.what, self.fleet.node_by_key(session.node));
        let reply = self.fleet.fold_happening(session, happening, now);
        let reply = self.hear(session, reply, now);
        if reply == Reply::Folded {
            self.senses(now).happened(session.node, &concern);
        }
        reply
    }

    /// A message is a sign of life, whatever it says, unless it was refused.
    fn hear(&mut self, session: Session, reply: Reply, now: Time) -> Reply {
        if !matches!(reply, Reply::Refused(_)) {
            self.senses(now).beat(session.node);
        }
        reply
    }

    fn senses(&mut self, now: Time) -> Senses<'_> {
        Senses { fleet: &self.fleet, detector: &mut self.detector, now }
    }

    fn lead(&mut self, leader: Option<&str>, term: Term, now: Time) -> Reply {
        if term < self.report.term {
            return Reply::Skipped;
        }
        if self.report.leader.as_deref() != leader || self.report.term != term {
            self.report.leader = leader.map(Box::from);
            self.report.term = term;
            self.fleet.tell_leader(leader, term, now);
            let own = if leader == Some(&*self.replica) { Own::Leading } else { Own::Following };
            self.detector.handle(Fact::Own(own), now);
        }
        Reply::Folded
    }

    fn step_node(&mut self, key: NodeKey, now: Time) {
        let Some(node) = self.fleet.node_by_key(key) else { return };
        if now.since(node.heard()) > self.policy.retention.max(node.patience()) {
            let name = node.id().clone();
            self.fleet.forget(key, now);
            self.detector.handle(Fact::Forgotten(key), now);
            self.report.transitions.push(Transition { node: key, name, state: None });
            return;
        }
        if let Some(state) = self.fleet.settle(key, now) {
            let name =
                self.fleet.node_by_key(key).map(|node| node.id().clone()).expect("it was just settled");
            self.report.transitions.push(Transition { node: key, name, state: Some(state) });
        }
        self.expect(key);
    }

    /// Sees to it that a step comes when this node would be found in another state without a new fact.
    fn expect(&mut self, key: NodeKey) {
        let Some(node) = self.fleet.node_by_key(key) else { return };
        let retention = self.policy.retention.max(node.patience());
        let wait = match node.told() {
            State::Joining | State::Fresh => node.patience(),
            State::Stale | State::Left => retention,
        };
        let due = node.heard() + wait + Duration::from_millis(1);
        let at = key.0 as usize;
        if at >= self.due.len() {
            self.due.resize(at + 1, None);
        }
        let known = self.due[at];
        if known.is_none_or(|known| due < known) {
            if let Some(known) = known {
                self.queue.remove(&(known, key));
            }
            self.due[at] = Some(due);
            self.queue.insert((due, key));
        }
    }
}
