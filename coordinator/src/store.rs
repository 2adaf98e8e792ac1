//! The versioned key-value store behind a replica: what must survive a restart, and nothing that comes every second.
//!
//! Each transaction makes one revision of the whole store; a key knows the revisions that made and last changed it, and
//! a watch follows changes from any revision that is still kept. This is the part of etcd that Ostler needs, so that the
//! file of a single replica and a cluster of etcd can stand in for each other; both run [`conformance`].

use std::future::Future;

pub mod conformance;
pub mod embedded;
pub mod etcd;
pub mod fenced;
pub mod whole;

/// Longest key, in bytes: names of things with a prefix stay under 600.
pub const KEY_LENGTH_MAX: usize = 1_024;

/// Longest value, in bytes: etcd refuses requests over 1.5 MiB.
pub const VALUE_LENGTH_MAX: usize = 1 << 20;

/// Operations of one transaction, which is etcd's default limit.
pub const OPERATIONS_MAX: usize = 128;

/// Bytes of all values of one transaction, which stays under etcd's default request limit of 1.5 MiB.
pub const TRANSACTION_BYTES_MAX: usize = 1_400_000;

/// Entries that one list gives.
pub const LIST_MAX: usize = 100_000;

/// One key with its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub key: String,
    /// What was put.
    pub value: Vec<u8>,
    /// Revision that made it.
    pub create_revision: u64,
    /// Revision that last put it.
    pub mod_revision: u64,
}

/// A condition of a transaction. A key that does not exist has the revisions 0 and no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compare {
    /// The key was made by this revision.
    CreateRevision(String, u64),
    /// The key was last put by this revision.
    ModRevision(String, u64),
    /// The key exists and has this value.
    Value(String, Vec<u8>),
}

/// An effect of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Makes or replaces.
    Put(String, Vec<u8>),
    /// Removes; nothing happens when there is no such key.
    Delete(String),
}

impl Operation {
    /// The key it is about.
    pub fn key(&self) -> &str {
        match self {
            Operation::Put(key, _) | Operation::Delete(key) => key,
        }
    }
}

/// Operations that happen together, if all conditions hold. A key may be named by one operation only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// All must hold.
    pub compares: Vec<Compare>,
    /// All happen, or none.
    pub operations: Vec<Operation>,
}

impl Transaction {
    /// Checks the limits that every store holds.
    pub fn check(&self) -> Result<(), Error> {
        let count = self.compares.len().max(self.operations.len());
        if count > OPERATIONS_MAX {
            return Err(Error::TooManyOperations { count });
        }
        let mut keys = std::collections::BTreeSet::new();
        let mut bytes = 0;
        for operation in &self.operations {
            check_key(operation.key())?;
            if !keys.insert(operation.key()) {
                return Err(Error::DuplicateKey { key: operation.key().to_owned() });
            }
            if let Operation::Put(key, value) = operation {
                if value.len() > VALUE_LENGTH_MAX {
                    return Err(Error::ValueTooLong { key: key.clone(), length: value.len() });
                }
                bytes += key.len() + value.len();
            }
        }
        if bytes > TRANSACTION_BYTES_MAX {
            return Err(Error::TransactionTooLong { bytes });
        }
        Ok(())
    }
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether all conditions held.
    pub applied: bool,
    /// The store's revision afterwards.
    pub revision: u64,
}

/// One key changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Revision of the transaction.
    pub revision: u64,
    /// The key.
    pub key: String,
    /// The new value; none when it was deleted.
    pub value: Option<Vec<u8>>,
}

/// Why the store did not do it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A key outside its limits.
    #[error("a key has {length} bytes; it must have 1 to {KEY_LENGTH_MAX}")]
    KeyLength {
        /// Its length in bytes.
        length: usize,
    },
    /// A value over its limit.
    #[error("the value of {key:?} has {length} bytes; at most {VALUE_LENGTH_MAX} are allowed")]
    ValueTooLong {
        /// Whose value.
        key: String,
        /// Its length in bytes.
        length: usize,
    },
    /// A transaction with too many parts.
    #[error("the transaction has {count} operations or conditions; at most {OPERATIONS_MAX} are allowed")]
    TooManyOperations {
        /// How many.
        count: usize,
    },
    /// A transaction with too many bytes.
    #[error("the transaction has {bytes} bytes; at most {TRANSACTION_BYTES_MAX} are allowed")]
    TransactionTooLong {
        /// How many.
        bytes: usize,
    },
    /// Two operations on one key.
    #[error("the transaction names {key:?} twice")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// More entries than one list gives.
    #[error("more than {LIST_MAX} keys begin with {prefix:?}; ask for a longer prefix")]
    ListTooLong {
        /// What was asked for.
        prefix: String,
    },
    /// The store is full.
    #[error(
        "the store holds {bytes} bytes, its limit; delete something or move the data folder to a larger store"
    )]
    Full {
        /// How many it holds.
        bytes: u64,
    },
    /// The changes asked for are no longer kept.
    #[error(
        "changes before revision {oldest} are no longer kept; list again and watch from the list's revision"
    )]
    Compacted {
        /// The first revision that is kept.
        oldest: u64,
    },
    /// The file cannot be opened.
    #[error("cannot open the store {path}: {problem}")]
    Open {
        /// The file.
        path: String,
        /// What is wrong, and what to do.
        problem: &'static str,
        /// What the system says.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// The store did not answer, and what was asked changes nothing.
    #[error("the store does not answer; look at etcd and the network")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The transaction may have happened or not: no answer came, or an error that does not tell.
    #[error("it is not known whether the store carried the transaction out; read before it is repeated")]
    OutcomeUnknown(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The settings for reaching the store are wrong.
    #[error("the store cannot be used: {problem}")]
    Settings {
        /// What is wrong, and what to do.
        problem: String,
        /// What the system says.
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
    /// A store that was to be empty holds something.
    #[error(
        "the store holds {keys} keys already; restore into an empty one, or remove all that is in this one with --replace"
    )]
    NotEmpty {
        /// How many keys of state.
        keys: u64,
    },
    /// A store cannot be filled while a coordinator uses it.
    #[error(
        "a coordinator uses the store ({names}); stop all of them, wait until their leases have run out (lead_ttl_s), and try again"
    )]
    InUse {
        /// Of the candidates.
        names: String,
    },
    /// A store was filled in part.
    #[error(
        "a restore into this store did not come to its end, and nobody leads until one does; run it again with --replace"
    )]
    HalfFilled,
    /// What a store was to be filled with cannot be read.
    #[error("what is to be stored cannot be read")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Reading or writing failed, and changed nothing.
    #[error("the store failed")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Follows changes. Dropping it ends it.
pub trait Watch: Send {
    /// Waits for the next changes in order of revision; all changes of one revision come together. A watch that is too
    /// slow gets [`Error::Compacted`] instead of a queue that grows.
    fn next(&mut self) -> impl Future<Output = Result<Vec<Change>, Error>> + Send;
}

/// A versioned key-value store.
pub trait Store: Send + Sync + 'static {
    /// What follows its changes.
    type Watch: Watch;

    /// The key, if there is one.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Entry>, Error>> + Send;

    /// All keys that begin with this, in order, and the revision at which they were so.
    fn list(&self, prefix: &str) -> impl Future<Output = Result<(Vec<Entry>, u64), Error>> + Send;

    /// Carries out the operations if the conditions hold. Once it returns, they survive a crash.
    fn commit(&self, transaction: Transaction) -> impl Future<Output = Result<Outcome, Error>> + Send;

    /// Follows keys that begin with this, from the revision after the given one.
    fn watch(
        &self,
        prefix: &str,
        after_revision: u64,
    ) -> impl Future<Output = Result<Self::Watch, Error>> + Send;
}

/// Checks the length of a key.
pub(crate) fn check_key(key: &str) -> Result<(), Error> {
    if key.is_empty() || key.len() > KEY_LENGTH_MAX {
        return Err(Error::KeyLength { length: key.len() });
    }
    Ok(())
}
