//! The newest rows as they came: a few bytes appended for each, nothing worked out.
//!
//! A log begins with all values and goes on with changes, so that it can be read by itself. Every minute it is turned
//! into a [`super::block::Block`], which is smaller but costs work.

use ostler_core::layout::SLOTS_MAX;
use ostler_core::time::Time;

use super::column::{self, ROWS_MAX};
use super::rows::Rows;

/// Kinds of entries are told apart by the low bits of the number that begins one; the rest is the time.
/// This one has the value of every slot instead of changes.
const ALL_VALUES: u64 = 1;
/// The entry has a new bitmap of absent slots.
const ABSENT_CHANGED: u64 = 2;
/// The entry repeats the end of the log before; it is no row.
const CONTINUES: u64 = 4;
/// Bits taken by those above.
const FLAG_BITS: u32 = 3;

/// Bytes after which a log is sealed although it has few rows: what a minute of 16 GPUs and 20 engines takes.
const BYTES_MAX: usize = 32 * 1024;

/// Room is made in steps of this size, because a doubling vector would keep half of itself empty.
const GROWTH: usize = 2048;

/// The most memory of a log: one that is nearly full, and an entry with all values and two bitmaps.
pub(super) const MEMORY_BYTES_MAX: usize = BYTES_MAX + SLOTS_MAX * 10 + 2 * SLOTS_MAX / 8 + 2 * GROWTH;

/// Rows in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Log {
    bytes: Vec<u8>,
    rows: usize,
    /// Time of the newest entry by arrival, from which the next entry counts.
    last: Time,
    /// Lowest time of its rows.
    earliest: Time,
}

impl Log {
    /// A log that goes on after these rows.
    pub(super) fn after(rows: &Rows) -> Self {
        let mut log = Self::default();
        let values = (0..rows.slots()).map(|slot| rows.now(slot));
        let room = rows.absent_now().len() + 3 * rows.slots();
        log.begin(Time::ZERO, ALL_VALUES | ABSENT_CHANGED | CONTINUES, room);
        log.push_state(values, rows.absent_now());
        log
    }

    /// Appends a row with the value of every slot.
    pub(super) fn push_all(&mut self, at: Time, values: &[i64], absent: &[u8]) {
        self.begin(at, ALL_VALUES | ABSENT_CHANGED, absent.len() + 3 * values.len());
        self.push_state(values.iter().copied(), absent);
        self.count_row(at);
    }

    /// Appends a row with the changes of the slots in `changed`, one number of [`column::write_signed`] for each.
    pub(super) fn push_changes(&mut self, at: Time, changed: &[u8], changes: &[u8], absent: Option<&[u8]>) {
        let flags = if absent.is_some() { ABSENT_CHANGED } else { 0 };
        self.begin(at, flags, changed.len() + changes.len() + absent.map_or(0, <[u8]>::len));
        if let Some(absent) = absent {
            self.push_bitmap(absent);
        }
        self.push_bitmap(changed);
        self.bytes.extend_from_slice(changes);
        self.count_row(at);
    }

    /// Rows in it.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// True when it has no entry at all, not even the end of the log before.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// True when the next row must go into another log.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= ROWS_MAX || self.bytes.len() >= BYTES_MAX
    }

    /// Time of the entry that came last.
    pub(super) fn last(&self) -> Time {
        self.last
    }

    /// Lowest time of its rows.
    pub(super) fn earliest(&self) -> Time {
        self.earliest
    }

    /// Memory it takes on the heap.
    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Turns it into rows, which are to be as many slots wide as the layout and need not be empty.
    pub(super) fn unroll(&self, slots: usize, rows: &mut Rows) {
        rows.reset(slots);
        let mut rest = self.bytes.as_slice();
        let mut at = Time::ZERO;
        while !rest.is_empty() {
            let kind = apply(&mut rest, &mut at, rows);
            if kind & CONTINUES == 0 {
                rows.end_row(at);
            }
        }
    }

    fn begin(&mut self, at: Time, flags: u64, room: usize) {
        let needed = self.bytes.len() + room + 16;
        if needed > self.bytes.capacity() {
            self.bytes.reserve_exact(room + 16 + GROWTH);
        }
        let since = at.as_millis().wrapping_sub(self.last.as_millis()) as i64;
        column::write_unsigned((((since << 1) ^ (since >> 63)) as u64) << FLAG_BITS | flags, &mut self.bytes);
        self.last = at;
    }

    fn count_row(&mut self, at: Time) {
        self.earliest = if self.rows == 0 { at } else { self.earliest.min(at) };
        self.rows += 1;
    }

    fn push_state(&mut self, values: impl Iterator<Item = i64>, absent: &[u8]) {
        self.push_bitmap(absent);
        for value in values {
            column::write_signed(value, &mut self.bytes);
        }
    }

    fn push_bitmap(&mut self, bitmap: &[u8]) {
        column::write_unsigned(bitmap.len() as u64, &mut self.bytes);
        self.bytes.extend_from_slice(bitmap);
    }
}

/// Takes one entry from the front of `rest` into the row that begins, moves `at` to its time and returns its kind.
fn apply(rest: &mut &[u8], at: &mut Time, rows: &mut Rows) -> u64 {
    let number = column::read_unsigned(rest);
    let since = number >> FLAG_BITS;
    let since = (since >> 1) as i64 ^ -((since & 1) as i64);
    if number & ABSENT_CHANGED != 0 {
        rows.set_absent(take_bitmap(rest));
    }
    if number & ALL_VALUES != 0 {
        for slot in 0..rows.slots() {
            rows.set(slot, column::read_signed(rest));
        }
    } else {
        for (position, &byte) in take_bitmap(rest).iter().enumerate() {
            let mut bits = byte;
            while bits != 0 {
                let slot = 8 * position + bits.trailing_zeros() as usize;
                rows.add(slot, column::read_signed(rest));
                bits &= bits - 1;
            }
        }
    }
    *at = Time::from_millis(at.as_millis().wrapping_add(since as u64));
    number
}

fn take_bitmap<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let length = column::read_unsigned(rest) as usize;
    let (bitmap, after) = rest.split_at(length);
    *rest = after;
    bitmap
}
