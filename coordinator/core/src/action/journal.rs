//! All actions that are not forgotten, by id.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{ActionId, Event, Intent, Record, Refusal, State, Todo};
use crate::id::Term;
use crate::time::Time;

/// Actions kept. At about 1 kB a record they take 20 MB of etcd's 64 MB budget. 20,000 in seven days are two a minute.
pub const ACTIONS_MAX: usize = 20_000;

/// How long a finished action is kept, if there is room.
pub const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

/// Actions forgotten at a time: their deletions, the watermark and the fence fit in one transaction of 128 operations.
pub const COLLECT_MAX: usize = 100;

/// From this number on, finished actions are forgotten before their time, oldest first.
const CROWDED: usize = ACTIONS_MAX / 4 * 3;

/// All actions that are not forgotten.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    records: BTreeMap<ActionId, Record>,
    /// Actions whose causes came to be at this moment or before may have been forgotten.
    watermark: Time,
}

/// What became of a wish to plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Planned {
    /// It is new and written down here: store it before anything else.
    New(ActionId),
    /// It was planned before, and this is what became of it so far. Nothing changes.
    Known(ActionId, State),
    /// It is not planned.
    Refused(PlanRefusal),
}

/// Why an action is not planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefusal {
    /// The same action may have been carried out and forgotten.
    #[error(
        "its cause of {cause} is not newer than {watermark}, up to which actions are forgotten; decide anew"
    )]
    Forgotten {
        /// When the cause came to be.
        cause: Time,
        /// Up to when actions are forgotten.
        watermark: Time,
    },
    /// It would never be begun.
    #[error("it was valid until {valid_until}, which has passed")]
    Expired {
        /// Until when it was valid.
        valid_until: Time,
    },
    /// There are too many.
    #[error("{ACTIONS_MAX} actions are kept, and too few of them have ended; look at what holds them up")]
    Full,
}

/// What was forgotten, to be deleted from the store in one transaction with the new watermark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// The actions, at most [`COLLECT_MAX`].
    pub actions: Vec<ActionId>,
    /// The watermark afterwards.
    pub watermark: Time,
}

impl Journal {
    /// The journal as a leader finds it in the store.
    pub fn restore(records: impl IntoIterator<Item = Record>, watermark: Time) -> Journal {
        Journal { records: records.into_iter().map(|record| (record.id(), record)).collect(), watermark }
    }

    /// Writes an action down, unless it is there.
    pub fn plan(&mut self, intent: Intent, term: Term, now: Time) -> Planned {
        let id = intent.id();
        if let Some(record) = self.records.get(&id) {
            return Planned::Known(id, record.state.clone());
        }
        if let Some(refusal) = self.refuse(&intent, now) {
            return Planned::Refused(refusal);
        }
        let record = Record { intent, state: State::Planned, term, attempts: 0, planned: now, changed: now };
        self.records.insert(id, record);
        Planned::New(id)
    }

    /// Folds what happened to an action, told by a leader of this term, and returns the record to be stored. What is
    /// refused changes nothing.
    pub fn apply(&mut self, id: ActionId, event: Event, term: Term, now: Time) -> Result<&Record, Refusal> {
        let record = self.records.get_mut(&id).ok_or(Refusal::Unknown)?;
        *record = record.after(event, term, now)?;
        Ok(record)
    }

    /// Takes a record as the store has it, after a write of ours did not hold.
    pub fn replace(&mut self, record: Record) {
        self.records.insert(record.id(), record);
    }

    /// The action.
    pub fn get(&self, id: ActionId) -> Option<&Record> {
        self.records.get(&id)
    }

    /// All actions, ordered by id.
    pub fn records(&self) -> impl ExactSizeIterator<Item = &Record> {
        self.records.values()
    }

    /// Up to when actions may have been forgotten, by the time of their causes.
    pub fn watermark(&self) -> Time {
        self.watermark
    }

    /// What is to be done next with actions that have not ended, in the order they were planned. A new leader goes
    /// through it once, and so does each step: it is the same list.
    pub fn unfinished(&self, now: Time) -> Vec<(ActionId, Todo)> {
        let mut found: Vec<(Time, ActionId, Todo)> = self
            .records
            .iter()
            .filter_map(|(&id, record)| record.todo(now).map(|todo| (record.planned, id, todo)))
            .collect();
        found.sort_by_key(|(planned, id, _)| (*planned, *id));
        found.into_iter().map(|(_, id, todo)| (id, todo)).collect()
    }

    /// Forgets actions that ended [`KEPT_FOR`] ago, and earlier ones when it gets crowded; oldest first.
    pub fn collect(&mut self, now: Time) -> Collected {
        let mut ended: Vec<(Time, ActionId)> = self
            .records
            .iter()
            .filter(|(_, record)| record.state.is_final())
            .map(|(&id, record)| (record.changed, id))
            .collect();
        ended.sort_unstable();
        let surplus = self.records.len().saturating_sub(CROWDED);
        let old = ended.partition_point(|(changed, _)| now.since(*changed) >= KEPT_FOR);
        ended.truncate(old.max(surplus).min(COLLECT_MAX));
        let actions: Vec<ActionId> = ended.into_iter().map(|(_, id)| id).collect();
        for id in &actions {
            let record = self.records.remove(id).expect("it was just found");
            self.watermark = self.watermark.max(record.intent.cause.at);
        }
        Collected { actions, watermark: self.watermark }
    }

    fn refuse(&self, intent: &Intent, now: Time) -> Option<PlanRefusal> {
        let (cause, watermark) = (intent.cause.at, self.watermark);
        if cause <= watermark && watermark > Time::ZERO {
            Some(PlanRefusal::Forgotten { cause, watermark })
        } else if now >= intent.valid_until {
            Some(PlanRefusal::Expired { valid_until: intent.valid_until })
        } else if self.records.len() >= ACTIONS_MAX {
            Some(PlanRefusal::Full)
        } else {
            None
        }
    }
}
