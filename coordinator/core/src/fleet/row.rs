//! Folding a row: the hot path, ten thousand times a second.
//!
//! Everything is checked before anything is changed, so that a refused row leaves no trace; both passes go only over the
//! slots that changed, and neither allocates.

use super::bits;
use super::node::{Following, Node};
use crate::event::{self, Refusal, Reply, Resync, RowFact};
use crate::time::Time;

impl Node {
    /// Whether a row can be folded; if not, what to answer.
    pub(super) fn check_row(&self, row: &RowFact<'_>) -> Result<(), Reply> {
        match self.following {
            Following::Asked => return Err(Reply::Skipped),
            Following::Nothing => return Err(Reply::Resync(Resync::NoSnapshot { seq: row.seq })),
            Following::Message(seq) if row.seq != seq.wrapping_add(1) => {
                return Err(Reply::Resync(Resync::Gap { expected: seq.wrapping_add(1), seq: row.seq }));
            }
            Following::Message(_) => {}
        }
        let (slots, groups) = (self.values.len(), self.sampled_at.len());
        check_bitmap(row.seq, "changed", row.changed, slots)?;
        check_bitmap(row.seq, "sampled", row.sampled, groups)?;
        check_bitmap(row.seq, "absent", row.absent.unwrap_or_default(), slots)?;
        if row.age > event::AGE_MAX {
            return Err(Reply::Refused(Refusal::Field { field: "age_ms", problem: "is more than 3600000" }));
        }
        let expected = bits::count(row.changed);
        if row.change.len() != expected {
            let count = row.change.len();
            return Err(Reply::Refused(Refusal::Count { field: "change", count, expected }));
        }
        let bounds = self.layout.bounds();
        for (slot, &change) in bits::ones(row.changed).zip(row.change) {
            let (min, max) = bounds[slot];
            match self.values[slot].checked_add(change) {
                Some(value) if min <= value && value <= max => {}
                Some(_) | None => return Err(Reply::Refused(self.out_of_range(slot, change))),
            }
        }
        Ok(())
    }

    /// Folds a row that was checked, as the change with this revision; false when nothing but ages changed.
    pub(super) fn apply_row(&mut self, row: &RowFact<'_>, now: Time, revision: u64) -> bool {
        self.following = Following::Message(row.seq);
        if !row.sampled.is_empty() {
            bits::assign(&mut self.sampled, row.sampled);
        }
        let at = now - row.age;
        for group in bits::ones(&self.sampled) {
            self.sampled_at[group] = at;
        }
        if self.any_reset {
            self.end_resets();
        }
        for (slot, &change) in bits::ones(row.changed).zip(row.change) {
            self.values[slot] += change;
            self.owner_revisions[usize::from(self.layout.owners()[slot])] = revision;
            if change < 0 {
                self.note_decrease(slot);
            }
        }
        let absent_changed = row.absent.is_some_and(|absent| self.assign_absent(absent, revision));
        self.keep_totals(now);
        absent_changed || !row.change.is_empty()
    }

    /// Marks a counter that went down. Called before the row's `absent` is taken over: one that had no value before
    /// cannot have gone down.
    pub(super) fn note_decrease(&mut self, slot: usize) {
        if self.layout.counts(slot) && !bits::get(&self.absent, slot) {
            bits::set(&mut self.reset, slot);
            self.any_reset = true;
        }
    }

    /// A counter has started again until it is read once more.
    fn end_resets(&mut self) {
        self.any_reset = false;
        for slot in 0..self.values.len() {
            if bits::get(&self.reset, slot) {
                if bits::get(&self.sampled, usize::from(self.layout.slots()[slot].group)) {
                    bits::clear(&mut self.reset, slot);
                } else {
                    self.any_reset = true;
                }
            }
        }
    }

    /// Takes over which slots have no value; false when they are the same as before.
    fn assign_absent(&mut self, absent: &[u8], revision: u64) -> bool {
        let mut changed = false;
        for at in 0..self.absent.len() {
            let new = absent.get(at).copied().unwrap_or_default();
            let differs = self.absent[at] ^ new;
            for bit in bits::ones(&[differs]) {
                self.owner_revisions[usize::from(self.layout.owners()[at * 8 + bit])] = revision;
            }
            changed |= differs != 0;
            self.absent[at] = new;
            self.reset[at] &= !new;
        }
        changed
    }

    fn out_of_range(&self, slot: usize, change: i64) -> Refusal {
        let (min, max) = self.layout.bounds()[slot];
        let metric = self.layout.slots()[slot].metric;
        let value = self.values[slot].saturating_add(change);
        Refusal::OutOfRange { slot, metric, owner: self.layout.owner(slot), value, min, max }
    }
}

fn check_bitmap(seq: u64, field: &'static str, bitmap: &[u8], length: usize) -> Result<(), Reply> {
    if bits::fits(bitmap, length) {
        Ok(())
    } else {
        Err(Reply::Resync(Resync::Bitmap { seq, field, length }))
    }
}
