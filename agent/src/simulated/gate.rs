//! The way to an agent's port, which can be cut as a machine that loses power cuts it: nothing comes back any more, not
//! even a refusal.
//!
//! The kernel goes on answering for a process that is stopped, so a stopped agent alone would look like a dead process on
//! a living host. A gate passes connections on; when it is shut, its full queue has the kernel drop what else comes. That
//! needs no privilege and no network but loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// Connections that wait to be let in: as few as the kernel allows.
const QUEUE: u32 = 1;

/// Connections that fill any such queue.
const FILL_MAX: usize = 16;

/// A connection that was not taken for so long never is.
const TAKEN_WITHIN: Duration = Duration::from_millis(100);

/// Longest life of a connection through the gate; a probe takes less than a second.
const PASSAGE_MAX: Duration = Duration::from_secs(5);

/// The way to one port.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    listener: Arc<TcpListener>,
    passing: JoinHandle<()>,
    /// What fills the queue while it is shut.
    queue: Vec<TcpStream>,
}

impl Gate {
    /// An open gate to a port; to be called in a tokio runtime.
    ///
    /// # Errors
    /// When no port of the loopback can be listened on.
    pub fn open(target: SocketAddr) -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let listener = Arc::new(socket.listen(QUEUE)?);
        let address = listener.local_addr()?;
        let passing = tokio::spawn(pass(Arc::clone(&listener), target));
        Ok(Self { address, listener, passing, queue: Vec::new() })
    }

    /// Where to knock.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the port, as it is when the process behind it has died: the host refuses.
    pub async fn close(self) {
        self.passing.abort();
        // It holds the listener until it has ended.
        let _ = self.passing.await;
    }

    /// Shuts it for good. Takes a few tenths of a second.
    ///
    /// # Errors
    /// When the kernel does not let its queue become full.
    pub async fn shut(&mut self) -> anyhow::Result<()> {
        self.passing.abort();
        while let Ok(taken) = tokio::time::timeout(TAKEN_WITHIN, TcpStream::connect(self.address)).await {
            self.queue.push(taken?);
            ensure!(self.queue.len() < FILL_MAX, "{:?} lets everybody in", self.listener);
        }
        Ok(())
    }
}

async fn pass(listener: Arc<TcpListener>, target: SocketAddr) {
    while let Ok((mut near, _)) = listener.accept().await {
        tokio::spawn(tokio::time::timeout(PASSAGE_MAX, async move {
            if let Ok(mut far) = TcpStream::connect(target).await {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        }));
    }
}
