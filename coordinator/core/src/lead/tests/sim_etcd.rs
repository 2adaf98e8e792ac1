//! A model of etcd: revisions, leases, transactions and watches of one cluster, without its network.
//!
//! It knows nothing of the election, so that it can be a crate of its own and be compared with a real etcd; 3.4.23, asked
//! by hand what the election asks, answers the same. What it follows is etcd's code: a comparison with the value of a key
//! that is not there is false (`applyCompare`), a range with an order is cut to its limit after it is sorted
//! (`executeRange`), an expired lease cannot be renewed although its keys are there until the next scan (`lessor.Renew`),
//! and a new leader of etcd gives every lease its full length and an election timeout (`lessor.Promote`).

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Time between two scans for expired leases, in milliseconds.
pub(super) const SCAN_MS: u64 = 500;

/// What a new leader of etcd adds to every lease, in milliseconds.
pub(super) const ELECTION_TIMEOUT_MS: u64 = 1_000;

/// One key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyValue {
    pub(super) key: String,
    pub(super) value: Vec<u8>,
    pub(super) create_revision: u64,
    pub(super) mod_revision: u64,
    /// Zero for none.
    pub(super) lease: i64,
}

/// A condition.
#[derive(Clone, Debug)]
pub(super) enum Compare {
    CreateRevision(String, u64),
    /// The key's value is less, equal or greater.
    Value(String, Ordering, Vec<u8>),
}

/// An operation.
#[derive(Clone, Debug)]
pub(super) enum Op {
    Put {
        key: String,
        value: Vec<u8>,
        lease: i64,
    },
    Get {
        key: String,
    },
    /// The newest keys of a prefix that are not newer than this.
    Newest {
        prefix: String,
        max_create_revision: u64,
        limit: usize,
    },
}

/// What a transaction did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) succeeded: bool,
    /// The store's revision afterwards.
    pub(super) revision: u64,
    /// What each operation found; nothing for a put.
    pub(super) found: Vec<Vec<KeyValue>>,
}

/// The lease is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LeaseNotFound;

/// The changes asked for are no longer kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Compacted;

#[derive(Clone, Copy, Debug)]
struct Lease {
    ttl_ms: u64,
    expires_ms: u64,
}

/// The cluster.
#[derive(Debug)]
pub(super) struct SimEtcd {
    revision: u64,
    compacted: u64,
    keys: BTreeMap<String, KeyValue>,
    leases: BTreeMap<i64, Lease>,
    /// Deletions by revision.
    deletions: Vec<(u64, String)>,
    granted: i64,
}

impl SimEtcd {
    pub(super) fn new() -> SimEtcd {
        SimEtcd {
            revision: 1,
            compacted: 0,
            keys: BTreeMap::new(),
            leases: BTreeMap::new(),
            deletions: Vec::new(),
            granted: 0,
        }
    }

    pub(super) fn key(&self, key: &str) -> Option<&KeyValue> {
        self.keys.get(key)
    }

    pub(super) fn grant(&mut self, ttl_ms: u64, now_ms: u64) -> i64 {
        self.granted += 1;
        self.leases.insert(self.granted, Lease { ttl_ms, expires_ms: now_ms + ttl_ms });
        self.granted
    }

    /// The lease's length in milliseconds.
    pub(super) fn keep_alive(&mut self, lease: i64, now_ms: u64) -> Result<u64, LeaseNotFound> {
        let lease =
            self.leases.get_mut(&lease).filter(|lease| now_ms < lease.expires_ms).ok_or(LeaseNotFound)?;
        lease.expires_ms = now_ms + lease.ttl_ms;
        Ok(lease.ttl_ms)
    }

    pub(super) fn revoke(&mut self, lease: i64) -> Result<(), LeaseNotFound> {
        self.leases.remove(&lease).ok_or(LeaseNotFound)?;
        let keys: Vec<String> =
            self.keys.values().filter(|it| it.lease == lease).map(|it| it.key.clone()).collect();
        self.delete(keys);
        Ok(())
    }

    /// What the scan does.
    pub(super) fn expire(&mut self, now_ms: u64) {
        let expired: Vec<i64> =
            self.leases.iter().filter(|(_, lease)| lease.expires_ms <= now_ms).map(|(&id, _)| id).collect();
        for lease in expired {
            self.revoke(lease).expect("it was just found");
        }
    }

    /// Another member leads the cluster.
    pub(super) fn change_leader(&mut self, now_ms: u64) {
        for lease in self.leases.values_mut() {
            lease.expires_ms = now_ms + lease.ttl_ms + ELECTION_TIMEOUT_MS;
        }
    }

    /// What `etcdctl del` does.
    pub(super) fn delete(&mut self, keys: Vec<String>) {
        if keys.iter().any(|key| self.keys.contains_key(key)) {
            self.revision += 1;
        }
        for key in keys {
            if self.keys.remove(&key).is_some() {
                self.deletions.push((self.revision, key));
            }
        }
    }

    pub(super) fn compact(&mut self) {
        self.compacted = self.revision;
        self.deletions.retain(|(revision, _)| *revision > self.compacted);
    }

    pub(super) fn txn(
        &mut self,
        compares: &[Compare],
        then: &[Op],
        otherwise: &[Op],
    ) -> Result<Outcome, LeaseNotFound> {
        let succeeded = compares.iter().all(|compare| self.holds(compare));
        let ops = if succeeded { then } else { otherwise };
        let leases = ops.iter().filter_map(|op| match op {
            Op::Put { lease, .. } => Some(*lease),
            Op::Get { .. } | Op::Newest { .. } => None,
        });
        if leases.into_iter().any(|lease| lease != 0 && !self.leases.contains_key(&lease)) {
            return Err(LeaseNotFound);
        }
        if ops.iter().any(|op| matches!(op, Op::Put { .. })) {
            self.revision += 1;
        }
        let found = ops.iter().map(|op| self.apply(op)).collect();
        Ok(Outcome { succeeded, revision: self.revision, found })
    }

    /// Deletions of a key after a revision, and the revision up to which that is all.
    pub(super) fn deletions(&self, key: &str, after_revision: u64) -> Result<bool, Compacted> {
        if after_revision < self.compacted {
            return Err(Compacted);
        }
        Ok(self.deletions.iter().any(|(revision, it)| *revision > after_revision && it == key))
    }

    fn holds(&self, compare: &Compare) -> bool {
        match compare {
            Compare::CreateRevision(key, revision) => {
                self.keys.get(key).map_or(0, |it| it.create_revision) == *revision
            }
            Compare::Value(key, order, value) => {
                self.keys.get(key).is_some_and(|it| it.value.cmp(value) == *order)
            }
        }
    }

    fn apply(&mut self, op: &Op) -> Vec<KeyValue> {
        match op {
            Op::Put { key, value, lease } => {
                let create_revision = self.keys.get(key).map_or(self.revision, |it| it.create_revision);
                let it = KeyValue {
                    key: key.clone(),
                    value: value.clone(),
                    create_revision,
                    mod_revision: self.revision,
                    lease: *lease,
                };
                self.keys.insert(key.clone(), it);
                Vec::new()
            }
            Op::Get { key } => self.keys.get(key).cloned().into_iter().collect(),
            Op::Newest { prefix, max_create_revision, limit } => {
                let mut found: Vec<KeyValue> = self
                    .keys
                    .values()
                    .filter(|it| it.key.starts_with(prefix) && it.create_revision <= *max_create_revision)
                    .cloned()
                    .collect();
                found.sort_by_key(|it| std::cmp::Reverse(it.create_revision));
                found.truncate(*limit);
                found
            }
        }
    }
}
