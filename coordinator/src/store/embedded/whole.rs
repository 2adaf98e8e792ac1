//! Reads the file as it was at one revision, also while a coordinator writes it, and fills it in one transaction.

use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadTransaction, ReadableDatabase, ReadableTable, WriteTransaction};
use tempfile::NamedTempFile;

use super::{
    CHANGES, ENTRIES, ENTRY_BYTES_MAX, Embedded, META, META_CHANGE_BYTES, META_COMPACTED, META_ENTRY_BYTES,
    META_REVISION, backend, entry, meta_value, size,
};
use crate::store::whole::{self, Entries, Filled, Old, Position, Whole, is_state};
use crate::store::{Entry, Error};

/// Entries of one page: as many of the longest values as etcd gives in one.
const PAGE_MAX: usize = 64;

/// Copies made before giving up. A copy is torn when two commits fall into the time that copying takes; a coordinator
/// commits once a second, and copying its largest file takes about that.
const COPIES_MAX: u32 = 10;

impl Embedded {
    /// A copy of the file as it was after some commit, in the folder for temporary files; it is gone when the last clone
    /// is dropped. The file may be in use, and is not locked meanwhile, so that a coordinator can start.
    pub async fn open_copy(path: &Path) -> Result<Embedded, Error> {
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || copy(&path)).await.map_err(backend)?
    }
}

/// Copies until a copy is of one commit. Every page of the file is covered by a checksum from the root, so that a copy
/// into which a later commit wrote is found out; the database itself relies on this after a crash.
fn copy(path: &Path) -> Result<Embedded, Error> {
    let failed = |problem, source| Error::Open { path: path.display().to_string(), problem, source };
    let missing = "it cannot be read; name the folder of a coordinator's file with --data-dir";
    let mut torn = None;
    for _ in 0..COPIES_MAX {
        let mut file = std::fs::File::open(path).map_err(|error| failed(missing, Some(Box::from(error))))?;
        let full = "it cannot be copied; give the folder for temporary files (TMPDIR) more room";
        let mut copied = NamedTempFile::new().map_err(|error| failed(full, Some(Box::from(error))))?;
        std::io::copy(&mut file, copied.as_file_mut())
            .map_err(|error| failed(full, Some(Box::from(error))))?;
        match open_verified(copied.path()) {
            Ok(database) => return Embedded::start(database, &path.display().to_string()),
            Err(error) => torn = Some(error),
        }
    }
    let problem = "no copy of it is whole: it is damaged, or written without a pause; stop the coordinator and try again";
    Err(failed(problem, torn))
}

/// Opens a copy if it is whole.
fn open_verified(path: &Path) -> Result<Database, Box<dyn std::error::Error + Send + Sync>> {
    let mut database = Database::open(path)?;
    match database.check_integrity()? {
        true => Ok(database),
        false => Err("the copy is torn".into()),
    }
}

/// The file as it was when reading began.
pub struct Reading {
    /// Keeps what it sees.
    transaction: Arc<ReadTransaction>,
    position: Position,
    /// The last key that was looked at.
    last: String,
}

impl whole::Reading for Reading {
    fn position(&self) -> Position {
        self.position
    }

    async fn next(&mut self) -> Result<Vec<Entry>, Error> {
        let (transaction, after) = (Arc::clone(&self.transaction), self.last.clone());
        let page =
            tokio::task::spawn_blocking(move || page(&transaction, &after)).await.map_err(backend)??;
        if let Some(last) = page.last() {
            self.last.clone_from(&last.key);
        }
        Ok(page)
    }
}

/// Entries of state after a key, which no key that exists equals when it is empty.
fn page(transaction: &ReadTransaction, after: &str) -> Result<Vec<Entry>, Error> {
    let table = transaction.open_table(ENTRIES).map_err(backend)?;
    let from = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
    let mut entries = Vec::new();
    for item in table.range::<&str>(from).map_err(backend)? {
        let (key, value) = item.map_err(backend)?;
        if is_state(key.value()) {
            entries.push(entry(key.value(), value.value()));
        }
        if entries.len() == PAGE_MAX {
            break;
        }
    }
    Ok(entries)
}

impl Whole for Embedded {
    type Reading = Reading;

    async fn read(&self) -> Result<Reading, Error> {
        self.blocking(|inner| {
            let transaction = inner.database.begin_read().map_err(backend)?;
            let meta = transaction.open_table(META).map_err(backend)?;
            let revision = meta_value(&meta, META_REVISION)?;
            let entries = transaction.open_table(ENTRIES).map_err(backend)?;
            let term = entries.get(&*whole::epoch_key()).map_err(backend)?;
            let term = term.and_then(|it| it.value().2.try_into().ok()).map_or(0, u64::from_be_bytes);
            let position = Position { revision, term };
            Ok(Reading { transaction: Arc::new(transaction), position, last: String::new() })
        })
        .await
    }

    async fn would_remove(&self, old: Old) -> Result<u64, Error> {
        self.blocking(move |inner| {
            let read = inner.database.begin_read().map_err(backend)?;
            old.removes(count_state(&read.open_table(ENTRIES).map_err(backend)?)?)
        })
        .await
    }

    async fn fill(&self, entries: Entries, old: Old, floor: u64) -> Result<Filled, Error> {
        self.blocking(move |inner| {
            let write = inner.database.begin_write().map_err(backend)?;
            // What fails drops the transaction, which undoes all of it.
            let filled = fill(&write, entries, old, floor)?;
            write.commit().map_err(backend)?;
            inner.revision.send_replace(filled.revision);
            Ok(filled)
        })
        .await
    }
}

/// Puts the entries by one revision above the floor. Changes of before are forgotten, so that no watch goes on over it.
fn fill(write: &WriteTransaction, entries: Entries, old: Old, floor: u64) -> Result<Filled, Error> {
    let removed = old.removes(count_state(&write.open_table(ENTRIES).map_err(backend)?)?)?;
    write.delete_table(ENTRIES).map_err(backend)?;
    write.delete_table(CHANGES).map_err(backend)?;
    write.open_table(CHANGES).map_err(backend)?;
    let mut table = write.open_table(ENTRIES).map_err(backend)?;
    let mut meta = write.open_table(META).map_err(backend)?;
    let revision = meta_value(&meta, META_REVISION)?.max(floor) + 1;
    let (mut count, mut bytes) = (0, 0);
    let epoch = (whole::epoch_key(), floor.to_be_bytes().to_vec());
    for item in entries.chain(std::iter::once(Ok(epoch))) {
        let (key, value) = item.map_err(Error::Source)?;
        bytes += size(&key, Some(&value));
        if bytes > ENTRY_BYTES_MAX {
            return Err(Error::Full { bytes });
        }
        table.insert(key.as_str(), (revision, revision, value.as_slice())).map_err(backend)?;
        count += u64::from(is_state(&key));
    }
    let values = [
        (META_REVISION, revision),
        (META_COMPACTED, revision),
        (META_ENTRY_BYTES, bytes),
        (META_CHANGE_BYTES, 0),
    ];
    for (name, value) in values {
        meta.insert(name, value).map_err(backend)?;
    }
    Ok(Filled { entries: count, removed, revision })
}

fn count_state(table: &impl ReadableTable<&'static str, (u64, u64, &'static [u8])>) -> Result<u64, Error> {
    let mut count = 0;
    for item in table.iter().map_err(backend)? {
        count += u64::from(is_state(item.map_err(backend)?.0.value()));
    }
    Ok(count)
}
