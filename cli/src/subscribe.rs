//! A watch that never ends: it reconnects when the stream breaks, and resumes where it was.

use std::time::Duration;

use ostler_proto::v1;
use tokio::sync::mpsc;

use crate::args::Server;
use crate::client::Client;
use crate::error::Error;

/// Answers that wait for the reader; a slow terminal then slows the stream, and the coordinator merges what changes.
const QUEUE: usize = 64;

/// First and longest pause before another attempt.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(4));

/// What the reader hears.
#[derive(Debug)]
pub(crate) enum Update {
    /// Something changed.
    Response(v1::WatchResponse),
    /// The stream broke and is being taken up again.
    Lost(Error),
}

/// Watches the coordinator until the receiver is dropped. An answer that no retry can change (a wrong filter)
/// ends it after its [`Update::Lost`].
pub(crate) fn subscribe(server: Server, request: v1::WatchRequest) -> mpsc::Receiver<Update> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(run(server, request, sender));
    receiver
}

async fn run(server: Server, mut request: v1::WatchRequest, sender: mpsc::Sender<Update>) {
    let mut pause = PAUSE.0;
    loop {
        let error = match stream(&server, &mut request, &sender, &mut pause).await {
            Ok(()) => return,
            Err(error) => error,
        };
        let retry = !matches!(error, Error::Usage(_));
        if sender.send(Update::Lost(error)).await.is_err() || !retry {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}

/// One stream until it breaks; fine when the receiver is gone.
async fn stream(
    server: &Server,
    request: &mut v1::WatchRequest,
    sender: &mpsc::Sender<Update>,
    pause: &mut Duration,
) -> Result<(), Error> {
    let client = Client::connect(server).await?;
    let mut stream = client.watch(request.clone()).await?;
    loop {
        let message = tokio::select! {
            () = sender.closed() => return Ok(()),
            message = stream.message() => message,
        };
        let ended =
            || Error::Unavailable { server: server.url.clone(), reason: "the stream ended".to_owned() };
        let response =
            message.map_err(|status| Error::from_status(&status, &server.url))?.ok_or_else(ended)?;
        *pause = PAUSE.0;
        request.resume_revision = response.revision;
        request.resume_epoch.clone_from(&response.epoch);
        if sender.send(Update::Response(response)).await.is_err() {
            return Ok(());
        }
    }
}
