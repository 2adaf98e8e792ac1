//! One lease and what is done with it: from the number in the queue to the lead.
//!
//! At any moment one question is on its way or due; which one follows from the step. Keepalives go beside it.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Boot, Config, LeaseId, REQUEST_MAX, RETRY_AFTER, Request, Role, Sent, WatchId};
use crate::id::Term;

/// Keepalives on their way. Three are sent in one length of a lease, and an older one could not prolong it.
pub(super) const KEEPALIVES_MAX: usize = 4;

/// One lease.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) lease: LeaseId,
    /// The candidate's key.
    pub(super) key: Box<str>,
    /// Its create revision, once it is known: the number in the queue, and the term.
    pub(super) number: u64,
    /// Until when the lease can be relied on.
    pub(super) deadline: Boot,
    pub(super) keepalive_due: Boot,
    /// Keepalives on their way, oldest first.
    pub(super) keepalives: VecDeque<Sent>,
    pub(super) step: Step,
    pub(super) question: Question,
    pub(super) watch: Option<Watched>,
    /// When the last question was sent whose answer was that this leader's key is there and the oldest.
    pub(super) confirmed: Option<Boot>,
}

/// Where a session is. The docs say which question is asked there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Draws a number: [`Request::PutIfAbsent`].
    Enter,
    /// Does not know whether it drew one: [`Request::ReadKey`].
    FindKey,
    /// Looks who is before it, now and then while it waits: [`Request::ReadQueue`].
    Wait,
    /// Nobody is before it: [`Request::Claim`].
    Claim,
    /// Does not know whether it claimed: [`Request::ReadEpoch`].
    FindEpoch,
    /// No term was ever stored: [`Request::SeedEpoch`].
    Seed,
    /// Leads, and looks whether its key is still there: [`Request::ReadQueue`].
    Lead,
}

/// The question of the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// To be asked then.
    Due(Boot),
    /// On its way.
    Asked(Sent),
}

/// The keys that are watched: the session's own and this.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) watch: WatchId,
    /// The key before it; none for a leader.
    pub(super) ahead: Option<Box<str>>,
}

impl Session {
    pub(super) fn new(config: &Config, lease: LeaseId, ttl: Duration, sent: Boot, now: Boot) -> Session {
        Session {
            lease,
            key: config.candidate(lease),
            number: 0,
            deadline: sent + Config::usable(ttl),
            keepalive_due: sent + config.keepalive_every(),
            keepalives: VecDeque::with_capacity(KEEPALIVES_MAX),
            step: Step::Enter,
            question: Question::Due(now),
            watch: None,
            confirmed: None,
        }
    }

    pub(super) fn role(&self) -> Role {
        match self.step {
            Step::Enter | Step::FindKey => Role::Joining,
            Step::Wait => Role::Waiting,
            Step::Claim | Step::FindEpoch | Step::Seed => Role::Claiming,
            Step::Lead => Role::Leading(Term(self.number)),
        }
    }

    /// When time alone asks for something.
    pub(super) fn due(&self) -> Boot {
        let question = match self.question {
            Question::Due(at) => at,
            Question::Asked(sent) => sent.at + REQUEST_MAX,
        };
        question.min(self.keepalive_due).min(self.deadline)
    }

    pub(super) fn request(&self, config: &Config) -> Request {
        let (key, create_revision, epoch_key) = (self.key.clone(), self.number, config.epoch());
        match self.step {
            Step::Enter => Request::PutIfAbsent { key, value: config.replica().into(), lease: self.lease },
            Step::FindKey => Request::ReadKey { key },
            Step::Wait | Step::Lead => {
                Request::ReadQueue { key, create_revision, candidates: config.candidates() }
            }
            Step::Claim => {
                Request::Claim { key, create_revision, epoch_key, epoch: create_revision.to_be_bytes() }
            }
            Step::FindEpoch => Request::ReadEpoch { key, create_revision, epoch_key },
            Step::Seed => Request::SeedEpoch { epoch_key, epoch: 0_u64.to_be_bytes() },
        }
    }

    pub(super) fn go(&mut self, step: Step, at: Boot) {
        self.step = step;
        self.question = Question::Due(at);
    }

    /// What is asked instead when an outcome is unknown: first what became of it.
    pub(super) fn doubt(&mut self, now: Boot) {
        let step = match self.step {
            Step::Enter | Step::FindKey => Step::FindKey,
            Step::Claim | Step::FindEpoch | Step::Seed => Step::FindEpoch,
            Step::Wait => Step::Wait,
            Step::Lead => Step::Lead,
        };
        self.go(step, now + RETRY_AFTER);
    }
}
