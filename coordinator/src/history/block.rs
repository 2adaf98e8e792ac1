//! A minute or so of rows turned on its side: one compressed column a slot, and one for the times.

use std::sync::Arc;

use ostler_core::layout::Layout;
use ostler_core::time::Time;

use super::column::{self, ROWS_MAX};

/// What precedes a column: all its values are present.
const PRESENT: u8 = 0;
/// There is no column, because no row has a value.
const ABSENT: u8 = 1;
/// A bitmap of the rows without a value precedes the column.
const MIXED: u8 = 2;

/// Memory of a block besides its bytes: the struct and about what an allocator adds to the bytes.
const OVERHEAD_BYTES: usize = size_of::<Block>() + 16;

/// Rows that no longer change.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) layout: Arc<Layout>,
    bytes: Box<[u8]>,
    rows: u8,
    /// Lowest and highest time of its rows.
    pub(super) earliest: Time,
    pub(super) latest: Time,
}

/// Rows on their way into a block, side by side. Used again and again, so that sealing allocates only the block.
#[derive(Debug, Default)]
pub(super) struct Rows {
    slots: usize,
    times: Vec<i64>,
    /// Row after row.
    values: Vec<i64>,
    /// For each slot, which rows have no value.
    absent: Vec<u64>,
    out: Vec<u8>,
}

impl Rows {
    /// Empties it and makes ready for rows of `slots` values.
    pub(super) fn reset(&mut self, slots: usize) {
        self.slots = slots;
        self.times.clear();
        self.values.clear();
        self.absent.clear();
        self.absent.resize(slots, 0);
    }

    /// Adds a row, of which there may be [`ROWS_MAX`].
    pub(super) fn push(&mut self, at: Time, values: &[i64], absent: &[u8]) {
        let row = self.times.len();
        self.times.push(at.as_millis() as i64);
        self.values.extend_from_slice(values);
        for (position, &byte) in absent.iter().enumerate() {
            let mut bits = byte;
            while bits != 0 {
                if let Some(absent) = self.absent.get_mut(8 * position + bits.trailing_zeros() as usize) {
                    *absent |= 1 << row;
                }
                bits &= bits - 1;
            }
        }
    }

    /// Rows in it.
    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    /// Time of a row.
    pub(super) fn time(&self, row: usize) -> Time {
        Time::from_millis(self.times[row] as u64)
    }

    /// Value of a slot at a row, unless it has none.
    pub(super) fn value(&self, row: usize, slot: usize) -> Option<i64> {
        (self.absent[slot] >> row & 1 == 0).then(|| self.values[row * self.slots + slot])
    }

    /// Compresses the rows, of which there is at least one.
    pub(super) fn seal(&mut self, layout: Arc<Layout>) -> Block {
        self.out.clear();
        column::write(&self.times, &mut self.out);
        let rows = self.times.len();
        let all = u64::MAX >> (ROWS_MAX - rows);
        let mut series = [0; ROWS_MAX];
        for slot in 0..self.slots {
            let absent = self.absent[slot];
            if absent == all {
                self.out.push(ABSENT);
                continue;
            }
            for (row, value) in series[..rows].iter_mut().enumerate() {
                *value = self.values[row * self.slots + slot];
            }
            if absent == 0 {
                self.out.push(PRESENT);
            } else {
                self.out.push(MIXED);
                self.out.extend_from_slice(&absent.to_le_bytes()[..rows.div_ceil(8)]);
                hold_over_gaps(&mut series[..rows], absent);
            }
            column::write(&series[..rows], &mut self.out);
        }
        let times = || self.times.iter().map(|&at| Time::from_millis(at as u64));
        Block {
            layout,
            bytes: self.out.as_slice().into(),
            rows: rows as u8,
            earliest: times().min().unwrap_or_default(),
            latest: times().max().unwrap_or_default(),
        }
    }
}

/// Values that nobody will read repeat their neighbour, so that they cost nothing.
fn hold_over_gaps(series: &mut [i64], absent: u64) {
    let mut held = series[(!absent).trailing_zeros() as usize % series.len()];
    for (row, value) in series.iter_mut().enumerate() {
        if absent >> row & 1 == 1 {
            *value = held;
        }
        held = *value;
    }
}

impl Block {
    /// Memory it takes, without its layout.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes.len() + OVERHEAD_BYTES
    }

    /// Rows in it.
    pub(super) fn len(&self) -> usize {
        usize::from(self.rows)
    }

    /// Passes on the present values of a slot with their times, in order of arrival.
    pub(super) fn read(&self, slot: usize, mut point: impl FnMut(Time, i64)) {
        let rows = self.len();
        let mut times = [0; ROWS_MAX];
        let mut rest = column::read(&self.bytes, rows, &mut times);
        for _ in 0..slot {
            rest = match rest[0] {
                ABSENT => &rest[1..],
                PRESENT => column::skip(&rest[1..], rows),
                _ => column::skip(&rest[1 + rows.div_ceil(8)..], rows),
            };
        }
        let mut absent = 0;
        let column = match rest[0] {
            ABSENT => return,
            PRESENT => &rest[1..],
            _ => {
                let (bitmap, column) = rest[1..].split_at(rows.div_ceil(8));
                absent = bitmap.iter().rev().fold(0, |absent, &byte| absent << 8 | u64::from(byte));
                column
            }
        };
        let mut values = [0; ROWS_MAX];
        column::read(column, rows, &mut values);
        for row in (0..rows).filter(|row| absent >> row & 1 == 0) {
            point(Time::from_millis(times[row] as u64), values[row]);
        }
    }
}
