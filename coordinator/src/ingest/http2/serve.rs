//! The task of one connection: moves bytes between the socket and [`Connection`].

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use http::HeaderMap;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::Sleep;
use tonic::Status;

use super::connection::{Connection, go_away, stop_sending};
use super::{fields, frame};
use crate::ingest::pass::{Pass, Socket};

/// Bytes read at once: a minute's backlog, and far more rows than gather in one connection.
const READ_BYTES: usize = 64 << 10;

/// Bytes that wait to be written above which nothing more is read, so that a client cannot have us answer without end.
const WAITING_BYTES_MAX: usize = 16 << 10;

/// How long an agent may take to read the end of its stream and close. Until then nothing is closed on this side, not even
/// for writing: a socket closed with unread bytes in it would be reset and the end be lost, and a client of gRPC C-core
/// that meets the end of the connection along with the end of the stream may report `UNAVAILABLE` in the status's place.
pub(super) const LINGER_MAX: Duration = Duration::from_secs(5);

/// How long one may take whose certificate counts no more: with a second until that is known, well below the five seconds
/// in which such a connection is closed.
const LOST_LINGER_MAX: Duration = Duration::from_secs(2);

thread_local! {
    /// Where all connections of a thread read into.
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into_boxed_slice());
}

/// Tells an agent that its stream is not accepted, and closes the connection.
pub(in super::super) async fn refuse<S>(mut socket: S, stream: u32, headers: &HeaderMap)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut outgoing = Vec::new();
    let flags = frame::END_HEADERS | frame::END_STREAM;
    frame::write(frame::HEADERS, flags, stream, &fields::response(headers), &mut outgoing);
    stop_sending(stream, &mut outgoing);
    go_away(stream, frame::NO_ERROR, "", &mut outgoing);
    let told = async {
        socket.write_all(&outgoing).await?;
        socket.flush().await?;
        tokio::io::copy(&mut socket, &mut tokio::io::sink()).await
    };
    // Whether it reads it is its own affair.
    let _ = tokio::time::timeout(LINGER_MAX, told).await;
}

/// Serves a connection until it is closed.
pub(in super::super) struct Serve<S> {
    socket: S,
    connection: Connection,
    /// Runs once the stream has ended.
    linger: Option<Pin<Box<Sleep>>>,
}

impl<S: Socket> Serve<S> {
    /// Goes on with a connection of which some was read already.
    pub(in super::super) fn new(socket: S, mut connection: Connection, read: &[u8]) -> Self {
        connection.receive(read, Instant::now());
        Self { socket, connection, linger: None }
    }

    /// Ends the stream of an agent that is not trusted any more, and waits only a moment until it has read so.
    fn end_now(&mut self, status: Status) {
        if self.connection.is_open() {
            self.connection.end(status);
            self.linger = Some(Box::pin(tokio::time::sleep(LOST_LINGER_MAX)));
        }
    }

    /// Reads and writes until neither can go on; an error says that the connection is over.
    fn poll_io(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Infallible>> {
        loop {
            let written = self.poll_write(context)?;
            if written.is_pending() && self.connection.outgoing().len() > WAITING_BYTES_MAX {
                return Poll::Pending;
            }
            let count = ready!(self.poll_read(context))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> io::Result<Poll<()>> {
        let outgoing = self.connection.outgoing();
        while !outgoing.is_empty() {
            let Poll::Ready(count) = Pin::new(&mut self.socket).poll_write(context, outgoing)? else {
                return Ok(Poll::Pending);
            };
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            outgoing.drain(..count);
            if outgoing.is_empty() {
                *outgoing = Vec::new();
            }
        }
        // What TLS keeps back goes out here; a socket by itself keeps nothing.
        Ok(Pin::new(&mut self.socket).poll_flush(context)?)
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        READ.with_borrow_mut(|bytes| {
            let mut buffer = ReadBuf::new(bytes);
            ready!(Pin::new(&mut self.socket).poll_read(context, &mut buffer))?;
            let read = buffer.filled();
            if !self.connection.is_closed() {
                self.connection.receive(read, Instant::now());
            }
            Poll::Ready(Ok(read.len()))
        })
    }
}

impl<S: Socket> Future for Serve<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.connection.take_news(context);
        if let Poll::Ready(status) = self.socket.pass().poll_lost(context) {
            self.end_now(status);
        }
        loop {
            // First, for one who sends without end could keep it from its turn.
            if let Some(linger) = &mut self.linger
                && linger.as_mut().poll(context).is_ready()
            {
                return Poll::Ready(());
            }
            match self.poll_io(context) {
                Poll::Ready(Err(error)) => {
                    self.connection.lost(&format!("the connection was lost: {error}"));
                    return Poll::Ready(());
                }
                Poll::Pending if self.connection.is_open() => {
                    if self.connection.poll_deadline(context).is_pending() {
                        return Poll::Pending;
                    }
                }
                Poll::Pending if self.linger.is_none() => {
                    self.linger = Some(Box::pin(tokio::time::sleep(LINGER_MAX)));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
