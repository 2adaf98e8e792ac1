//! The election's keys, fenced writes of the desk, and who leads, over the model of etcd.
//!
//! The model is that of the election's tests, and so is the edge to it. A fenced write is what the store's `Fenced` is: it
//! holds if the key of the token has the term as its create revision and nothing was changed since it was read.

#[path = "../../../src/lead/tests/serve.rs"]
mod serve;
#[path = "../../../src/lead/tests/sim_etcd.rs"]
mod sim_etcd;

use ostler_core::desk::{Batch, Change, Item, Kept, Key};
use ostler_core::id::Term;
use ostler_core::lead::LeaseId;

use self::sim_etcd::{Compare, Op, SimEtcd};
use super::{Answer, Request};

/// Time between two scans for expired leases.
pub(crate) const SCAN_MS: u64 = sim_etcd::SCAN_MS;

/// What became of a fenced write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Applied { revision: u64 },
    Conflict,
    Deposed,
}

/// The cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    model: SimEtcd,
    /// All that was ever written; a value in the model is the place of its item here.
    items: Vec<(Key, Item)>,
    /// It has no leader until then: it answers nothing, and lets no lease expire.
    pub(crate) down_until_ms: u64,
}

impl Cluster {
    pub(crate) fn new() -> Cluster {
        Cluster { model: SimEtcd::new(), items: Vec::new(), down_until_ms: 0 }
    }

    pub(crate) fn serve(&mut self, request: &Request, now_ms: u64) -> Answer {
        serve::serve(&mut self.model, request, now_ms)
    }

    pub(crate) fn scan(&mut self, now_ms: u64) {
        self.model.expire(now_ms);
    }

    pub(crate) fn change_leader(&mut self, now_ms: u64) {
        self.model.change_leader(now_ms);
    }

    pub(crate) fn compact(&mut self) {
        self.model.compact();
    }

    /// Whether a watch would tell that the key was deleted; none when the watch is lost.
    pub(crate) fn deleted(&self, key: &str, after_revision: u64) -> Option<bool> {
        self.model.deletions(key, after_revision).ok()
    }

    /// What the observer of the coordinator reads: the highest term, and whose candidate's key has it.
    pub(crate) fn standing(&mut self, candidates: &str, epoch: &str) -> (Option<String>, Term) {
        let value = self.model.key(epoch).and_then(|it| <[u8; 8]>::try_from(it.value.as_slice()).ok());
        let term = value.map_or(0, u64::from_be_bytes);
        let all = self.newest(candidates);
        let leader = all.into_iter().find(|it| it.create_revision == term);
        (leader.map(|it| String::from_utf8_lossy(&it.value).into_owned()), Term(term))
    }

    /// Writes a batch on condition of a term, and of the revisions at which its keys were read.
    pub(crate) fn write(&mut self, key: &str, term: Term, batch: &Batch) -> Verdict {
        let as_read = |change: &Change| {
            let found = self.model.key(&change.key.to_string()).map_or(0, |it| it.mod_revision);
            change.read.is_none_or(|read| found == read)
        };
        // The conditions are looked at in one call, which is as good as one transaction.
        let unchanged = batch.changes.iter().all(as_read);
        let compare = Compare::CreateRevision(key.to_owned(), term.0);
        let kept = batch.changes.iter().filter_map(|change| Some((change.key, change.item.clone()?)));
        let kept: Vec<(Key, Item)> = kept.filter(|_| unchanged).collect();
        let then = self.puts(&kept);
        let outcome = self.model.txn(&[compare], &then, &[]).expect("no lease is named");
        if !outcome.succeeded {
            return Verdict::Deposed;
        }
        if !unchanged {
            return Verdict::Conflict;
        }
        self.items.extend(kept);
        let gone = batch.changes.iter().filter(|change| change.item.is_none());
        self.model.delete(gone.map(|change| change.key.to_string()).collect());
        Verdict::Applied { revision: outcome.revision }
    }

    /// What was written before the world began.
    pub(crate) fn begin_with(&mut self, items: Vec<(Key, Item)>) {
        let puts = self.puts(&items);
        self.model.txn(&[], &puts, &[]).expect("no lease is named");
        self.items.extend(items);
    }

    fn puts(&self, items: &[(Key, Item)]) -> Vec<Op> {
        let put = |(at, (key, _)): (usize, &(Key, Item))| Op::Put {
            key: key.to_string(),
            value: at.to_be_bytes().to_vec(),
            lease: LeaseId::default().0,
        };
        (self.items.len()..).zip(items).map(put).collect()
    }

    /// Keys of a prefix.
    pub(crate) fn count(&mut self, prefix: &str) -> usize {
        self.newest(prefix).len()
    }

    /// All that desks keep, besides the audit log.
    pub(crate) fn load(&mut self) -> Vec<Kept> {
        let mut all: Vec<_> =
            ["actions/", "decisions/", "desk/"].into_iter().flat_map(|prefix| self.newest(prefix)).collect();
        all.extend(self.newest("audit/").into_iter().max_by(|a, b| a.key.cmp(&b.key)));
        all.iter().map(|it| self.kept(it)).collect()
    }

    fn newest(&mut self, prefix: &str) -> Vec<sim_etcd::KeyValue> {
        let all = Op::Newest { prefix: prefix.to_owned(), max_create_revision: u64::MAX, limit: usize::MAX };
        let mut outcome = self.model.txn(&[], &[all], &[]).expect("no lease is named");
        outcome.found.pop().expect("one answer an operation")
    }

    fn kept(&self, it: &sim_etcd::KeyValue) -> Kept {
        let at = usize::from_be_bytes(it.value.as_slice().try_into().expect("the place of an item"));
        let (key, item) = self.items[at].clone();
        Kept { key, revision: it.mod_revision, item }
    }
}
