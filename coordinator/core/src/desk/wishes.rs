//! Making decisions of cases, and seeing to what they want.

use std::collections::BTreeMap;

use super::ask::{Due, Way};
use super::decision::{Decision, DecisionId, Fate, Obstacle, Phase, Seen, TRIES_MAX, WISHES_MAX, Wish};
use super::look::{Case, Look, Standing, Want};
use super::policy::strictest;
use super::reaction::reverse;
use super::{Desk, RECHECK, REFRESH};
use crate::action::{Cause, Effect, Intent, Planned, Target};
use crate::brake::Mode;
use crate::id::Incarnation;
use crate::time::Time;

/// Of what a wish waits for that was not looked at yet.
const NEW: &str = "new";

impl Desk {
    /// Makes decisions of what is found, and sees to what decisions want.
    pub(super) fn decide(&mut self, look: &Look, now: Time) {
        for case in &look.cases {
            // A decision more and one less, and an action of it.
            if self.store.room() < 3 {
                return;
            }
            self.take_up(case, now);
        }
        for (id, standing) in &look.others {
            if self.store.room() < 1 {
                return;
            }
            self.stand(*id, standing, now);
        }
        self.see_to_wishes(look, now);
    }

    /// Makes a decision of a case, or brings the open one up to date.
    fn take_up(&mut self, case: &Case, now: Time) {
        let Some(id) = self.about.get(&case.about).copied() else { return self.open_new(case, now) };
        let Some(decision) = self.decisions.get_mut(&id) else { return };
        let mut changed = false;
        if decision.phase == Phase::Ending {
            // What is being undone is undone first, and then decided anew.
            let undoing = decision.wishes.iter_mut().filter(|wish| is_undoing(wish));
            if undoing.map(|wish| wish.drop("its cause is there again")).any(|dropped| !dropped) {
                if decision.is_settled() {
                    self.close(id, now);
                }
                return;
            }
            decision.phase = Phase::Open;
            changed = true;
        }
        if decision.verdict() != case.verdict {
            let evidence = case.evidence.clone().unwrap_or_default();
            decision.see(Seen { at: case.since, verdict: case.verdict, evidence });
            changed = true;
        }
        for want in &case.wants {
            changed |= decision.want(want, now);
        }
        if changed {
            self.mark(id, now);
        }
    }

    fn open_new(&mut self, case: &Case, now: Time) {
        if !self.make_room() {
            self.counts.undecided += 1;
            return;
        }
        let id = DecisionId(self.decisions.last_key_value().map_or(0, |(id, _)| id.0) + 1);
        let evidence = case.evidence.clone().unwrap_or_default();
        let decision = Decision {
            id,
            about: case.about.clone(),
            zone: case.zone.clone(),
            seen: vec![Seen { at: case.since, verdict: case.verdict, evidence }],
            wishes: case.wants.iter().take(WISHES_MAX).map(|want| Wish::new(want, now)).collect(),
            phase: Phase::Open,
            made: now,
            changed: now,
            term: self.term,
        };
        self.counts.decisions += 1;
        self.about.insert(case.about.clone(), id);
        self.decisions.insert(id, decision);
        self.mark(id, now);
    }

    /// Goes on with a decision of whose cause no case tells.
    fn stand(&mut self, id: DecisionId, standing: &Standing, now: Time) {
        let Some(decision) = self.decisions.get_mut(&id) else { return };
        let (why, incarnation) = match standing {
            Standing::Unsure(_) => return,
            Standing::Well(incarnation) => ("its cause has ended", Some(*incarnation)),
            Standing::Gone => ("what it is about is not known any more", None),
        };
        let mut changed = decision.phase == Phase::Open;
        decision.phase = Phase::Ending;
        for wish in decision.wishes.iter_mut().filter(|wish| !is_undoing(wish) || incarnation.is_none()) {
            changed |= wish.is_waiting() && wish.drop(why);
        }
        for (effect, wish) in incarnation.map(|_| decision.to_undo()).unwrap_or_default() {
            if decision.wishes.len() < WISHES_MAX {
                decision.wishes.push(wish.undone_by(effect, incarnation.unwrap_or_default(), now));
                changed = true;
            }
        }
        let settled = decision.is_settled();
        if changed {
            self.settle(id, now);
        }
        if settled {
            self.close(id, now);
        }
    }

    /// A decision has come to its end. Of what it did nothing is out any more, as far as the desk knows.
    fn close(&mut self, id: DecisionId, now: Time) {
        let Some(decision) = self.decisions.get_mut(&id) else { return };
        decision.phase = Phase::Ended;
        self.about.remove(&decision.about);
        for wish in &decision.wishes {
            self.out.remove(&wish.target);
        }
        self.mark(id, now);
    }

    /// Plans what is permitted, and notes what stands in the way of the rest.
    fn see_to_wishes(&mut self, look: &Look, now: Time) {
        let recheck = now.since(self.rechecked) >= RECHECK;
        let cases: BTreeMap<&Target, &Case> = look.cases.iter().map(|case| (&case.about, case)).collect();
        let ids: Vec<DecisionId> = self.about.values().copied().collect();
        for id in ids {
            let wishes = self.decisions.get(&id).map_or(0, |it| it.wishes.len());
            for at in 0..wishes {
                if self.store.room() < 2 {
                    return;
                }
                self.see_to(id, at, &cases, look, now, recheck);
            }
        }
        if recheck {
            self.rechecked = now;
        }
    }

    fn see_to(
        &mut self,
        id: DecisionId,
        at: usize,
        cases: &BTreeMap<&Target, &Case>,
        look: &Look,
        now: Time,
        recheck: bool,
    ) {
        let Some(decision) = self.decisions.get(&id) else { return };
        let Some(wish) = decision.wishes.get(at) else { return };
        let Fate::Waits(obstacle) = &wish.fate else { return };
        if now < wish.not_before || !recheck && *obstacle.name != *NEW {
            return;
        }
        let due = Due::of(decision, wish, cases.get(&decision.about).copied(), look);
        let (way, mode) = match &due {
            None => {
                let text = "what is found of it now is not what it was decided by".to_owned();
                (Some(Way { name: "unsure", text }), wish.mode)
            }
            Some(due) => {
                let mode = strictest(self.brake.policy(), wish.effect, &due.takes);
                (self.obstacle(decision, wish, due, look, now), mode)
            }
        };
        match way {
            Some(way) => self.meet(id, at, &way, mode, now),
            None => self.plan(id, at, mode, now),
        }
    }

    fn meet(&mut self, id: DecisionId, at: usize, way: &Way, mode: Mode, now: Time) {
        let Some(decision) = self.decisions.get_mut(&id) else { return };
        let overdue = now.since(decision.changed) >= REFRESH;
        let Some(wish) = decision.wishes.get_mut(at) else { return };
        wish.mode = mode;
        let Fate::Waits(obstacle) = &mut wish.fate else { return };
        let other = obstacle.meet(way.name, &way.text, now);
        if other {
            *self.counts.obstacles.entry(way.name.into()).or_default() += 1;
        }
        if other || overdue {
            self.mark(id, now);
        }
    }

    fn plan(&mut self, id: DecisionId, at: usize, mode: Mode, now: Time) {
        let Some(decision) = self.decisions.get(&id) else { return };
        let Some(wish) = decision.wishes.get(at) else { return };
        let generation = decision.generation(wish);
        let evidence_revision = decision.evidence_revision();
        let seen = decision.newest();
        let intent = Intent {
            effect: wish.effect,
            target: wish.target.clone(),
            uid: wish.uid.clone(),
            incarnation: wish.incarnation,
            cause: Cause { generation, at: now, evidence_revision },
            valid_until: now + self.policy.valid,
            reason: format!("{id}: {} is {}: {}", decision.about, seen.verdict, seen.evidence).into(),
        };
        match self.journal.plan(intent, self.term, now) {
            Planned::New(action) | Planned::Known(action, _) => {
                if let Some(record) = self.journal.get(action).cloned() {
                    self.note_action(&record, now);
                }
                self.owners.insert(action, (id, at));
                if let Some(wish) = self.decisions.get_mut(&id).and_then(|it| it.wishes.get_mut(at)) {
                    (wish.action, wish.mode, wish.fate) = (Some(action), mode, Fate::Begun);
                }
                self.mark(id, now);
            }
            Planned::Refused(refusal) => {
                let way = Way { name: "journal", text: refusal.to_string() };
                self.meet(id, at, &way, mode, now);
            }
        }
    }
}

/// Whether a wish undoes what another one did.
fn is_undoing(wish: &Wish) -> bool {
    wish.effect == Effect::RestoreEndpoint
}

impl Wish {
    fn new(want: &Want, now: Time) -> Wish {
        Wish {
            effect: want.effect,
            target: want.target.clone(),
            uid: want.uid.clone(),
            incarnation: want.incarnation,
            tries: 0,
            not_before: now,
            action: None,
            mode: Mode::DryRun,
            fate: Fate::Waits(Obstacle::new(NEW, "", now)),
        }
    }

    /// The wish that undoes this one.
    fn undone_by(&self, effect: Effect, incarnation: Incarnation, now: Time) -> Wish {
        debug_assert_eq!(reverse(self.effect), Some(effect), "it is what undoes it");
        Wish {
            effect,
            incarnation,
            tries: 0,
            not_before: now,
            action: None,
            mode: self.mode,
            fate: Fate::Waits(Obstacle::new(NEW, "", now)),
            ..self.clone()
        }
    }

    /// Does not want it any more, unless it was begun; whether it is not wanted now.
    fn drop(&mut self, why: &str) -> bool {
        if self.is_waiting() {
            self.fate = Fate::Dropped(why.into());
        }
        matches!(self.fate, Fate::Dropped(_))
    }
}

impl Decision {
    /// Wants something; whether it did not before.
    fn want(&mut self, want: &Want, now: Time) -> bool {
        let same = |wish: &&mut Wish| wish.effect == want.effect && wish.target == want.target;
        let room = self.wishes.len() < WISHES_MAX;
        match self.wishes.iter_mut().find(same) {
            Some(wish) if matches!(wish.fate, Fate::Dropped(_)) && wish.tries < TRIES_MAX => {
                wish.fate = Fate::Waits(Obstacle::new(NEW, "", now));
                true
            }
            Some(_) => false,
            None if room => {
                self.wishes.push(Wish::new(want, now));
                true
            }
            None => false,
        }
    }
}
