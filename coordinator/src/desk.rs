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
mod load;
mod papers;
mod seat;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use ostler_core::action::{ActionId, State};
use ostler_core::desk::{Answer, Batch, Desk, Item, Look, Policy, Request};
use ostler_core::id::Term;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

pub(crate) use self::counter::Counters;
pub use self::counter::{Counter, Earnest, Refusal};
pub use self::executor::{Error as WebhookError, Settings as WebhookSettings};
use self::executor::{Executor, Hand};
pub use self::load::Unread;
pub use self::papers::{Papers, Sheets};
use self::seat::Seat;
pub(crate) use self::stored::effect_verb;
use crate::driver::Driver;
use crate::lead::{Leadership, Standing};
use crate::store::fenced::{Fenced, Verdict};
use crate::store::{Compare, Operation, Store, Transaction};

/// How often the fleet is looked at, which holds the engine up: answers and orders in between go by the last look.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

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
    /// What was loaded cannot be used.
    Unread {
        number: u64,
        why: Unread,
    },
    /// The executor was asked about an action, or called, and may have said something.
    Asked(ActionId, Option<Answer>),
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
        let takes_orders = seat.as_ref().is_none_or(Seat::takes_orders);
        let mut look = false;
        tokio::select! {
            _ = ticks.tick() => look = true,
            changed = standing.changed() => if changed.is_err() {
                ticks.tick().await;
            },
            // What was loaded is not in the last look.
            Some((term, done)) = errands.next() => look = clerk.take_answer(&mut seat, term, done),
            slip = clerk.slips.next(), if takes_orders => match seat.as_mut().filter(|seat| !seat.over) {
                Some(seat) => seat.serve(slip),
                None => slip.answer(Err(Refusal::NotLeading)),
            },
        }
        look |= clerk.take_seat(&mut seat);
        if let Some(seat) = seat.as_mut().filter(|seat| !seat.over) {
            if look {
                clerk.look(seat);
            }
            clerk.step(seat, &errands);
        }
    }
}

impl<S: Store> Clerk<S> {
    /// Sits down under a term that has begun, which it says, and gets up from one that is over.
    fn take_seat(&self, seat: &mut Option<Seat>) -> bool {
        let term = self.leadership.act(|token| token.term());
        if seat.as_ref().map(|seat| seat.desk.term()) == term {
            return false;
        }
        if let Some(mut seat) = seat.take() {
            seat.settle(u64::MAX, |_| Err(Refusal::Unknown));
            self.slips.leave();
        }
        let Some(term) = term else { return false };
        tracing::info!(term = term.0, "sits down at the desk");
        *seat = Some(Seat::new(Desk::new(self.policy.clone(), term, self.driver.replica())));
        true
    }

    /// Takes what became of something; says whether the last look is out of date by it.
    fn take_answer(&self, seat: &mut Option<Seat>, term: Term, done: Done) -> bool {
        let Some(at) = seat.as_mut().filter(|seat| seat.desk.term() == term) else { return false };
        match done {
            Done::Answered(answer) => {
                let loaded = matches!(answer, Answer::Loaded { .. });
                if loaded {
                    at.unread = None;
                }
                if let Some(batch) = at.hear(answer) {
                    log(&batch, term);
                }
                return loaded;
            }
            Done::Unread { number, why } => {
                at.hear(Answer::Unknown { number });
                if at.unread.as_ref() != Some(&why) {
                    tracing::error!(term = term.0, "{why}");
                }
                at.unread = Some(why);
            }
            Done::Asked(id, answer) => {
                at.queue.back(id);
                if let Some(answer) = answer {
                    at.hear(answer);
                }
            }
            Done::Deposed => {
                tracing::info!(term = term.0, "the term is over: the desk is left");
                at.over = true;
                at.settle(u64::MAX, |_| Err(Refusal::Unknown));
            }
        }
        false
    }

    fn look(&self, seat: &mut Seat) {
        let Seat { desk, look, .. } = seat;
        *look = self.driver.view(|view| Look::of(view.fleet, view.detector, desk, look, view.now));
    }

    /// Decides, and sends out what is to be done.
    fn step(&self, seat: &mut Seat, errands: &Errands) {
        let term = seat.desk.term();
        for request in seat.step() {
            errands.push(self.errand(term, request));
        }
        while let Some((_, request)) = seat.queue.next() {
            errands.push(self.errand(term, request));
        }
        self.slips.count(&seat.desk);
    }

    fn errand(&self, term: Term, request: Request) -> BoxFuture<'static, (Term, Done)> {
        let (store, leadership, hand) = (Arc::clone(&self.store), self.leadership.clone(), self.hand.clone());
        Box::pin(async move {
            let asked = |id, told: Option<_>| Done::Asked(id, told.map(|told| Answer::Told { id, told }));
            let done = match request {
                Request::Load { number } => match load::load(&*store).await {
                    Ok(kept) => Done::Answered(Answer::Loaded { number, kept }),
                    Err(why) => Done::Unread { number, why },
                },
                Request::Write(batch) => write(&*store, &leadership, term, &batch).await,
                Request::Call(call) => asked(call.id, hand.call(&call, &leadership).await),
                Request::Look { id, term } => asked(id, hand.look(id, term).await),
            };
            (term, done)
        })
    }
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
