//! The store of several replicas: a cluster of etcd, 3.4 or later.
//!
//! The raw client stays in this folder: who wants to write goes through [`Store`](super::Store), and who leads through
//! [`Fenced`](super::fenced::Fenced). Every operation has a time limit. One that changes something and gets no answer ends
//! in [`Error::OutcomeUnknown`], never in a retry: only the caller knows what to read back.

mod cluster;
mod config;
mod election;
mod revisions;
mod watch;
mod whole;

use etcd_client::{Compare as EtcdCompare, CompareOp, GetOptions, KeyValue, ResponseHeader, Txn, TxnOp};

use self::cluster::{Cluster, Failure};
pub use self::config::{Config, TIMEOUT_DEFAULT, Tls, User};
pub use self::election::Electorate;
use self::revisions::Revisions;
pub use self::watch::Watch;
pub use self::whole::Reading;
use super::{Compare, Entry, Error, LIST_MAX, Operation, Outcome, Transaction, check_key};

/// Keys that one answer lists. Each value has at most 1 MiB, so that an answer stays under [`ANSWER_BYTES_MAX`].
const PAGE_MAX: usize = 64;

/// Longest answer that is taken: a page of the longest values with their keys, 64 x (1 MiB + 2 KiB).
const ANSWER_BYTES_MAX: usize = PAGE_MAX * ((1 << 20) + 2048);

/// The store. Clones are the same store.
#[derive(Clone)]
pub struct Etcd {
    cluster: Cluster,
    keys: Keys,
}

/// Turns keys of the store into keys of etcd and back.
#[derive(Clone, Debug)]
struct Keys {
    prefix: String,
}

impl Keys {
    fn full(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The key of the store; none for a key that is not ours or is no text.
    fn own(&self, key: &[u8]) -> Option<String> {
        let key = key.strip_prefix(self.prefix.as_bytes())?;
        String::from_utf8(key.to_vec()).ok()
    }
}

/// Part of a list.
struct Page {
    entries: Vec<Entry>,
    /// Where the next page begins; none when this is the last.
    after: Option<Vec<u8>>,
    /// The store's revision when it was asked.
    revision: u64,
}

impl Etcd {
    /// A store behind these members. Files are read now; nobody is asked anything yet.
    pub fn open(config: &Config) -> Result<Etcd, Error> {
        Ok(Etcd { cluster: Cluster::open(config)?, keys: Keys { prefix: config.prefix.clone() } })
    }

    /// The newest revision.
    async fn revision(&self) -> Result<u64, Error> {
        let revisions = self.revisions().await?;
        let key = self.keys.full("");
        let options = GetOptions::new().with_count_only();
        let answer = self.cluster.ask(async |client| client.kv_client().get(key, Some(options)).await).await;
        Ok(revisions.own(revision_of(answer.map_err(read_failed)?.header())))
    }

    async fn revisions(&self) -> Result<Revisions, Error> {
        self.cluster.revisions().await.map_err(read_failed)
    }

    /// A page of a list: keys from `from` up to `end`, as they were at a revision, or are when it is zero.
    async fn page(&self, from: Vec<u8>, end: Vec<u8>, revision: u64) -> Result<Page, Error> {
        let revisions = self.revisions().await?;
        let options = GetOptions::new()
            .with_range(end)
            .with_limit(PAGE_MAX as i64)
            .with_revision(revisions.wire(revision));
        let ask = |client: etcd_client::Client| async move {
            client.kv_client().max_decoding_message_size(ANSWER_BYTES_MAX).get(from, Some(options)).await
        };
        let answer = self.cluster.ask(ask).await.map_err(read_failed)?;
        let after = answer.kvs().last().filter(|_| answer.more()).map(|it| [it.key(), &[0]].concat());
        Ok(Page {
            entries: answer.kvs().iter().filter_map(|it| self.entry(it, revisions)).collect(),
            after,
            revision: revisions.own(revision_of(answer.header())),
        })
    }

    fn entry(&self, it: &KeyValue, revisions: Revisions) -> Option<Entry> {
        Some(Entry {
            key: self.keys.own(it.key())?,
            value: it.value().to_vec(),
            create_revision: revisions.own(it.create_revision()),
            mod_revision: revisions.own(it.mod_revision()),
        })
    }

    fn compare(&self, compare: &Compare, revisions: Revisions) -> EtcdCompare {
        match compare {
            Compare::CreateRevision(key, revision) => {
                EtcdCompare::create_revision(self.keys.full(key), CompareOp::Equal, revisions.wire(*revision))
            }
            Compare::ModRevision(key, revision) => {
                EtcdCompare::mod_revision(self.keys.full(key), CompareOp::Equal, revisions.wire(*revision))
            }
            Compare::Value(key, value) => {
                EtcdCompare::value(self.keys.full(key), CompareOp::Equal, value.clone())
            }
        }
    }

    fn operation(&self, operation: Operation) -> TxnOp {
        match operation {
            Operation::Put(key, value) => TxnOp::put(self.keys.full(&key), value, None),
            Operation::Delete(key) => TxnOp::delete(self.keys.full(&key), None),
        }
    }
}

impl super::Store for Etcd {
    type Watch = Watch;

    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        check_key(key)?;
        let key = self.keys.full(key);
        let revisions = self.revisions().await?;
        let ask = |client: etcd_client::Client| async move { client.kv_client().get(key, None).await };
        let answer = self.cluster.ask(ask).await.map_err(read_failed)?;
        Ok(answer.kvs().first().and_then(|it| self.entry(it, revisions)))
    }

    async fn list(&self, prefix: &str) -> Result<(Vec<Entry>, u64), Error> {
        let from = self.keys.full(prefix).into_bytes();
        let end = end_of(&from);
        let Page { mut entries, mut after, revision } = self.page(from, end.clone(), 0).await?;
        while let Some(from) = after {
            if entries.len() >= LIST_MAX {
                return Err(Error::ListTooLong { prefix: prefix.to_owned() });
            }
            let page = self.page(from, end.clone(), revision).await?;
            entries.extend(page.entries);
            after = page.after;
        }
        Ok((entries, revision))
    }

    async fn commit(&self, transaction: Transaction) -> Result<Outcome, Error> {
        transaction.check()?;
        let revisions = self.revisions().await?;
        let compares: Vec<_> = transaction.compares.iter().map(|it| self.compare(it, revisions)).collect();
        let operations: Vec<_> = transaction.operations.into_iter().map(|it| self.operation(it)).collect();
        let txn = Txn::new().when(compares).and_then(operations);
        let ask = |client: etcd_client::Client| async move { client.kv_client().txn(txn).await };
        let answer = self.cluster.ask(ask).await.map_err(write_failed)?;
        let revision = revisions.own(revision_of(answer.header()));
        Ok(Outcome { applied: answer.succeeded(), revision })
    }

    async fn watch(&self, prefix: &str, after_revision: u64) -> Result<Watch, Error> {
        let newest = self.revision().await?;
        if after_revision > newest {
            return Err(Error::Compacted { oldest: newest });
        }
        Watch::open(self, prefix, after_revision).await
    }
}

/// What a question that changes nothing failed with.
fn read_failed(failure: Failure) -> Error {
    match failure {
        Failure::Refused(etcd_client::Error::GRpcStatus(status))
            if status.code() == tonic::Code::OutOfRange =>
        {
            // The revision of the list's first page was compacted before its last page was read.
            Error::Compacted { oldest: 0 }
        }
        Failure::Refused(error) => Error::Backend(Box::new(error)),
        Failure::Unknown(error) => Error::Unreachable(error),
    }
}

/// What a transaction failed with.
fn write_failed(failure: Failure) -> Error {
    match failure {
        Failure::Refused(error) => Error::Backend(Box::new(error)),
        Failure::Unknown(error) => Error::OutcomeUnknown(error),
    }
}

/// The first key after all that begin with a prefix. Text never holds the byte 255, so that the last can be raised.
fn end_of(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    let last = end.last_mut().expect("the store's own prefix is not empty");
    *last += 1;
    end
}

fn revision_of(header: Option<&ResponseHeader>) -> i64 {
    header.map_or(0, ResponseHeader::revision)
}

fn from_wire(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn to_wire(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
