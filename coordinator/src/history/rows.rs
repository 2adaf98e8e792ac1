//! Rows turned on their side, on their way from a log into a block: one series a slot.
//!
//! Most values do not change in a minute, and those that do are not copied from row to row: a series is filled up to the
//! row in which its value changes, and no further. Used again and again, so that sealing allocates only the block.

use std::ops::Range;

use ostler_core::time::Time;

use super::column::ROWS_MAX;

/// At most [`ROWS_MAX`] rows of as many values as there are slots.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// In milliseconds.
    times: Vec<i64>,
    /// Of each slot the value now, and in all rows from `filled` on; what an absent slot holds has no meaning but goes on
    /// counting.
    now: Vec<i64>,
    /// Of each slot the rows whose values are in `values`.
    filled: Vec<u8>,
    /// Of each slot the rows that have no value, a bit each.
    absent: Vec<u64>,
    /// [`ROWS_MAX`] places for each slot.
    values: Vec<i64>,
    /// Bitmap over slots that have no value now; trailing zero bytes may be missing.
    absent_now: Vec<u8>,
}

const _: () = assert!(ROWS_MAX <= 64, "a bit of `absent` for each row");

impl Rows {
    /// Forgets what it held and makes room for `slots` values, all zero.
    pub(super) fn reset(&mut self, slots: usize) {
        self.now.clear();
        self.now.resize(slots, 0);
        self.values.resize(slots * ROWS_MAX, 0);
        self.absent_now.clear();
        self.restart();
    }

    /// Forgets the rows but not the values that the last one left.
    pub(super) fn restart(&mut self) {
        let slots = self.now.len();
        self.times.clear();
        self.filled.clear();
        self.filled.resize(slots, 0);
        self.absent.clear();
        self.absent.resize(slots, 0);
    }

    /// Gives a slot a value in the row that begins.
    pub(super) fn set(&mut self, slot: usize, value: i64) {
        let now = std::mem::replace(&mut self.now[slot], value);
        if now != value {
            let row = self.times.len();
            let filled = usize::from(std::mem::replace(&mut self.filled[slot], row as u8));
            // Most that change do so in every row, and then there is one to fill.
            self.values[slot * ROWS_MAX..][filled..row].fill(now);
        }
    }

    /// Changes a slot's value by so much in the row that begins.
    pub(super) fn add(&mut self, slot: usize, change: i64) {
        self.set(slot, self.now[slot].wrapping_add(change));
    }

    /// Which slots have no value in the row that begins.
    pub(super) fn set_absent(&mut self, bitmap: &[u8]) {
        self.absent_now.clear();
        self.absent_now.extend_from_slice(bitmap);
    }

    /// Ends a row, of which there may be [`ROWS_MAX`].
    pub(super) fn end_row(&mut self, at: Time) {
        let row = 1u64 << self.times.len();
        self.times.push(at.as_millis() as i64);
        for (position, &byte) in self.absent_now.iter().enumerate() {
            let mut bits = byte;
            while bits != 0 {
                if let Some(absent) = self.absent.get_mut(8 * position + bits.trailing_zeros() as usize) {
                    *absent |= row;
                }
                bits &= bits - 1;
            }
        }
    }

    /// Rows in it.
    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    /// Slots of each row.
    pub(super) fn slots(&self) -> usize {
        self.now.len()
    }

    /// Their times, in milliseconds.
    pub(super) fn times(&self) -> &[i64] {
        &self.times
    }

    /// Time of a row.
    pub(super) fn time(&self, row: usize) -> Time {
        Time::from_millis(self.times[row] as u64)
    }

    /// The newest value of a slot, whether or not it has meaning.
    pub(super) fn now(&self, slot: usize) -> i64 {
        self.now[slot]
    }

    /// Bitmap over slots that have no value now.
    pub(super) fn absent_now(&self) -> &[u8] {
        &self.absent_now
    }

    /// Bitmap over rows in which a slot has no value.
    pub(super) fn absent(&self, slot: usize) -> u64 {
        self.absent[slot]
    }

    /// The value of a slot in all rows, when it is the same.
    pub(super) fn constant(&self, slot: usize) -> Option<i64> {
        (self.filled[slot] == 0).then(|| self.now[slot])
    }

    /// Values of a slot, one a row.
    pub(super) fn values(&mut self, slot: usize) -> &mut [i64] {
        let rows = self.times.len();
        let filled = usize::from(std::mem::replace(&mut self.filled[slot], rows as u8));
        let values = &mut self.values[slot * ROWS_MAX..][..rows];
        values[filled..].fill(self.now[slot]);
        values
    }

    /// Values of a slot that it has in some rows.
    pub(super) fn present(
        &self,
        slot: usize,
        rows: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = (usize, i64)> {
        let (now, absent, filled) = (self.now[slot], self.absent[slot], usize::from(self.filled[slot]));
        let values = &self.values[slot * ROWS_MAX..][..ROWS_MAX];
        rows.filter(move |row| absent >> row & 1 == 0)
            .map(move |row| (row, if row < filled { values[row] } else { now }))
    }
}
