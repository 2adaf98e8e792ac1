//! Accepts connections, serves those of agents, and hands on the others.

use std::error::Error;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::StreamExt;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::TcpIncoming;

use super::{Services, broke, readers, wait_until_closed};
use crate::ingest::http2::{self, Opened, Rewound, Settings};

/// A connection that is silent for so long is asked whether it is alive, by the kernel: pings of HTTP/2 would cost a
/// timer and a look at the clock for each row. What the kernel cannot see, an agent that hangs, is found by its silence.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(10);

/// Time between two such questions.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(3);

/// A connection that leaves so many unanswered is closed.
const KEEPALIVE_RETRIES: u32 = 3;

/// Pause after a connection could not be accepted, most likely because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a client may take to begin. One that is connected and has nothing to ask is given to the general server.
const OPEN_TIME_MAX: Duration = Duration::from_secs(5);

/// One thread's share of the agents.
#[derive(Clone)]
pub(super) struct Agents {
    pub(super) services: Services,
    /// Where connections go that are not an agent's.
    pub(super) others: mpsc::Sender<Rewound<TcpStream>>,
    pub(super) shutdown: CancellationToken,
}

impl Agents {
    /// Accepts until shut down.
    pub(super) async fn serve(self, listener: TcpListener) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut incoming = TcpIncoming::from(tokio::net::TcpListener::from_std(listener)?)
            .with_nodelay(Some(true))
            .with_keepalive(Some(KEEPALIVE_AFTER))
            .with_keepalive_interval(Some(KEEPALIVE_INTERVAL))
            .with_keepalive_retries(Some(KEEPALIVE_RETRIES));
        let settings = Settings::of(&readers::builder()).await?;
        // Counts the connections that are open, by its clones.
        let open = Arc::new(());
        while let Some(Some(accepted)) = self.shutdown.run_until_cancelled(incoming.next()).await {
            match accepted {
                Ok(socket) => {
                    let (agents, settings, open) = (self.clone(), settings.clone(), Arc::clone(&open));
                    tokio::spawn(async move {
                        agents.take(socket, &settings).await.unwrap_or_else(|error| broke(&error));
                        drop(open);
                    });
                }
                Err(error) => {
                    tracing::warn!(error = &error as &dyn Error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        self.services.ingest.stop();
        wait_until_closed(&open).await;
        Ok(())
    }

    async fn take(self, socket: tokio::net::TcpStream, settings: &Settings) -> std::io::Result<()> {
        let Agents { services, others, shutdown: _ } = self;
        match http2::open(socket, settings, OPEN_TIME_MAX).await? {
            Opened::Report(arrived) => services.ingest.serve(*arrived, services.log).await,
            // It fails only when the server stops.
            Opened::Other(socket) => {
                let _ = others.send(socket.map(tokio::net::TcpStream::into_std)?).await;
            }
        }
        Ok(())
    }
}
