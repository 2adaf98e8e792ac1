//! The desk of the leader, at work: looks at the engine, steps the pure desk of [`ostler_core::desk`], and carries out what
//! it asks for, at the store and at the executor.
//!
//! It has a thread and a runtime of its own, so that nothing here can hold up a report or a keepalive. On every replica it
//! follows what is stored, for readers ([`Papers`]). On the leader it sits down at the desk under each term anew, and gets up
//! as soon as the lead is over: what was on its way then tells nobody, and the next leader finds it in the store.
//!
//! Every write is fenced ([`Fenced`]) and built under the token at the moment it is made; a call to the executor is made only
//! while the token is live.

mod counter;
pub(crate) mod executor;
mod papers;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use ostler_core::action::State;
use ostler_core::desk::{Answer, Batch, Desk, Item, Kept, Look, Policy, Request};
use ostler_core::id::Term;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

pub(crate) use self::counter::Counters;
use self::counter::Slip;
pub use self::counter::{Counter, Earnest, Refusal};
pub use self::executor::{Error as WebhookError, Settings as WebhookSettings};
use self::executor::{Executor, Hand};
pub use self::papers::{Papers, Sheets};
pub(crate) use self::stored::effect_verb;
use crate::driver::Driver;
use crate::lead::{Leadership, Standing};
use crate::store::fenced::{Fenced, Verdict};
use crate::store::{Compare, Operation, Store, Transaction};

/// How often the fleet is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// How long each part of what a desk loads may take to come: all three stay within what the desk waits.
const LOAD_TIME_MAX: Duration = Duration::from_millis(1_600);

/// What a desk works with.
pub(crate) struct Clerk<S> {
    pub(crate) driver: Driver,
    pub(crate) store: Arc<S>,
    pub(crate) leadership: Leadership,
    pub(crate) standing: watch::Receiver<Standing>,
    pub(crate) policy: Policy,
    pub(crate) hand: Hand,
    pub(crate) papers: Papers,
    pub(crate) slips: Counters,
}

/// What became of something that the desk asked for.
enum Done {
    Answered(Answer),
    /// The executor did not say.
    Silent,
    /// The term is over.
    Deposed,
}

type Errands = FuturesUnordered<BoxFuture<'static, (Term, Done)>>;

/// Sits at the desk whenever this replica leads, until shut down.
pub(crate) async fn run<S: Store>(clerk: Clerk<S>, shutdown: CancellationToken) {
    let papers = clerk.papers.clone().follow(&*clerk.store, shutdown.clone());
    let stopped = shutdown.clone();
    let work = async {
        let _ = stopped.run_until_cancelled(work(&clerk)).await;
    };
    tokio::join!(papers, work);
}

async fn work<S: Store>(clerk: &Clerk<S>) {
    let mut ticks = tokio::time::interval(LOOK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut standing = clerk.standing.clone();
    let mut errands = Errands::new();
    let mut seat: Option<Seat> = None;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            changed = standing.changed() => if changed.is_err() {
                ticks.tick().await;
            },
            Some((term, done)) = errands.next() => take_answer(&mut seat, term, done),
            slip = clerk.slips.next() => clerk.serve(&mut seat, slip),
        }
        clerk.take_seat(&mut seat);
        if let Some(seat) = seat.as_mut().filter(|seat| !seat.over) {
            clerk.step(seat, &errands);
        }
    }
}

/// The desk of a term, with the last look.
struct Seat {
    desk: Desk,
    look: Look,
    /// Orders whose write has not been answered.
    waiting: Vec<(u64, Box<str>, Slip)>,
    /// The batch that is being written, to be logged once it is.
    writing: Option<Batch>,
    /// The store says that the term is over, which the election finds out in a moment.
    over: bool,
}

fn take_answer(seat: &mut Option<Seat>, term: Term, done: Done) {
    let Some(at) = seat.as_mut().filter(|seat| seat.desk.term() == term) else { return };
    match done {
        Done::Answered(answer) => at.hear(answer),
        Done::Silent => {}
        Done::Deposed => {
            tracing::info!(term = term.0, "the term is over: the desk is left");
            at.over = true;
            at.settle(u64::MAX, |_| Err(Refusal::Unknown));
        }
    }
}

impl Seat {
    fn hear(&mut self, answer: Answer) {
        match &answer {
            Answer::Written { number, .. } => {
                if let Some(batch) = self.writing.take_if(|batch| batch.number == *number) {
                    log(&batch, self.desk.term());
                }
                self.settle(*number, |message| Ok(message));
            }
            Answer::Unknown { number } => {
                self.writing = None;
                self.settle(*number, |_| Err(Refusal::Unknown));
            }
            Answer::Loaded { number, .. } => self.settle(*number, |_| Err(Refusal::Unknown)),
            Answer::Told { .. } => {}
        }
        self.desk.hear(answer);
    }

    /// Answers orders whose write was this one, or an earlier one.
    fn settle(&mut self, number: u64, answer: impl Fn(Box<str>) -> Result<Box<str>, Refusal>) {
        let waiting = std::mem::take(&mut self.waiting);
        let (settled, waiting): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(write, ..)| *write <= number);
        self.waiting = waiting;
        for (_, message, slip) in settled {
            slip.answer(answer(message));
        }
    }
}

impl<S: Store> Clerk<S> {
    /// Sits down under a term that has begun, and gets up from one that is over.
    fn take_seat(&self, seat: &mut Option<Seat>) {
        let term = self.leadership.act(|token| token.term());
        if seat.as_ref().map(|seat| seat.desk.term()) == term {
            return;
        }
        self.leave(seat);
        if let Some(term) = term {
            tracing::info!(term = term.0, "sits down at the desk");
            let desk = Desk::new(self.policy.clone(), term, self.driver.replica());
            *seat =
                Some(Seat { desk, look: Look::default(), waiting: Vec::new(), writing: None, over: false });
        }
    }

    fn leave(&self, seat: &mut Option<Seat>) {
        for (_, _, slip) in seat.take().map(|seat| seat.waiting).unwrap_or_default() {
            slip.answer(Err(Refusal::Unknown));
        }
    }

    /// Looks, decides, and sends out what is to be done.
    fn step(&self, seat: &mut Seat, errands: &Errands) {
        let Seat { desk, look, writing, waiting: _, over: _ } = seat;
        *look = self.driver.view(|view| Look::of(view.fleet, view.detector, desk, look, view.now));
        for request in desk.step(look, look.scene.at) {
            if let Request::Write(batch) = &request {
                *writing = Some(batch.clone());
            }
            errands.push(self.errand(desk.term(), request));
        }
        self.slips.count(desk);
    }

    /// Orders of operators are carried out at the desk only.
    fn serve(&self, seat: &mut Option<Seat>, slip: Slip) {
        let Some(Seat { desk, waiting, .. }) = seat.as_mut().filter(|seat| !seat.over) else {
            return slip.answer(Err(Refusal::NotLeading));
        };
        if slip.dry_run {
            let answer = desk.rehearse(&slip.order).map_err(Refusal::Order);
            return slip.answer(answer);
        }
        let now = self.driver.view(|view| view.now);
        match desk.order(&slip.order, now) {
            Ok(taken) => match taken.write {
                Some(write) => waiting.push((write, taken.message, slip)),
                None => slip.answer(Ok(taken.message)),
            },
            Err(refusal) => slip.answer(Err(Refusal::Order(refusal))),
        }
    }

    fn errand(&self, term: Term, request: Request) -> BoxFuture<'static, (Term, Done)> {
        let (store, leadership, hand) = (Arc::clone(&self.store), self.leadership.clone(), self.hand.clone());
        Box::pin(async move {
            let told = |id| move |told| Done::Answered(Answer::Told { id, told });
            let done = match request {
                Request::Load { number } => load(&*store, number).await,
                Request::Write(batch) => write(&*store, &leadership, term, &batch).await,
                Request::Call(call) => {
                    hand.call(&call, &leadership).await.map_or(Done::Silent, told(call.id))
                }
                Request::Look { id, term } => hand.look(id, term).await.map_or(Done::Silent, told(id)),
            };
            (term, done)
        })
    }
}

/// Reads all that desks keep, besides the audit log. What this version cannot read keeps it from acting.
async fn load(store: &impl Store, number: u64) -> Done {
    let unknown = |error: &(dyn std::error::Error + 'static)| {
        tracing::warn!(error, "what earlier leaders left cannot be read: nothing is done until it can");
        Done::Answered(Answer::Unknown { number })
    };
    let mut kept = Vec::new();
    for prefix in papers::PREFIXES {
        let entries = match tokio::time::timeout(LOAD_TIME_MAX, store.list(prefix)).await {
            Ok(Ok((entries, _))) => entries,
            Ok(Err(error)) => return unknown(&error),
            Err(late) => return unknown(&late),
        };
        for entry in entries {
            match stored::decode(&entry.key, &entry.value) {
                Ok(Some((key, item))) => kept.push(Kept { key, revision: entry.mod_revision, item }),
                Ok(None) => {}
                Err(error) => return unknown(&error),
            }
        }
    }
    Done::Answered(Answer::Loaded { number, kept })
}

async fn write(store: &impl Store, leadership: &Leadership, term: Term, batch: &Batch) -> Done {
    let number = batch.number;
    let transaction = transaction(batch);
    let fenced = leadership.act(|token| (token.term() == term).then(|| Fenced::new(token, transaction)));
    let Some(fenced) = fenced.flatten() else { return Done::Answered(Answer::Unknown { number }) };
    match fenced.commit(store).await {
        Ok(Verdict::Applied { revision }) => Done::Answered(Answer::Written { number, revision }),
        Ok(Verdict::Deposed) => Done::Deposed,
        Ok(Verdict::Conflict { revision }) => {
            tracing::info!(revision, "what the desk read has changed: it is read anew");
            Done::Answered(Answer::Unknown { number })
        }
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "what the desk decided cannot be stored now: it is read anew");
            Done::Answered(Answer::Unknown { number })
        }
    }
}

/// All changes of a batch, each on condition of what was read.
fn transaction(batch: &Batch) -> Transaction {
    let unchanged = |change: &ostler_core::desk::Change| {
        change.read.map(|read| Compare::ModRevision(change.key.to_string(), read))
    };
    let operation = |change: &ostler_core::desk::Change| match &change.item {
        Some(item) => Operation::Put(change.key.to_string(), stored::encode(item)),
        None => Operation::Delete(change.key.to_string()),
    };
    Transaction {
        compares: batch.changes.iter().filter_map(unchanged).collect(),
        operations: batch.changes.iter().map(operation).collect(),
    }
}

/// Tells what was decided and done, each once it is stored.
fn log(batch: &Batch, term: Term) {
    for change in &batch.changes {
        match &change.item {
            Some(Item::Action(record)) => {
                let (id, target) = (record.id(), &record.intent.target);
                let (effect, state) = (effect_verb(record.intent.effect), &record.state);
                let reason = &*record.intent.reason;
                if matches!(state, State::Failed(_)) {
                    tracing::warn!(%id, effect, %target, %state, reason, term = term.0, "action");
                } else {
                    tracing::info!(%id, effect, %target, %state, reason, term = term.0, "action");
                }
            }
            Some(Item::Decision(decision)) => {
                let (id, about, verdict) = (decision.id, &decision.about, decision.verdict());
                let (state, wishes) = (decision.phase.name(), decision.wishes.len());
                tracing::info!(%id, %about, %verdict, state, wishes, term = term.0, "decision");
            }
            Some(
                Item::Audit(_) | Item::AuditHead(_) | Item::Memory(_) | Item::Watermark(_) | Item::Orders(_),
            )
            | None => {}
        }
    }
}
