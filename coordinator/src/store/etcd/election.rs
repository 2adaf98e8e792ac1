//! Carries out what the election asks, on connections of its own.
//!
//! Each request is the RPC that its doc in [`ostler_core::lead::Request`] says; the model of etcd in that module's tests
//! maps them the same way.

use std::sync::Arc;
use std::time::Duration;

use etcd_client::{
    Client, Compare, CompareOp, Error as EtcdError, GetOptions, GetResponse, LeaseKeepAliveStream,
    LeaseKeeper, PutOptions, SortOrder, SortTarget, Txn, TxnOp, TxnOpResponse, TxnResponse,
};
use ostler_core::lead::{Answer, LeaseId, Request};
use tokio::sync::Mutex;

use super::cluster::{Cluster, Failure};
use super::revisions::Revisions;
use super::watch::Watch;
use super::{Config, Keys, from_wire, revision_of, to_wire};
use crate::store::{Error, Watch as _};

/// etcd as the election sees it. Clones share the connections.
#[derive(Clone)]
pub struct Electorate {
    cluster: Cluster,
    keys: Keys,
    /// The open stream of keepalives. Whoever asks takes it and puts it back when it was answered, so that an answer that
    /// comes late is never taken for that to a later question.
    keeper: Arc<Mutex<Option<Keeper>>>,
}

struct Keeper {
    lease: LeaseId,
    asks: LeaseKeeper,
    answers: LeaseKeepAliveStream,
}

impl Electorate {
    /// Connects to nobody yet.
    pub fn open(config: &Config) -> Result<Electorate, Error> {
        let cluster = Cluster::open(config)?;
        let keys = Keys { prefix: config.prefix.clone() };
        Ok(Electorate { cluster, keys, keeper: Arc::default() })
    }

    async fn grant(&self, ttl: Duration) -> Result<Answer, Failure> {
        let seconds = to_wire(ttl.as_secs());
        let ask = |client: Client| async move { client.lease_client().grant(seconds, None).await };
        let granted = self.cluster.ask(ask).await?;
        Ok(Answer::Granted {
            lease: LeaseId(granted.id()),
            ttl: Duration::from_secs(from_wire(granted.ttl())),
        })
    }

    async fn revoke(&self, lease: LeaseId) -> Result<Answer, Failure> {
        self.keeper.lock().await.take();
        let ask = |client: Client| async move { client.lease_client().revoke(lease.0).await };
        self.cluster.ask(ask).await?;
        Ok(Answer::Kept { ttl: Duration::ZERO })
    }

    async fn keep_alive(&self, lease: LeaseId) -> Result<Answer, Failure> {
        let open = self.keeper.lock().await.take().filter(|keeper| keeper.lease == lease);
        let ask = |client: Client| async move {
            let mut keeper = match open {
                Some(keeper) => keeper,
                None => {
                    let (asks, answers) = client.lease_client().keep_alive(lease.0).await?;
                    Keeper { lease, asks, answers }
                }
            };
            keeper.asks.keep_alive().await?;
            let answer = keeper.answers.message().await?;
            let ttl =
                answer.ok_or_else(|| EtcdError::Internal("the stream of keepalives ended".to_owned()))?.ttl();
            Ok((keeper, ttl))
        };
        match self.cluster.ask(ask).await {
            Ok((keeper, ttl)) => {
                *self.keeper.lock().await = Some(keeper);
                Ok(Answer::Kept { ttl: Duration::from_secs(from_wire(ttl)) })
            }
            Err(failure) if lease_is_gone(&failure) => Ok(Answer::LeaseNotFound),
            Err(failure) => Err(failure),
        }
    }

    async fn put_if_absent(&self, key: &str, value: &str, lease: LeaseId) -> Result<Answer, Failure> {
        let key = self.keys.full(key);
        let put = TxnOp::put(key.clone(), value, Some(PutOptions::new().with_lease(lease.0)));
        let absent = Compare::create_revision(key.clone(), CompareOp::Equal, 0);
        let txn = Txn::new().when([absent]).and_then([put]).or_else([TxnOp::get(key, None)]);
        let revisions = self.cluster.revisions().await?;
        let answer = self.txn(txn).await?;
        Ok(if answer.succeeded() {
            Answer::Key { create_revision: revisions.own(revision_of(answer.header())) }
        } else {
            key_of(found(&answer, 0).as_ref(), revisions)
        })
    }

    async fn read_key(&self, key: &str) -> Result<Answer, Failure> {
        let key = self.keys.full(key);
        let revisions = self.cluster.revisions().await?;
        let ask = |client: Client| async move { client.kv_client().get(key, None).await };
        Ok(key_of(Some(&self.cluster.ask(ask).await?), revisions))
    }

    async fn read_queue(&self, key: &str, create_revision: u64, candidates: &str) -> Result<Answer, Failure> {
        let revisions = self.cluster.revisions().await?;
        let newest = GetOptions::new()
            .with_prefix()
            .with_max_create_revision(revisions.wire(create_revision))
            .with_sort(SortTarget::Create, SortOrder::Descend)
            .with_limit(2);
        let range = TxnOp::get(self.keys.full(candidates), Some(newest));
        let mine = self.mine(key, create_revision, revisions);
        let answer = self.txn(Txn::new().when([mine]).and_then([range])).await?;
        if !answer.succeeded() {
            return Ok(Answer::KeyGone);
        }
        let queue = found(&answer, 0);
        let ahead = queue.as_ref().and_then(|queue| self.keys.own(queue.kvs().get(1)?.key()));
        Ok(Answer::Queue {
            ahead: ahead.map(String::into_boxed_str),
            revision: revisions.own(revision_of(answer.header())),
        })
    }

    async fn claim(
        &self,
        key: &str,
        create_revision: u64,
        epoch_key: &str,
        epoch: [u8; 8],
    ) -> Result<Answer, Failure> {
        let revisions = self.cluster.revisions().await?;
        let full = self.keys.full(epoch_key);
        let lower = Compare::value(full.clone(), CompareOp::Less, epoch);
        let reads = [TxnOp::get(self.keys.full(key), None), TxnOp::get(full.clone(), None)];
        let txn = Txn::new()
            .when([self.mine(key, create_revision, revisions), lower])
            .and_then([TxnOp::put(full, epoch, None)])
            .or_else(reads);
        let answer = self.txn(txn).await?;
        if answer.succeeded() {
            return Ok(Answer::Claimed);
        }
        let there = number_of(found(&answer, 0).as_ref(), revisions) == Some(create_revision);
        Ok(if there { epoch_of(found(&answer, 1).as_ref()) } else { Answer::KeyGone })
    }

    async fn read_epoch(&self, key: &str, create_revision: u64, epoch_key: &str) -> Result<Answer, Failure> {
        let mine = self.mine(key, create_revision, self.cluster.revisions().await?);
        let read = TxnOp::get(self.keys.full(epoch_key), None);
        let answer = self.txn(Txn::new().when([mine]).and_then([read])).await?;
        Ok(if answer.succeeded() { epoch_of(found(&answer, 0).as_ref()) } else { Answer::KeyGone })
    }

    async fn seed_epoch(&self, epoch_key: &str, epoch: [u8; 8]) -> Result<Answer, Failure> {
        let key = self.keys.full(epoch_key);
        let absent = Compare::create_revision(key.clone(), CompareOp::Equal, 0);
        self.txn(Txn::new().when([absent]).and_then([TxnOp::put(key, epoch, None)])).await?;
        Ok(Answer::Seeded)
    }

    fn mine(&self, key: &str, create_revision: u64, revisions: Revisions) -> Compare {
        Compare::create_revision(self.keys.full(key), CompareOp::Equal, revisions.wire(create_revision))
    }

    async fn txn(&self, txn: Txn) -> Result<TxnResponse, Failure> {
        let ask = |client: Client| async move { client.kv_client().txn(txn).await };
        self.cluster.ask(ask).await
    }

    async fn carry_out(&self, request: Request) -> Result<Answer, Failure> {
        match request {
            Request::Grant { ttl } => self.grant(ttl).await,
            Request::KeepAlive { lease } => self.keep_alive(lease).await,
            Request::Revoke { lease } => self.revoke(lease).await,
            Request::PutIfAbsent { key, value, lease } => self.put_if_absent(&key, &value, lease).await,
            Request::ReadKey { key } => self.read_key(&key).await,
            Request::ReadQueue { key, create_revision, candidates } => {
                self.read_queue(&key, create_revision, &candidates).await
            }
            Request::Claim { key, create_revision, epoch_key, epoch } => {
                self.claim(&key, create_revision, &epoch_key, epoch).await
            }
            Request::ReadEpoch { key, create_revision, epoch_key } => {
                self.read_epoch(&key, create_revision, &epoch_key).await
            }
            Request::SeedEpoch { epoch_key, epoch } => self.seed_epoch(&epoch_key, epoch).await,
        }
    }
}

impl crate::lead::Electorate for Electorate {
    async fn ask(&self, request: Request) -> Answer {
        match self.carry_out(request).await {
            Ok(answer) => answer,
            Err(failure) if lease_is_gone(&failure) => Answer::LeaseNotFound,
            Err(Failure::Refused(error)) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "etcd refused a request of the election"
                );
                Answer::Unknown
            }
            Err(Failure::Unknown(error)) => {
                tracing::debug!(error = &*error as &dyn std::error::Error, "no answer to the election");
                Answer::Unknown
            }
        }
    }

    async fn deleted(&self, key: &str, after_revision: u64) -> Result<(), Error> {
        let mut watch = Watch::of_key(&self.cluster, self.keys.clone(), key, after_revision).await?;
        loop {
            if watch.next().await?.iter().any(|change| change.value.is_none()) {
                return Ok(());
            }
        }
    }
}

/// What a read of a transaction found; none when the answer has another shape, which etcd's never has.
fn found(answer: &TxnResponse, at: usize) -> Option<GetResponse> {
    match answer.op_responses().into_iter().nth(at)? {
        TxnOpResponse::Get(found) => Some(found),
        TxnOpResponse::Put(_) | TxnOpResponse::Delete(_) | TxnOpResponse::Txn(_) => None,
    }
}

fn key_of(found: Option<&GetResponse>, revisions: Revisions) -> Answer {
    number_of(found, revisions).map_or(Answer::KeyGone, |create_revision| Answer::Key { create_revision })
}

fn number_of(found: Option<&GetResponse>, revisions: Revisions) -> Option<u64> {
    found.and_then(|found| found.kvs().first()).map(|it| revisions.own(it.create_revision()))
}

fn epoch_of(found: Option<&GetResponse>) -> Answer {
    Answer::Epoch { value: found.and_then(|found| found.kvs().first()).map(|it| it.value().into()) }
}

/// The client has a variant of its own for a first keepalive that is answered with a length of zero.
fn lease_is_gone(failure: &Failure) -> bool {
    match failure {
        Failure::Refused(EtcdError::GRpcStatus(status)) => status.code() == tonic::Code::NotFound,
        Failure::Refused(_) => false,
        Failure::Unknown(error) => {
            matches!(error.downcast_ref(), Some(EtcdError::LeaseKeepAliveError(text)) if text == "lease not found")
        }
    }
}
