//! Serves agents' connections.

use std::error::Error;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::transport::Transport;
use super::{Services, broke, wait_until_closed};
use crate::ingest::http2::Arrived;

/// Serves the connections that come until shut down.
pub(super) async fn serve<T: Transport>(
    mut arrivals: mpsc::Receiver<Arrived<T::Parked>>,
    services: Services,
    shutdown: CancellationToken,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    // Counts the connections that are open, by its clones.
    let open = Arc::new(());
    while let Some(Some(arrived)) = shutdown.run_until_cancelled(arrivals.recv()).await {
        let arrived = match arrived.map(T::unpark) {
            Ok(arrived) => arrived,
            // One agent connects again; the others on this thread go on.
            Err(error) => {
                broke(&error);
                continue;
            }
        };
        let (services, open) = (services.clone(), Arc::clone(&open));
        tokio::spawn(async move {
            services.ingest.serve(arrived, services.log).await;
            drop(open);
        });
    }
    services.ingest.stop();
    wait_until_closed(&open).await;
    Ok(())
}
