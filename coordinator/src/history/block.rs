//! A minute or so of rows turned on its side: one compressed column a slot, and one for the times.

use std::sync::Arc;

use ostler_core::layout::Layout;
use ostler_core::time::Time;

use super::column::{self, ROWS_MAX};
use super::rows::Rows;

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

impl Block {
    /// Compresses rows, of which there is at least one.
    pub(super) fn seal(rows: &mut Rows, layout: Arc<Layout>, out: &mut Vec<u8>) -> Block {
        out.clear();
        column::write(rows.times(), out);
        let count = rows.len();
        let all = u64::MAX >> (ROWS_MAX - count);
        for slot in 0..rows.slots() {
            let absent = rows.absent(slot);
            if absent == all {
                out.push(ABSENT);
            } else if absent != 0 {
                out.push(MIXED);
                out.extend_from_slice(&absent.to_le_bytes()[..count.div_ceil(8)]);
                let values = rows.values(slot);
                hold_over_gaps(values, absent);
                column::write(values, out);
            } else if let Some(value) = rows.constant(slot) {
                out.push(PRESENT);
                column::write_constant(value, out);
            } else {
                out.push(PRESENT);
                column::write(rows.values(slot), out);
            }
        }
        let times = || rows.times().iter().map(|&at| Time::from_millis(at as u64));
        Block {
            layout,
            bytes: out.as_slice().into(),
            rows: count as u8,
            earliest: times().min().unwrap_or_default(),
            latest: times().max().unwrap_or_default(),
        }
    }

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
