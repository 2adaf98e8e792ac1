//! What the shell tells the election, and what the election tells the shell.

use super::{Answer, LeaderToken, Reason, Renewal, Request, RequestId};
use crate::id::Term;

/// Something that happened.
#[derive(Debug)]
pub enum Input {
    /// A request was answered, or the shell knows that it will not be ([`Answer::Unknown`]).
    Answered {
        /// Which.
        id: RequestId,
        /// How.
        answer: Answer,
    },
    /// A watch saw that a key was deleted, by a revoke, an expired lease, or a person.
    Deleted {
        /// Which watch.
        watch: WatchId,
        /// The key.
        key: Box<str>,
    },
    /// A watch ended, or cannot go on because its revision was compacted.
    WatchLost {
        /// Which.
        watch: WatchId,
    },
    /// Someone is about to do harm and wants to know that this replica leads: look at the own key now. See
    /// [`super::Election::confirmed`].
    Confirm,
    /// The replica's own health score of 0, well, to 8 (Lifeguard's local health multiplier).
    Health {
        /// The score.
        score: u8,
    },
    /// How many agents this replica reaches, and how many the replica that reaches most does.
    Reach {
        /// By this replica.
        own: u32,
        /// By the best one.
        best: u32,
    },
    /// All that acted under the token has ended, and here it is back.
    Returned(LeaderToken),
    /// The process shall end.
    Shutdown,
}

/// Something for the shell to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Ask etcd this, and tell the answer under the same id. A deadline that follows from it counts from now, so that
    /// sending late only makes it shorter.
    Send {
        /// Names it.
        id: RequestId,
        /// What to ask.
        request: Request,
    },
    /// Watch these keys for deletions after this revision, with `require_leader`. Replaces the watch before.
    Watch {
        /// Names it.
        watch: WatchId,
        /// The keys.
        keys: Vec<Box<str>>,
        /// The last revision that is known already.
        after_revision: u64,
    },
    /// End the watch.
    Unwatch,
    /// This replica leads, as long as the token is live.
    Lead(LeaderToken),
    /// The token lives longer: pass it to [`LeaderToken::renew`].
    Renew(Renewal),
    /// This replica leads no more: end all that acts under the token, then give it back with [`Input::Returned`].
    StepDown {
        /// The term that ended.
        term: Term,
        /// Why.
        reason: Reason,
    },
    /// A candidate gave up its place in the queue and will draw a new number, unless the process ends.
    Left(Reason),
    /// The token did not come back in [`super::STOP_MAX`]: abort the process, so that nothing acts under it.
    Abort,
    /// The lease is given back as far as it could be; the process may exit.
    Ended,
}

/// Names a watch; a later one has a higher number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatchId(pub u64);

/// Where a replica is on its way to leading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Has no lease: it waits, asks for one, or is not fit to lead.
    Out,
    /// Has a lease and draws its number.
    Joining,
    /// Waits for the one before it.
    Waiting,
    /// Nobody is before it; it writes its number.
    Claiming,
    /// Leads under this term.
    Leading(Term),
    /// Its term has ended, and something may still act under the token.
    SteppingDown,
    /// Takes no part any more.
    Ended,
}
