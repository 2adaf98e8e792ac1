//! What an election does with its lease: it asks, folds answers, waits, claims, leads.

use std::cmp::Ordering;

use super::session::{KEEPALIVES_MAX, Question, Session, Step, Watched};
use super::{
    Answer, Boot, Config, Election, LeaderToken, Output, REQUEST_MAX, RETRY_AFTER, Reason, Renewal, Request,
    RequestId, Role, Sent, State, WatchId,
};
use crate::id::Term;

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
        if let Question::Asked(sent) = session.question
            && sent.id == id
        {
            self.step(answer, sent.at);
        }
    }

    /// A question of the lead that is on its way may have been answered before the moment that matters, so that it is
    /// asked anew.
    pub(super) fn confirm(&mut self) {
        let State::Holding(session) = &mut self.state else { return };
        let just_asked = matches!(session.question, Question::Asked(sent) if sent.at == self.now);
        if session.step == Step::Lead && !just_asked {
            session.question = Question::Due(self.now);
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
    fn step(&mut self, answer: Answer, sent: Boot) {
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
            (Step::Lead, Answer::Queue { ahead: None, revision }) => {
                session.confirmed = Some(sent);
                self.wait_for(None, revision);
            }
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
