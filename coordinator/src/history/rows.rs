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
    series: Vec<Series>,
    /// Bitmap over slots that have no value now; trailing zero bytes may be missing.
    absent_now: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Series {
    /// The value now, and in all rows from `filled` on; what an absent slot holds has no meaning but goes on counting.
    now: i64,
    filled: usize,
    /// Which rows have no value.
    absent: u64,
    values: [i64; ROWS_MAX],
}

impl Rows {
    /// Forgets what it held and makes room for `slots` values, all zero.
    pub(super) fn reset(&mut self, slots: usize) {
        self.series.resize(slots, Series { now: 0, filled: 0, absent: 0, values: [0; ROWS_MAX] });
        self.series.iter_mut().for_each(|series| series.now = 0);
        self.absent_now.clear();
        self.restart();
    }

    /// Forgets the rows but not the values that the last one left.
    pub(super) fn restart(&mut self) {
        self.times.clear();
        for series in &mut self.series {
            series.filled = 0;
            series.absent = 0;
        }
    }

    /// Gives a slot a value in the row that begins.
    pub(super) fn set(&mut self, slot: usize, value: i64) {
        let row = self.times.len();
        let series = &mut self.series[slot];
        if series.now != value {
            // Most that change do so in every row, and then there is one to fill.
            for before in &mut series.values[series.filled..row] {
                *before = series.now;
            }
            series.filled = row;
            series.now = value;
        }
    }

    /// Changes a slot's value by so much in the row that begins.
    pub(super) fn add(&mut self, slot: usize, change: i64) {
        self.set(slot, self.series[slot].now.wrapping_add(change));
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
                if let Some(series) = self.series.get_mut(8 * position + bits.trailing_zeros() as usize) {
                    series.absent |= row;
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
        self.series.len()
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
        self.series[slot].now
    }

    /// Bitmap over slots that have no value now.
    pub(super) fn absent_now(&self) -> &[u8] {
        &self.absent_now
    }

    /// Bitmap over rows in which a slot has no value.
    pub(super) fn absent(&self, slot: usize) -> u64 {
        self.series[slot].absent
    }

    /// The value of a slot in all rows, when it is the same.
    pub(super) fn constant(&self, slot: usize) -> Option<i64> {
        let series = &self.series[slot];
        (series.filled == 0).then_some(series.now)
    }

    /// Values of a slot, one a row.
    pub(super) fn values(&mut self, slot: usize) -> &mut [i64] {
        let rows = self.times.len();
        let series = &mut self.series[slot];
        series.values[series.filled..rows].fill(series.now);
        series.filled = rows;
        &mut series.values[..rows]
    }

    /// Values of a slot that it has in some rows.
    pub(super) fn present(
        &self,
        slot: usize,
        rows: Range<usize>,
    ) -> impl DoubleEndedIterator<Item = (usize, i64)> {
        let series = &self.series[slot];
        rows.filter(|row| series.absent >> row & 1 == 0).map(|row| {
            let value = if row < series.filled { series.values[row] } else { series.now };
            (row, value)
        })
    }
}
