//! Recent history of every value, compressed, in memory.
//!
//! A node's rows are first kept nearly as they came ([`log`]); every minute they are turned into a block of compressed
//! columns ([`block`], [`column`]), which keeps every bit in about half a byte a value. Ten minutes of blocks are kept,
//! and, from the same blocks, a mean (of a gauge) or the last value (of a counter) every 15 seconds for six hours.
//! Times are those of the coordinator. Rows may come late, twice or out of order: they are kept as they come and sorted
//! when they are read. Nothing here reads a clock or does IO.
//!
//! # Memory
//! A node takes at most [`memory_bytes_max`] bytes, whatever its agent sends: the oldest blocks go first, and
//! [`NodeHistory::rows_dropped`] says so. Ordinary data takes about a third of that.

mod block;
mod coarse;
mod column;
mod log;
mod ring;
mod rows;

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ostler_core::layout::{Layout, Owner};
use ostler_core::metric::Metric;
use ostler_core::time::Time;

use block::Block;
use coarse::Coarse;
use log::Log;
use ring::Ring;
use rows::Rows;

/// How long every value is kept.
pub const FINE_KEPT: Duration = Duration::from_secs(600);

/// How long means and last values are kept.
pub const COARSE_KEPT: Duration = Duration::from_secs(6 * 3600);

/// Time between two means of the same series.
pub const COARSE_PERIOD: Duration = Duration::from_secs(15);

/// A log may be sealed when a span of this length ends. At 1 Hz every second end seals 60 rows, just under what a block can
/// hold.
const BLOCK_SPAN: Duration = Duration::from_secs(30);

/// A log with fewer rows waits for the next end, so that slow agents do not leave tiny blocks. At 1 Hz it is more than a
/// span's, and a log that began with so few before its first end that the second does not seal it has room until the third:
/// none is ever full, which all nodes that began together would be in the same second.
const BLOCK_ROWS_MIN: usize = 35;

/// Bytes of blocks a slot may take on average: 600 rows of a bit more than a byte each. Ordinary data takes 0.5.
const FINE_BYTES_PER_SLOT: usize = 640;

/// Bytes of coarse blocks a slot may take: 1,440 points of a byte each. Ordinary data takes 0.5.
const COARSE_BYTES_PER_SLOT: usize = 1440;

/// Bytes that a node may take beside those, so that a node with few slots can keep its times and headers.
const BYTES_PER_NODE: usize = 32 * 1024;

/// Changes of layout that are kept in a ring. An agent that changes more often loses the oldest, as each holds memory.
const LAYOUTS_MAX: usize = 8;

/// The most memory a node with this many slots takes, in bytes: both rings, two logs and the block being made.
pub const fn memory_bytes_max(slots: usize) -> usize {
    slots * (FINE_BYTES_PER_SLOT + COARSE_BYTES_PER_SLOT) + 2 * BYTES_PER_NODE + 2 * log::MEMORY_BYTES_MAX
}

/// Differences as they are kept: each in zigzag order, seven bits a byte, as protobuf packs `sint64`.
pub fn pack(changes: &[i64]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(2 * changes.len());
    changes.iter().for_each(|&change| column::write_signed(change, &mut packed));
    packed
}

/// Counts histories, to spread the moments at which they do their minute's work.
static CREATED: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// Room for sealing, shared by all nodes of a thread.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Where logs are turned into blocks.
#[derive(Debug, Default)]
struct Scratch {
    rows: Rows,
    points: Rows,
    out: Vec<u8>,
}

/// One node's recent past.
#[derive(Debug)]
pub struct NodeHistory {
    /// Meaning of the slots of `log`; none before the first snapshot.
    layout: Option<Arc<Layout>>,
    /// Rows that are not in a block yet.
    log: Log,
    /// Every value of the last ten minutes, oldest first.
    fine: Ring,
    /// Means and last values of the last six hours.
    coarse: Coarse,
    /// Added to times before they are divided into spans, so that nodes which began together do not all seal in the
    /// same second.
    phase: Duration,
    /// Rows that went before their time because the node's share of memory was full.
    rows_dropped: u64,
}

impl Default for NodeHistory {
    fn default() -> Self {
        Self::new()
    }
}

impl NodeHistory {
    /// An empty history.
    pub fn new() -> Self {
        // Steps of the golden ratio fill a span evenly, however many nodes there are.
        let step = CREATED.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9);
        Self::with_phase(BLOCK_SPAN.mul_f64(f64::from(step) / f64::from(u32::MAX)))
    }

    /// An empty history whose spans end `phase` before full ones.
    pub fn with_phase(phase: Duration) -> Self {
        Self {
            layout: None,
            log: Log::default(),
            fine: Ring::new(FINE_KEPT),
            coarse: Coarse::default(),
            phase,
            rows_dropped: 0,
        }
    }

    /// Every value at `at`, in the order of `layout`; bits of `absent` mark slots without a value.
    pub fn snapshot(&mut self, at: Time, layout: Arc<Layout>, values: &[i64], absent: &[u8]) {
        assert_eq!(values.len(), layout.slots().len(), "a checked snapshot has a value for every slot");
        match &self.layout {
            Some(known) if *known == layout => self.make_room(at),
            Some(_) => {
                self.seal(false);
                self.rows_dropped += self.coarse.end_layout(self.layout.as_ref());
                self.layout = Some(layout);
            }
            None => self.layout = Some(layout),
        }
        self.log.push_all(at, values, absent);
    }

    /// Changes since the row before: a bitmap of slots, the differences of its bits as [`pack`] gives them, and which slots
    /// have no value now, when that changed. Rows before the first snapshot are passed over.
    pub fn row(&mut self, at: Time, changed: &[u8], packed: &[u8], absent: Option<&[u8]>) {
        if self.layout.is_none() {
            return;
        }
        self.make_room(at);
        self.log.push_changes(at, changed, packed, absent);
    }

    /// The values of a metric from `from` to `to`, both included, by time: every one where they are still kept, means
    /// and last values every 15 seconds before that. Moments without a value are left out.
    pub fn range(&self, owner: Owner, metric: Metric, from: Time, to: Time) -> Vec<(Time, i64)> {
        let mut points = Vec::new();
        let fine_from = self.fine.earliest().into_iter().chain(self.log_earliest()).min().unwrap_or(to);
        if from < fine_from {
            self.coarse.read(self.layout.as_ref(), owner, metric, &mut |at, value| {
                if at >= from && at < fine_from && at <= to {
                    points.push((at, value));
                }
            });
        }
        let mut take = |at, value| {
            if at >= from && at <= to {
                points.push((at, value));
            }
        };
        self.fine.read(owner, metric, from, to, &mut take);
        read_log(&self.log, self.layout.as_ref(), owner, metric, &mut take);
        if !points.is_sorted_by_key(|point| point.0) {
            points.sort_by_key(|point| point.0);
        }
        points
    }

    /// Memory it takes, in bytes, without the layouts, which are shared.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.log.memory_bytes() + self.fine.memory_bytes() + self.coarse.memory_bytes()
    }

    /// Rows and means that went before their time because the node's share of memory was full.
    pub fn rows_dropped(&self) -> u64 {
        self.rows_dropped
    }

    fn log_earliest(&self) -> Option<Time> {
        (self.log.rows() > 0).then(|| self.log.earliest())
    }

    /// Starts a new log when the present one is full or its span is over.
    fn make_room(&mut self, at: Time) {
        let span = |at: Time| (at + self.phase).as_millis() / BLOCK_SPAN.as_millis() as u64;
        let over = self.log.rows() >= BLOCK_ROWS_MIN && span(at) != span(self.log.last());
        if over || self.log.is_full() {
            self.seal(true);
        }
    }

    /// Turns the log into a block; the next log goes on from its end, or begins with a snapshot.
    fn seal(&mut self, goes_on: bool) {
        let Some(layout) = &self.layout else { return };
        if self.log.rows() == 0 {
            self.log = Log::default();
            return;
        }
        let slots = layout.slots().len();
        SCRATCH.with_borrow_mut(|scratch| {
            let rows = &mut scratch.rows;
            self.log.unroll(slots, rows);
            self.log = if goes_on { Log::after(rows) } else { Log::default() };
            // First, because sealing evens out what nobody will read.
            self.rows_dropped += self.coarse.fold(layout, self.phase, scratch);
            let block = Block::seal(&mut scratch.rows, Arc::clone(layout), &mut scratch.out);
            self.rows_dropped += self.fine.push(block, slots * FINE_BYTES_PER_SLOT + BYTES_PER_NODE);
        });
    }
}

/// Passes on the present values of a log that belong to a metric.
fn read_log(
    log: &Log,
    layout: Option<&Arc<Layout>>,
    owner: Owner,
    metric: Metric,
    take: &mut dyn FnMut(Time, i64),
) {
    let Some((layout, slot)) = layout.and_then(|layout| Some((layout, layout.find(owner, metric)?))) else {
        return;
    };
    SCRATCH.with_borrow_mut(|scratch| {
        let rows = &mut scratch.rows;
        log.unroll(layout.slots().len(), rows);
        rows.present(slot, 0..rows.len()).for_each(|(row, value)| take(rows.time(row), value));
    });
}

#[cfg(test)]
mod tests;
