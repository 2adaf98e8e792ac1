//! The election of a replica that is alone: its store's file is open in one process only.
//!
//! It draws its number from the file like a candidate draws it from etcd, so that terms rise with each start, writes are
//! fenced the same way, and nothing above this module knows the difference. A lease is never lost; keys that an earlier
//! process left are deleted when the next one takes its lease.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ostler_core::lead::{Answer, Config, LeaseId, Request};

use crate::store::embedded::Embedded;
use crate::store::{Compare, Error, OPERATIONS_MAX, Operation, Store, Transaction};

/// The electorate of one.
#[derive(Clone)]
pub struct Alone {
    config: Config,
    store: Embedded,
    leases: Arc<AtomicI64>,
}

impl Alone {
    /// The only user of this store.
    pub fn new(config: Config, store: Embedded) -> Alone {
        Alone { config, store, leases: Arc::default() }
    }

    async fn carry_out(&self, request: Request) -> Result<Answer, Error> {
        match request {
            Request::Grant { ttl } => {
                self.clear().await?;
                Ok(Answer::Granted { lease: LeaseId(self.leases.fetch_add(1, Ordering::Relaxed) + 1), ttl })
            }
            Request::KeepAlive { lease: _ } => Ok(Answer::Kept { ttl: self.config.ttl() }),
            Request::Revoke { lease } => {
                let delete = Operation::Delete(self.config.candidate(lease).into_string());
                self.commit(Vec::new(), vec![delete]).await?;
                Ok(Answer::LeaseNotFound)
            }
            Request::PutIfAbsent { key, value, lease: _ } => self.put_if_absent(&key, &value).await,
            Request::ReadKey { key } => Ok(self
                .number(&key)
                .await?
                .map_or(Answer::KeyGone, |create_revision| Answer::Key { create_revision })),
            Request::ReadQueue { key, create_revision, candidates: _ } => {
                let there = self.number(&key).await? == Some(create_revision);
                let alone = Answer::Queue { ahead: None, revision: self.store.revision() };
                Ok(if there { alone } else { Answer::KeyGone })
            }
            Request::Claim { key, create_revision, epoch_key, epoch } => {
                self.claim(&key, create_revision, &epoch_key, epoch).await
            }
            Request::ReadEpoch { key, create_revision, epoch_key } => {
                if self.number(&key).await? != Some(create_revision) {
                    return Ok(Answer::KeyGone);
                }
                let value = self.store.get(&epoch_key).await?.map(|it| it.value.into_boxed_slice());
                Ok(Answer::Epoch { value })
            }
            Request::SeedEpoch { epoch_key, epoch } => {
                let absent = Compare::CreateRevision(epoch_key.to_string(), 0);
                self.commit(vec![absent], vec![Operation::Put(epoch_key.into_string(), epoch.to_vec())])
                    .await?;
                Ok(Answer::Seeded)
            }
        }
    }

    /// Deletes what earlier processes left.
    async fn clear(&self) -> Result<(), Error> {
        let (left, _) = self.store.list(&self.config.candidates()).await?;
        let deletions: Vec<Operation> = left.into_iter().map(|it| Operation::Delete(it.key)).collect();
        for operations in deletions.chunks(OPERATIONS_MAX) {
            self.commit(Vec::new(), operations.to_vec()).await?;
        }
        Ok(())
    }

    async fn put_if_absent(&self, key: &str, value: &str) -> Result<Answer, Error> {
        let absent = Compare::CreateRevision(key.to_owned(), 0);
        self.commit(vec![absent], vec![Operation::Put(key.to_owned(), value.as_bytes().to_vec())]).await?;
        Ok(self.number(key).await?.map_or(Answer::KeyGone, |create_revision| Answer::Key { create_revision }))
    }

    async fn claim(&self, key: &str, number: u64, epoch_key: &str, epoch: [u8; 8]) -> Result<Answer, Error> {
        if self.number(key).await? != Some(number) {
            return Ok(Answer::KeyGone);
        }
        let Some(stored) = self.store.get(epoch_key).await? else { return Ok(Answer::Epoch { value: None }) };
        if *stored.value >= epoch[..] {
            return Ok(Answer::Epoch { value: Some(stored.value.into_boxed_slice()) });
        }
        let compares = vec![
            Compare::CreateRevision(key.to_owned(), number),
            Compare::ModRevision(epoch_key.to_owned(), stored.mod_revision),
        ];
        let applied =
            self.commit(compares, vec![Operation::Put(epoch_key.to_owned(), epoch.to_vec())]).await?;
        Ok(if applied { Answer::Claimed } else { Answer::Unknown })
    }

    /// The create revision of a key.
    async fn number(&self, key: &str) -> Result<Option<u64>, Error> {
        Ok(self.store.get(key).await?.map(|it| it.create_revision))
    }

    async fn commit(&self, compares: Vec<Compare>, operations: Vec<Operation>) -> Result<bool, Error> {
        Ok(self.store.commit(Transaction { compares, operations }).await?.applied)
    }
}

impl super::Electorate for Alone {
    async fn ask(&self, request: Request) -> Answer {
        self.carry_out(request).await.unwrap_or_else(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "the store fails the election");
            Answer::Unknown
        })
    }

    /// Nobody else can delete anything.
    async fn deleted(&self, _key: &str, _after_revision: u64) -> Result<(), Error> {
        std::future::pending().await
    }
}
