//! The desk: where a leader decides what to do about what is found, and follows each action to its end.
//!
//! Think of a dispatcher at a desk. In front of it lies a look at the yard ([`Look`]), beside it the journal of orders, and
//! on the wall the brake's signals. Step by step it compares what is so with what is written down, writes down what is
//! missing, and lets nothing happen that is not written down first. Whoever sits down there next finds the same papers and
//! goes on. It keeps no thread of its own: a look that comes late, or twice, leads to the same.
//!
//! ```text
//! verdict -> decision -> brake -> action planned -> stored -> issued -> stored -> call -> outcome -> stored
//! ```
//!
//! The shell calls [`Desk::step`] with a look about four times a second and after each answer, carries the [`Request`]s out,
//! and tells each [`Answer`] to [`Desk::hear`]. Requests to the store are one at a time, each one transaction under the term
//! and on condition of what was read. An outcome that is not known is not guessed: everything is read anew, as by a new
//! leader. A [`Request::Call`] is made only for what the store holds as issued, and only while the lead lasts.
//!
//! What it never does: act in the name of a verdict that does not allow it, pass the brake, decide the same twice (actions
//! have the number of their decision), wait, or write at each step what did not change: a decision that meets the same
//! obstacle again is counted, and stored once in [`REFRESH`].

mod ask;
mod decision;
mod exchange;
mod ledger;
mod look;
mod orders;
mod policy;
mod reaction;
mod store;
#[cfg(test)]
mod tests;
mod wishes;
mod work;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

pub use self::decision::{
    Decision, DecisionId, Fate, Obstacle, Phase, SEEN_MAX, Seen, TEXT_LENGTH_MAX, TRIES_MAX, WISHES_MAX,
    Wish, node_of,
};
pub use self::exchange::{Answer, Batch, Call, Change, Item, Kept, Key, Request, Told};
use self::ledger::Latched;
pub use self::look::{Case, Look, Standing, Want};
pub use self::orders::{Given, ORDERS_KEPT, Order, OrderRefusal, Taken, Wanted};
pub use self::policy::{Executor, Policy};
pub use self::reaction::{REACTIONS, Reaction, reverse};
use self::store::Store;
use crate::action::{ActionId, Event, Journal, Record, Target};
use crate::brake::{Brake, Memory, Permit};
use crate::id::Term;
use crate::time::Time;

/// Decisions kept: those that have not ended, and the newest of the others. At 4 kB each they take 4 MB of the store.
pub const DECISIONS_MAX: usize = 1_000;

/// Operations of one transaction: stores permit 128 conditions and as many operations, and the term is one condition.
pub const OPERATIONS_MAX: usize = 127;

/// Actions, decisions and other things that change between two writes, so that a transaction is not too large either.
const CHANGES_MAX: usize = 24;

/// How often a decision is stored that meets the same obstacle again and again: a thousand of them then cost one write in
/// seven seconds, of 24 each.
pub const REFRESH: Duration = Duration::from_secs(300);

/// How often something that waits is looked at again.
const RECHECK: Duration = Duration::from_secs(1);

/// What a leader decides and has in hand.
#[derive(Debug)]
pub struct Desk {
    policy: Policy,
    /// Under which it sits here.
    term: Term,
    /// This replica's name, for the audit log.
    replica: Box<str>,
    journal: Journal,
    brake: Brake,
    decisions: BTreeMap<DecisionId, Decision>,
    /// Open decisions, by what they are about.
    about: BTreeMap<Target, DecisionId>,
    /// By action: the decision that wants it, and the place of the wish there.
    owners: BTreeMap<ActionId, (DecisionId, usize)>,
    /// By what open decisions want out of traffic, or have taken out: those decisions.
    takers: BTreeMap<Target, BTreeSet<DecisionId>>,
    /// What got no decision at the last step, because too many are open.
    undecided: BTreeSet<Target>,
    /// Permits of actions that have not ended.
    permits: BTreeMap<ActionId, Permit>,
    store: Store,
    /// What the executor said, in order. At most one answer a call or a look, and each is awaited before the next.
    told: VecDeque<(ActionId, Event)>,
    /// Actions that the store holds as issued, and that are to be called.
    to_call: VecDeque<ActionId>,
    /// When the executor was last asked about an action, or called.
    looked: BTreeMap<ActionId, Time>,
    /// Since when the executor has said nothing of an action that it is asked about.
    unheard: BTreeMap<ActionId, Time>,
    /// When decisions that wait were last looked at.
    rechecked: Time,
    /// Orders of operators, oldest first.
    given: VecDeque<Given>,
    /// Orders that are not stored yet, by the caller's name, and the writes that store them.
    unstored: BTreeMap<Box<str>, u64>,
    /// Whether the audit log tells that the term began, and whether the store has that.
    term_told: bool,
    term_stored: bool,
    /// Term and moment of the newest entry of the audit log when it was loaded.
    last_entry: Option<(Term, Time)>,
    /// Latches that the audit log tells of.
    latched: Latched,
    counts: Counts,
}

/// What a desk did since it was set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Decisions made.
    pub decisions: u64,
    /// Cases that got none, because too many are open.
    pub undecided: u64,
    /// Obstacles that wishes came to wait for, by name.
    pub obstacles: BTreeMap<Box<str>, u64>,
    /// Calls asked for.
    pub calls: u64,
    /// Transactions asked for.
    pub writes: u64,
}

impl Desk {
    /// A desk for a term. It loads what earlier ones left before it does anything.
    pub fn new(policy: Policy, term: Term, replica: &str) -> Desk {
        let brake = Brake::new(policy.braked(), Memory::default());
        Desk {
            policy,
            term,
            replica: replica.into(),
            journal: Journal::default(),
            brake,
            decisions: BTreeMap::new(),
            about: BTreeMap::new(),
            owners: BTreeMap::new(),
            takers: BTreeMap::new(),
            undecided: BTreeSet::new(),
            permits: BTreeMap::new(),
            store: Store::default(),
            told: VecDeque::new(),
            to_call: VecDeque::new(),
            looked: BTreeMap::new(),
            unheard: BTreeMap::new(),
            rechecked: Time::ZERO,
            given: VecDeque::new(),
            unstored: BTreeMap::new(),
            term_told: false,
            term_stored: false,
            last_entry: None,
            latched: Latched::default(),
            counts: Counts::default(),
        }
    }

    /// Decides by a look what to do next, and what the shell is to do now.
    pub fn step(&mut self, look: &Look, now: Time) -> Vec<Request> {
        let mut requests = Vec::new();
        self.brake.observe(&look.scene, now);
        self.store.give_up(now);
        if !self.store.is_loaded() {
            requests.extend(self.store.load(now));
            return requests;
        }
        requests.extend(self.calls(now));
        if self.store.is_asked() {
            return requests;
        }
        self.tell_term(now);
        self.fold_told(now);
        self.go_on(look, now, &mut requests);
        self.decide(look, now);
        self.tell_latches(now);
        self.forget(now);
        requests.extend(self.write(now));
        requests
    }

    /// Takes what the shell answers.
    pub fn hear(&mut self, answer: Answer) {
        match answer {
            Answer::Loaded { number, kept } => {
                if self.store.answered(number) {
                    self.sit_down(kept);
                }
            }
            Answer::Written { number, revision } => {
                if let Some(issued) = self.store.written(number, revision) {
                    self.to_call.extend(issued);
                    self.term_stored = self.term_told;
                    self.unstored.retain(|_, write| *write > number);
                }
            }
            Answer::Unknown { number } => {
                if self.store.answered(number) {
                    self.store.forget();
                }
            }
            Answer::Told { id, told } => self.hear_executor(id, told),
        }
    }

    /// What it goes by.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Under which term it sits here.
    pub fn term(&self) -> Term {
        self.term
    }

    /// Whether it has what earlier desks left.
    pub fn is_loaded(&self) -> bool {
        self.store.is_loaded()
    }

    /// All decisions that are kept, oldest first.
    pub fn decisions(&self) -> impl DoubleEndedIterator<Item = &Decision> {
        self.decisions.values()
    }

    /// The open decision about something.
    pub fn open(&self, about: &Target) -> Option<&Decision> {
        self.about.get(about).and_then(|id| self.decisions.get(id))
    }

    /// All actions that are kept.
    pub fn actions(&self) -> impl ExactSizeIterator<Item = &Record> {
        self.journal.records()
    }

    /// What the brake remembers, holds and latches among it.
    pub fn memory(&self) -> &Memory {
        self.brake.memory()
    }

    /// What it did.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Whether something was taken out of traffic and not put back.
    pub fn is_out(&self, target: &Target) -> bool {
        let takers = self.takers.get(target).into_iter().flatten();
        takers.filter_map(|id| self.decisions.get(id)).any(|decision| decision.is_out(target))
    }

    /// All that was taken out of traffic and not put back.
    pub fn out(&self) -> impl Iterator<Item = &Target> {
        self.takers.keys().filter(|target| self.is_out(target))
    }

    /// Orders of operators of late, oldest first.
    pub fn given(&self) -> impl DoubleEndedIterator<Item = &Given> {
        self.given.iter()
    }
}
