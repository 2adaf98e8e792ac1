//! One lease and what is done with it: from the number in the queue to the lead.
//!
//! At any moment one question is on its way or due; which one follows from the step. Keepalives go beside it.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::time::Duration;

use super::{
    Answer, Boot, Config, Election, LeaderToken, LeaseId, Output, REQUEST_MAX, RETRY_AFTER, Reason, Renewal,
    Request, RequestId, Role, Sent, State, WatchId,
};
use crate::id::Term;

/// Keepalives on their way. Three are sent in one length of a lease, and an older one could not prolong it.
const KEEPALIVES_MAX: usize = 4;

/// One lease.
#[derive(Debug)]
pub(super) struct Session {
    lease: LeaseId,
    /// The candidate's key.
    key: Box<str>,
    /// Its create revision, once it is known: the number in the queue, and the term.
    number: u64,
    /// Until when the lease can be relied on.
    deadline: Boot,
    keepalive_due: Boot,
    /// Keepalives on their way, oldest first.
    keepalives: VecDeque<Sent>,
    step: Step,
    question: Question,
    watch: Option<Watched>,
}

/// Where a session is. The docs say which question is asked there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
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
enum Question {
    /// To be asked then.
    Due(Boot),
    /// On its way.
    Asked(Sent),
}

/// The keys that are watched: the session's own and this.
#[derive(Debug)]
struct Watched {
    watch: WatchId,
    /// The key before it; none for a leader.
    ahead: Option<Box<str>>,
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
        }
    }

    pub(super) fn lease(&self) -> LeaseId {
        self.lease
    }

    pub(super) fn is_watched(&self) -> bool {
        self.watch.is_some()
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

    fn request(&self, config: &Config) -> Request {
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

    fn go(&mut self, step: Step, at: Boot) {
        self.step = step;
        self.question = Question::Due(at);
    }

    /// What is asked instead when an outcome is unknown: first what became of it.
    fn doubt(&mut self, now: Boot) {
        let step = match self.step {
            Step::Enter | Step::FindKey => Step::FindKey,
            Step::Claim | Step::FindEpoch | Step::Seed => Step::FindEpoch,
            Step::Wait => Step::Wait,
            Step::Lead => Step::Lead,
        };
        self.go(step, now + RETRY_AFTER);
    }
}

impl Election {
    /// Ends the session if time has ended it, else sends what is due.
    pub(super) fn pass_session(&mut self) {
        let now = self.now;
        let unfit = self.fitness.unfit(now);
        let session = self.session();
        if session.deadline <= now {
            let deadline = session.deadline;
            return self.leave(Reason::Deadline { deadline });
        }
        if let Some(reason) = unfit {
            return self.leave(reason);
        }
        if matches!(session.question, Question::Asked(sent) if sent.at + REQUEST_MAX <= now) {
            session.doubt(now);
        }
        if session.keepalive_due <= now {
            self.send_keepalive();
        }
        if matches!(self.session().question, Question::Due(at) if at <= now) {
            let config = self.config.clone();
            let request = self.session().request(&config);
            let sent = self.send(request);
            self.session().question = Question::Asked(sent);
        }
    }

    pub(super) fn session_answered(&mut self, id: RequestId, answer: Answer) {
        let session = self.session();
        if let Some(at) = session.keepalives.iter().position(|sent| sent.id == id) {
            let sent = session.keepalives[at];
            session.keepalives.drain(..=at);
            return self.kept(sent, answer);
        }
        if matches!(session.question, Question::Asked(sent) if sent.id == id) {
            self.step(answer);
        }
    }

    pub(super) fn deleted(&mut self, watch: WatchId, key: &str) {
        let State::Holding(session) = &mut self.state else { return };
        let Some(watched) = session.watch.as_ref().filter(|watched| watched.watch == watch) else { return };
        if *key == *session.key {
            self.leave(Reason::KeyLost);
        } else if watched.ahead.as_deref() == Some(key) && session.step == Step::Wait {
            session.question = Question::Due(self.now);
        }
    }

    /// Changes may have been missed: looks again, and the answer's revision begins a new watch.
    pub(super) fn watch_lost(&mut self, watch: WatchId) {
        let State::Holding(session) = &mut self.state else { return };
        if session.watch.take_if(|watched| watched.watch == watch).is_some() {
            let step = session.step;
            if matches!(step, Step::Wait | Step::Lead) {
                session.go(step, self.now + RETRY_AFTER);
            }
        }
    }

    /// The whole of steps 2 to 4. What a question cannot be answered with counts as unknown.
    fn step(&mut self, answer: Answer) {
        let now = self.now;
        let session = self.session();
        match (session.step, answer) {
            (Step::Enter | Step::FindKey, Answer::Key { create_revision }) => {
                session.number = create_revision;
                session.go(Step::Wait, now);
            }
            (Step::Enter, Answer::LeaseNotFound) => self.leave(Reason::LeaseLost),
            (Step::FindKey, Answer::KeyGone) => session.go(Step::Enter, now),
            (Step::Wait, Answer::Queue { ahead: None, .. }) => session.go(Step::Claim, now),
            (Step::Wait, Answer::Queue { ahead, revision }) => self.wait_for(ahead, revision),
            (Step::Lead, Answer::Queue { ahead: None, revision }) => self.wait_for(None, revision),
            (Step::Lead, Answer::Queue { ahead: Some(_), .. }) => self.leave(Reason::NotFirst),
            (Step::Claim, Answer::Claimed) => self.lead(),
            (Step::Claim | Step::FindEpoch, Answer::Epoch { value }) => self.compare_epoch(value),
            (Step::Seed, Answer::Seeded) => session.go(Step::Claim, now),
            (Step::Wait | Step::Claim | Step::FindEpoch | Step::Lead, Answer::KeyGone) => {
                self.leave(Reason::KeyLost);
            }
            (_, _) => session.doubt(now),
        }
    }

    /// Watches, unless it does already, and looks again later, because a watch can stall without a word.
    fn wait_for(&mut self, ahead: Option<Box<str>>, revision: u64) {
        let (now, every) = (self.now, self.config.keepalive_every());
        let session = self.session();
        session.question = Question::Due(now + every);
        if session.watch.as_ref().is_none_or(|watched| watched.ahead != ahead) {
            self.watch(ahead, revision);
        }
    }

    fn watch(&mut self, ahead: Option<Box<str>>, after_revision: u64) {
        self.watches += 1;
        let watch = WatchId(self.watches);
        let session = self.session();
        let mut keys = vec![session.key.clone()];
        keys.extend(ahead.clone());
        session.watch = Some(Watched { watch, ahead });
        self.outputs.push(Output::Watch { watch, keys, after_revision });
    }

    /// The claim was not carried out, or it is not known: the stored term tells.
    fn compare_epoch(&mut self, value: Option<Box<[u8]>>) {
        let now = self.now;
        let session = self.session();
        let Some(value) = value else { return session.go(Step::Seed, now) };
        let Ok(bytes) = <[u8; 8]>::try_from(&*value) else { return self.leave(Reason::EpochUnreadable) };
        let epoch = u64::from_be_bytes(bytes);
        match epoch.cmp(&session.number) {
            // After a claim this cannot be; asking at once again and again would not help.
            Ordering::Less if session.step == Step::Claim => session.go(Step::Claim, now + RETRY_AFTER),
            Ordering::Less => session.go(Step::Claim, now),
            // Nobody else has this number.
            Ordering::Equal => self.lead(),
            Ordering::Greater => self.leave(Reason::EpochAhead { epoch }),
        }
    }

    fn lead(&mut self) {
        let (now, every) = (self.now, self.config.keepalive_every());
        let session = self.session();
        session.go(Step::Lead, now + every);
        let (key, number, deadline) = (session.key.clone(), session.number, session.deadline);
        self.watch(None, number);
        self.outputs.push(Output::Lead(LeaderToken::new(key, Term(number), deadline)));
    }

    fn send_keepalive(&mut self) {
        let lease = self.session().lease;
        let due = self.now + self.config.keepalive_every();
        let sent = self.send(Request::KeepAlive { lease });
        let session = self.session();
        session.keepalive_due = due;
        if session.keepalives.len() == KEEPALIVES_MAX {
            session.keepalives.pop_front();
        }
        session.keepalives.push_back(sent);
    }

    fn kept(&mut self, sent: Sent, answer: Answer) {
        match answer {
            Answer::Kept { ttl } if !ttl.is_zero() => self.prolong(sent.at + Config::usable(ttl)),
            Answer::Kept { .. } | Answer::LeaseNotFound => self.leave(Reason::LeaseLost),
            // The next one is on its way soon enough; the deadline stands.
            Answer::Granted { .. }
            | Answer::Key { .. }
            | Answer::KeyGone
            | Answer::Queue { .. }
            | Answer::Claimed
            | Answer::Epoch { .. }
            | Answer::Seeded
            | Answer::Unknown => {}
        }
    }

    fn prolong(&mut self, deadline: Boot) {
        let session = self.session();
        if deadline <= session.deadline {
            return;
        }
        session.deadline = deadline;
        if let Role::Leading(term) = session.role() {
            self.outputs.push(Output::Renew(Renewal::new(term, deadline)));
        }
    }

    fn session(&mut self) -> &mut Session {
        let State::Holding(session) = &mut self.state else { unreachable!("called while a lease is held") };
        session
    }
}
