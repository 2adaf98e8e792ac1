//! One node as the fleet knows it: who it is, what it has, its newest values, and how far they can be trusted.

use std::sync::Arc;
use std::time::Duration;

use super::bits;
use super::seen::Seen;
use super::totals::Kept;
use crate::event::Hello;
use crate::id::{EngineId, GpuId, NodeId, NodeKey, ZoneId};
use crate::inventory::{Engine, Gpu, Source};
use crate::layout::{Layout, Owner};
use crate::metric::Metric;
use crate::time::Time;

/// Intervals without a message after which a node is stale, and periods without a reading after which a value is: two
/// can be lost to one dropped packet and its retransmission.
pub const PATIENCE: u32 = 3;

/// How far a value can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// Read within the last [`PATIENCE`] periods.
    Fresh,
    /// Older than that: the last value known, not the present one.
    Stale,
    /// Never read, or reported as having no value.
    Missing,
    /// Its counter started again; rates need one more reading.
    Reset,
}

/// One value with its age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// In the unit of its metric; zero when it is missing.
    pub value: i64,
    /// Time since it was read at the node.
    pub age: Duration,
    /// How far it can be trusted.
    pub freshness: Freshness,
}

/// A reading whose age is in milliseconds still.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub(crate) value: i64,
    pub(crate) age_ms: u64,
    pub(crate) freshness: Freshness,
}

/// How a node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Connected, no snapshot yet.
    Joining,
    /// Messages arrive.
    Fresh,
    /// No message for [`PATIENCE`] intervals.
    Stale,
    /// Said goodbye.
    Left,
}

impl State {
    /// For example "fresh".
    pub const fn name(self) -> &'static str {
        match self {
            State::Joining => "joining",
            State::Fresh => "fresh",
            State::Stale => "stale",
            State::Left => "left",
        }
    }
}

/// How many nodes are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct StateCounts {
    pub joining: u32,
    pub fresh: u32,
    pub stale: u32,
    pub left: u32,
}

impl StateCounts {
    pub(super) fn of(&mut self, state: State) -> &mut u32 {
        match state {
            State::Joining => &mut self.joining,
            State::Fresh => &mut self.fresh,
            State::Stale => &mut self.stale,
            State::Left => &mut self.left,
        }
    }
}

/// What the rows of the stream continue from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Following {
    /// Nothing yet: the stream is new, and its snapshot is due.
    Nothing,
    /// The message with this number.
    Message(u64),
    /// Nothing, and a snapshot was asked for.
    Asked,
}

/// One node. Its fields lie in memory as they are written here: what each row and each list looks at is together, because
/// with ten thousand nodes every piece of 64 bytes is waited for.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Node {
    /// When its newest message came.
    pub(super) heard: Time,
    /// Number of the stream that may report; none while there is no stream.
    pub(super) session: Option<u64>,
    pub(super) following: Following,
    pub(super) key: NodeKey,
    pub(super) revision: u64,
    pub(super) rows_dropped: u64,
    /// Whether it said goodbye after its newest hello.
    pub(super) left: bool,
    /// Whether a snapshot was ever folded.
    pub(super) reported: bool,
    /// The state that the journal last told of.
    pub(super) told: State,
    /// Whether `reset` has any bit, so that a row need not look.
    pub(super) any_reset: bool,
    /// Sums over its newest values.
    pub(super) kept: Kept,
    pub(super) sources: Vec<Source>,
    pub(super) gpus: Vec<Gpu>,
    pub(super) engines: Vec<Engine>,
    /// What its agent said at the beginning of the newest stream; its sources are moved to `sources`.
    pub(super) hello: Hello,
    pub(super) layout: Arc<Layout>,
    /// One a slot.
    pub(super) values: Vec<i64>,
    /// Bitmap over slots: has no value.
    pub(super) absent: Vec<u8>,
    /// Bitmap over slots: its counter started again with the newest reading.
    pub(super) reset: Vec<u8>,
    /// Bitmap over groups: read in the newest interval.
    pub(super) sampled: Vec<u8>,
    /// When each group was last read, by the coordinator's clock.
    pub(super) sampled_at: Vec<Time>,
    /// Revision of the newest change of each owner: GPUs, engines, host.
    pub(super) owner_revisions: Vec<u64>,
    /// For each engine, bits of the GPUs that it says it runs on.
    pub(super) engine_gpus: Vec<u16>,
    /// When the newest stream began.
    pub(super) joined: Time,
    /// Why its last stream ended; empty while it is up.
    pub(super) ended: Box<str>,
    pub(super) seen: Seen,
}

impl Node {
    /// A node of which nothing but its hello is known yet.
    pub(super) fn new(key: NodeKey, hello: Hello, empty: Arc<Layout>, now: Time) -> Node {
        Node {
            key,
            hello,
            session: None,
            following: Following::Nothing,
            heard: now,
            joined: now,
            left: false,
            reported: false,
            ended: Box::default(),
            told: State::Joining,
            sources: Vec::new(),
            gpus: Vec::new(),
            engines: Vec::new(),
            engine_gpus: Vec::new(),
            layout: empty,
            values: Vec::new(),
            absent: Vec::new(),
            reset: Vec::new(),
            any_reset: false,
            sampled: Vec::new(),
            sampled_at: Vec::new(),
            owner_revisions: Vec::new(),
            revision: 0,
            rows_dropped: 0,
            seen: Seen::default(),
            kept: Kept::default(),
        }
    }

    /// Begins another stream. What is known of the node stays until its snapshot comes.
    pub(super) fn begin(&mut self, hello: Hello, now: Time) {
        self.hello = hello;
        self.following = Following::Nothing;
        self.heard = now;
        self.joined = now;
        self.left = false;
        self.ended = Box::default();
    }

    /// Reads a little of each part that a list of nodes is made of. The memory of many nodes is then waited for all at
    /// once, and not node by node, when the list is made: each is cold, and 10,000 of them are megabytes.
    pub fn read_ahead(nodes: &[&Node]) {
        let parts = |node: &Node| {
            let Node { heard, revision, kept, sources, engines, hello, .. } = node;
            heard.as_millis()
                ^ revision
                ^ u64::from(kept.gpus_ok)
                ^ sources.len() as u64
                ^ engines.len() as u64
                ^ hello.incarnation.0
        };
        std::hint::black_box(nodes.iter().fold(0, |all, node| all ^ parts(node)));
        let lines = |node: &Node| node.hello.encoded.iter().step_by(64).fold(0, |all, byte| all ^ byte);
        std::hint::black_box(nodes.iter().fold(0, |all, node| all ^ lines(node)));
    }

    /// Its place in the fleet.
    pub fn key(&self) -> NodeKey {
        self.key
    }

    /// Its name.
    pub fn id(&self) -> &NodeId {
        &self.hello.node
    }

    /// Its failure domain.
    pub fn zone(&self) -> &ZoneId {
        &self.hello.zone
    }

    /// What its agent said at the beginning of the newest stream, but for the sources, which have changed since.
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// How its agent's sources are doing.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Its GPUs, in the order of its layout.
    pub fn gpus(&self) -> &[Gpu] {
        &self.gpus
    }

    /// Its engines, in the order of its layout.
    pub fn engines(&self) -> &[Engine] {
        &self.engines
    }

    /// Position of a GPU among [`Node::gpus`].
    pub fn gpu_position(&self, gpu: &GpuId) -> Option<u8> {
        position(self.gpus.iter().position(|it| it.id == *gpu))
    }

    /// Position of an engine among [`Node::engines`].
    pub fn engine_position(&self, engine: &EngineId) -> Option<u8> {
        position(self.engines.iter().position(|it| it.id == *engine))
    }

    /// The meaning of its values.
    pub fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Its newest values, one a slot; those in [`Node::absent`] mean nothing.
    pub fn values(&self) -> &[i64] {
        &self.values
    }

    /// Bitmap over slots without a value, least significant bit first.
    pub fn absent(&self) -> &[u8] {
        &self.absent
    }

    /// Whether a stream of it is open.
    pub fn connected(&self) -> bool {
        self.session.is_some()
    }

    /// Number of the newest message folded in this stream; none before its first snapshot and while one is asked for.
    pub fn seq(&self) -> Option<u64> {
        match self.following {
            Following::Message(seq) => Some(seq),
            Following::Nothing | Following::Asked => None,
        }
    }

    /// Highest id of the happenings that were folded in this incarnation; zero before the first.
    pub fn happening_id(&self) -> u64 {
        self.seen.highest()
    }

    /// Rows that its agent had to drop while it was cut off.
    pub fn rows_dropped(&self) -> u64 {
        self.rows_dropped
    }

    /// The fleet's revision at which the node, or any value of it, last changed.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The fleet's revision at which an owner, or any value of it, last changed.
    pub fn owner_revision(&self, owner: Owner) -> u64 {
        self.owner_revisions.get(self.layout.owner_position(owner)).copied().unwrap_or_default()
    }

    /// When its newest stream began.
    pub fn joined(&self) -> Time {
        self.joined
    }

    /// When its newest message came.
    pub fn heard(&self) -> Time {
        self.heard
    }

    /// How it is doing.
    pub fn state(&self, now: Time) -> State {
        if self.left {
            State::Left
        } else if now.since(self.heard) > self.patience() {
            State::Stale
        } else if self.reported {
            State::Fresh
        } else {
            State::Joining
        }
    }

    /// Why it is in this state, for a person.
    pub fn state_reason(&self, now: Time) -> String {
        match self.state(now) {
            State::Joining => String::from("connected; its first snapshot is due"),
            State::Fresh if self.connected() => String::new(),
            State::Fresh => format!("disconnected: {}", self.ended),
            State::Stale => {
                let silence = now.since(self.heard).as_secs_f64();
                let interval = self.hello.interval.as_secs_f64();
                let why = if self.connected() { "connected, but silent" } else { &self.ended };
                format!("no message for {silence:.1} s, and one is due every {interval:.1} s: {why}")
            }
            State::Left => format!("said goodbye: {}", self.ended),
        }
    }

    /// An owner's value of a metric; none when the node does not report it.
    pub fn reading(&self, owner: Owner, metric: Metric, now: Time) -> Option<Reading> {
        Some(self.slot_reading(self.layout.find(owner, metric)?, now))
    }

    /// An owner's value of a metric, if it is fresh.
    pub fn fresh(&self, owner: Owner, metric: Metric, now: Time) -> Option<i64> {
        self.reading(owner, metric, now).filter(|it| it.freshness == Freshness::Fresh).map(|it| it.value)
    }

    /// All values of an owner, ordered by metric.
    pub fn readings(&self, owner: Owner, now: Time) -> impl ExactSizeIterator<Item = (Metric, Reading)> + '_ {
        self.layout.of(owner).map(move |(metric, slot)| (metric, self.slot_reading(slot, now)))
    }

    /// Age and freshness of an owner's most often read group, taken as a whole; missing when it has no value at all.
    pub fn freshness(&self, owner: Owner, now: Time) -> (Duration, Freshness) {
        let Some(group) = self.layout.fastest_group(owner) else {
            return (Duration::ZERO, Freshness::Missing);
        };
        if self.layout.group_slots(group).all(|slot| bits::get(&self.absent, slot)) {
            return (Duration::ZERO, Freshness::Missing);
        }
        let (age_ms, freshness) = self.group_age(group, now);
        (Duration::from_millis(age_ms), freshness)
    }

    /// The value in a slot. Panics when there is no such slot.
    pub(crate) fn slot_reading(&self, slot: usize, now: Time) -> Reading {
        let Slot { value, age_ms, freshness } = self.slot(slot, now);
        Reading { value, age: Duration::from_millis(age_ms), freshness }
    }

    /// As [`Node::slot_reading`], for those who read hundreds of thousands.
    #[inline]
    pub(crate) fn slot(&self, slot: usize, now: Time) -> Slot {
        let (age_ms, freshness) = self.group_age(usize::from(self.layout.slots()[slot].group), now);
        if bits::get(&self.absent, slot) {
            return Slot { value: 0, age_ms, freshness: Freshness::Missing };
        }
        let reset = freshness == Freshness::Fresh && self.any_reset && bits::get(&self.reset, slot);
        let freshness = if reset { Freshness::Reset } else { freshness };
        Slot { value: self.values[slot], age_ms, freshness }
    }

    #[inline]
    pub(super) fn group_age(&self, group: usize, now: Time) -> (u64, Freshness) {
        let age_ms = now.as_millis().saturating_sub(self.sampled_at[group].as_millis());
        let stale = age_ms > u64::from(self.layout.period_ms(group)) * u64::from(PATIENCE);
        (age_ms, if stale { Freshness::Stale } else { Freshness::Fresh })
    }

    /// Bits of the GPUs that an engine says it runs on, by their positions. Panics when there is no such engine.
    pub(crate) fn engine_gpus(&self, position: usize) -> u16 {
        self.engine_gpus[position]
    }

    /// Engines that had something to do and did nothing, by a row that was just folded and changed these slots. Those that
    /// were not read for it are none.
    #[inline]
    pub(crate) fn still_engines<'a>(&'a self, changed: &'a [u8]) -> impl Iterator<Item = u8> + 'a {
        let read = |group: u16| bits::get(&self.sampled, usize::from(group));
        let still = self.layout.watched().still(changed);
        still.filter(move |it| read(it.group) && it.has_work(&self.values)).map(|it| it.engine)
    }

    /// The state that the journal last told of.
    pub(crate) fn told(&self) -> State {
        self.told
    }

    /// How long it may be silent before it is stale.
    pub(crate) fn patience(&self) -> Duration {
        self.hello.interval * PATIENCE
    }
}

fn position(at: Option<usize>) -> Option<u8> {
    at.map(|at| u8::try_from(at).expect("a snapshot lists at most 64 of a kind"))
}
