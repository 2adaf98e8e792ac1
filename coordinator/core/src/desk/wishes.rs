//! Making decisions of cases, and seeing to what they want.

use std::collections::{BTreeMap, BTreeSet};

use super::ask::{Due, Way};
use super::decision::{Decision, DecisionId, Fate, Obstacle, Phase, Seen, WISHES_MAX, Wish};
use super::look::{Case, Look, Standing, Want};
use super::policy::strictest;
use super::reaction::reverse;
use super::{Desk, RECHECK, REFRESH};
use crate::action::{ActionId, Cause, Effect, Intent, Planned, Target};
use crate::brake::{Brake, Mode, Take};
use crate::id::Incarnation;
use crate::time::Time;

/// Of what a wish waits for that was not looked at yet.
const NEW: &str = "new";

/// What wishes are seen to with, in one step.
struct Sight<'a> {
    look: &'a Look,
    cases: BTreeMap<&'a Target, &'a Case>,
    now: Time,
    /// Whether what waited before is looked at again.
    recheck: bool,
}

impl Desk {
    /// Makes decisions of what is found, and sees to what decisions want.
    pub(super) fn decide(&mut self, look: &Look, now: Time) {
        let mut undecided = BTreeSet::new();
        for case in &look.cases {
            if !self.store.has_room() {
                return;
            }
            if let Some(id) = self.about.get(&case.about).copied() {
                self.take_up(id, case, now);
            } else if !undecided.is_empty() || !self.open_new(case, now) {
                // When there is no room for one, it is not looked for again in this step.
                undecided.insert(case.about.clone());
            }
        }
        self.counts.undecided += undecided.difference(&self.undecided).count() as u64;
        self.undecided = undecided;
        for (id, standing) in &look.others {
            if !self.store.has_room() {
                return;
            }
            self.stand(*id, standing, now);
        }
        self.see_to_wishes(look, now);
    }

    /// Brings the open decision about a case up to date.
    fn take_up(&mut self, id: DecisionId, case: &Case, now: Time) {
        let Some(decision) = self.decisions.get_mut(&id) else { return };
        let mut changed = false;
        if decision.phase == Phase::Ending {
            if decision.is_settled() {
                return self.close(id, now);
            }
            if !decision.reopen() {
                return;
            }
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

    /// Makes a decision of a case; false when too many are open.
    fn open_new(&mut self, case: &Case, now: Time) -> bool {
        // A look that is older than the end of the decision before tells no evidence: the next one does.
        let Some(evidence) = case.evidence.clone() else { return true };
        let id = DecisionId(self.decisions.last_key_value().map_or(0, |(id, _)| id.0) + 1);
        if !self.make_room(now) {
            return false;
        }
        let decision = Decision {
            id,
            about: case.about.clone(),
            zone: case.zone.clone(),
            seen: vec![Seen { at: case.since, verdict: case.verdict, evidence }],
            wishes: case.wants.iter().take(WISHES_MAX / 2).map(|want| Wish::new(want, now)).collect(),
            phase: Phase::Open,
            made: now,
            changed: now,
            term: self.term,
        };
        self.counts.decisions += 1;
        self.about.insert(case.about.clone(), id);
        self.decisions.insert(id, decision);
        self.mark(id, now);
        true
    }

    /// Goes on with a decision of whose cause no case tells.
    fn stand(&mut self, id: DecisionId, standing: &Standing, now: Time) {
        let decision = self.decisions.get_mut(&id).filter(|it| it.phase != Phase::Ended);
        let Some(decision) = decision else { return };
        let (why, incarnation) = match standing {
            Standing::Unsure => return,
            Standing::Well(incarnation) => ("its cause has ended", Some(*incarnation)),
            Standing::Gone => ("what it is about is not known any more", None),
        };
        let mut changed = decision.phase == Phase::Open;
        decision.phase = Phase::Ending;
        for wish in decision.wishes.iter_mut().filter(|wish| !wish.is_undoing() && wish.is_waiting()) {
            wish.fate = Fate::Dropped(why.into());
            changed = true;
        }
        changed |= decision.undo(incarnation, now);
        let settled = decision.is_settled();
        if changed {
            self.mark(id, now);
        }
        if settled {
            self.close(id, now);
        }
    }

    /// A decision has come to its end. What it still waits for is not wanted any more.
    pub(super) fn close(&mut self, id: DecisionId, now: Time) {
        let Some(decision) = self.decisions.get_mut(&id) else { return };
        decision.phase = Phase::Ended;
        for wish in decision.wishes.iter_mut().filter(|wish| wish.is_waiting()) {
            wish.fate = Fate::Dropped("the decision was ended".into());
        }
        self.about.remove(&decision.about);
        self.mark(id, now);
    }

    /// Plans what is permitted, and notes what stands in the way of the rest.
    fn see_to_wishes(&mut self, look: &Look, now: Time) {
        let recheck = now.since(self.rechecked) >= RECHECK;
        let cases = look.cases.iter().map(|case| (&case.about, case)).collect();
        let sight = Sight { look, cases, now, recheck };
        let mut ahead = None;
        let ids: Vec<DecisionId> = self.about.values().copied().collect();
        for id in ids {
            let wishes = self.decisions.get(&id).map_or(0, |it| it.wishes.len());
            for at in 0..wishes {
                if !self.store.has_room() {
                    return;
                }
                self.see_to(id, at, &sight, &mut ahead);
            }
        }
        if recheck {
            self.rechecked = now;
        }
    }

    /// `ahead` is the brake as it is when all that is planned has begun, once it was needed.
    fn see_to(&mut self, id: DecisionId, at: usize, sight: &Sight<'_>, ahead: &mut Option<Brake>) {
        let Sight { look, ref cases, now, recheck } = *sight;
        let Some(decision) = self.decisions.get(&id) else { return };
        let Some(wish) = decision.wishes.get(at) else { return };
        let Fate::Waits(obstacle) = &wish.fate else { return };
        if now < wish.not_before || !recheck && *obstacle.name != *NEW {
            return;
        }
        let due = match Due::of(decision, wish, cases.get(&decision.about).copied(), look) {
            Ok(due) => due,
            Err(way) => return self.meet(id, at, &way, wish.mode, now),
        };
        let mode = strictest(self.brake.policy(), wish.effect, &due.takes);
        if let Some(way) = self.obstacle(decision, wish, &due, look, now) {
            return self.meet(id, at, &way, mode, now);
        }
        let ask = self.ask(decision, wish, &due, now, now);
        match ahead.get_or_insert_with(|| self.ahead(look, now)).take(ask, &look.scene, now) {
            Ok(_) => self.plan(id, at, due, mode, now),
            Err(veto) => self.meet(id, at, &Way { name: veto.name(), text: veto.to_string() }, mode, now),
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

    fn plan(&mut self, id: DecisionId, at: usize, due: Due, mode: Mode, now: Time) {
        let Some(decision) = self.decisions.get(&id) else { return };
        let Some(wish) = decision.wishes.get(at) else { return };
        let generation = decision.generation(wish, self.term);
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
            Planned::New(action) | Planned::Known(action, _) => self.begin(id, at, action, due, mode, now),
            Planned::Refused(refusal) => {
                let way = Way { name: "journal", text: refusal.to_string() };
                self.meet(id, at, &way, mode, now);
            }
        }
    }

    /// A wish has an action, which may have ended already.
    fn begin(&mut self, id: DecisionId, at: usize, action: ActionId, due: Due, mode: Mode, now: Time) {
        let Some(record) = self.journal.get(action).cloned() else { return };
        let wish = self.decisions.get_mut(&id).and_then(|it| it.wishes.get_mut(at));
        let Some(wish) = wish else { return };
        wish.actions = wish.actions.saturating_add(1);
        (wish.action, wish.mode, wish.takes, wish.fate) = (Some(action), mode, due.takes, Fate::Begun);
        if record.state.is_final() {
            wish.end(&record.state, now);
        } else {
            self.owners.insert(action, (id, at));
            self.note_action(&record, now);
        }
        self.mark(id, now);
    }
}

impl Wish {
    fn new(want: &Want, now: Time) -> Wish {
        Wish {
            effect: want.effect,
            target: want.target.clone(),
            uid: want.uid.clone(),
            incarnation: want.incarnation,
            takes: want.takes.clone(),
            actions: 0,
            tries: 0,
            not_before: now,
            action: None,
            mode: Mode::DryRun,
            unsure: false,
            fate: Fate::Waits(Obstacle::new(NEW, "", now)),
        }
    }

    /// The wish that undoes this one. It concerns the same pools, and takes nothing from them.
    fn undone_by(&self, effect: Effect, incarnation: Incarnation, now: Time) -> Wish {
        debug_assert_eq!(reverse(self.effect), Some(effect), "it is what undoes it");
        let nothing = |take: &Take| Take { pool: take.pool.clone(), endpoints: 0, ready: 0 };
        Wish {
            effect,
            incarnation,
            takes: self.takes.iter().map(nothing).collect(),
            actions: 0,
            tries: 0,
            not_before: now,
            action: None,
            unsure: false,
            fate: Fate::Waits(Obstacle::new(NEW, "", now)),
            ..self.clone()
        }
    }

    /// Whether it undoes what another one did.
    pub(super) fn is_undoing(&self) -> bool {
        self.effect == Effect::RestoreEndpoint
    }

    /// Is wanted still, or again, of this start of its target; whether that changes anything.
    fn renew(&mut self, incarnation: Incarnation, now: Time) -> bool {
        let dropped = matches!(self.fate, Fate::Dropped(_));
        if dropped {
            self.fate = Fate::Waits(Obstacle::new(NEW, "", now));
        }
        let restarted = self.is_waiting() && self.incarnation != incarnation;
        if restarted {
            self.incarnation = incarnation;
        }
        dropped || restarted
    }
}

impl Decision {
    /// Wants something; whether it did not before, or not of this start of the target.
    fn want(&mut self, want: &Want, now: Time) -> bool {
        let same = |wish: &&mut Wish| wish.effect == want.effect && wish.target == want.target;
        // Each may have to be undone.
        let room = self.wishes.iter().filter(|wish| !wish.is_undoing()).count() < WISHES_MAX / 2;
        match self.wishes.iter_mut().find(same) {
            Some(wish) => wish.renew(want.incarnation, now),
            None if room => {
                self.wishes.push(Wish::new(want, now));
                true
            }
            None => false,
        }
    }

    /// Wants undone what was done, or may have been, and has a reverse, of this start of what it is about, when that is known;
    /// whether that changes anything.
    fn undo(&mut self, incarnation: Option<Incarnation>, now: Time) -> bool {
        let mut changed = false;
        for at in 0..self.wishes.len() {
            let wish = &self.wishes[at];
            let over = wish.fate.is_final() && wish.may_be_done();
            let Some(effect) = reverse(wish.effect).filter(|_| over) else { continue };
            let fresh = wish.undone_by(effect, incarnation.unwrap_or(wish.incarnation), now);
            let same = |it: &&mut Wish| it.effect == effect && it.target == fresh.target;
            match self.wishes.iter_mut().find(same) {
                Some(undo) => changed |= undo.renew(incarnation.unwrap_or(undo.incarnation), now),
                None => {
                    self.wishes.push(fresh);
                    changed = true;
                }
            }
        }
        changed
    }

    /// Its cause is there again, while not all was undone or has ended. What waits to be undone stays as it is, and what was
    /// undone may be wanted again. False while something is being undone: that is waited for.
    fn reopen(&mut self) -> bool {
        if self.wishes.iter().any(|wish| wish.is_undoing() && wish.fate == Fate::Begun) {
            return false;
        }
        let undone = |wish: &&Wish| wish.is_undoing() && wish.fate == Fate::Done;
        let back: Vec<Target> = self.wishes.iter().filter(undone).map(|wish| wish.target.clone()).collect();
        for wish in &mut self.wishes {
            let back = reverse(wish.effect).is_some() && back.contains(&wish.target);
            wish.unsure &= !back;
            if back && wish.fate == Fate::Done
                || wish.is_undoing() && matches!(wish.fate, Fate::Waits(_) | Fate::Done)
            {
                wish.fate = Fate::Dropped("its cause is there again".into());
            }
        }
        self.phase = Phase::Open;
        true
    }
}
