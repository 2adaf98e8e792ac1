//! A report stream as HTTP sees it: a response body that polls its own request body.
//!
//! Reading in the response keeps a stream in one task: a row that arrives wakes it once, and nothing is handed over. It
//! also gives the right back-pressure, because a response that cannot be sent is not polled, and then nothing is read.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{BufMut, Bytes, BytesMut};
use hyper::body::{Body, Frame};
use ostler_proto::v1;
use prost::Message;
use tokio::time::Sleep;
use tonic::Status;

use super::Shared;
use super::assembler::Assembler;
use super::line::{Line, News, Permit};
use super::session::{Session, Stage};

/// One stream; it ends the session when it is dropped.
pub(super) struct Stream<B> {
    incoming: B,
    assembler: Assembler,
    session: Session,
    line: Arc<Line>,
    /// Time's limit on what the stream waits for, if it has one; none while it reports.
    deadline: Option<Deadline>,
    /// Encoded answers that wait to be sent.
    outgoing: BytesMut,
    /// With what the stream ends, once that is known; what waits to be sent goes first.
    ending: Option<Status>,
    finished: bool,
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

impl<B> Stream<B> {
    pub(super) fn new(shared: Arc<Shared>, permit: Permit, incoming: B) -> Self {
        Self {
            incoming,
            assembler: Assembler::default(),
            session: Session::new(Arc::clone(&shared), Instant::now()),
            line: Arc::default(),
            deadline: None,
            outgoing: BytesMut::new(),
            ending: None,
            finished: false,
            shared,
            _permit: permit,
        }
    }

    /// What the stream waits for now, if that has a limit. Messages after Hello do not prolong the wait for a snapshot.
    fn awaited(&self) -> Option<Awaited> {
        match self.session.stage() {
            Stage::Hello => Some(Awaited::Hello),
            Stage::Snapshot => Some(Awaited::Snapshot),
            Stage::Reporting => self.assembler.has_begun().then_some(Awaited::Message),
        }
    }

    /// Ready when the stream has waited too long.
    fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<Status> {
        let awaited = self.awaited();
        if self.deadline.as_ref().map(|deadline| deadline.what) != awaited {
            self.deadline = awaited.map(|what| {
                let limits = self.shared.limits;
                let limit =
                    if what == Awaited::Snapshot { limits.snapshot_within } else { limits.message_within };
                Deadline { what, sleep: Box::pin(tokio::time::sleep(limit)) }
            });
        }
        let Some(deadline) = &mut self.deadline else { return Poll::Pending };
        ready!(deadline.sleep.as_mut().poll(context));
        let limits = self.shared.limits;
        Poll::Ready(Status::deadline_exceeded(match deadline.what {
            Awaited::Hello => format!("no Hello came within {:?}", limits.message_within),
            Awaited::Snapshot => format!("no Snapshot came within {:?} after Hello", limits.snapshot_within),
            Awaited::Message => {
                format!("a message was begun and not finished within {:?}", limits.message_within)
            }
        }))
    }

    /// Takes in one piece of the request.
    fn take(&mut self, data: Bytes) -> Result<(), Status> {
        let now = Instant::now();
        let Self { assembler, session, line, outgoing, shared, .. } = self;
        assembler.push(data, shared.limits.message_bytes_max, |message| {
            if let Some(answer) = session.message(message, line, now)? {
                encode(&v1::CoordinatorMessage { body: Some(answer) }, outgoing);
            }
            if session.has_left { Err(Status::ok("")) } else { Ok(()) }
        })
    }

    /// What other tasks want of the stream.
    fn take_news(&mut self, context: &Context<'_>) -> Result<(), Status> {
        loop {
            match self.line.poll(context) {
                News::None => return Ok(()),
                News::Send(message) => encode(&message, &mut self.outgoing),
                News::Ended => return Err(Status::aborted("another stream of this node took over")),
            }
        }
    }
}

impl<B> Stream<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    /// Goes on until there is something to send, or nothing to do; an error ends the stream with that status.
    fn poll_step(&mut self, context: &mut Context<'_>) -> Poll<Result<Bytes, Status>> {
        self.take_news(context)?;
        loop {
            if !self.outgoing.is_empty() {
                return Poll::Ready(Ok(std::mem::take(&mut self.outgoing).freeze()));
            }
            match Pin::new(&mut self.incoming).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    // Trailers of a request mean nothing to gRPC.
                    if let Ok(data) = frame.into_data() {
                        self.take(data)?;
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Err(Status::cancelled(error.to_string())));
                }
                Poll::Ready(None) => return Poll::Ready(Err(Status::ok(""))),
                Poll::Pending => return self.poll_deadline(context).map(Err),
            }
        }
    }
}

impl<B> Body for Stream<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.finished {
            return Poll::Ready(None);
        }
        if self.ending.is_none() {
            match ready!(self.poll_step(context)) {
                Ok(data) => return Poll::Ready(Some(Ok(Frame::data(data)))),
                Err(status) => {
                    self.session.end(status.message());
                    self.ending = Some(status);
                }
            }
        }
        if !self.outgoing.is_empty() {
            let data = std::mem::take(&mut self.outgoing).freeze();
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        self.finished = true;
        Poll::Ready(self.ending.take().map(|status| Ok(Frame::trailers(trailers(&status)))))
    }
}

impl<B> Drop for Stream<B> {
    fn drop(&mut self) {
        self.session.end("the connection was lost");
    }
}

fn encode(message: &v1::CoordinatorMessage, out: &mut BytesMut) {
    let length = u32::try_from(message.encoded_len()).expect("a coordinator's messages are small");
    out.reserve(5 + message.encoded_len());
    out.put_u8(0);
    out.put_u32(length);
    message.encode(out).expect("room was reserved");
}

fn trailers(status: &Status) -> http::HeaderMap {
    let mut trailers = http::HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        trailers.insert(Status::GRPC_STATUS, (status.code() as i32).into());
    }
    trailers
}
