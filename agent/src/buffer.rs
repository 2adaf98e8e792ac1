//! What the agent has to say and nobody has confirmed yet: a bounded journal of steps and a bounded queue of events.
//!
//! There is one of each for all coordinators. Every step has a number; each coordinator's stream has a position, the
//! last number it has confirmed. What all have confirmed is let go; what is too old or too much is dropped, and each
//! stream can tell from its own position how many steps it lost. The state before the oldest kept step is kept with it,
//! so that a stream that comes back after a break starts with the snapshot of that moment and then replays, in order,
//! every row and every change of inventory since: history has no hole that the bounds do not force.
//!
//! Events have their own queue, so that rows never push them out.

use std::{collections::VecDeque, time::Duration};

use ostler_proto::v1;

use crate::table::{self, Step};

/// How much is kept for coordinators that cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps older than this are dropped.
    pub age_max: Duration,
    /// Steps beyond this size in memory are dropped, oldest first.
    pub bytes_max: usize,
    /// Events beyond this number are dropped, oldest first.
    pub events_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // 10 min at 1 Hz are 600 rows of about 300 bytes: 180 KB. 4 MiB leave room for 100 ms or an unruly node.
        Self { age_max: Duration::from_secs(600), bytes_max: 4 << 20, events_max: 1_000 }
    }
}

/// What a row costs besides the bytes it points to.
const STEP_BYTES: usize = size_of::<Kept>();

/// Rows in one `Backlog`, as the wire's contract says.
pub const BACKLOG_ROWS_MAX: usize = 120;

/// Bytes of rows in one `Backlog`: well below the 256 KiB a message may have, as sizes here are upper estimates.
pub const BACKLOG_BYTES_MAX: usize = 128 << 10;

#[derive(Debug)]
struct Kept {
    /// When the reading was taken, on the agent's monotonic clock.
    taken: Duration,
    step: Step,
}

/// A state of the node and when it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The number of the step that led to it; 0 before the first.
    pub number: u64,
    /// When it was read.
    pub taken: Duration,
    /// All of it, with `seq` and `age_ms` left at zero.
    pub snapshot: v1::Snapshot,
}

/// What follows a position in the journal.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Nothing yet.
    Nothing,
    /// Rows, oldest first, each with the time of its reading.
    Rows(Vec<(Duration, v1::Row)>),
    /// A change of inventory and the time of its reading.
    Key(Duration, Box<v1::Snapshot>),
    /// The position has been dropped: start again from [`Journal::state_at`].
    Lost,
}

/// The steps that some coordinator has not confirmed.
#[derive(Debug)]
pub struct Journal {
    limits: Limits,
    /// The state before the first of `steps`; `None` until something was let go.
    base: Option<State>,
    steps: VecDeque<Kept>,
    /// Number of the first of `steps`.
    first: u64,
    /// Estimated size of `steps`.
    bytes: usize,
    /// The last number each coordinator has confirmed.
    confirmed: Vec<u64>,
}

impl Journal {
    /// An empty journal for a number of streams.
    #[must_use]
    pub fn new(limits: Limits, streams: usize) -> Self {
        Self { limits, base: None, steps: VecDeque::new(), first: 1, bytes: 0, confirmed: vec![0; streams] }
    }

    /// Appends what was read at `taken`; returns its number.
    pub fn push(&mut self, step: Step, taken: Duration) -> u64 {
        self.bytes += bytes(&step);
        self.steps.push_back(Kept { taken, step });
        let oldest = taken.saturating_sub(self.limits.age_max);
        // The newest step always stays: it is the present.
        while self.steps.len() > 1 && (self.bytes > self.limits.bytes_max || self.steps[0].taken < oldest) {
            self.let_go();
        }
        self.head()
    }

    /// Number of the newest step; 0 before the first.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.first + self.steps.len() as u64 - 1
    }

    /// Estimated bytes of the steps kept.
    #[must_use]
    pub fn bytes_used(&self) -> usize {
        self.bytes
    }

    /// The last number the stream has confirmed.
    #[must_use]
    pub fn confirmed(&self, stream: usize) -> u64 {
        self.confirmed[stream]
    }

    /// The stream's coordinator has folded everything up to `number`.
    pub fn confirm(&mut self, stream: usize, number: u64) {
        let number = number.min(self.head());
        let confirmed = &mut self.confirmed[stream];
        *confirmed = number.max(*confirmed);
        let all = self.confirmed.iter().min().copied().unwrap_or(number);
        while self.first <= all && self.steps.len() > 1 {
            self.let_go();
        }
    }

    /// The state after `number`, or, when that is no longer kept, the oldest there is. `None` before the first reading.
    #[must_use]
    pub fn state_at(&self, number: u64) -> Option<State> {
        let mut state = self.base.clone();
        for (kept, at) in self.steps.iter().zip(self.first..) {
            if state.is_some() && at > number {
                break;
            }
            advance(&mut state, kept, at);
        }
        state
    }

    /// What follows the step `number`: some rows, or one change of inventory.
    #[must_use]
    pub fn after(&self, number: u64) -> Next {
        if number + 1 < self.first {
            return Next::Lost;
        }
        let from = usize::try_from(number + 1 - self.first).unwrap_or(usize::MAX);
        let mut size = 0;
        let mut rows = Vec::new();
        for kept in self.steps.iter().skip(from).take(BACKLOG_ROWS_MAX) {
            match &kept.step {
                Step::Key(snapshot) if rows.is_empty() => return Next::Key(kept.taken, snapshot.clone()),
                Step::Key(_) => break,
                Step::Row(row) => {
                    size += bytes(&kept.step);
                    if size > BACKLOG_BYTES_MAX && !rows.is_empty() {
                        break;
                    }
                    rows.push((kept.taken, row.clone()));
                }
            }
        }
        if rows.is_empty() { Next::Nothing } else { Next::Rows(rows) }
    }

    fn let_go(&mut self) {
        if let Some(kept) = self.steps.pop_front() {
            self.bytes -= bytes(&kept.step);
            advance(&mut self.base, &kept, self.first);
            self.first += 1;
        }
    }
}

fn advance(state: &mut Option<State>, kept: &Kept, number: u64) {
    match (&kept.step, state.as_mut()) {
        (Step::Key(snapshot), _) => {
            *state = Some(State { number, taken: kept.taken, snapshot: snapshot.as_ref().clone() });
        }
        (Step::Row(row), Some(state)) => {
            table::apply(&mut state.snapshot, row);
            state.number = number;
            state.taken = kept.taken;
        }
        // A table's first step is always a snapshot, so a row without a state cannot be.
        (Step::Row(_), None) => {}
    }
}

/// What a step takes in memory, about; at least what it takes on the wire.
fn bytes(step: &Step) -> usize {
    let sources = |sources: &[v1::SourceStatus]| {
        sources.iter().map(|source| 64 + source.name.len() + source.detail.len()).sum::<usize>()
    };
    STEP_BYTES
        + match step {
            Step::Row(row) => {
                row.changed.len()
                    + row.change.len() * 10
                    + row.sampled.len()
                    + row.absent.len()
                    + sources(&row.sources)
            }
            Step::Key(snapshot) => {
                let gpus = snapshot.gpus.len() * size_of::<v1::GpuInfo>() * 2;
                let engines = snapshot.engines.len() * size_of::<v1::EngineInfo>() * 2;
                gpus + engines + snapshot.values.len() * 16 + sources(&snapshot.sources)
            }
        }
}

/// The events that some coordinator has not confirmed.
#[derive(Debug)]
pub struct Events {
    events_max: usize,
    /// Each with the time it was noticed; ids rise by one.
    kept: VecDeque<(Duration, v1::AgentEvent)>,
    /// Id of the newest; ids start at 1.
    newest: u64,
    /// The last id each coordinator has confirmed.
    confirmed: Vec<u64>,
    /// Events dropped that some coordinator had not confirmed.
    dropped: u64,
}

impl Events {
    /// An empty queue for a number of streams.
    #[must_use]
    pub fn new(limits: Limits, streams: usize) -> Self {
        Self {
            events_max: limits.events_max,
            kept: VecDeque::new(),
            newest: 0,
            confirmed: vec![0; streams],
            dropped: 0,
        }
    }

    /// Appends what was noticed at `noticed`.
    pub fn push(&mut self, kind: v1::agent_event::Kind, noticed: Duration) {
        self.newest += 1;
        self.kept.push_back((noticed, v1::AgentEvent { id: self.newest, age_ms: 0, kind: Some(kind) }));
        if self.kept.len() > self.events_max {
            self.kept.pop_front();
            self.dropped += 1;
        }
    }

    /// The first event after `id`, with the time it was noticed.
    #[must_use]
    pub fn after(&self, id: u64) -> Option<&(Duration, v1::AgentEvent)> {
        let first = self.newest + 1 - self.kept.len() as u64;
        let at = usize::try_from((id + 1).saturating_sub(first)).ok()?;
        self.kept.get(at)
    }

    /// The last id the stream has confirmed.
    #[must_use]
    pub fn confirmed(&self, stream: usize) -> u64 {
        self.confirmed[stream]
    }

    /// The stream's coordinator has folded every event up to `id`.
    pub fn confirm(&mut self, stream: usize, id: u64) {
        let confirmed = &mut self.confirmed[stream];
        *confirmed = id.min(self.newest).max(*confirmed);
        let all = self.confirmed.iter().min().copied().unwrap_or(id);
        while self.kept.front().is_some_and(|(_, event)| event.id <= all) {
            self.kept.pop_front();
        }
    }

    /// Events dropped before every coordinator had confirmed them.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Events waiting for a confirmation.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }
}

#[cfg(test)]
mod tests;
