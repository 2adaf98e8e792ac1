//! A TCP proxy whose way can be broken while it runs.
//!
//! Think of a road with a gate at its begin and a signal man on either lane. The door decides what happens to those who
//! want to enter; each lane has its own speed, width and signal. What is on the road when something is changed feels it at
//! once. Two ways of stopping a lane differ in what is true afterwards: [`Flow::Hold`] is a network that lost its link for a
//! while, so that everything arrives late; [`Flow::Swallow`] is a peer that lost its state, so that what was swallowed is
//! gone and a connection that lost something is reset when the lane opens again.
//!
//! It holds at most [`HELD_BYTES_MAX`] of each lane of each connection, and takes at most [`CONNECTIONS_MAX`] connections;
//! beyond that senders wait, as they do before a full socket. It never reorders, repeats or changes bytes.

mod lane;
mod order;
#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

pub use self::lane::{HELD_BYTES_MAX, Pace};
pub use self::order::{Order, OrderError};

/// Connections through one proxy at a time. A replica has a handful, and an agent one.
pub const CONNECTIONS_MAX: usize = 256;

/// Connections that wait to be taken.
const BACKLOG: u32 = 128;

/// How long to wait before taking the port again, when someone else has it.
const BIND_AGAIN: Duration = Duration::from_millis(20);

/// What befalls connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// At the begin.
    pub door: Door,
    /// From who connects to the target.
    pub up: Lane,
    /// Back.
    pub down: Lane,
}

/// What befalls those who connect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Door {
    /// They reach the target.
    #[default]
    Open,
    /// They are taken and nobody is behind it: half open. What they send is swallowed, nothing comes back.
    Silent,
    /// They are refused, as by a host on which nothing listens.
    Refuse,
}

/// One direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lane {
    /// Whether bytes move.
    pub flow: Flow,
    /// How fast they do.
    pub pace: Pace,
}

/// Whether bytes move.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// They do.
    #[default]
    Pass,
    /// They wait, and arrive when they may pass again.
    Hold,
    /// They are taken and lost.
    Swallow,
}

/// A proxy, which ends with all its connections when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    faults: watch::Sender<Faults>,
    /// How often everything was cut.
    cuts: watch::Sender<u64>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts one on an address, of which port 0 takes a free one, in front of a target.
    pub fn start(listen: SocketAddr, target: SocketAddr) -> io::Result<Proxy> {
        let listener = bind(listen)?;
        let address = listener.local_addr()?;
        let (faults, seen) = watch::channel(Faults::default());
        let (cuts, cut) = watch::channel(0);
        let task = tokio::spawn(serve(listener, Road { address, target, faults: seen, cuts: cut }));
        Ok(Proxy { address, faults, cuts, task })
    }

    /// Where to connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What befalls connections now.
    pub fn faults(&self) -> Faults {
        *self.faults.borrow()
    }

    /// Changes what befalls them, also those that are open.
    pub fn set(&self, faults: Faults) {
        self.faults.send_replace(faults);
    }

    /// Resets all connections that are open.
    pub fn reset(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Does what an order says.
    pub fn obey(&self, order: Order) {
        match order {
            Order::Set(faults) => self.set(faults),
            Order::Reset => self.reset(),
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What every connection has to know.
#[derive(Clone, Debug)]
struct Road {
    address: SocketAddr,
    target: SocketAddr,
    faults: watch::Receiver<Faults>,
    cuts: watch::Receiver<u64>,
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn serve(listener: TcpListener, mut road: Road) {
    let mut connections = JoinSet::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut door = Some(listener);
    loop {
        let refuse = road.faults.borrow_and_update().door == Door::Refuse;
        match (&door, refuse) {
            (Some(_), true) => door = None,
            (None, false) => door = bind(road.address).ok(),
            (Some(_), false) | (None, true) => {}
        }
        tokio::select! {
            changed = road.faults.changed() => if changed.is_err() { return },
            () = tokio::time::sleep(BIND_AGAIN), if door.is_none() && !refuse => {}
            Some(_) = connections.join_next() => {}
            taken = take(door.as_ref(), &places) => {
                // What could not be taken has gone away itself.
                if let Ok((near, place)) = taken {
                    let road = road.clone();
                    connections.spawn(async move {
                        let _ = connection(near, road).await;
                        drop(place);
                    });
                }
            }
        }
    }
}

/// The next connection, once there is place for it; never while there is no door.
async fn take(
    door: Option<&TcpListener>,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let Some(listener) = door else { return std::future::pending().await };
    let place = Arc::clone(places).acquire_owned().await.expect("the semaphore is never closed");
    Ok((listener.accept().await?.0, place))
}

/// Carries one connection until either side, or a fault, ends it.
async fn connection(mut near: TcpStream, road: Road) -> io::Result<()> {
    near.set_nodelay(true)?;
    let mut cuts = road.cuts.clone();
    cuts.mark_unchanged();
    if road.faults.borrow().door == Door::Silent {
        lane::swallow(&mut near, &mut cuts).await?;
        return near.set_zero_linger();
    }
    let mut far = tokio::select! {
        far = TcpStream::connect(road.target) => far?,
        _ = cuts.changed() => return near.set_zero_linger(),
    };
    far.set_nodelay(true)?;
    let (from_near, to_near) = near.split();
    let (from_far, to_far) = far.split();
    let up = lane::carry(from_near, to_far, road.faults.clone(), |faults| faults.up);
    let down = lane::carry(from_far, to_near, road.faults.clone(), |faults| faults.down);
    let ended = tokio::select! {
        ended = async { tokio::try_join!(up, down) } => ended.is_ok(),
        _ = cuts.changed() => false,
    };
    if !ended {
        // Both are reset, as by a host that knows nothing of the connection, and not closed in good order.
        near.set_zero_linger()?;
        far.set_zero_linger()?;
    }
    Ok(())
}
