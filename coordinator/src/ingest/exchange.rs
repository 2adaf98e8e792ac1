//! One report stream as gRPC sees it, whatever carries its bytes: messages in, answers out, and how long to wait.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::BufMut;
use ostler_proto::v1;
use prost::Message;
use tokio::time::Sleep;
use tonic::Status;

use super::Shared;
use super::assembler::Assembler;
use super::line::{Line, News, Permit};
use super::pass::Nodes;
use super::session::{Session, Stage};

/// One stream; it ends the session when it is dropped.
pub(super) struct Exchange {
    assembler: Assembler,
    session: Session,
    line: Arc<Line>,
    /// Time's limit on what the stream waits for, if it has one; none while it reports.
    deadline: Option<Deadline>,
    /// Encoded answers that wait to be sent, each with its gRPC prefix.
    pub(super) outgoing: Vec<u8>,
    shared: Arc<Shared>,
    _permit: Permit,
}

struct Deadline {
    what: Awaited,
    sleep: Pin<Box<Sleep>>,
}

/// What a stream must not wait for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    Hello,
    Snapshot,
    /// The rest of a message.
    Message,
}

impl Exchange {
    pub(super) fn new(shared: Arc<Shared>, permit: Permit, nodes: Nodes) -> Self {
        Self {
            assembler: Assembler::default(),
            session: Session::new(Arc::clone(&shared), nodes, Instant::now()),
            line: Arc::default(),
            deadline: None,
            outgoing: Vec::new(),
            shared,
            _permit: permit,
        }
    }

    /// Takes in one piece of the request; an error ends the stream with that status.
    pub(super) fn take(&mut self, data: &[u8], now: Instant) -> Result<(), Status> {
        let Self { assembler, session, line, outgoing, shared, .. } = self;
        assembler.push(data, shared.limits.message_bytes_max, |message| {
            if let Some(answer) = session.message(message, line, now)? {
                encode(&v1::CoordinatorMessage { body: Some(answer) }, outgoing);
            }
            if session.has_left { Err(Status::ok("")) } else { Ok(()) }
        })
    }

    /// Takes what other tasks want the stream to send; the task is woken when there is more.
    pub(super) fn take_news(&mut self, context: &Context<'_>) -> Result<(), Status> {
        loop {
            match self.line.poll(context) {
                News::None => return Ok(()),
                News::Send(message) => encode(&message, &mut self.outgoing),
                News::Ended(ending) => return Err(ending.into()),
            }
        }
    }

    /// Ready when the stream has waited too long; to be asked when there is nothing to read.
    pub(super) fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<Status> {
        let awaited = self.awaited();
        let limits = self.shared.limits;
        if self.deadline.as_ref().map(|deadline| deadline.what) != awaited {
            self.deadline = awaited.map(|what| {
                let limit =
                    if what == Awaited::Snapshot { limits.snapshot_within } else { limits.message_within };
                Deadline { what, sleep: Box::pin(tokio::time::sleep(limit)) }
            });
        }
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        ready!(deadline.sleep.as_mut().poll(context));
        Poll::Ready(Status::deadline_exceeded(match deadline.what {
            Awaited::Hello => format!("no Hello came within {:?}", limits.message_within),
            Awaited::Snapshot => format!("no Snapshot came within {:?} after Hello", limits.snapshot_within),
            Awaited::Message => {
                format!("a message was begun and not finished within {:?}", limits.message_within)
            }
        }))
    }

    /// Ends the session, once; `reason` is what people read of it.
    pub(super) fn end(&mut self, reason: &str) {
        self.session.end(reason);
    }

    /// What the stream waits for now, if that has a limit. Messages after Hello do not prolong the wait for a snapshot.
    fn awaited(&self) -> Option<Awaited> {
        match self.session.stage() {
            Stage::Hello => Some(Awaited::Hello),
            Stage::Snapshot => Some(Awaited::Snapshot),
            Stage::Reporting => self.assembler.has_begun().then_some(Awaited::Message),
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.session.end("the connection was lost");
    }
}

fn encode(message: &v1::CoordinatorMessage, out: &mut Vec<u8>) {
    let length = u32::try_from(message.encoded_len()).expect("a coordinator's messages are small");
    out.put_u8(0);
    out.put_u32(length);
    message.encode(out).expect("a vector grows");
}
