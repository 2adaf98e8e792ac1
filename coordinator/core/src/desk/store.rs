//! What of a desk is in the store: what was read, what has changed since, and the one request that is on its way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::decision::{Decision, DecisionId, Phase};
use super::exchange::{Batch, Change, Item, Kept, Key, Request};
use super::reaction::reverse;
use super::{CHANGES_MAX, Desk, OPERATIONS_MAX};
use crate::action::audit::{Deed, Entry, Head, Verb};
use crate::action::{ActionId, Journal, State};
use crate::brake::{Brake, Memory};
use crate::id::Term;
use crate::time::Time;

/// When a request to the store counts as unanswered. The shell's own limits are shorter.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Time between two loads: a store that fails at once is not asked all the time.
const LOAD_INTERVAL: Duration = Duration::from_millis(500);

/// Time between two writes of nothing but decisions and memory.
const CALM_INTERVAL: Duration = Duration::from_millis(250);

/// How often what only moves on while a zone is in trouble is stored.
const MEMORY_INTERVAL: Duration = Duration::from_secs(10);

/// Entries of the audit log that are kept.
const AUDIT_KEPT: u64 = 10_000;

/// Entries that wait to be stored, from which on no order is taken. An order writes nine at most, each of which is two
/// operations, and changes one key more: with [`CHANGES_MAX`] other changes that is 100 of [`OPERATIONS_MAX`].
const ORDER_ENTRIES_MAX: usize = 16;

/// The desk's side of the store.
#[derive(Debug)]
pub(super) struct Store {
    loaded: bool,
    /// Counts requests.
    number: u64,
    asked: Option<Asked>,
    /// When a load was last asked for.
    load_at: Time,
    /// At which each key was last read or written.
    revisions: BTreeMap<Key, u64>,
    /// Actions and decisions that are not as the store has them, and others that are to be written.
    changed: BTreeSet<Key>,
    /// Entries of the audit log that are not stored, oldest first.
    entries: Vec<Entry>,
    /// The log's end with them.
    head: Head,
    /// The memory as it is stored, and since when.
    memory: Memory,
    memory_at: Time,
    written_at: Time,
}

/// A request without an answer.
#[derive(Debug)]
struct Asked {
    number: u64,
    at: Time,
    /// Keys that are written, and whether each is there afterwards.
    keys: Vec<(Key, bool)>,
    /// Actions that are issued by it.
    issued: Vec<ActionId>,
}

impl Default for Store {
    fn default() -> Store {
        Store {
            loaded: false,
            number: 0,
            asked: None,
            load_at: Time::ZERO,
            revisions: BTreeMap::new(),
            changed: BTreeSet::new(),
            entries: Vec::new(),
            head: Head::EMPTY,
            memory: Memory::default(),
            memory_at: Time::ZERO,
            written_at: Time::ZERO,
        }
    }
}

impl Store {
    pub(super) fn is_loaded(&self) -> bool {
        self.loaded
    }

    pub(super) fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// How much more may change before the next write.
    pub(super) fn room(&self) -> usize {
        CHANGES_MAX.saturating_sub(self.changed.len())
    }

    /// Whether one thing more may happen before the next write: an action and its decision change, and an entry of the audit
    /// log is written and an old one deleted for it.
    pub(super) fn has_room(&self) -> bool {
        self.room() >= 2 && self.operations() + 4 <= OPERATIONS_MAX
    }

    /// How many orders more may be given before the next write.
    pub(super) fn has_room_for_order(&self) -> bool {
        self.entries.len() < ORDER_ENTRIES_MAX
    }

    /// Operations of the next write, the log's end and the memory included.
    fn operations(&self) -> usize {
        self.changed.len() + 2 * self.entries.len() + 2
    }

    /// The number of the next request.
    pub(super) fn next(&self) -> u64 {
        self.number + 1
    }

    pub(super) fn mark(&mut self, key: Key) {
        self.changed.insert(key);
    }

    pub(super) fn load(&mut self, now: Time) -> Option<Request> {
        if self.asked.is_some() || now.since(self.load_at) < LOAD_INTERVAL {
            return None;
        }
        self.load_at = now;
        let number = self.ask(now, Vec::new(), Vec::new());
        Some(Request::Load { number })
    }

    /// What nobody answers counts as not known.
    pub(super) fn give_up(&mut self, now: Time) {
        if self.asked.take_if(|asked| now.since(asked.at) > ANSWER_WITHIN).is_some() {
            self.forget();
        }
    }

    /// Whether this is the answer to what was asked last.
    pub(super) fn answered(&mut self, number: u64) -> bool {
        self.asked.take_if(|asked| asked.number == number).is_some()
    }

    /// What is known of the store is not so any more: all is to be read anew.
    pub(super) fn forget(&mut self) {
        let (number, load_at) = (self.number, self.load_at);
        *self = Store { number, load_at, ..Store::default() };
    }

    /// A write was carried out; gives the actions that it issued.
    pub(super) fn written(&mut self, number: u64, revision: u64) -> Option<Vec<ActionId>> {
        let asked = self.asked.take_if(|asked| asked.number == number)?;
        for (key, there) in asked.keys {
            if there {
                self.revisions.insert(key, revision);
            } else {
                self.revisions.remove(&key);
            }
        }
        Some(asked.issued)
    }

    fn ask(&mut self, at: Time, keys: Vec<(Key, bool)>, issued: Vec<ActionId>) -> u64 {
        self.number += 1;
        self.asked = Some(Asked { number: self.number, at, keys, issued });
        self.number
    }

    pub(super) fn audit(&mut self, deed: Deed<'_>, term: Term, now: Time) {
        let entry = self.head.append(deed, term, now);
        self.head = entry.head();
        self.entries.push(entry);
    }

    /// Whether the memory is to be stored: at once when something happened, and now and then while trouble only goes on.
    fn memory_due(&self, memory: &Memory, now: Time) -> bool {
        if *memory == self.memory {
            return false;
        }
        essence(memory) != essence(&self.memory) || now.since(self.memory_at) >= MEMORY_INTERVAL
    }
}

/// A memory without what moves on by itself.
fn essence(memory: &Memory) -> Memory {
    let mut memory = memory.clone();
    for zone in memory.zones.values_mut() {
        zone.troubled = None;
        zone.disrupted = zone.disrupted.back().copied().into_iter().collect();
    }
    memory
}

impl Desk {
    /// Takes up what earlier desks left.
    pub(super) fn sit_down(&mut self, kept: Vec<Kept>) {
        self.store.forget();
        self.store.loaded = true;
        let (mut records, mut watermark, mut memory) = (Vec::new(), Time::ZERO, Memory::default());
        self.decisions.clear();
        self.given.clear();
        self.unstored.clear();
        for Kept { key, revision, item } in kept {
            self.store.revisions.insert(key, revision);
            match item {
                Item::Action(record) => records.push(*record),
                Item::Decision(decision) => {
                    self.decisions.insert(decision.id, *decision);
                }
                Item::AuditHead(head) => self.store.head = head,
                Item::Memory(found) => memory = found,
                Item::Watermark(found) => watermark = found,
                Item::Orders(given) => self.given.extend(given),
                Item::Audit(entry) => self.note_last_entry(&entry),
            }
        }
        self.journal = Journal::restore(records, watermark);
        self.store.memory = memory.clone();
        self.brake = Brake::new(self.policy.braked(), memory);
        self.note_latches();
        self.permits.clear();
        self.to_call.clear();
        self.looked.clear();
        self.unheard.clear();
        self.rechecked = Time::ZERO;
        self.owners.clear();
        for decision in self.decisions.values() {
            let actions = (0..).zip(&decision.wishes).filter_map(|(at, wish)| Some((wish.action?, at)));
            self.owners.extend(actions.map(|(action, at)| (action, (decision.id, at))));
        }
        let open = self.decisions.values().filter(|it| it.phase != Phase::Ended);
        self.about = open.map(|it| (it.about.clone(), it.id)).collect();
        let ids: Vec<DecisionId> = self.about.values().copied().collect();
        self.takers.clear();
        ids.into_iter().for_each(|id| self.note_takers(id));
        self.term_told = self.term_stored;
    }

    /// Goes over what a decision wants out of traffic.
    fn note_takers(&mut self, id: DecisionId) {
        let Some(decision) = self.decisions.get(&id) else { return };
        for wish in decision.wishes.iter().filter(|wish| reverse(wish.effect).is_some()) {
            if decision.takes_out(&wish.target) {
                self.takers.entry(wish.target.clone()).or_default().insert(id);
            } else if let Some(takers) = self.takers.get_mut(&wish.target) {
                takers.remove(&id);
                if takers.is_empty() {
                    self.takers.remove(&wish.target);
                }
            }
        }
    }

    /// Notes a decision as changed now.
    pub(super) fn mark(&mut self, id: DecisionId, now: Time) {
        if let Some(decision) = self.decisions.get_mut(&id) {
            decision.changed = now;
            decision.term = self.term;
        }
        self.note_takers(id);
        self.store.mark(Key::Decision(id));
    }

    /// Makes room for one decision more; false when too many are open. What waits for something that never came back is
    /// given up for it, oldest first, when nothing else has ended.
    pub(super) fn make_room(&mut self, now: Time) -> bool {
        if self.decisions.len() < super::DECISIONS_MAX {
            return true;
        }
        let ended = self.decisions.values().find(|it| it.phase == Phase::Ended);
        let last = ended.or_else(|| self.decisions.values().find(|it| it.is_gone())).map(|it| it.id);
        let Some(id) = last else { return false };
        self.close(id, now);
        self.decisions.remove(&id);
        self.store.mark(Key::Decision(id));
        true
    }

    /// Forgets actions that ended long ago, when there is nothing else to do.
    pub(super) fn forget(&mut self, now: Time) {
        // Only the end of a term and the beginning of the next may be told with it.
        if !self.store.changed.is_empty() || self.store.entries.len() > 2 {
            return;
        }
        let collected = self.journal.collect(now);
        if collected.actions.is_empty() {
            return;
        }
        collected.actions.iter().for_each(|id| self.store.mark(Key::Action(*id)));
        self.store.mark(Key::Watermark);
        let detail = format!("{} actions that ended by {}", collected.actions.len(), collected.watermark);
        self.tell(Verb::ActionsForgotten, "the journal", &detail, now);
    }

    /// Writes what has changed, if anything did and it is time.
    pub(super) fn write(&mut self, now: Time) -> Option<Request> {
        let memory_due = self.store.memory_due(self.brake.memory(), now);
        let urgent = !self.store.entries.is_empty();
        let calm = now.since(self.store.written_at) < CALM_INTERVAL;
        if self.store.changed.is_empty() && !memory_due && !urgent || calm && !urgent {
            return None;
        }
        let mut items: Vec<(Key, Option<Item>)> = Vec::new();
        let changed = std::mem::take(&mut self.store.changed);
        let issued = changed.iter().filter_map(|key| self.issued(*key)).collect();
        items.extend(changed.into_iter().map(|key| (key, self.item(key))));
        let entries = std::mem::take(&mut self.store.entries);
        if !entries.is_empty() {
            items.push((Key::AuditHead, Some(Item::AuditHead(self.store.head))));
        }
        for entry in entries {
            if let Some(old) = entry.sequence.checked_sub(AUDIT_KEPT).filter(|old| *old > 0) {
                items.push((Key::Audit(old), None));
            }
            items.push((Key::Audit(entry.sequence), Some(Item::Audit(entry))));
        }
        // What was permitted is stored with what is issued by it.
        if memory_due {
            self.store.memory = self.brake.memory().clone();
            self.store.memory_at = now;
            items.push((Key::Memory, Some(Item::Memory(self.store.memory.clone()))));
        }
        assert!(items.len() <= OPERATIONS_MAX, "room is looked for before anything changes");
        self.store.written_at = now;
        self.counts.writes += 1;
        let keys = items.iter().map(|(key, item)| (*key, item.is_some())).collect();
        let number = self.store.ask(now, keys, issued);
        let change = |(key, item): (Key, Option<Item>)| {
            // Old entries were not loaded, and nobody but who may move the log's end deletes one.
            let forgotten = matches!((key, &item), (Key::Audit(_), None));
            let read = (!forgotten).then(|| self.store.revisions.get(&key).copied().unwrap_or(0));
            Change { key, read, item }
        };
        Some(Request::Write(Batch { number, changes: items.into_iter().map(change).collect() }))
    }

    /// An action that is issued by being written.
    fn issued(&self, key: Key) -> Option<ActionId> {
        let Key::Action(id) = key else { return None };
        self.journal.get(id).filter(|record| record.state == State::Issued).map(|_| id)
    }

    fn item(&self, key: Key) -> Option<Item> {
        match key {
            Key::Action(id) => self.journal.get(id).map(|it| Item::Action(Box::new(it.clone()))),
            Key::Decision(id) => {
                self.decisions.get(&id).map(|it: &Decision| Item::Decision(Box::new(it.clone())))
            }
            Key::Watermark => Some(Item::Watermark(self.journal.watermark())),
            Key::Orders => Some(Item::Orders(self.given.iter().cloned().collect())),
            Key::Audit(_) | Key::AuditHead | Key::Memory => {
                unreachable!("they are written with the entries and the memory")
            }
        }
    }
}
