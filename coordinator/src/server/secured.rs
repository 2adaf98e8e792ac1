//! A connection under TLS, which can move between threads as a socket can.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::ingest::Socket;
use crate::tls::Certified;

/// A connection under TLS.
pub(super) struct Secured {
    stream: TlsStream<Movable>,
    pass: Certified,
}

/// The socket below: a thread's runtime knows it, or none does.
#[derive(Debug)]
pub(super) enum Movable {
    Here(TcpStream),
    Parked(std::net::TcpStream),
    /// The kernel did not let it move.
    Gone,
}

impl Secured {
    pub(super) fn new(stream: TlsStream<Movable>, pass: Certified) -> Secured {
        Secured { stream, pass }
    }

    /// Takes the socket off this thread's runtime.
    pub(super) fn park(mut self) -> io::Result<Secured> {
        self.move_by(|socket| match socket {
            Movable::Here(socket) => socket.into_std().map(Movable::Parked),
            other @ (Movable::Parked(_) | Movable::Gone) => Ok(other),
        })?;
        Ok(self)
    }

    /// Puts the socket on this thread's runtime.
    pub(super) fn unpark(mut self) -> io::Result<Secured> {
        self.move_by(|socket| match socket {
            Movable::Parked(socket) => TcpStream::from_std(socket).map(Movable::Here),
            other @ (Movable::Here(_) | Movable::Gone) => Ok(other),
        })?;
        Ok(self)
    }

    fn move_by(&mut self, form: impl FnOnce(Movable) -> io::Result<Movable>) -> io::Result<()> {
        let (socket, _) = self.stream.get_mut();
        *socket = form(std::mem::replace(socket, Movable::Gone))?;
        Ok(())
    }
}

impl Socket for Secured {
    type Pass = Certified;

    fn pass(&self) -> &Certified {
        &self.pass
    }
}

impl AsyncRead for Secured {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Secured {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Movable {
    fn here(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        match self {
            Movable::Here(socket) => Ok(Pin::new(socket)),
            Movable::Parked(_) | Movable::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl AsyncRead for Movable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.here()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Movable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.here()?.poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.here()?.poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.here()?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.here()?.poll_shutdown(context)
    }
}
