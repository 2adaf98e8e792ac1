//! What can become of an action: one table of (state, event).

use std::fmt;

use super::{ActionId, Record};
use crate::id::Term;
use crate::time::Time;

/// How often an action is issued. The executor answers a repeat with the first result, so more than one attempt is for
/// calls that never arrived; five in a row are a fault that a person should see.
pub const ATTEMPTS_MAX: u32 = 5;

/// What became of an action so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Written down; no call was made, or none of those made had an effect.
    Planned,
    /// A call was made or is about to be; its effect may have happened.
    Issued,
    /// The executor has it and works on it.
    Acked,
    /// The effect is there. Final.
    Done,
    /// It did not work, or nobody will know. Final.
    Failed(Failure),
    /// It will not be begun, and no call was ever made. Final.
    Aborted(Abort),
    /// A newer action took its place before it was begun. Final.
    Superseded {
        /// The newer one.
        by: ActionId,
    },
}

/// Why an action failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The executor says so.
    Refused {
        /// Its words.
        detail: Box<str>,
    },
    /// It was tried [`ATTEMPTS_MAX`] times.
    Attempts,
    /// It was tried, and when it was out of date, so that no call can come any more, its effect was not there.
    NoEffect,
    /// It became out of date while nobody could see what became of it.
    OutcomeUnknown,
}

/// Why an action was not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Abort {
    /// It is out of date.
    Expired,
    /// The evidence is no longer what it was.
    EvidenceChanged,
    /// It was decided before a freeze that has ended since. What was true then is decided again, not replayed.
    Frozen,
    /// A person said so.
    Operator,
    /// The target is gone, or another one has its name.
    TargetGone,
}

/// Something that happens to an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A leader is about to make the call. The call may be made if the action is [`State::Issued`] afterwards.
    Issue {
        /// The revision of the evidence as it is.
        evidence_revision: u64,
    },
    /// The executor has it.
    Ack {
        /// Which attempt.
        attempt: u32,
    },
    /// The executor says that the effect is there.
    Succeed,
    /// The executor says that it did not work and will not.
    Fail {
        /// Which attempt.
        attempt: u32,
        /// Its words.
        detail: Box<str>,
    },
    /// Someone looked at the target.
    Observe(Observed),
    /// It shall not be begun.
    Abort(Abort),
    /// A newer action takes its place.
    Supersede {
        /// The newer one.
        by: ActionId,
    },
}

/// What the target looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Observed {
    /// The effect is there.
    There,
    /// The effect is not there, and no call is on its way.
    NotThere,
    /// The target cannot be seen, or a call may still be on its way.
    Unclear,
}

/// Why an event changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such action.
    #[error("there is no such action")]
    Unknown,
    /// A newer leader has touched it.
    #[error("term {} is over: term {} has touched the action", .told.0, .known.0)]
    OldTerm {
        /// The term of who told it.
        told: Term,
        /// The highest one.
        known: Term,
    },
    /// The attempt is not the newest.
    #[error("attempt {told} is not the newest, which is {known}")]
    OldAttempt {
        /// The one told of.
        told: u32,
        /// The newest.
        known: u32,
    },
    /// Nothing was issued that could be answered.
    #[error("the action was not issued")]
    NotIssued,
    /// A call was made, and it may still arrive while the action is valid: only an observation can end it.
    #[error(
        "a call was made and may still arrive; observe the target, and again when the action has run out of time"
    )]
    MayHaveHappened,
    /// It has ended.
    #[error("the action has ended")]
    Finished,
}

/// What a leader does next with an action that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    /// [`Event::Issue`], after taking a permit.
    Issue,
    /// Look at the target, then [`Event::Observe`].
    Observe,
}

impl State {
    /// Whether nothing changes it any more.
    pub fn is_final(&self) -> bool {
        match self {
            State::Planned | State::Issued | State::Acked => false,
            State::Done | State::Failed(_) | State::Aborted(_) | State::Superseded { .. } => true,
        }
    }

    /// For example "issued".
    pub const fn name(&self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Issued => "issued",
            State::Acked => "acked",
            State::Done => "done",
            State::Failed(_) => "failed",
            State::Aborted(_) => "aborted",
            State::Superseded { .. } => "superseded",
        }
    }
}

impl Record {
    /// What to do next; none when it has ended.
    pub fn todo(&self, now: Time) -> Option<Todo> {
        match self.state {
            State::Planned if self.is_tried() && self.is_expired(now) => Some(Todo::Observe),
            State::Planned => Some(Todo::Issue),
            State::Issued | State::Acked => Some(Todo::Observe),
            State::Done | State::Failed(_) | State::Aborted(_) | State::Superseded { .. } => None,
        }
    }

    /// Whether a call was ever made. It can have been held up, and be carried out until the action has expired.
    fn is_tried(&self) -> bool {
        self.attempts > 0
    }

    fn is_expired(&self, now: Time) -> bool {
        now >= self.intent.valid_until
    }

    /// The record after an event that a leader of this term tells, or why there is none.
    pub(super) fn after(&self, event: Event, term: Term, now: Time) -> Result<Record, Refusal> {
        if self.state.is_final() {
            return Err(Refusal::Finished);
        }
        if term < self.term {
            return Err(Refusal::OldTerm { told: term, known: self.term });
        }
        let state = self.next(event, now)?;
        let issued = state == State::Issued && self.state == State::Planned;
        let changed = if state == self.state { self.changed } else { now };
        let attempts = self.attempts + u32::from(issued);
        Ok(Record { intent: self.intent.clone(), state, term, attempts, planned: self.planned, changed })
    }

    /// The table.
    fn next(&self, event: Event, now: Time) -> Result<State, Refusal> {
        let (tried, expired) = (self.is_tried(), self.is_expired(now));
        match (&self.state, event) {
            (State::Planned, Event::Issue { evidence_revision }) => self.issue(evidence_revision, expired),
            (State::Planned, Event::Abort(_) | Event::Supersede { .. }) if tried => {
                Err(Refusal::MayHaveHappened)
            }
            (State::Planned, Event::Abort(why)) => Ok(State::Aborted(why)),
            (State::Planned, Event::Supersede { by }) => Ok(State::Superseded { by }),
            // An earlier attempt's answer that took its time: the effect is there all the same.
            (State::Planned, Event::Succeed) if tried => Ok(State::Done),
            (State::Planned, Event::Ack { .. } | Event::Succeed | Event::Fail { .. }) => {
                Err(Refusal::NotIssued)
            }
            (State::Planned, Event::Observe(Observed::NotThere | Observed::Unclear)) if !tried => {
                Ok(State::Planned)
            }

            (State::Issued | State::Acked, Event::Succeed) => Ok(State::Done),
            (State::Issued | State::Acked, Event::Ack { attempt }) => {
                self.newest(attempt).map(|()| State::Acked)
            }
            (State::Issued | State::Acked, Event::Fail { attempt, detail }) => {
                self.newest(attempt).map(|()| State::Failed(Failure::Refused { detail }))
            }
            (
                State::Issued | State::Acked,
                Event::Issue { .. } | Event::Abort(_) | Event::Supersede { .. },
            ) => Err(Refusal::MayHaveHappened),

            (State::Planned | State::Issued | State::Acked, Event::Observe(observed)) => {
                Ok(self.observe(observed, expired))
            }
            (State::Done | State::Failed(_) | State::Aborted(_) | State::Superseded { .. }, _) => {
                Err(Refusal::Finished)
            }
        }
    }

    fn issue(&self, evidence_revision: u64, expired: bool) -> Result<State, Refusal> {
        let why = if expired {
            Some(Abort::Expired)
        } else if evidence_revision != self.intent.cause.evidence_revision {
            Some(Abort::EvidenceChanged)
        } else {
            None
        };
        match why {
            Some(_) if self.is_tried() => Err(Refusal::MayHaveHappened),
            Some(why) => Ok(State::Aborted(why)),
            None if self.attempts >= ATTEMPTS_MAX => Ok(State::Failed(Failure::Attempts)),
            None => Ok(State::Issued),
        }
    }

    /// What a look at the target makes of an action that was tried, or of any whose effect is there.
    fn observe(&self, observed: Observed, expired: bool) -> State {
        match observed {
            Observed::There => State::Done,
            Observed::NotThere if expired => State::Failed(Failure::NoEffect),
            Observed::Unclear if expired => State::Failed(Failure::OutcomeUnknown),
            // The executor works on it: that nothing is to be seen yet is no reason to ask again.
            Observed::NotThere if self.state == State::Acked => State::Acked,
            Observed::NotThere => State::Planned,
            Observed::Unclear => self.state.clone(),
        }
    }

    fn newest(&self, attempt: u32) -> Result<(), Refusal> {
        if attempt == self.attempts {
            Ok(())
        } else {
            Err(Refusal::OldAttempt { told: attempt, known: self.attempts })
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::Planned | State::Issued | State::Acked | State::Done => f.write_str(self.name()),
            State::Failed(failure) => write!(f, "failed: {failure}"),
            State::Aborted(why) => write!(f, "aborted: {why}"),
            State::Superseded { by } => write!(f, "superseded by {by}"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Refused { detail } => f.write_str(detail),
            Failure::Attempts => write!(f, "{ATTEMPTS_MAX} attempts had no effect"),
            Failure::NoEffect => f.write_str("it was tried, and its effect was not there in time"),
            Failure::OutcomeUnknown => {
                f.write_str("it ran out of time while nobody could see what became of it; look at its target")
            }
        }
    }
}

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Abort::Expired => "it was out of date before it could begin",
            Abort::EvidenceChanged => "what it was decided by is no longer so",
            Abort::Frozen => "it was decided before a freeze that has ended",
            Abort::Operator => "an operator stopped it",
            Abort::TargetGone => "its target is gone",
        })
    }
}
