//! The store of a single replica: one file, or memory for tests and demonstrations.
//!
//! A commit is on disk when it returns; a crash at any moment leaves the last commit that returned. Changes are kept in
//! the same file for watches, up to a number of revisions and bytes, and a watch reads them from there, so that a slow
//! one costs nothing.

mod whole;

use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use redb::backends::InMemoryBackend;
use redb::{
    Database, DatabaseError, ReadableDatabase, ReadableTable, StorageError, Table, TableDefinition,
    WriteTransaction,
};
use tokio::sync::watch;

use super::{Change, Compare, Entry, Error, LIST_MAX, Operation, Outcome, Transaction, check_key};

pub use self::whole::Reading;

/// The file's name in its folder.
pub const FILE: &str = "ostler.redb";

/// Format of the file; a newer program may read older ones, never the other way round.
const FORMAT: u64 = 1;

/// Revisions whose changes are kept: a watch that was away for a day still catches up at one change every 8 s.
const REVISIONS_KEPT: u64 = 10_000;

/// Bytes of changes kept, which bounds the file together with [`ENTRY_BYTES_MAX`].
const CHANGE_BYTES_MAX: u64 = 64 << 20;

/// Bytes of all entries. 10,000 events of 500 bytes are 5 MB; the rest is for policies, intents and the audit chain.
const ENTRY_BYTES_MAX: u64 = 512 << 20;

/// Changes that one call of a watch gives, unless one revision has more.
const BATCH_MAX: usize = 1_000;

/// create revision, mod revision, value
const ENTRIES: TableDefinition<&str, (u64, u64, &[u8])> = TableDefinition::new("entries");
/// Revision and position in the transaction.
type ChangeKey = (u64, u64);
/// Key, and the value or none when it was deleted.
type ChangeValue<'a> = (&'a str, Option<&'a [u8]>);
const CHANGES: TableDefinition<ChangeKey, ChangeValue<'static>> = TableDefinition::new("changes");
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

const META_FORMAT: &str = "format";
const META_REVISION: &str = "revision";
/// Changes of this revision and earlier are gone.
const META_COMPACTED: &str = "compacted";
const META_CHANGE_BYTES: &str = "change_bytes";
const META_ENTRY_BYTES: &str = "entry_bytes";

/// The store. Clones are the same store.
#[derive(Clone)]
pub struct Embedded {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    /// The newest revision, for watches to wait on.
    revision: watch::Sender<u64>,
}

impl Embedded {
    /// Opens the file, or makes it together with its folder.
    pub fn open(path: &Path) -> Result<Embedded, Error> {
        let failed = |problem, source| Error::Open { path: path.display().to_string(), problem, source };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                failed("its folder cannot be made; choose another with --data-dir", Some(Box::from(error)))
            })?;
        }
        let in_use = "another process uses it; stop that one or choose another folder with --data-dir";
        let damaged = "it is damaged or not a store; move it away to begin with an empty one";
        let database = Database::create(path).map_err(|error| {
            if matches!(error, DatabaseError::DatabaseAlreadyOpen) {
                failed(in_use, None)
            } else if matches!(error, DatabaseError::Storage(StorageError::Corrupted(_))) {
                failed(damaged, Some(Box::from(error)))
            } else {
                failed("it cannot be read and written", Some(Box::from(error)))
            }
        })?;
        Embedded::start(database, &path.display().to_string())
    }

    /// A store that is gone when the last clone is dropped.
    pub fn in_memory() -> Result<Embedded, Error> {
        let database = Database::builder().create_with_backend(InMemoryBackend::new()).map_err(backend)?;
        Embedded::start(database, "memory")
    }

    fn start(database: Database, path: &str) -> Result<Embedded, Error> {
        let write = database.begin_write().map_err(backend)?;
        let revision = {
            write.open_table(ENTRIES).map_err(backend)?;
            write.open_table(CHANGES).map_err(backend)?;
            let mut meta = write.open_table(META).map_err(backend)?;
            match meta_value(&meta, META_FORMAT)? {
                0 => {
                    meta.insert(META_FORMAT, FORMAT).map_err(backend)?;
                }
                format if format > FORMAT => {
                    let problem =
                        "a newer version of Ostler wrote it; run that version or choose another folder";
                    return Err(Error::Open { path: path.to_owned(), problem, source: None });
                }
                _ => {}
            }
            meta_value(&meta, META_REVISION)?
        };
        write.commit().map_err(backend)?;
        Ok(Embedded { inner: Arc::new(Inner { database, revision: watch::Sender::new(revision) }) })
    }

    /// Bytes of all keys and values, without what the file needs around them.
    pub fn entry_bytes(&self) -> Result<u64, Error> {
        let read = self.inner.database.begin_read().map_err(backend)?;
        let meta = read.open_table(META).map_err(backend)?;
        meta_value(&meta, META_ENTRY_BYTES)
    }

    /// The newest revision.
    pub fn revision(&self) -> u64 {
        *self.inner.revision.borrow()
    }

    /// Runs what may wait for the disk where it stops no one.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || work(&inner)).await.map_err(backend)?
    }
}

impl super::Store for Embedded {
    type Watch = Watch;

    async fn get(&self, key: &str) -> Result<Option<Entry>, Error> {
        check_key(key)?;
        let key = key.to_owned();
        self.blocking(move |inner| {
            let read = inner.database.begin_read().map_err(backend)?;
            let table = read.open_table(ENTRIES).map_err(backend)?;
            let found = table.get(key.as_str()).map_err(backend)?;
            Ok(found.map(|found| entry(&key, found.value())))
        })
        .await
    }

    async fn list(&self, prefix: &str) -> Result<(Vec<Entry>, u64), Error> {
        let prefix = prefix.to_owned();
        self.blocking(move |inner| {
            let read = inner.database.begin_read().map_err(backend)?;
            let meta = read.open_table(META).map_err(backend)?;
            let table = read.open_table(ENTRIES).map_err(backend)?;
            let mut entries = Vec::new();
            for item in table.range(prefix.as_str()..).map_err(backend)? {
                let (key, value) = item.map_err(backend)?;
                if !key.value().starts_with(&prefix) {
                    break;
                }
                if entries.len() == LIST_MAX {
                    return Err(Error::ListTooLong { prefix });
                }
                entries.push(entry(key.value(), value.value()));
            }
            Ok((entries, meta_value(&meta, META_REVISION)?))
        })
        .await
    }

    async fn commit(&self, transaction: Transaction) -> Result<Outcome, Error> {
        transaction.check()?;
        self.blocking(move |inner| inner.commit(&transaction)).await
    }

    async fn watch(&self, prefix: &str, after_revision: u64) -> Result<Watch, Error> {
        let mut watch = Watch {
            store: self.clone(),
            prefix: prefix.to_owned(),
            after: after_revision,
            newest: self.inner.revision.subscribe(),
        };
        let newest = *watch.newest.borrow_and_update();
        if after_revision > newest {
            return Err(Error::Compacted { oldest: newest });
        }
        let prefix = watch.prefix.clone();
        self.blocking(move |inner| inner.changes(&prefix, after_revision)).await?;
        // The first look is at what is there already.
        watch.newest.mark_changed();
        Ok(watch)
    }
}

impl Inner {
    fn commit(&self, transaction: &Transaction) -> Result<Outcome, Error> {
        let write = self.database.begin_write().map_err(backend)?;
        let outcome = apply(&write, transaction)?;
        if !outcome.applied {
            write.abort().map_err(backend)?;
            return Ok(outcome);
        }
        write.commit().map_err(backend)?;
        self.revision.send_if_modified(|newest| {
            let newer = outcome.revision > *newest;
            *newest = outcome.revision.max(*newest);
            newer
        });
        Ok(outcome)
    }

    /// Changes under the prefix after the revision, whole revisions only, and the revision that they reach.
    fn changes(&self, prefix: &str, after: u64) -> Result<(Vec<Change>, u64), Error> {
        let read = self.database.begin_read().map_err(backend)?;
        let meta = read.open_table(META).map_err(backend)?;
        let compacted = meta_value(&meta, META_COMPACTED)?;
        if after < compacted {
            return Err(Error::Compacted { oldest: compacted + 1 });
        }
        let table = read.open_table(CHANGES).map_err(backend)?;
        let mut changes = Vec::new();
        let mut reached = after;
        let range = (Bound::Excluded((after, u64::MAX)), Bound::Unbounded);
        for item in table.range::<ChangeKey>(range).map_err(backend)? {
            let (at, change) = item.map_err(backend)?;
            let revision = at.value().0;
            if revision != reached && changes.len() >= BATCH_MAX {
                break;
            }
            reached = revision;
            let (key, value) = change.value();
            if key.starts_with(prefix) {
                changes.push(Change { revision, key: key.to_owned(), value: value.map(<[u8]>::to_vec) });
            }
        }
        Ok((changes, reached))
    }
}

/// Follows the changes of an [`Embedded`] store.
pub struct Watch {
    store: Embedded,
    prefix: String,
    /// Everything up to this revision was given.
    after: u64,
    newest: watch::Receiver<u64>,
}

impl super::Watch for Watch {
    async fn next(&mut self) -> Result<Vec<Change>, Error> {
        loop {
            if *self.newest.borrow_and_update() <= self.after {
                // The store holds the sender and this watch holds the store, so the channel cannot be closed.
                let _ = self.newest.changed().await;
                continue;
            }
            let (prefix, after) = (self.prefix.clone(), self.after);
            let (changes, reached) = self.store.blocking(move |inner| inner.changes(&prefix, after)).await?;
            self.after = reached;
            if !changes.is_empty() {
                return Ok(changes);
            }
        }
    }
}

fn apply(write: &WriteTransaction, transaction: &Transaction) -> Result<Outcome, Error> {
    let mut entries = write.open_table(ENTRIES).map_err(backend)?;
    let mut changes = write.open_table(CHANGES).map_err(backend)?;
    let mut meta = write.open_table(META).map_err(backend)?;
    let revision = meta_value(&meta, META_REVISION)?;
    for compare in &transaction.compares {
        if !holds(&entries, compare)? {
            return Ok(Outcome { applied: false, revision });
        }
    }
    let revision = revision + 1;
    let mut entry_bytes = meta_value(&meta, META_ENTRY_BYTES)?;
    let mut change_bytes = meta_value(&meta, META_CHANGE_BYTES)?;
    for (position, operation) in (0u64..).zip(&transaction.operations) {
        let key = operation.key();
        let before =
            entries.get(key).map_err(backend)?.map(|it| (it.value().0, size(key, Some(it.value().2))));
        entry_bytes -= before.map_or(0, |(_, bytes)| bytes);
        let value = match operation {
            Operation::Put(_, value) => {
                entry_bytes += size(key, Some(value));
                let created = before.map_or(revision, |(created, _)| created);
                entries.insert(key, (created, revision, value.as_slice())).map_err(backend)?;
                Some(value.as_slice())
            }
            Operation::Delete(_) if before.is_none() => continue,
            Operation::Delete(_) => {
                entries.remove(key).map_err(backend)?;
                None
            }
        };
        change_bytes += size(key, value);
        changes.insert((revision, position), (key, value)).map_err(backend)?;
    }
    if entry_bytes > ENTRY_BYTES_MAX {
        return Err(Error::Full { bytes: entry_bytes });
    }
    let compacted = compact(&mut changes, revision, &mut change_bytes)?;
    for (name, value) in
        [(META_REVISION, revision), (META_ENTRY_BYTES, entry_bytes), (META_CHANGE_BYTES, change_bytes)]
    {
        meta.insert(name, value).map_err(backend)?;
    }
    if let Some(compacted) = compacted {
        meta.insert(META_COMPACTED, compacted).map_err(backend)?;
    }
    Ok(Outcome { applied: true, revision })
}

/// Drops the oldest changes while there are too many; gives the newest revision that lost any.
fn compact(
    changes: &mut Table<'_, ChangeKey, ChangeValue<'static>>,
    revision: u64,
    bytes: &mut u64,
) -> Result<Option<u64>, Error> {
    let mut compacted = None;
    loop {
        let oldest = changes.first().map_err(backend)?.map(|(at, _)| at.value().0);
        let over =
            oldest.is_some_and(|oldest| oldest + REVISIONS_KEPT <= revision || *bytes > CHANGE_BYTES_MAX);
        if !over || oldest == Some(revision) {
            return Ok(compacted);
        }
        if let Some((at, change)) = changes.pop_first().map_err(backend)? {
            let (key, value) = change.value();
            *bytes = bytes.saturating_sub(size(key, value));
            compacted = Some(at.value().0);
        }
    }
}

fn holds(
    entries: &Table<'_, &'static str, (u64, u64, &'static [u8])>,
    compare: &Compare,
) -> Result<bool, Error> {
    let (Compare::CreateRevision(key, _) | Compare::ModRevision(key, _) | Compare::Value(key, _)) = compare;
    let found = entries.get(key.as_str()).map_err(backend)?;
    let (created, modified, value) =
        found.as_ref().map_or((0, 0, None), |it| (it.value().0, it.value().1, Some(it.value().2)));
    Ok(match compare {
        Compare::CreateRevision(_, revision) => created == *revision,
        Compare::ModRevision(_, revision) => modified == *revision,
        Compare::Value(_, expected) => value == Some(expected.as_slice()),
    })
}

fn entry(key: &str, (create_revision, mod_revision, value): (u64, u64, &[u8])) -> Entry {
    Entry { key: key.to_owned(), value: value.to_vec(), create_revision, mod_revision }
}

fn size(key: &str, value: Option<&[u8]>) -> u64 {
    (key.len() + value.map_or(0, <[u8]>::len)) as u64
}

fn meta_value(meta: &impl ReadableTable<&'static str, u64>, name: &str) -> Result<u64, Error> {
    Ok(meta.get(name).map_err(backend)?.map_or(0, |it| it.value()))
}

fn backend(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Backend(Box::new(error))
}

#[cfg(test)]
#[path = "embedded_tests.rs"]
mod tests;
