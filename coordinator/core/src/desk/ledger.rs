//! What the audit log is told besides actions and orders: terms that begin and end, and latches.

use std::collections::BTreeSet;

use super::Desk;
use crate::action::audit::{Deed, Entry, Verb};
use crate::brake::Memory;
use crate::id::{Term, ZoneId};
use crate::time::Time;

/// Latches that are open, or on trial.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Latched {
    zones: BTreeSet<ZoneId>,
    /// That of irreversible actions.
    irreversible: bool,
}

impl Latched {
    pub(super) fn of(memory: &Memory) -> Latched {
        let zones = memory.zones.iter().filter(|(_, zone)| zone.latch.is_some());
        Latched {
            zones: zones.map(|(zone, _)| zone.clone()).collect(),
            irreversible: memory.irreversible_latched.is_some(),
        }
    }
}

impl Desk {
    /// Tells that the term has begun, once, and that the one of the newest entry is over. A leader that is killed cannot say
    /// so itself, and one that is not has no term left to say it under.
    pub(super) fn tell_term(&mut self, now: Time) {
        if self.term_told {
            return;
        }
        self.term_told = true;
        if let Some((term, at)) = self.last_entry.filter(|(term, _)| *term < self.term) {
            let detail = format!("its newest entry is of {at}; term {} follows", self.term.0);
            self.tell(Verb::TermEnded, &format!("term {}", term.0), &detail, now);
        }
        self.tell(Verb::TermBegan, "the lead", "", now);
    }

    /// Tells of latches that opened, and of those that closed because their trial went well.
    pub(super) fn tell_latches(&mut self, now: Time) {
        let is = Latched::of(self.brake.memory());
        if is == self.latched {
            return;
        }
        let changed: Vec<ZoneId> = is.zones.symmetric_difference(&self.latched.zones).cloned().collect();
        for zone in changed {
            if !self.store.has_room() {
                return;
            }
            let subject = format!("zone {zone}");
            if let Some(latch) = self.brake.memory().zones.get(&zone).and_then(|it| it.latch) {
                let detail = format!("{} of {} nodes were disrupted", latch.disrupted, latch.nodes);
                self.tell(Verb::LatchOpened, &subject, &detail, now);
                self.latched.zones.insert(zone);
            } else {
                self.tell(Verb::LatchReleased, &subject, "its trial went well", now);
                self.latched.zones.remove(&zone);
            }
        }
        if is.irreversible && !self.latched.irreversible && self.store.has_room() {
            self.tell(Verb::LatchOpened, "irreversible actions", "the latch of a zone opened", now);
            self.latched.irreversible = true;
        }
    }

    /// Notes that what is latched now has been told of.
    pub(super) fn note_latches(&mut self) {
        self.latched = Latched::of(self.brake.memory());
    }

    /// Notes the newest entry that earlier desks wrote.
    pub(super) fn note_last_entry(&mut self, entry: &Entry) {
        let newest: (Term, Time) = (entry.term, entry.at);
        self.last_entry = self.last_entry.max(Some(newest));
    }

    /// Writes an entry of the audit log, in the name of this replica.
    pub(super) fn tell(&mut self, verb: Verb, subject: &str, detail: &str, now: Time) {
        let deed = Deed { verb, actor: &self.replica, subject, detail };
        self.store.audit(deed, self.term, now);
    }
}
