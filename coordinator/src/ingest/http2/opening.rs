//! The first moments of a connection: whose is it?
//!
//! Clients wait for the server's settings before they ask for anything, so those are sent at once, the very bytes that
//! the general server would send. Then the first request tells.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response};
use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::fields;
use super::frame::{self, Head};
use super::rewound::Rewound;
use crate::ingest::REPORT_PATH;

/// Bytes after which a connection without a request goes to the general server: the longest frame twice, and settings.
const BYTES_MAX: usize = 3 * frame::PAYLOAD_BYTES_MAX;

/// What a new connection turned out to be.
pub enum Opened<S> {
    /// An agent's.
    Report(Box<Arrived<S>>),
    /// Anything else.
    Other(Rewound<S>),
}

/// An agent's connection.
pub struct Arrived<S> {
    /// What it asks.
    pub request: Request<()>,
    pub(in super::super) stream: u32,
    pub(in super::super) socket: S,
    /// All that was read after the preface.
    pub(in super::super) read: Vec<u8>,
}

impl<S> Arrived<S> {
    /// The same with another form of the socket.
    pub fn map<T>(self, form: impl FnOnce(S) -> io::Result<T>) -> io::Result<Arrived<T>> {
        let Self { request, stream, socket, read } = self;
        Ok(Arrived { request, stream, socket: form(socket)?, read })
    }
}

/// The frame of settings that the general server begins with.
#[derive(Clone, Debug)]
pub struct Settings(Arc<[u8]>);

impl Settings {
    /// Asks the general server for them.
    pub async fn of(builder: &Builder<TokioExecutor>) -> io::Result<Settings> {
        let (mut near, far) = tokio::io::duplex(1024);
        let never =
            hyper::service::service_fn(|_| async { Ok::<_, Infallible>(Response::new(String::new())) });
        let served = builder.serve_connection(TokioIo::new(far), never);
        let read = async {
            let mut bytes = vec![0; frame::HEADER_BYTES];
            near.read_exact(&mut bytes).await?;
            let head = Head::read(&bytes).ok_or(io::ErrorKind::InvalidData)?;
            bytes.resize(frame::HEADER_BYTES + head.length, 0);
            near.read_exact(&mut bytes[frame::HEADER_BYTES..]).await?;
            Ok(Settings(bytes.into()))
        };
        tokio::select! {
            settings = read => settings,
            _ = served => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Greets a client and reads its first request. A client that says nothing sensible within `limit` is an error.
pub async fn open<S>(mut socket: S, settings: &Settings, limit: Duration) -> io::Result<Opened<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    socket.write_all(&settings.0).await?;
    socket.flush().await?;
    let mut read = Vec::new();
    let found = match tokio::time::timeout(limit, find(&mut socket, &mut read)).await {
        Ok(found) => found?,
        // It is connected and has no request yet, as clients that connect ahead do.
        Err(_) if read.starts_with(frame::PREFACE) => None,
        Err(_) => return Err(io::ErrorKind::TimedOut.into()),
    };
    Ok(match found {
        Some((stream, request)) => {
            let read = read.split_off(frame::PREFACE.len());
            Opened::Report(Box::new(Arrived { request, stream, socket, read }))
        }
        None => Opened::Other(Rewound::new(socket, read, settings.0.len())),
    })
}

/// Reads until it is clear what the first request is; gives it when it is an agent's.
async fn find<S>(socket: &mut S, read: &mut Vec<u8>) -> io::Result<Option<(u32, Request<()>)>>
where
    S: AsyncRead + Unpin,
{
    loop {
        match first_request(read) {
            Found::Nothing if read.len() < BYTES_MAX => {}
            Found::Nothing | Found::Other => return Ok(None),
            Found::Report(stream, request) => return Ok(Some((stream, *request))),
        }
        if socket.read_buf(read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

#[derive(Debug)]
pub(super) enum Found {
    /// No request so far.
    Nothing,
    Report(u32, Box<Request<()>>),
    Other,
}

/// What the first request in `bytes` is.
pub(super) fn first_request(bytes: &[u8]) -> Found {
    let compared = bytes.len().min(frame::PREFACE.len());
    if bytes[..compared] != frame::PREFACE[..compared] {
        return Found::Other;
    }
    let mut rest = &bytes[compared..];
    while let Some(head) = Head::read(rest) {
        let after = &rest[frame::HEADER_BYTES..];
        if head.length > frame::PAYLOAD_BYTES_MAX {
            return Found::Other;
        }
        let Some((payload, after)) = after.split_at_checked(head.length) else { break };
        match head.kind {
            frame::SETTINGS | frame::WINDOW_UPDATE | frame::PING | frame::PRIORITY => rest = after,
            frame::HEADERS => return report(head, payload),
            _ => return Found::Other,
        }
    }
    Found::Nothing
}

fn report(head: Head, payload: &[u8]) -> Found {
    if !head.has(frame::END_HEADERS) || head.has(frame::END_STREAM) || head.stream.is_multiple_of(2) {
        return Found::Other;
    }
    match fields::request(head, payload) {
        Some(request) if request.uri().path() == REPORT_PATH && request.method() == Method::POST => {
            Found::Report(head.stream, Box::new(request))
        }
        _ => Found::Other,
    }
}
