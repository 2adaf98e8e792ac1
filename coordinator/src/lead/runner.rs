//! The loop around the election: tells it what happened, and does what it says.

use std::time::Duration;

use ostler_core::id::Term;
use ostler_core::lead::{Boot, Election, Input, Output, Reason, Renewal, Request, RequestId, WatchId};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::{Electorate, Fitness, Leadership, Standing};
use crate::sys::boot_now;

/// Answers on their way to the election. It has one question and four keepalives out at a time; the rest are late ones.
const INPUTS_MAX: usize = 64;

/// Longest time between two looks at the clock, because timers stand still while the machine is suspended.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// Time between two attempts to take back a token that someone holds.
const TAKE_INTERVAL: Duration = Duration::from_millis(5);

/// The election and what it acts on.
pub(super) struct Runner<E> {
    election: Election,
    electorate: E,
    leadership: Leadership,
    told: watch::Sender<Standing>,
    /// This replica's name.
    replica: String,
    /// Where tasks put answers.
    inputs: mpsc::Sender<Input>,
    /// When the own key was last found.
    confirmed: watch::Sender<Option<Boot>>,
    watch: Option<AbortOnDropHandle<()>>,
    /// The term under which this replica leads.
    leading: Option<Term>,
    /// The last term under which it led.
    last: Term,
    /// What others are seen to do.
    seen: Standing,
    /// The stored term that was last warned of, because this replica cannot lead above it.
    ahead: u64,
    /// Could not be carried out yet, because someone acted under the token.
    renewal: Option<Renewal>,
    /// The term has ended and the token is still out.
    taking: bool,
    ended: bool,
}

impl<E: Electorate> Runner<E> {
    /// The loop, where it takes its inputs from, and whom to tell of the replica's fitness.
    pub(super) fn new(
        election: Election,
        electorate: E,
        leadership: Leadership,
        told: watch::Sender<Standing>,
        replica: String,
    ) -> (Runner<E>, mpsc::Receiver<Input>, Fitness) {
        let (inputs, receiver) = mpsc::channel(INPUTS_MAX);
        let (confirmed, confirms) = watch::channel(None);
        let fitness = Fitness { inputs: inputs.clone(), confirmed: confirms };
        let runner = Runner {
            election,
            electorate,
            leadership,
            told,
            replica,
            inputs,
            confirmed,
            watch: None,
            leading: None,
            last: Term(0),
            seen: Standing::default(),
            ahead: 0,
            renewal: None,
            taking: false,
            ended: false,
        };
        (runner, receiver, fitness)
    }

    /// Takes part until shut down.
    pub(super) async fn run(
        mut self,
        mut inputs: mpsc::Receiver<Input>,
        mut observed: watch::Receiver<Standing>,
        shutdown: CancellationToken,
    ) {
        let mut ending = false;
        while !self.ended {
            tokio::select! {
                () = shutdown.cancelled(), if !ending => {
                    ending = true;
                    self.tell(Input::Shutdown);
                }
                Some(input) = inputs.recv() => self.tell(input),
                Ok(()) = observed.changed() => self.see(observed.borrow_and_update().clone()),
                () = tokio::time::sleep(self.rest()) => self.pass(),
            }
            self.retry();
            self.confirmed.send_replace(self.election.confirmed());
        }
    }

    /// Time until the election or a token that is held wants to be looked at.
    fn rest(&self) -> Duration {
        if self.taking || self.renewal.is_some() {
            return TAKE_INTERVAL;
        }
        let due = self.election.poll_timeout().map_or(LOOK_INTERVAL, |due| due.since(boot_now()));
        due.min(LOOK_INTERVAL)
    }

    fn tell(&mut self, input: Input) {
        let outputs = self.election.handle(input, boot_now());
        self.act(outputs);
    }

    fn pass(&mut self) {
        let outputs = self.election.handle_timeout(boot_now());
        self.act(outputs);
    }

    fn see(&mut self, seen: Standing) {
        self.seen = seen;
        self.publish();
    }

    /// Does again what someone who acts under the token was in the way of.
    fn retry(&mut self) {
        if self.renewal.is_some() {
            self.leadership.renew(&mut self.renewal);
        }
        if self.taking
            && let Ok(token) = self.leadership.take()
        {
            self.taking = false;
            self.tell(Input::Returned(token));
        }
    }

    fn act(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send { id, request } => self.send(id, request),
                Output::Watch { watch, keys, after_revision } => self.watch(watch, keys, after_revision),
                Output::Unwatch => self.watch = None,
                Output::Lead(token) => {
                    (self.leading, self.last) = (Some(token.term()), token.term());
                    tracing::info!(term = token.term().0, "leads");
                    self.leadership.give(token);
                    self.publish();
                }
                Output::Renew(renewal) => self.renewal = Some(renewal),
                Output::StepDown { term, reason } => self.step_down(term, reason),
                Output::Left(reason) => self.left(reason),
                Output::Abort => {
                    tracing::error!(
                        "the token is still held; the process ends, so that nothing acts under it"
                    );
                    std::process::abort();
                }
                Output::Ended => self.ended = true,
            }
        }
    }

    fn send(&self, id: RequestId, request: Request) {
        let (electorate, inputs) = (self.electorate.clone(), self.inputs.clone());
        tokio::spawn(async move {
            let answer = electorate.ask(request).await;
            // The loop has ended when nobody takes it.
            let _ = inputs.send(Input::Answered { id, answer }).await;
        });
    }

    fn watch(&mut self, watch: WatchId, keys: Vec<Box<str>>, after_revision: u64) {
        let (electorate, inputs) = (self.electorate.clone(), self.inputs.clone());
        let follow = async move {
            let mut watches = JoinSet::new();
            for key in keys {
                let electorate = electorate.clone();
                watches.spawn(async move {
                    let outcome = electorate.deleted(&key, after_revision).await;
                    (key, outcome)
                });
            }
            while let Some(Ok((key, outcome))) = watches.join_next().await {
                let input = match outcome {
                    Ok(()) => Input::Deleted { watch, key },
                    Err(error) => {
                        tracing::debug!(error = &error as &dyn std::error::Error, %key, "a watch was lost");
                        Input::WatchLost { watch }
                    }
                };
                let _ = inputs.send(input).await;
            }
        };
        self.watch = Some(AbortOnDropHandle::new(tokio::spawn(follow)));
    }

    /// A replica counts by what a restore stored last when it was started. After another one it cannot lead, and asks again
    /// and again.
    fn left(&mut self, reason: Reason) {
        match reason {
            Reason::EpochAhead { epoch } if epoch != self.ahead => {
                self.ahead = epoch;
                tracing::warn!(%reason, "cannot lead; if the store was restored while this replica ran, restart this replica");
            }
            Reason::Deadline { .. }
            | Reason::LeaseLost
            | Reason::KeyLost
            | Reason::NotFirst
            | Reason::EpochAhead { .. }
            | Reason::EpochUnreadable
            | Reason::Unwell { .. }
            | Reason::ShortReach { .. }
            | Reason::Shutdown => tracing::info!(%reason, "gave up its place in the election"),
        }
    }

    fn step_down(&mut self, term: Term, reason: Reason) {
        match reason {
            Reason::Shutdown => tracing::info!(term = term.0, %reason, "leads no more"),
            Reason::Deadline { .. }
            | Reason::LeaseLost
            | Reason::KeyLost
            | Reason::NotFirst
            | Reason::EpochAhead { .. }
            | Reason::EpochUnreadable
            | Reason::Unwell { .. }
            | Reason::ShortReach { .. } => tracing::warn!(term = term.0, %reason, "leads no more"),
        }
        (self.leading, self.taking, self.renewal) = (None, true, None);
        self.publish();
    }

    fn publish(&self) {
        let standing = self.standing();
        self.told.send_if_modified(|told| std::mem::replace(told, standing.clone()) != standing);
    }

    /// What this replica knows of itself is newer than what it sees in the store.
    fn standing(&self) -> Standing {
        match self.leading {
            Some(term) => Standing { leader: Some(self.replica.clone()), term },
            None if self.seen.term <= self.last => Standing { leader: None, term: self.last },
            None => self.seen.clone(),
        }
    }
}
