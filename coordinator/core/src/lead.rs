//! Who leads: an election over leases, transactions and watches of etcd, as a state machine that does no IO.
//!
//! Think of a queue at a counter. A replica takes a lease (step 1), draws a number, which is a key on that lease whose
//! create revision is the number (step 2), and watches the one before it (step 3). When nobody is before it, it writes
//! its number over the last one that was served (step 4) and leads. The number is the term: every write that a leader
//! makes is conditional on its key still having it, and every effect outside etcd carries it.
//!
//! What it never does: believe a value instead of a create revision; count a deadline from the moment an answer came;
//! repeat a request whose outcome is unknown before reading back what became of it; lead on an answer that came after
//! its deadline; wait for others without looking whether its own key is still there (etcd-io/etcd#19597, where a waiter
//! whose lease had expired became a leader that nobody could see). The steps are those of `clientv3/concurrency`'s
//! election with these holes closed.
//!
//! What it cannot do: no lease excludes two leaders from a sink that knows no terms. A person who deletes a leader's key
//! lets the next one lead at once; the old one hears of it by its watch, or by looking, within a third of a lease.
//!
//! The shell calls [`Election::handle`] with what happened and [`Election::handle_timeout`] when
//! [`Election::poll_timeout`] says so, carries out the [`Output`]s in order, and keeps the [`LeaderToken`] where every
//! writer must borrow it. Time is [`Boot`], the clock that goes on while a machine is suspended.

mod boot;
mod config;
mod exchange;
mod fitness;
mod reason;
mod request;
mod session;
mod steps;
#[cfg(test)]
mod tests;
mod token;

use std::time::Duration;

pub use self::boot::Boot;
pub use self::config::{Config, ConfigError, TTL_MAX, TTL_MIN};
pub use self::exchange::{Input, Output, Role, WatchId};
use self::fitness::Fitness;
pub use self::reason::Reason;
pub use self::request::{Answer, LeaseId, Request, RequestId};
use self::session::Session;
pub use self::token::{LeaderToken, Renewal};
use crate::id::Term;

/// How long a request may take until its outcome counts as unknown. The control plane's limit for one operation on etcd.
pub const REQUEST_MAX: Duration = Duration::from_secs(1);

/// How long to wait before asking again, after an unknown outcome or a lost watch: a quarter of what a request may take,
/// so that one lost answer costs little and a dead etcd is asked at most four times a second.
pub const RETRY_AFTER: Duration = Duration::from_millis(250);

/// How long to wait before a new lease, after one was lost or could not be had.
pub const RESTART_AFTER: Duration = Duration::from_millis(500);

/// How long the shell may take to end all that acts under a token. After it the process must die instead.
pub const STOP_MAX: Duration = Duration::from_secs(2);

/// One replica's part in the election.
#[derive(Debug)]
pub struct Election {
    config: Config,
    state: State,
    fitness: Fitness,
    /// The process shall end: no new lease.
    ending: bool,
    /// The latest time seen.
    now: Boot,
    /// Requests sent so far.
    requests: u64,
    /// Watches begun so far.
    watches: u64,
    /// For the shell, since it last asked.
    outputs: Vec<Output>,
}

#[derive(Debug)]
enum State {
    /// No lease, and none asked for until then.
    Resting { until: Boot },
    /// Asked for a lease.
    Granting(Sent),
    /// Has a lease.
    Holding(Session),
    /// Led, and waits until the token is back.
    Stopping { since: Boot, lease: LeaseId, term: Term, aborted: bool },
    /// Gives the lease back before the process ends.
    Ending(Sent),
    /// Takes no part any more.
    Ended,
}

/// A request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sent {
    id: RequestId,
    at: Boot,
}

impl Election {
    /// A replica that has no lease and asks for one at the first call.
    pub fn new(config: Config, now: Boot) -> Election {
        Election {
            config,
            state: State::Resting { until: now },
            fitness: Fitness::default(),
            ending: false,
            now,
            requests: 0,
            watches: 0,
            outputs: Vec::new(),
        }
    }

    /// Folds one thing that happened. What time has ended is ended first, so that an answer that was waiting while the
    /// process slept finds no session to act for.
    pub fn handle(&mut self, input: Input, now: Boot) -> Vec<Output> {
        self.pass(now);
        match input {
            Input::Answered { id, answer } => self.answered(id, answer),
            Input::Deleted { watch, key } => self.deleted(watch, &key),
            Input::WatchLost { watch } => self.watch_lost(watch),
            Input::Confirm => self.confirm(),
            Input::Health { score } => self.fitness.set_score(score),
            Input::Reach { own, best } => self.fitness.set_reach(own, best, now),
            Input::Returned(token) => self.returned(token),
            Input::Shutdown => self.shut_down(),
        }
        self.pass(now);
        std::mem::take(&mut self.outputs)
    }

    /// Does what time alone asks for.
    pub fn handle_timeout(&mut self, now: Boot) -> Vec<Output> {
        self.pass(now);
        std::mem::take(&mut self.outputs)
    }

    /// When to call [`Election::handle_timeout`] although nothing happened; none when time alone changes nothing.
    pub fn poll_timeout(&self) -> Option<Boot> {
        match &self.state {
            State::Resting { until } => self.fitness.unfit(self.now).is_none().then_some(*until),
            State::Granting(sent) | State::Ending(sent) => Some(sent.at + REQUEST_MAX),
            State::Holding(session) => Some(match self.fitness.unfit_at() {
                Some(at) => at.min(session.due()),
                None => session.due(),
            }),
            State::Stopping { since, aborted, .. } => (!aborted).then_some(*since + STOP_MAX),
            State::Ended => None,
        }
    }

    /// Where this replica is.
    pub fn role(&self) -> Role {
        match &self.state {
            State::Resting { .. } | State::Granting(_) => Role::Out,
            State::Holding(session) => session.role(),
            State::Stopping { .. } => Role::SteppingDown,
            State::Ending(_) | State::Ended => Role::Ended,
        }
    }

    /// The latest moment at which this leader's key is known to have been there and the oldest: when the question was
    /// sent that was answered so. None when it does not lead, or has not asked since it does.
    pub fn confirmed(&self) -> Option<Boot> {
        match &self.state {
            State::Holding(session) => session.confirmed,
            State::Resting { .. }
            | State::Granting(_)
            | State::Stopping { .. }
            | State::Ending(_)
            | State::Ended => None,
        }
    }

    /// Ends what time has ended, then begins what is due.
    fn pass(&mut self, now: Boot) {
        assert!(now >= self.now, "the boot-time clock does not go back");
        self.now = now;
        match &self.state {
            State::Resting { until } => {
                if *until <= now && self.fitness.unfit(now).is_none() {
                    self.state = State::Granting(self.send(Request::Grant { ttl: self.config.ttl() }));
                }
            }
            State::Granting(sent) => {
                if sent.at + REQUEST_MAX <= now {
                    self.rest();
                }
            }
            State::Holding(_) => self.pass_session(),
            State::Stopping { .. } => self.pass_stopping(),
            State::Ending(sent) => {
                if sent.at + REQUEST_MAX <= now {
                    self.end();
                }
            }
            State::Ended => {}
        }
    }

    fn pass_stopping(&mut self) {
        let State::Stopping { since, aborted, .. } = &mut self.state else { return };
        if !*aborted && *since + STOP_MAX <= self.now {
            *aborted = true;
            self.outputs.push(Output::Abort);
        }
    }

    fn answered(&mut self, id: RequestId, answer: Answer) {
        match &self.state {
            State::Granting(sent) if sent.id == id => self.granted(*sent, answer),
            State::Ending(sent) if sent.id == id => self.end(),
            State::Holding(_) => self.session_answered(id, answer),
            // Of a request that was given up, or of a lease that was given back.
            State::Granting(_)
            | State::Ending(_)
            | State::Resting { .. }
            | State::Stopping { .. }
            | State::Ended => {}
        }
    }

    /// A lease that was granted unseen holds nothing and expires by itself, so this outcome needs no reading back.
    fn granted(&mut self, sent: Sent, answer: Answer) {
        let Answer::Granted { lease, ttl } = answer else { return self.rest() };
        self.state = State::Holding(Session::new(&self.config, lease, ttl, sent.at, self.now));
    }

    fn returned(&mut self, token: LeaderToken) {
        let State::Stopping { lease, term, .. } = self.state else {
            panic!("a token is given back after a step down, not while {:?}", self.role())
        };
        assert_eq!(token.term(), term, "the token of the term that ended is given back");
        drop(token);
        self.give_back(lease);
    }

    fn shut_down(&mut self) {
        self.ending = true;
        match &self.state {
            State::Resting { .. } | State::Granting(_) => self.end(),
            State::Holding(_) => self.leave(Reason::Shutdown),
            State::Stopping { .. } | State::Ending(_) | State::Ended => {}
        }
    }

    /// Leaves the queue or the lead.
    fn leave(&mut self, reason: Reason) {
        let State::Holding(session) = &self.state else { unreachable!("only who holds a lease can leave") };
        let (lease, role, watched) = (session.lease, session.role(), session.watch.is_some());
        if watched {
            self.outputs.push(Output::Unwatch);
        }
        if let Role::Leading(term) = role {
            self.state = State::Stopping { since: self.now, lease, term, aborted: false };
            self.outputs.push(Output::StepDown { term, reason });
        } else {
            self.outputs.push(Output::Left(reason));
            self.give_back(lease);
        }
    }

    /// Revokes the lease, so that the next one need not wait until it expires. That it is not found is as good.
    fn give_back(&mut self, lease: LeaseId) {
        let sent = self.send(Request::Revoke { lease });
        if self.ending {
            self.state = State::Ending(sent);
        } else {
            self.rest();
        }
    }

    fn rest(&mut self) {
        self.state = State::Resting { until: self.now + RESTART_AFTER };
    }

    fn end(&mut self) {
        self.state = State::Ended;
        self.outputs.push(Output::Ended);
    }

    fn send(&mut self, request: Request) -> Sent {
        self.requests += 1;
        let id = RequestId(self.requests);
        self.outputs.push(Output::Send { id, request });
        Sent { id, at: self.now }
    }
}
