//! What the election asks of etcd, and how etcd can answer.
//!
//! Each request is one RPC; the docs say which, with `create(k)` for the create revision of a key, which is zero when
//! there is none.

use std::time::Duration;

/// Names a request; a later one has a higher number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// A lease of etcd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LeaseId(pub i64);

/// A question to etcd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// `LeaseGrant` with an id of etcd's choice. Answered with [`Answer::Granted`].
    Grant {
        /// Length of the lease.
        ttl: Duration,
    },
    /// `LeaseKeepAlive`. Answered with [`Answer::Kept`] or [`Answer::LeaseNotFound`].
    KeepAlive {
        /// The lease.
        lease: LeaseId,
    },
    /// `LeaseRevoke`. Answered with anything; that the lease is not found is as good.
    Revoke {
        /// The lease.
        lease: LeaseId,
    },
    /// `Txn if create(key) = 0 then Put(key, value, lease) else Get(key)`. Answered with [`Answer::Key`], put or found, or
    /// [`Answer::LeaseNotFound`].
    PutIfAbsent {
        /// The candidate's key.
        key: Box<str>,
        /// The replica's name.
        value: Box<str>,
        /// Its lease.
        lease: LeaseId,
    },
    /// `Range(key)`, linearizable. Answered with [`Answer::Key`] or [`Answer::KeyGone`].
    ReadKey {
        /// The candidate's key.
        key: Box<str>,
    },
    /// `Txn if create(key) = create_revision then Range(candidates, max_create_revision = create_revision, sort by create
    /// revision descending, limit 2)`. The first of the two is the key itself, the second the one before it; that there is
    /// no second means that the key is the oldest. Answered with [`Answer::Queue`] or [`Answer::KeyGone`].
    ReadQueue {
        /// The candidate's key.
        key: Box<str>,
        /// Its number.
        create_revision: u64,
        /// Begin of all candidates' keys.
        candidates: Box<str>,
    },
    /// `Txn if create(key) = create_revision and value(epoch_key) < epoch then Put(epoch_key, epoch) else Get(key),
    /// Get(epoch_key)`. Answered with [`Answer::Claimed`], [`Answer::Epoch`] or [`Answer::KeyGone`], the last when the
    /// key has another create revision or none. etcd holds no comparison with a value that is not there to be true, so
    /// that the epoch key has to exist.
    Claim {
        /// The candidate's key.
        key: Box<str>,
        /// Its number.
        create_revision: u64,
        /// The key of the highest term.
        epoch_key: Box<str>,
        /// The number as it is stored.
        epoch: [u8; 8],
    },
    /// `Txn if create(key) = create_revision then Get(epoch_key)`. Answered with [`Answer::Epoch`] or [`Answer::KeyGone`].
    ReadEpoch {
        /// The candidate's key.
        key: Box<str>,
        /// Its number.
        create_revision: u64,
        /// The key of the highest term.
        epoch_key: Box<str>,
    },
    /// `Txn if create(epoch_key) = 0 then Put(epoch_key, epoch)`, without a lease. Answered with [`Answer::Seeded`],
    /// whether it was put or there already.
    SeedEpoch {
        /// The key of the highest term.
        epoch_key: Box<str>,
        /// Term zero as it is stored.
        epoch: [u8; 8],
    },
}

/// An answer of etcd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is a new lease.
    Granted {
        /// Its id.
        lease: LeaseId,
        /// Its length, which may be longer than asked for.
        ttl: Duration,
    },
    /// The lease is as long as this again.
    Kept {
        /// Its length.
        ttl: Duration,
    },
    /// There is no such lease. A keepalive that is answered with a length of zero or less says this too.
    LeaseNotFound,
    /// The key is there.
    Key {
        /// Its create revision.
        create_revision: u64,
    },
    /// The key is not there, or another one of the same name is.
    KeyGone,
    /// The key is there, and who is before it.
    Queue {
        /// The key right before it; none when it is the oldest.
        ahead: Option<Box<str>>,
        /// The store's revision at which it was so.
        revision: u64,
    },
    /// The number is written.
    Claimed,
    /// The key is there, and what the epoch key holds.
    Epoch {
        /// Its value; none when there is no such key.
        value: Option<Box<[u8]>>,
    },
    /// The epoch key is there.
    Seeded,
    /// It may have happened or not: no answer came, or an error that does not tell.
    Unknown,
}
