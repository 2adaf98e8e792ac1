//! Accepts connections and finds out whose they are: agents' go to the threads that serve those, others stay.

use std::error::Error;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::TcpIncoming;

use super::readers::Readers;
use super::seldom::Seldom;
use super::transport::{TLS_HANDSHAKE, Transport};
use super::{Services, broke, wait_until_closed};
use crate::ingest::http2::{self, Arrived, Opened, Settings};

/// A connection that is silent for so long is asked whether it is alive, by the kernel: pings of HTTP/2 would cost a
/// timer and a look at the clock for each row. What the kernel cannot see, an agent that hangs, is found by its silence.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(10);

/// Time between two such questions.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(3);

/// A connection that leaves so many unanswered is closed.
const KEEPALIVE_RETRIES: u32 = 3;

/// Pause after a connection could not be accepted, most likely because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a client may take to begin. One that is connected and has nothing to ask is no agent.
const OPEN_TIME_MAX: Duration = Duration::from_secs(5);

/// Accepts until shut down.
pub(super) async fn serve<T: Transport>(
    listener: TcpListener,
    transport: T,
    agents: mpsc::Sender<Arrived<T::Parked>>,
    services: Services,
    shutdown: CancellationToken,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut incoming = TcpIncoming::from(tokio::net::TcpListener::from_std(listener)?)
        .with_nodelay(Some(true))
        .with_keepalive(Some(KEEPALIVE_AFTER))
        .with_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .with_keepalive_retries(Some(KEEPALIVE_RETRIES));
    let readers = Readers::new(services, &shutdown).await?;
    let settings = Settings::of(readers.http()).await?;
    let door = Door { transport, settings, agents, readers, refused: Arc::default() };
    // Counts the connections that are open, by its clones.
    let open = Arc::new(());
    while let Some(Some(accepted)) = shutdown.run_until_cancelled(incoming.next()).await {
        match accepted {
            Ok(socket) => {
                let (door, open) = (door.clone(), Arc::clone(&open));
                tokio::spawn(async move {
                    door.take(socket).await.unwrap_or_else(|error| broke(&*error));
                    drop(open);
                });
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn Error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    wait_until_closed(&open).await;
    Ok(())
}

/// What is needed to let someone in.
struct Door<T: Transport> {
    transport: T,
    settings: Settings,
    agents: mpsc::Sender<Arrived<T::Parked>>,
    readers: Readers,
    refused: Arc<Seldom>,
}

impl<T: Transport> Clone for Door<T> {
    fn clone(&self) -> Door<T> {
        let Door { transport, settings, agents, readers, refused } = self;
        Door {
            transport: transport.clone(),
            settings: settings.clone(),
            agents: agents.clone(),
            readers: readers.clone(),
            refused: Arc::clone(refused),
        }
    }
}

impl<T: Transport> Door<T> {
    async fn take(self, socket: tokio::net::TcpStream) -> Result<(), Box<dyn Error + Send + Sync>> {
        let peer = socket.peer_addr();
        let socket = self.transport.accept(socket, OPEN_TIME_MAX).await?;
        match http2::open(socket, &self.settings, OPEN_TIME_MAX).await? {
            // It fails only when the server stops.
            Opened::Report(arrived) => {
                let _ = self.agents.send(arrived.map(T::park)?).await;
            }
            Opened::Other(socket) if socket.begins_with(TLS_HANDSHAKE) => {
                if let Some(hidden) = self.refused.pass() {
                    let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
                    tracing::warn!(
                        peer,
                        hidden,
                        "a client spoke TLS, which this port does not: give the replica tls.certificate and tls.key, or the client http://"
                    );
                }
            }
            Opened::Other(socket) => self.readers.serve(socket).await?,
        }
        Ok(())
    }
}
