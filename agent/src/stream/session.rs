//! One connection's view of what to say next, without the connection: pure, with time passed in.
//!
//! A session starts with the state that its coordinator last confirmed (or the oldest that is kept), and then follows
//! the journal step by step. When it is one step behind it sends that row; when it is further behind, because the
//! stream was down or the other side is slow, it sends rows in backlogs. Events go between rows, not after them.
//! Messages are spaced to stay below the 20 a second that a coordinator accepts.

use std::{collections::VecDeque, time::Duration};

use ostler_proto::v1::{self, agent_message::Body};

use crate::{
    buffer::{Next, State},
    hub::Outbox,
};

/// Spacing of messages: 15 a second and a burst of 4 are at most 19 in any second, below the 20 the wire allows.
const MESSAGE_SPACING: Duration = Duration::from_millis(67);
const MESSAGE_BURST: u32 = 4;

/// A coordinator that asks for snapshots without end gets one a second.
const SNAPSHOT_SPACING: Duration = Duration::from_secs(1);

/// Replies to orders that wait for their turn: a few orders are in flight at a time.
const REPLIES_MAX: usize = 32;

/// Greatest age the wire allows on a row.
const AGE_MS_MAX: u32 = 3_600_000;

/// Snapshots whose sequence numbers may still be acknowledged.
const RUNS_MAX: usize = 64;

/// What to do now.
#[derive(Clone, Debug, PartialEq)]
pub enum Turn {
    /// Send this.
    Send(Box<v1::AgentMessage>),
    /// Nothing may be sent before this time.
    Wait(Duration),
    /// Nothing to say until something new is read.
    Idle,
}

/// What was sent, for the agent's own metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Rows, those in backlogs included.
    pub rows: u64,
    /// Rows that the coordinator will never see.
    pub rows_dropped: u64,
    /// Snapshots.
    pub snapshots: u64,
    /// Events.
    pub events: u64,
}

/// The state of one stream.
#[derive(Debug)]
pub struct Session {
    /// Which stream this is, in the journal and the event queue.
    stream: usize,
    /// Sequence number of the last message that had one.
    seq: u64,
    /// Journal number of the last step sent.
    position: u64,
    /// Id of the last event sent.
    event: u64,
    /// Where sequence numbers and journal numbers were last brought together: (seq, number), oldest first.
    runs: VecDeque<(u64, u64)>,
    /// A snapshot goes before the next row.
    snapshot_due: bool,
    /// No snapshot goes out before this time.
    snapshot_after: Duration,
    /// Rows lost since the last message that said so.
    dropped: u64,
    /// Whether the last message was an event, so that rows get the next turn.
    event_was_last: bool,
    /// Answers to orders.
    replies: VecDeque<Body>,
    pace: Pace,
    /// What was sent since it was last taken.
    sent: Sent,
}

impl Session {
    /// A session right after Hello, which began at `now`.
    #[must_use]
    pub fn new(stream: usize, outbox: &Outbox, now: Duration) -> Self {
        let mut pace = Pace::default();
        pace.take(now);
        Self {
            stream,
            seq: 0,
            position: outbox.journal.confirmed(stream),
            event: outbox.events.confirmed(stream),
            runs: VecDeque::new(),
            snapshot_due: true,
            snapshot_after: Duration::ZERO,
            dropped: 0,
            event_was_last: false,
            replies: VecDeque::new(),
            pace,
            sent: Sent::default(),
        }
    }

    /// The next message, or how long there is none.
    pub fn turn(&mut self, outbox: &Outbox, now: Duration) -> Turn {
        if let Err(at) = self.pace.free(now) {
            return Turn::Wait(at);
        }
        if let Some(body) = self.replies.pop_front() {
            return self.send(body, now);
        }
        if self.snapshot_due {
            return self.snapshot(outbox, now);
        }
        if !self.event_was_last
            && let Some(body) = self.next_event(outbox, now)
        {
            self.event_was_last = true;
            return self.send(body, now);
        }
        self.event_was_last = false;
        match outbox.journal.after(self.position) {
            Next::Rows(rows) => {
                let body = self.rows(rows, now);
                self.send(body, now)
            }
            Next::Key(taken, snapshot) => {
                self.position += 1;
                let body = self.whole(*snapshot, taken, now);
                self.send(body, now)
            }
            Next::Lost => {
                self.snapshot_due = true;
                self.snapshot(outbox, now)
            }
            Next::Nothing => match self.next_event(outbox, now) {
                Some(body) => self.send(body, now),
                None => Turn::Idle,
            },
        }
    }

    /// The coordinator wants a snapshot next.
    pub fn resync(&mut self) {
        self.snapshot_due = true;
    }

    /// The coordinator has folded everything up to `seq` and `event_id`.
    pub fn acknowledge(&mut self, seq: u64, event_id: u64, outbox: &mut Outbox) {
        outbox.events.confirm(self.stream, event_id.min(self.event));
        let Some(run) = self.runs.iter().rposition(|(start, _)| *start <= seq) else { return };
        self.runs.drain(..run);
        let (start, number) = self.runs[0];
        outbox.journal.confirm(self.stream, (number + (seq - start)).min(self.position));
    }

    /// An answer to an order goes out as soon as possible; false when too many wait already.
    pub fn reply(&mut self, body: Body) -> bool {
        let room = self.replies.len() < REPLIES_MAX;
        if room {
            self.replies.push_back(body);
        }
        room
    }

    /// What was sent since the last call.
    pub fn take_sent(&mut self) -> Sent {
        std::mem::take(&mut self.sent)
    }

    fn send(&mut self, body: Body, now: Duration) -> Turn {
        self.pace.take(now);
        Turn::Send(Box::new(v1::AgentMessage { body: Some(body) }))
    }

    fn snapshot(&mut self, outbox: &Outbox, now: Duration) -> Turn {
        if now < self.snapshot_after {
            return Turn::Wait(self.snapshot_after);
        }
        let Some(State { number, taken, snapshot }) = outbox.journal.state_at(self.position) else {
            return Turn::Idle;
        };
        // The state itself is a reading; what lies between it and the last one sent is lost.
        let lost = number.saturating_sub(self.position).saturating_sub(1);
        self.dropped += lost;
        self.sent.rows_dropped += lost;
        self.position = number;
        self.snapshot_due = false;
        self.snapshot_after = now + SNAPSHOT_SPACING;
        let body = self.whole(snapshot, taken, now);
        self.send(body, now)
    }

    fn whole(&mut self, mut snapshot: v1::Snapshot, taken: Duration, now: Duration) -> Body {
        self.seq += 1;
        if self.runs.len() == RUNS_MAX {
            self.runs.pop_front();
        }
        self.runs.push_back((self.seq, self.position));
        self.sent.snapshots += 1;
        snapshot.seq = self.seq;
        snapshot.age_ms = age_ms(taken, now).min(AGE_MS_MAX);
        Body::Snapshot(snapshot)
    }

    fn rows(&mut self, rows: Vec<(Duration, v1::Row)>, now: Duration) -> Body {
        let count = rows.len() as u64;
        let first = self.seq + 1;
        self.seq += count;
        self.position += count;
        self.sent.rows += count;
        let mut rows = rows.into_iter().zip(first..).map(|((taken, row), seq)| v1::Row {
            seq,
            age_ms: age_ms(taken, now).min(AGE_MS_MAX),
            ..row
        });
        match rows.next() {
            Some(row) if count == 1 && self.dropped == 0 => Body::Row(row),
            first => Body::Backlog(v1::Backlog {
                rows: first.into_iter().chain(rows).collect(),
                rows_dropped: std::mem::take(&mut self.dropped),
            }),
        }
    }

    fn next_event(&mut self, outbox: &Outbox, now: Duration) -> Option<Body> {
        let (noticed, event) = outbox.events.after(self.event)?;
        self.event = event.id;
        self.sent.events += 1;
        Some(Body::Event(v1::AgentEvent { age_ms: age_ms(*noticed, now), ..event.clone() }))
    }
}

fn age_ms(then: Duration, now: Duration) -> u32 {
    u32::try_from(now.saturating_sub(then).as_millis()).unwrap_or(u32::MAX)
}

/// Spaces messages evenly and lets a few go at once.
#[derive(Debug, Default)]
struct Pace {
    /// When the messages sent so far would all be due, one a spacing.
    due: Duration,
}

impl Pace {
    /// Whether a message may go now; if not, when.
    fn free(&self, now: Duration) -> Result<(), Duration> {
        let at = self.due.saturating_sub(MESSAGE_SPACING * (MESSAGE_BURST - 1));
        if now >= at { Ok(()) } else { Err(at) }
    }

    fn take(&mut self, now: Duration) {
        self.due = self.due.max(now) + MESSAGE_SPACING;
    }
}

#[cfg(test)]
mod tests;
