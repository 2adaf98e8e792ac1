//! Follows changes of keys, and finds out when a watch has stalled.
//!
//! A member that lost its cluster ends the watch, because `require_leader` asks for that. A watch that says nothing for a
//! while is asked how far it is; one that does not answer is given up, so that a connection that is half open does not
//! look like a quiet store.

use std::time::Duration;

use etcd_client::{Event, EventType, WatchOptions, WatchResponse, WatchStream};

use super::cluster::{Cluster, Failure};
use super::revisions::Revisions;
use super::{ANSWER_BYTES_MAX, Etcd, Keys, read_failed};
use crate::store::{Change, Error};

/// A watch that is silent for so long is asked how far it is.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// How long it may take to answer. A member that has to catch up first says nothing meanwhile.
const PROGRESS_TIMEOUT: Duration = Duration::from_secs(3);

/// It was asked how far it is and did not say.
#[derive(Debug, thiserror::Error)]
#[error("the watch says nothing for {} s", (SILENCE_MAX + PROGRESS_TIMEOUT).as_secs())]
struct Silent;

/// etcd ended the watch.
#[derive(Debug, thiserror::Error)]
#[error("etcd ended the watch: {0}")]
struct Ended(String);

/// Follows the changes of an [`Etcd`] store.
pub struct Watch {
    keys: Keys,
    revisions: Revisions,
    stream: WatchStream,
}

impl Watch {
    pub(super) async fn open(store: &Etcd, prefix: &str, after_revision: u64) -> Result<Watch, Error> {
        let options = WatchOptions::new().with_prefix();
        let key = store.keys.full(prefix);
        Watch::start(&store.cluster, store.keys.clone(), key, options, after_revision).await
    }

    /// Follows one key.
    pub(super) async fn of_key(
        cluster: &Cluster,
        keys: Keys,
        key: &str,
        after_revision: u64,
    ) -> Result<Watch, Error> {
        let key = keys.full(key);
        Watch::start(cluster, keys, key, WatchOptions::new(), after_revision).await
    }

    async fn start(
        cluster: &Cluster,
        keys: Keys,
        key: String,
        options: WatchOptions,
        after_revision: u64,
    ) -> Result<Watch, Error> {
        let revisions = cluster.revisions().await.map_err(read_failed)?;
        if !revisions.knows_after(after_revision) {
            return Err(Error::Compacted { oldest: revisions.own(1) });
        }
        let options = options.with_start_revision(revisions.wire(after_revision.saturating_add(1)));
        let ask = |client: etcd_client::Client| async move {
            let mut watch = client.watch_client().max_decoding_message_size(ANSWER_BYTES_MAX);
            watch.watch(key, Some(options)).await
        };
        let stream = cluster.ask(ask).await.map_err(|failure| match failure {
            Failure::Refused(error) => Error::Backend(Box::new(error)),
            Failure::Unknown(error) => Error::Unreachable(error),
        })?;
        Ok(Watch { keys, revisions, stream })
    }

    /// The next message. Only waiting for one can be given up without losing any.
    async fn message(&mut self) -> Result<WatchResponse, Error> {
        if let Ok(message) = tokio::time::timeout(SILENCE_MAX, self.stream.message()).await {
            return received(message);
        }
        let silent = |_| Error::Unreachable(Box::new(Silent));
        let asked = self.stream.request_progress();
        tokio::time::timeout(PROGRESS_TIMEOUT, asked).await.map_err(silent)?.map_err(unreachable)?;
        let message = tokio::time::timeout(PROGRESS_TIMEOUT, self.stream.message()).await.map_err(silent)?;
        received(message)
    }

    fn change(&self, event: &Event) -> Option<Change> {
        let it = event.kv()?;
        let value = match event.event_type() {
            EventType::Put => Some(it.value().to_vec()),
            EventType::Delete => None,
        };
        Some(Change { revision: self.revisions.own(it.mod_revision()), key: self.keys.own(it.key())?, value })
    }
}

impl crate::store::Watch for Watch {
    async fn next(&mut self) -> Result<Vec<Change>, Error> {
        loop {
            let message = self.message().await?;
            if message.compact_revision() > 0 {
                return Err(Error::Compacted { oldest: self.revisions.own(message.compact_revision()) });
            }
            if message.canceled() {
                let reason = message.cancel_reason().to_owned();
                return Err(Error::Unreachable(Box::new(Ended(reason))));
            }
            let changes: Vec<Change> = message.events().iter().filter_map(|it| self.change(it)).collect();
            // A message without changes says how far the watch is.
            if !changes.is_empty() {
                return Ok(changes);
            }
        }
    }
}

fn received(message: Result<Option<WatchResponse>, etcd_client::Error>) -> Result<WatchResponse, Error> {
    message
        .map_err(unreachable)?
        .ok_or_else(|| Error::Unreachable(Box::new(Ended("no reason given".to_owned()))))
}

fn unreachable(error: etcd_client::Error) -> Error {
    Error::Unreachable(Box::new(error))
}
