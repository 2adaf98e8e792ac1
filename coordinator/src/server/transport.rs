//! The two ways in which clients' bytes come: as they are, and under TLS. A port has one of them.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::secured::{Movable, Secured};
use super::seldom::Seldom;
use crate::ingest::Socket;
use crate::tls::{ALPN, Trust};

/// The first byte of whoever speaks TLS: a record of a handshake (RFC 8446, section 5.1).
pub(super) const TLS_HANDSHAKE: u8 = 0x16;

/// A way in which clients' bytes come.
pub(super) trait Transport: Clone + Send + Sync + 'static {
    /// What a connection is served by.
    type Stream: Socket;
    /// The same while it moves from one thread to another.
    type Parked: Send + 'static;

    /// Makes of a socket what is served.
    fn accept(
        &self,
        socket: TcpStream,
        limit: Duration,
    ) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Takes it off this thread.
    fn park(stream: Self::Stream) -> io::Result<Self::Parked>;

    /// Puts it on this thread.
    fn unpark(parked: Self::Parked) -> io::Result<Self::Stream>;
}

/// Bytes as they are.
#[derive(Clone, Debug)]
pub(super) struct Plain;

impl Transport for Plain {
    type Stream = TcpStream;
    type Parked = std::net::TcpStream;

    async fn accept(&self, socket: TcpStream, _: Duration) -> io::Result<TcpStream> {
        Ok(socket)
    }

    fn park(stream: TcpStream) -> io::Result<std::net::TcpStream> {
        stream.into_std()
    }

    fn unpark(parked: std::net::TcpStream) -> io::Result<TcpStream> {
        TcpStream::from_std(parked)
    }
}

/// TLS.
#[derive(Clone)]
pub(super) struct Secure {
    trust: Arc<Trust>,
    /// Those who speak no TLS, and all others: neither hides the other in the log.
    plain: Arc<Seldom>,
    refused: Arc<Seldom>,
}

/// Why a client is not let in.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("it does not speak TLS; give it https:// and the authority's certificate")]
    Plain,
    #[error("it does not speak HTTP/2 under TLS (ALPN h2)")]
    Protocol,
    #[error("its handshake did not end in time; it may speak no TLS, or be far too slow")]
    Late,
    #[error("{0}")]
    Lost(io::Error),
    /// The socket still holds what tells the client why.
    #[error("{0}")]
    Handshake(io::Error, Movable),
}

/// How long a client may take to read why it is not let in. A socket closed with unread bytes in it would be reset, and
/// the client might see that only.
const REFUSED_LINGER_MAX: Duration = Duration::from_secs(1);

/// Bytes that such a client may send meanwhile.
const REFUSED_BYTES_MAX: u64 = 64 << 10;

impl Refused {
    /// Whether somebody connected and went away at once, to see whether the port is there.
    fn only_looked(&self) -> bool {
        match self {
            Refused::Lost(error) | Refused::Handshake(error, _) => {
                error.kind() == io::ErrorKind::UnexpectedEof
            }
            Refused::Plain | Refused::Protocol | Refused::Late => false,
        }
    }
}

/// Waits until the client has read why, and closes.
async fn linger(mut socket: Movable) -> io::Result<()> {
    socket.shutdown().await?;
    tokio::io::copy(&mut socket.take(REFUSED_BYTES_MAX), &mut tokio::io::sink()).await.map(drop)
}

impl Secure {
    pub(super) fn new(trust: Arc<Trust>) -> Secure {
        Secure { trust, plain: Arc::default(), refused: Arc::default() }
    }

    async fn handshake(&self, socket: TcpStream) -> Result<Secured, Refused> {
        let mut first = [0];
        let count = socket.peek(&mut first).await.map_err(Refused::Lost)?;
        if count > 0 && first[0] != TLS_HANDSHAKE {
            return Err(Refused::Plain);
        }
        let room = self.trust.handshakes.acquire().await;
        let material = self.trust.material();
        let acceptor = TlsAcceptor::from(Arc::clone(&material.server));
        let accepted = acceptor.accept(Movable::Here(socket)).into_fallible().await;
        drop(room);
        let stream = accepted.map_err(|(error, socket)| Refused::Handshake(error, socket))?;
        let (_, session) = stream.get_ref();
        if session.alpn_protocol() != Some(ALPN) {
            return Err(Refused::Protocol);
        }
        let pass = self.trust.enter(&material, session.peer_certificates());
        Ok(Secured::new(stream, pass))
    }
}

impl Transport for Secure {
    type Stream = Secured;
    type Parked = Secured;

    async fn accept(&self, socket: TcpStream, limit: Duration) -> io::Result<Secured> {
        let peer = socket.peer_addr()?;
        let refused = match tokio::time::timeout(limit, self.handshake(socket)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(refused)) => refused,
            Err(_) => Refused::Late,
        };
        let seldom = if matches!(refused, Refused::Plain) { &self.plain } else { &self.refused };
        if !refused.only_looked()
            && let Some(hidden) = seldom.pass()
        {
            let error = &refused as &dyn Error;
            tracing::warn!(%peer, error, hidden, "a client is not let in");
        }
        let text = refused.to_string();
        if let Refused::Handshake(_, socket) = refused {
            let _ = tokio::time::timeout(REFUSED_LINGER_MAX, linger(socket)).await;
        }
        Err(io::Error::other(text))
    }

    fn park(stream: Secured) -> io::Result<Secured> {
        stream.park()
    }

    fn unpark(parked: Secured) -> io::Result<Secured> {
        parked.unpark()
    }
}
