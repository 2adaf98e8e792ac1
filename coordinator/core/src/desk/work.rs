//! Following actions to their end: issue what is permitted and wanted still, look at what may have happened, and take what
//! the executor says.

use std::collections::BTreeMap;
use std::time::Duration;

use super::ask::Due;
use super::decision::{Fate, Obstacle, TRIES_MAX, cut};
use super::exchange::{Call, Key, Request, Told};
use super::look::{Case, Look};
use super::{Decision, Desk, Wish};
use crate::action::audit::Verb;
use crate::action::{Abort, ActionId, Class, Event, Failure, Observed, Record, State, Target, Todo};
use crate::brake::{Advice, Outcome};
use crate::time::Time;

/// How long after a call, or after the last look, the executor is asked what became of an action.
const LOOK_INTERVAL: Duration = Duration::from_secs(3);

/// How long after an action is out of date the executor may say nothing of it before nobody will know what became of it. A
/// service that is down for the night is waited for no longer: until then its targets wait as well.
const UNHEARD_MAX: Duration = Duration::from_secs(600);

/// How long a wish waits after its first try came to nothing; each further try doubles it.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// How long it waits at most.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// Answers of the executor that wait to be folded. Each action has one call or look on its way.
const TOLD_MAX: usize = 1_024;

impl Desk {
    /// Calls for what the store holds as issued.
    pub(super) fn calls(&mut self, now: Time) -> Vec<Request> {
        let mut requests = Vec::new();
        while let Some(id) = self.to_call.pop_front() {
            let Some(record) = self.journal.get(id).filter(|it| it.state == State::Issued) else { continue };
            let (attempt, intent) = (record.attempts, record.intent.clone());
            self.looked.insert(id, now);
            self.counts.calls += 1;
            requests.push(Request::Call(Call { id, term: self.term, attempt, intent }));
        }
        requests
    }

    /// Takes an answer of the executor. One too many is passed over: it is asked again.
    pub(super) fn hear_executor(&mut self, id: ActionId, told: Told) {
        if self.told.len() >= TOLD_MAX {
            return;
        }
        self.unheard.remove(&id);
        // Who was asked speaks of the newest attempt.
        let newest = self.journal.get(id).map_or(0, |record| record.attempts);
        let event = match told {
            Told::Acked { attempt } => Event::Ack { attempt },
            Told::Working => Event::Ack { attempt: newest },
            Told::Done => Event::Succeed,
            Told::Refused { attempt, detail } => Event::Fail { attempt, detail: cut(&detail) },
            Told::Failed { detail } => Event::Fail { attempt: newest, detail: cut(&detail) },
            Told::Observed(observed) => Event::Observe(observed),
        };
        self.told.push_back((id, event));
    }

    /// Folds what the executor said.
    pub(super) fn fold_told(&mut self, now: Time) {
        while self.store.has_room()
            && let Some((id, event)) = self.told.pop_front()
        {
            self.apply(id, event, now);
        }
    }

    /// Goes on with what has not ended.
    pub(super) fn go_on(&mut self, look: &Look, now: Time, requests: &mut Vec<Request>) {
        let cases: BTreeMap<&Target, &Case> = look.cases.iter().map(|case| (&case.about, case)).collect();
        let unfinished = self.journal.unfinished(now);
        // What was issued is counted before anything else is permitted.
        for (id, _) in unfinished.iter().filter(|(_, todo)| *todo == Todo::Observe) {
            self.adopt(*id, look, now);
        }
        for (id, todo) in unfinished {
            match todo {
                Todo::Issue if self.store.has_room() => self.issue(id, &cases, look, now),
                Todo::Issue => {}
                Todo::Observe if self.is_unheard(id, now) && self.store.has_room() => {
                    self.apply(id, Event::Observe(Observed::Unclear), now);
                }
                Todo::Observe => requests.extend(self.look_at(id, now)),
            }
        }
    }

    fn issue(&mut self, id: ActionId, cases: &BTreeMap<&Target, &Case>, look: &Look, now: Time) {
        let Some(record) = self.journal.get(id) else { return };
        let (attempts, planned, cause) = (record.attempts, record.planned, record.intent.cause);
        if attempts == 0 && now >= record.intent.valid_until {
            return self.apply(id, Event::Abort(Abort::Expired), now);
        }
        let owned = self.owned(id);
        let due = owned.and_then(|(decision, wish)| {
            let case = cases.get(&decision.about).copied();
            let due = Due::of(decision, wish, case, look).ok()?;
            Some((decision, wish, due)).filter(|_| decision.evidence_revision() == cause.evidence_revision)
        });
        let Some((decision, wish, due)) = due else {
            // What may have happened is not tried again, and looked for once it has run out of time.
            if attempts == 0 {
                self.apply(id, Event::Abort(Abort::EvidenceChanged), now);
            }
            return;
        };
        if !due.allowed.allows(wish.effect.class()) {
            return;
        }
        let ask = self.ask(decision, wish, &due, planned, now);
        let permit = match attempts {
            0 => self.brake.take(ask, &look.scene, now),
            _ => self.brake.take_again(ask, &look.scene, now),
        };
        match permit {
            Ok(permit) => {
                self.permits.insert(id, permit);
                self.apply(id, Event::Issue { evidence_revision: cause.evidence_revision }, now);
            }
            Err(veto) if veto.advice() == Advice::Abort && attempts == 0 => {
                self.apply(id, Event::Abort(Abort::Frozen), now);
            }
            Err(_) => {}
        }
    }

    /// Counts an action that an earlier leader issued.
    fn adopt(&mut self, id: ActionId, look: &Look, now: Time) {
        if self.permits.contains_key(&id) {
            return;
        }
        let Some((decision, wish)) = self.owned(id) else { return };
        // What was called, and did not arrive, takes its permit before the next call.
        let Some(record) = self.journal.get(id).filter(|it| it.state != State::Planned) else { return };
        let due = Due { takes: wish.takes.clone(), allowed: look.ceiling };
        let ask = self.ask(decision, wish, &due, record.planned, now);
        let permit = self.brake.adopt(ask);
        self.permits.insert(id, permit);
    }

    fn look_at(&mut self, id: ActionId, now: Time) -> Option<Request> {
        let waits = self.looked.get(&id).is_some_and(|looked| now.since(*looked) < LOOK_INTERVAL);
        // It is called in a moment.
        if waits || self.to_call.contains(&id) {
            return None;
        }
        self.looked.insert(id, now);
        self.unheard.entry(id).or_insert(now);
        Some(Request::Look { id, term: self.term })
    }

    /// Whether an action is out of date, and the executor has not said a word about it for long.
    fn is_unheard(&self, id: ActionId, now: Time) -> bool {
        let out_of_date = self.journal.get(id).is_some_and(|it| now >= it.intent.valid_until);
        out_of_date && self.unheard.get(&id).is_some_and(|since| now.since(*since) >= UNHEARD_MAX)
    }

    pub(super) fn owned(&self, id: ActionId) -> Option<(&Decision, &Wish)> {
        let (decision, at) = *self.owners.get(&id)?;
        let decision = self.decisions.get(&decision)?;
        Some((decision, decision.wishes.get(at).filter(|wish| wish.action == Some(id))?))
    }

    /// Tells an event to an action, and does what follows from that. What is refused changes nothing.
    pub(super) fn apply(&mut self, id: ActionId, event: Event, now: Time) {
        let Some(before) = self.journal.get(id).map(|it| it.state.clone()) else { return };
        let after = match self.journal.apply(id, event, self.term, now) {
            Ok(record) if record.state != before => record.clone(),
            Ok(_) | Err(_) => return,
        };
        self.note_action(&after, now);
        if after.state.is_final() {
            self.end(&after, now);
        } else if after.state == State::Planned {
            // The call did not arrive, and the next one is asked about anew.
            self.free(id, Outcome::Failed, now);
        }
    }

    fn free(&mut self, id: ActionId, outcome: Outcome, now: Time) {
        if let Some(permit) = self.permits.remove(&id) {
            self.brake.give_back(permit, outcome, now);
        }
    }

    /// Has an action stored, and its state told in the audit log.
    pub(super) fn note_action(&mut self, record: &Record, now: Time) {
        self.store.mark(Key::Action(record.id()));
        let verb = match record.state {
            State::Planned => Verb::ActionPlanned,
            State::Issued => Verb::ActionIssued,
            State::Acked => Verb::ActionAcked,
            State::Done => Verb::ActionDone,
            State::Failed(_) => Verb::ActionFailed,
            State::Aborted(_) => Verb::ActionAborted,
            State::Superseded { .. } => Verb::ActionSuperseded,
        };
        let subject = format!("{} {}", record.intent.effect, record.intent.target);
        let detail = format!("{} of {}: {}", record.state, record.id(), record.intent.reason);
        self.tell(verb, &subject, &detail, now);
    }

    /// An action has ended: its permit is given back, and its wish hears of it.
    fn end(&mut self, record: &Record, now: Time) {
        let id = record.id();
        self.looked.remove(&id);
        self.unheard.remove(&id);
        self.free(id, if record.state == State::Done { Outcome::Done } else { Outcome::Failed }, now);
        let Some((decision, at)) = self.owners.get(&id).copied() else { return };
        let wish = self.decisions.get_mut(&decision).and_then(|it| it.wishes.get_mut(at));
        let Some(wish) = wish.filter(|wish| wish.action == Some(id)) else { return };
        wish.end(&record.state, now);
        self.mark(decision, now);
    }
}

impl Wish {
    /// Its action has ended so.
    pub(super) fn end(&mut self, state: &State, now: Time) {
        let text = state.to_string();
        let again = match state {
            State::Done => {
                (self.fate, self.unsure) = (Fate::Done, false);
                return;
            }
            State::Superseded { .. } => {
                self.fate = Fate::Dropped(cut(&text));
                return;
            }
            // It was never called, which is no failure.
            State::Aborted(_) => {
                self.fate = Fate::Waits(Obstacle::new("aborted", &text, now));
                return;
            }
            // It may have happened. What disrupts is not done twice for that.
            State::Failed(Failure::OutcomeUnknown) => {
                self.unsure = true;
                self.effect.class() == Class::Traffic
            }
            State::Failed(_) => true,
            State::Planned | State::Issued | State::Acked => return,
        };
        self.tries = self.tries.saturating_add(1);
        // What is well is not left out of traffic, however often it fails to come back.
        self.fate = if again && (self.tries < TRIES_MAX || self.is_undoing()) {
            let wait = RETRY_AFTER.saturating_mul(1_u32 << (self.tries - 1).min(8));
            self.not_before = now + wait.min(RETRY_AFTER_MAX);
            Fate::Waits(Obstacle::new("failed", &text, now))
        } else {
            Fate::Failed(cut(&text))
        };
    }
}
