//! What one stream has said so far, and what to answer: the rules of `agent.proto`, without IO.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ostler_core::detect::Fact;
use ostler_core::event::{Event, Refusal, Reply};
use ostler_core::id;
use ostler_proto::v1;
use ostler_proto::v1::agent_message::Body;
use ostler_proto::v1::coordinator_message::Body as Answer;
use prost::Message;
use tonic::Status;

use super::Shared;
use super::bucket::Bucket;
use super::line::Line;
use super::pass::Nodes;
use super::{pace, wire};
use crate::convert::incoming;
use crate::probe;

/// Shortest and longest interval between rows that an agent may ask for.
const INTERVAL_MIN: Duration = Duration::from_millis(100);
const INTERVAL_MAX: Duration = Duration::from_secs(60);

thread_local! {
    /// Room for the changes of one row, shared by all streams of a thread.
    static CHANGE: RefCell<Vec<i64>> = const { RefCell::new(Vec::new()) };
}

/// One stream's state.
pub(super) struct Session {
    shared: Arc<Shared>,
    /// The nodes that it may be of.
    nodes: Nodes,
    /// The engine's name for the stream, once Hello was taken.
    id: Option<id::Session>,
    /// Whether a snapshot has come since.
    has_snapshot: bool,
    /// Whether the agent said goodbye.
    pub(super) has_left: bool,
    bucket: Bucket,
    /// Number of the newest row or snapshot that was folded.
    seq: u64,
    /// Number of the newest event that was folded.
    event_id: u64,
    acked: Instant,
}

/// What the stream waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Hello,
    Snapshot,
    Reporting,
}

impl Session {
    /// A stream that has just been opened.
    pub(super) fn new(shared: Arc<Shared>, nodes: Nodes, now: Instant) -> Self {
        let bucket = Bucket::full(shared.limits.messages_at_once, now);
        Self {
            shared,
            nodes,
            id: None,
            has_snapshot: false,
            has_left: false,
            bucket,
            seq: 0,
            event_id: 0,
            acked: now,
        }
    }

    /// What it waits for.
    pub(super) fn stage(&self) -> Stage {
        match (self.id, self.has_snapshot) {
            (None, _) => Stage::Hello,
            (Some(_), false) => Stage::Snapshot,
            (Some(_), true) => Stage::Reporting,
        }
    }

    /// Takes one encoded message; gives what to answer, or why the stream must end.
    pub(super) fn message(
        &mut self,
        encoded: &[u8],
        line: &Arc<Line>,
        now: Instant,
    ) -> Result<Option<Answer>, Status> {
        pace::count();
        let limits = self.shared.limits;
        if !self.bucket.take(limits.messages_per_second, limits.messages_at_once, now) {
            let rate = limits.messages_per_second;
            return Err(Status::resource_exhausted(format!(
                "more than {rate} messages a second; send fewer, larger ones"
            )));
        }
        if let Some(id) = self.id
            && let Some(answer) = self.quick_row(id, encoded, now)
        {
            return answer;
        }
        let message = v1::AgentMessage::decode(encoded)
            .map_err(|error| Status::invalid_argument(format!("a message cannot be decoded: {error}")))?;
        // A body that is not known is of a newer agent; there is nothing to do about it here.
        let Some(body) = message.body else { return Ok(None) };
        match (self.id, body) {
            (None, Body::Hello(hello)) => self.hello(&hello, line).map(Some),
            (None, _) => Err(Status::invalid_argument("the first message must be Hello")),
            (Some(id), body) => self.body(id, body, now),
        }
    }

    /// Ends the stream for the engine, which decides what silence means.
    pub(super) fn end(&mut self, reason: &str) {
        let Some(session) = self.id.take() else { return };
        self.shared.lines.leave(session);
        if !self.has_left {
            let _ = self.shared.driver.handle(Event::Disconnected { session, reason });
        }
    }

    /// The way of nearly all messages: an ordinary row. None when it is something else.
    fn quick_row(
        &mut self,
        session: id::Session,
        encoded: &[u8],
        now: Instant,
    ) -> Option<Result<Option<Answer>, Status>> {
        CHANGE.with_borrow_mut(|change| {
            let (row, packed) = wire::row(encoded, change)?;
            let reply = self.shared.driver.handle_row(session, row, packed);
            Some(self.reply(reply, row.seq, now))
        })
    }

    fn body(&mut self, session: id::Session, body: Body, now: Instant) -> Result<Option<Answer>, Status> {
        match body {
            Body::Hello(_) => Err(Status::invalid_argument("Hello came twice; it is the first message only")),
            Body::Snapshot(snapshot) => {
                let fact = incoming::snapshot(&snapshot).map_err(|error| Status::from(&error))?;
                let reply = self.shared.driver.handle(Event::Snapshot { session, snapshot: fact });
                self.has_snapshot |= matches!(reply, Reply::Folded);
                self.reply(reply, snapshot.seq, now)
            }
            Body::Row(row) => self.row(session, &row, now),
            Body::Backlog(backlog) => self.backlog(session, &backlog, now),
            Body::Event(event) => {
                let happening = incoming::happening(&event).map_err(|error| Status::from(&error))?;
                let Some(happening) = happening else { return Ok(None) };
                let reply = self.shared.driver.handle(Event::Happened { session, happening });
                self.event_id = self.event_id.max(event.id);
                self.reply(reply, self.seq, now)
            }
            Body::Goodbye(goodbye) => {
                let (reason, detail) = incoming::goodbye(&goodbye);
                let reply = self.shared.driver.handle(Event::Goodbye { session, reason, detail: &detail });
                self.has_left = true;
                self.reply(reply, self.seq, now)
            }
            Body::ProbePeerResult(result) => {
                if let Some(probed) = probe::probed(session.node, &result) {
                    self.shared.driver.learn(Fact::Probed(probed));
                }
                Ok(None)
            }
            Body::CommandResult(result) => {
                if let Some(probed) = probe::declined(session.node, &result) {
                    self.shared.driver.learn(Fact::Probed(probed));
                }
                Ok(None)
            }
        }
    }

    fn hello(&mut self, hello: &v1::Hello, line: &Arc<Line>) -> Result<Answer, Status> {
        self.nodes.check(&hello.node)?;
        let wanted = Duration::from_millis(hello.interval_ms.into()).clamp(INTERVAL_MIN, INTERVAL_MAX);
        let interval = self.shared.limits.report_interval.unwrap_or(wanted);
        let fact = incoming::hello(hello, interval).map_err(|error| Status::from(&error))?;
        match self.shared.driver.handle(Event::Joined(fact)) {
            Reply::Joined(session) => {
                self.id = Some(session);
                self.shared.lines.enter(session, line);
                Ok(self.welcome(interval))
            }
            Reply::Refused(refusal) => Err(refused(&refusal)),
            Reply::Folded | Reply::Skipped | Reply::Resync(_) => {
                Err(Status::internal("Hello was not answered"))
            }
        }
    }

    fn welcome(&self, interval: Duration) -> Answer {
        let (leader, term) = self.leader();
        let replica = self.shared.driver.replica().to_owned();
        let interval_ms = u32::try_from(interval.as_millis()).unwrap_or(u32::MAX);
        Answer::Welcome(v1::Welcome { replicas: vec![replica.clone()], replica, leader, term, interval_ms })
    }

    fn row(&mut self, session: id::Session, row: &v1::Row, now: Instant) -> Result<Option<Answer>, Status> {
        let sources = incoming::sources("row.sources", &row.sources).map_err(|error| Status::from(&error))?;
        let fact = incoming::row(row, &sources).map_err(|error| Status::from(&error))?;
        let reply = self.shared.driver.handle(Event::Row { session, row: fact });
        self.reply(reply, row.seq, now)
    }

    fn backlog(
        &mut self,
        session: id::Session,
        backlog: &v1::Backlog,
        now: Instant,
    ) -> Result<Option<Answer>, Status> {
        if backlog.rows.len() > incoming::BACKLOG_ROWS_MAX {
            let (count, limit) = (backlog.rows.len(), incoming::BACKLOG_ROWS_MAX);
            let problem = format!("`backlog.rows` has {count} entries; at most {limit} are allowed");
            return Err(Status::resource_exhausted(problem));
        }
        if backlog.rows_dropped > 0 {
            let _ = self.shared.driver.handle(Event::RowsDropped { session, rows: backlog.rows_dropped });
        }
        let mut answer = None;
        for row in &backlog.rows {
            answer = self.row(session, row, now)?.or(answer);
        }
        Ok(answer)
    }

    /// What to tell the agent of the engine's reply to the message with this number.
    fn reply(&mut self, reply: Reply, seq: u64, now: Instant) -> Result<Option<Answer>, Status> {
        match reply {
            Reply::Folded => {
                self.seq = seq;
                Ok(self.ack(now))
            }
            Reply::Skipped | Reply::Joined(_) => Ok(None),
            Reply::Resync(reason) => Ok(Some(Answer::Resync(v1::Resync { reason: reason.to_string() }))),
            Reply::Refused(refusal) => Err(refused(&refusal)),
        }
    }

    fn ack(&mut self, now: Instant) -> Option<Answer> {
        if now.saturating_duration_since(self.acked) < self.shared.limits.ack_interval {
            return None;
        }
        self.acked = now;
        let (leader, term) = self.leader();
        Some(Answer::Ack(v1::Ack { seq: self.seq, event_id: self.event_id, leader, term }))
    }

    fn leader(&self) -> (String, u64) {
        self.shared.driver.view(|view| {
            let leader = view.report.leader.as_deref().unwrap_or_default().to_owned();
            (leader, view.report.term.0)
        })
    }
}

fn refused(refusal: &Refusal) -> Status {
    let text = refusal.to_string();
    match refusal {
        Refusal::Ended => Status::aborted(text),
        Refusal::Full { .. } => Status::resource_exhausted(text),
        Refusal::OlderIncarnation { .. } => Status::failed_precondition(text),
        Refusal::Field { .. } | Refusal::Count { .. } | Refusal::OutOfRange { .. } => {
            Status::invalid_argument(text)
        }
    }
}
