//! The rules of one connection, without IO: bytes in by [`Connection::receive`], bytes out by [`Connection::outgoing`].

use std::task::{Context, Poll};
use std::time::Instant;

use http::HeaderMap;
use tonic::Status;

use super::super::bucket::Bucket;
use super::super::exchange::Exchange;
use super::super::stream::trailers;
use super::fields;
use super::frame::{self, Head};

/// Bytes received after which the agent is told that it may send as many more: half of a window.
const GIVE_BACK_BYTES: u32 = frame::WINDOW_BYTES / 2;

/// Answers that wait for an agent to read them. One of 30 bytes comes every 20 seconds, so that one which has not read
/// so many is not reading.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Frames a second, and at once, besides those that carry rows. Clients ping, and open windows, some times a minute;
/// whoever sends more makes work for nothing (CVE-2019-9511 to -9518, CVE-2023-44487).
const CONTROL_PER_SECOND: u32 = 20;
const CONTROL_AT_ONCE: u32 = 100;

/// One connection with its report stream.
pub(in super::super) struct Connection {
    exchange: Exchange,
    /// Number of the report stream.
    stream: u32,
    /// The beginning of a frame whose rest has not come.
    begun: Vec<u8>,
    /// Bytes that the agent sent and was not yet given back: on the connection, and on the stream.
    received: u32,
    received_stream: u32,
    window: Window,
    /// Bytes to be written.
    outgoing: Vec<u8>,
    control: Bucket,
    phase: Phase,
    /// Whether the rest of a header block must come next.
    in_block: bool,
    /// Whether the agent has said that it sends no more.
    agent_done: bool,
}

/// What the agent lets us send.
#[derive(Debug)]
struct Window {
    connection: i64,
    stream: i64,
    /// Of a new stream.
    initial: i64,
}

#[derive(Debug)]
enum Phase {
    Open,
    /// The stream ends so, as soon as the answers before that are sent.
    Ending(Status),
    /// Nothing more is read or answered.
    Closed,
}

/// What the agent did against the protocol.
#[derive(Debug)]
struct Fault {
    code: u32,
    what: &'static str,
}

impl Connection {
    /// A connection whose stream was accepted, or was not.
    pub(in super::super) fn new(exchange: Exchange, stream: u32, headers: &HeaderMap, now: Instant) -> Self {
        let mut outgoing = Vec::new();
        let block = fields::response(headers);
        frame::write(frame::HEADERS, frame::END_HEADERS, stream, &block, &mut outgoing);
        // Said at once, so that no request comes that would have to be refused.
        go_away(stream, frame::NO_ERROR, "this connection is its report stream's", &mut outgoing);
        let initial = i64::from(frame::WINDOW_BYTES);
        Self {
            exchange,
            stream,
            begun: Vec::new(),
            received: 0,
            received_stream: 0,
            window: Window { connection: initial, stream: initial, initial },
            outgoing,
            control: Bucket::full(CONTROL_AT_ONCE, now),
            phase: Phase::Open,
            in_block: false,
            agent_done: false,
        }
    }

    /// Bytes to be written; what was written is to be taken from the front.
    pub(super) fn outgoing(&mut self) -> &mut Vec<u8> {
        self.send_answers();
        &mut self.outgoing
    }

    /// Whether the report stream goes on.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open)
    }

    /// Whether all is said: what is outgoing is the last.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// Takes in bytes from the agent.
    pub(super) fn receive(&mut self, bytes: &[u8], now: Instant) {
        let taken = if self.begun.is_empty() {
            self.frames(bytes, now)
        } else {
            let mut all = std::mem::take(&mut self.begun);
            all.extend_from_slice(bytes);
            self.frames(&all, now)
        };
        if let Err(Fault { code, what }) = taken {
            self.exchange.end(what);
            self.close(code, what);
        }
    }

    /// Takes what other tasks want; they wake the task when there is more.
    pub(super) fn take_news(&mut self, context: &Context<'_>) {
        if let Phase::Open = self.phase
            && let Err(status) = self.exchange.take_news(context)
        {
            self.end(status);
        }
    }

    /// Ready when the stream was ended because it waited too long; to be asked when there is nothing to read.
    pub(super) fn poll_deadline(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Phase::Open = self.phase else { return Poll::Pending };
        self.exchange.poll_deadline(context).map(|status| self.end(status))
    }

    /// The connection is gone.
    pub(super) fn lost(&mut self, why: &str) {
        self.exchange.end(why);
        self.phase = Phase::Closed;
    }

    fn frames(&mut self, mut bytes: &[u8], now: Instant) -> Result<(), Fault> {
        while !self.is_closed()
            && let Some(head) = Head::read(bytes)
        {
            if head.length > frame::PAYLOAD_BYTES_MAX {
                return Err(fault(frame::FRAME_SIZE_ERROR, "a frame is longer than 16,384 bytes"));
            }
            let Some(payload) = bytes.get(frame::HEADER_BYTES..frame::HEADER_BYTES + head.length) else {
                break;
            };
            self.frame(head, payload, now)?;
            bytes = &bytes[frame::HEADER_BYTES + head.length..];
        }
        if !self.is_closed() {
            self.begun.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn frame(&mut self, head: Head, payload: &[u8], now: Instant) -> Result<(), Fault> {
        if self.in_block && head.kind != frame::CONTINUATION {
            return Err(fault(frame::PROTOCOL_ERROR, "a header block was interrupted"));
        }
        if head.kind == frame::DATA && head.length > 0 {
            return self.data(head, payload, now);
        }
        if !self.control.take(CONTROL_PER_SECOND, CONTROL_AT_ONCE, now) {
            return Err(fault(frame::ENHANCE_YOUR_CALM, "too many frames that carry nothing"));
        }
        match head.kind {
            frame::DATA => self.data(head, payload, now),
            frame::HEADERS => self.headers(head),
            frame::CONTINUATION if self.in_block => {
                self.in_block = !head.has(frame::END_HEADERS);
                Ok(())
            }
            frame::CONTINUATION | frame::PUSH_PROMISE => {
                Err(fault(frame::PROTOCOL_ERROR, "a frame came that a client does not send here"))
            }
            frame::RST_STREAM if head.stream == self.stream => {
                self.exchange.end("the agent reset the stream");
                self.close(frame::NO_ERROR, "");
                Ok(())
            }
            frame::SETTINGS => self.settings(head, payload),
            frame::PING => self.ping(head, payload),
            frame::WINDOW_UPDATE => self.window_update(head, payload),
            // PRIORITY is obsolete, GOAWAY says that no stream of ours is wanted, and unknown ones are to be passed over.
            _ => Ok(()),
        }
    }

    fn data(&mut self, head: Head, payload: &[u8], now: Instant) -> Result<(), Fault> {
        let length = head.length as u32;
        self.received += length;
        let ours = head.stream == self.stream;
        if ours {
            self.received_stream += length;
        } else if head.stream.is_multiple_of(2) {
            return Err(fault(frame::PROTOCOL_ERROR, "data came on a stream that is none"));
        }
        if self.received.max(self.received_stream) > frame::WINDOW_BYTES {
            return Err(fault(frame::FLOW_CONTROL_ERROR, "more bytes came than the window lets through"));
        }
        let padding = fault(frame::PROTOCOL_ERROR, "there is more padding than payload");
        let data = head.unpadded(payload).ok_or(padding)?;
        if ours && let Phase::Open = self.phase {
            self.agent_done = head.has(frame::END_STREAM);
            if let Err(status) = self.exchange.take(data, now) {
                self.end(status);
            } else if self.agent_done {
                self.end(Status::ok(""));
            }
        }
        self.give_back();
        Ok(())
    }

    /// Lets the agent send as much again as was taken in.
    fn give_back(&mut self) {
        for (received, stream) in [(&mut self.received, 0), (&mut self.received_stream, self.stream)] {
            if *received >= GIVE_BACK_BYTES {
                let more = std::mem::take(received).to_be_bytes();
                frame::write(frame::WINDOW_UPDATE, 0, stream, &more, &mut self.outgoing);
            }
        }
    }

    /// Headers of the report stream are its trailers, or the request that began it; all others begin a stream that is refused.
    fn headers(&mut self, head: Head) -> Result<(), Fault> {
        self.in_block = !head.has(frame::END_HEADERS);
        if head.stream == self.stream {
            if head.has(frame::END_STREAM) {
                self.agent_done = true;
                self.end(Status::ok(""));
            }
            return Ok(());
        }
        if head.stream < self.stream || head.stream.is_multiple_of(2) {
            return Err(fault(frame::PROTOCOL_ERROR, "a stream was opened with a number that is taken"));
        }
        let refused = frame::REFUSED_STREAM.to_be_bytes();
        frame::write(frame::RST_STREAM, 0, head.stream, &refused, &mut self.outgoing);
        Ok(())
    }

    fn settings(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        if head.stream != 0 {
            return Err(fault(frame::PROTOCOL_ERROR, "settings came on a stream"));
        }
        if head.has(frame::ACK) {
            return Ok(());
        }
        let (settings, rest) = payload.as_chunks::<6>();
        if !rest.is_empty() {
            return Err(fault(frame::FRAME_SIZE_ERROR, "settings are cut off"));
        }
        for &[a, b, c, d, e, f] in settings {
            let value = u32::from_be_bytes([c, d, e, f]);
            if u16::from_be_bytes([a, b]) == frame::INITIAL_WINDOW_SIZE {
                if value > frame::WINDOW_BYTES_MAX {
                    return Err(fault(
                        frame::FLOW_CONTROL_ERROR,
                        "a window is set to more than there may be",
                    ));
                }
                self.window.stream += i64::from(value) - self.window.initial;
                self.window.initial = i64::from(value);
            }
        }
        frame::write(frame::SETTINGS, frame::ACK, 0, &[], &mut self.outgoing);
        Ok(())
    }

    fn ping(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        if payload.len() != 8 || head.stream != 0 {
            return Err(fault(frame::FRAME_SIZE_ERROR, "a ping is not eight bytes on the connection"));
        }
        if !head.has(frame::ACK) {
            frame::write(frame::PING, frame::ACK, 0, payload, &mut self.outgoing);
        }
        Ok(())
    }

    fn window_update(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        let more = frame::word(payload).filter(|_| payload.len() == 4).map(|it| it & frame::WINDOW_BYTES_MAX);
        let more = more.ok_or(fault(frame::FRAME_SIZE_ERROR, "a window update is not four bytes"))?;
        if more == 0 {
            return Err(fault(frame::PROTOCOL_ERROR, "a window update adds nothing"));
        }
        let window = match head.stream {
            0 => &mut self.window.connection,
            stream if stream == self.stream => &mut self.window.stream,
            _ => return Ok(()),
        };
        *window += i64::from(more);
        if *window > i64::from(frame::WINDOW_BYTES_MAX) {
            return Err(fault(frame::FLOW_CONTROL_ERROR, "a window grew over what there may be"));
        }
        Ok(())
    }

    /// Moves answers into frames, as far as the agent lets us send, and the end after the last.
    fn send_answers(&mut self) {
        let answers = &mut self.exchange.outgoing;
        if let Phase::Closed = self.phase {
            return;
        }
        if !answers.is_empty() {
            let window = self.window.connection.min(self.window.stream).max(0);
            let count = answers.len().min(usize::try_from(window).unwrap_or(usize::MAX));
            for part in answers[..count].chunks(frame::PAYLOAD_BYTES_MAX) {
                frame::write(frame::DATA, 0, self.stream, part, &mut self.outgoing);
            }
            answers.drain(..count);
            self.window.connection -= count as i64;
            self.window.stream -= count as i64;
            if answers.len() > ANSWER_BYTES_MAX {
                return self.end(Status::resource_exhausted("the agent does not read what it is told"));
            }
            if answers.is_empty() {
                // They are rare: an empty vector takes no memory in between.
                *answers = Vec::new();
            }
        }
        if let Phase::Ending(status) = &self.phase
            && self.exchange.outgoing.is_empty()
        {
            let block = fields::trailers(&trailers(status));
            let flags = frame::END_HEADERS | frame::END_STREAM;
            frame::write(frame::HEADERS, flags, self.stream, &block, &mut self.outgoing);
            if !self.agent_done {
                stop_sending(self.stream, &mut self.outgoing);
            }
            self.close(frame::NO_ERROR, "");
        }
    }

    /// Ends the stream so, after the answers that wait.
    pub(super) fn end(&mut self, status: Status) {
        if let Phase::Open = self.phase {
            self.exchange.end(status.message());
            self.phase = Phase::Ending(status);
        }
    }

    fn close(&mut self, code: u32, why: &str) {
        go_away(self.stream, code, why, &mut self.outgoing);
        self.phase = Phase::Closed;
    }
}

/// Says, after the end of an answer, that the rest of the request is not wanted (section 8.1).
pub(super) fn stop_sending(stream: u32, out: &mut Vec<u8>) {
    frame::write(frame::RST_STREAM, 0, stream, &frame::NO_ERROR.to_be_bytes(), out);
}

/// Says that no stream after this one will be served, and why.
pub(super) fn go_away(stream: u32, code: u32, why: &str, out: &mut Vec<u8>) {
    let payload = [&stream.to_be_bytes()[..], &code.to_be_bytes(), why.as_bytes()].concat();
    frame::write(frame::GOAWAY, 0, 0, &payload, out);
}

fn fault(code: u32, what: &'static str) -> Fault {
    Fault { code, what }
}
