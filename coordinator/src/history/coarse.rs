//! Six hours at 15 seconds: what is left of rows when they leave the ten minutes, made while they are sealed.
//!
//! A gauge leaves the mean of its values, rounded to about a thousandth of itself, since more digits of a mean would be
//! kept for nobody; a counter, a state or a set of flags leaves its last value exactly. The point's time is that of the
//! last row in it. Where a block ends in the middle of 15 seconds, two points tell of them.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use ostler_core::layout::{Layout, Owner};
use ostler_core::metric::{Kind, Metric};
use ostler_core::time::Time;

use super::block::Block;
use super::column;
use super::log::Log;
use super::ring::Ring;
use super::rows::Rows;
use super::{BYTES_PER_NODE, COARSE_BYTES_PER_SLOT, COARSE_KEPT, COARSE_PERIOD, Scratch, read_log};

/// Points in a block: eight minutes, so that the log of points before it stays under 6 KiB.
const BLOCK_POINTS: usize = 32;

/// Binary digits of a mean that are kept.
const MEAN_BITS: u32 = 10;

/// Means and last values, and the log of those that are in no block yet.
#[derive(Debug)]
pub(super) struct Coarse {
    log: Log,
    ring: Ring,
}

impl Default for Coarse {
    fn default() -> Self {
        Self { log: Log::default(), ring: Ring::new(COARSE_KEPT) }
    }
}

impl Coarse {
    /// Takes in the rows that are being sealed. Returns how many points went before their time.
    pub(super) fn fold(&mut self, layout: &Arc<Layout>, phase: Duration, scratch: &mut Scratch) -> u64 {
        let Scratch { rows, points, out } = scratch;
        self.log.unroll(layout.slots().len(), points);
        let period = |row: usize| (rows.time(row) + phase).as_millis() / COARSE_PERIOD.as_millis() as u64;
        let mut dropped = 0;
        let mut first = 0;
        for row in 0..rows.len() {
            if row + 1 == rows.len() || period(row + 1) != period(row) {
                self.push(layout, rows, first..row + 1, points);
                first = row + 1;
                if self.log.rows() >= BLOCK_POINTS || self.log.is_full() {
                    dropped += self.seal(layout, points, out);
                }
            }
        }
        dropped
    }

    /// Seals what there is, because other slots follow. Returns how many points went before their time.
    pub(super) fn end_layout(&mut self, layout: Option<&Arc<Layout>>) -> u64 {
        let Some(layout) = layout else { return 0 };
        let mut points = Rows::default();
        self.log.unroll(layout.slots().len(), &mut points);
        let dropped = self.seal(layout, &mut points, &mut Vec::new());
        self.log = Log::default();
        dropped
    }

    /// Passes on all points of a metric.
    pub(super) fn read(
        &self,
        layout: Option<&Arc<Layout>>,
        owner: Owner,
        metric: Metric,
        take: &mut dyn FnMut(Time, i64),
    ) {
        self.ring.read(owner, metric, Time::ZERO, Time::from_millis(u64::MAX), take);
        read_log(&self.log, layout, owner, metric, take);
    }

    /// Memory it takes on the heap.
    pub(super) fn memory_bytes(&self) -> usize {
        self.log.memory_bytes() + self.ring.memory_bytes()
    }

    /// Appends one point for these rows to the log and to `points`, which hold what the log holds.
    fn push(&mut self, layout: &Layout, rows: &Rows, span: Range<usize>, points: &mut Rows) {
        let slots = layout.slots();
        let mut changed = vec![0u8; slots.len().div_ceil(8)];
        let mut absent = vec![0u8; changed.len()];
        let mut changes = Vec::with_capacity(2 * slots.len());
        let values: Vec<Option<i64>> =
            slots.iter().enumerate().map(|(slot, it)| point(rows, slot, it.metric, span.clone())).collect();
        for (slot, value) in values.into_iter().enumerate() {
            let Some(value) = value else {
                absent[slot / 8] |= 1 << (slot % 8);
                continue;
            };
            let before = points.now(slot);
            if value != before {
                changed[slot / 8] |= 1 << (slot % 8);
                column::write_signed(value.wrapping_sub(before), &mut changes);
                points.set(slot, value);
            }
        }
        let at = rows.time(span.end - 1);
        if self.log.is_empty() {
            let all: Vec<i64> = (0..slots.len()).map(|slot| points.now(slot)).collect();
            self.log.push_all(at, &all, &absent);
        } else {
            let news = (absent != points.absent_now()).then_some(absent.as_slice());
            self.log.push_changes(at, &changed, &changes, news);
        }
        points.set_absent(&absent);
        points.end_row(at);
    }

    fn seal(&mut self, layout: &Arc<Layout>, points: &mut Rows, out: &mut Vec<u8>) -> u64 {
        if self.log.rows() == 0 {
            return 0;
        }
        self.log = Log::after(points);
        let block = Block::seal(points, Arc::clone(layout), out);
        points.restart();
        self.ring.push(block, layout.slots().len() * COARSE_BYTES_PER_SLOT + BYTES_PER_NODE)
    }
}

/// What these rows leave of a slot; none when it has no value in any.
fn point(rows: &Rows, slot: usize, metric: Metric, span: Range<usize>) -> Option<i64> {
    let averaged = is_averaged(metric);
    match rows.constant(slot) {
        Some(value) if rows.absent(slot) == 0 => Some(if averaged { rounded(value) } else { value }),
        _ => {
            let mut values = rows.present(slot, span).map(|(_, value)| value);
            if averaged { mean(values) } else { values.next_back() }
        }
    }
}

/// Whether a mean of the metric says something; of a state or a set of flags it does not.
fn is_averaged(metric: Metric) -> bool {
    let flags = [Metric::GpuThrottleReasons, Metric::GpuRecoveryAction, Metric::GpuFabricState];
    metric.kind() == Kind::Gauge && !flags.contains(&metric)
}

/// The mean of the values, rounded to [`MEAN_BITS`] binary digits; none of no values.
fn mean(values: impl Iterator<Item = i64>) -> Option<i64> {
    let (sum, count) = values.fold((0i128, 0i64), |(sum, count), value| (sum + i128::from(value), count + 1));
    let mean = match i64::try_from(2 * sum) {
        // A division of 128 bits takes ten times as long, and no metric needs one.
        Ok(twice) if twice < i64::MAX - count => (twice + count).checked_div_euclid(2 * count)?,
        _ => (2 * sum + i128::from(count)).div_euclid(2 * i128::from(count)) as i64,
    };
    Some(rounded(mean))
}

/// The number with its first [`MEAN_BITS`] binary digits.
fn rounded(mean: i64) -> i64 {
    let digits = 64 - mean.unsigned_abs().leading_zeros();
    let spare = digits.saturating_sub(MEAN_BITS);
    let half = if spare == 0 { 0 } else { 1i64 << (spare - 1) };
    mean.saturating_add(half) >> spare << spare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_keeps_its_first_ten_binary_digits() {
        assert_eq!(mean([].into_iter()), None);
        assert_eq!(mean([1, 2].into_iter()), Some(2));
        assert_eq!(mean([-3, -4].into_iter()), Some(-3));
        assert_eq!(mean([700_000, 700_100].into_iter()), Some(700_416));
        assert_eq!(mean([i64::MAX, i64::MAX].into_iter()), Some(i64::MAX >> 53 << 53));
    }
}
