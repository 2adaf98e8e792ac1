//! Backups of the store, and restoring from one. Both talk to the store itself, so that they work while every coordinator is
//! dead: to etcd, or to the file of a replica.
//!
//! A backup is the state at one revision, written once to a file of this machine and from there to every target; each copy
//! is read back and compared before it counts, and only then older ones go. A restore reads its file twice: once to find
//! out that all of it is right, and once to fill the store. Neither holds more than a page of entries in memory.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::config;
use crate::store;
use crate::store::embedded::{self, Embedded};
use crate::store::etcd::Etcd;
use crate::store::whole::{Old, Position, Reading as _, Whole};

mod copy;
mod folder;
pub mod format;
mod place;
pub mod s3;

pub use self::copy::{Copy, Fate, Pruned};
use self::copy::{Digesting, copy_to};
use self::format::{Contents, Header, Origin, REVISION_MAX, Reader, Writer};
use self::place::Place;
pub use self::place::Target;

/// How far this machine's clock may be behind the moment of a backup that it restores: clocks of two machines differ.
const CLOCK_DIFFERENCE_MAX: SignedDuration = SignedDuration::from_secs(300);

/// What a floor is above every revision that is known when the clock does not lead, so that it also is above those of the
/// last moments before a store was lost: what etcd's documentation proposes for its own `--bump-revision`.
const REVISIONS_UNSEEN_MAX: u64 = 1_000_000_000;

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The file is no backup that can be used.
    #[error(transparent)]
    Format(#[from] format::Error),
    /// The bucket failed.
    #[error(transparent)]
    S3(s3::Error),
    /// Nothing outlives the process.
    #[error("a store in memory cannot be backed up or restored; name another with --store")]
    Memory,
    /// The store's file may not be looked at.
    #[error("cannot look at {}; run this as the user that the coordinator runs as", file.display())]
    Look {
        /// The file.
        file: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// A folder that is not there.
    #[error("there is no folder {}; is its medium mounted? It is not made, so that a backup never lands beside it", path.display())]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A file in a folder failed.
    #[error("cannot read or write {}", path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// There is a backup of that name.
    #[error("{url} is there already and is not overwritten; choose another name, or a folder")]
    Exists {
        /// The backup.
        url: String,
    },
    /// A folder holds no backup.
    #[error("there is no backup in {place}; name one")]
    NoBackup {
        /// The folder or prefix.
        place: String,
    },
    /// A file for a while, on this machine, failed.
    #[error("cannot write a file for the time being; give the folder for temporary files (TMPDIR) room")]
    Staging(#[source] io::Error),
    /// A copy is not what was copied.
    #[error("{url} was read back and differs from what was written; {fate}: look at the medium")]
    Differs {
        /// The copy.
        url: String,
        /// What became of it.
        fate: Fate,
        /// Why it could not be removed.
        #[source]
        source: Option<Box<Error>>,
    },
    /// The clock is wrong.
    #[error(
        "the backup was made at {created} and this machine's clock says {now}; set the clock right, because terms of leaders go by it"
    )]
    Clock {
        /// When the backup was made.
        created: Timestamp,
        /// What the clock says.
        now: Timestamp,
    },
    /// Terms would leave the numbers that everyone holds exactly.
    #[error(
        "terms would go on above {floor}, and they end at {REVISION_MAX}; set this machine's clock right, and restore into an empty store"
    )]
    FloorTooHigh {
        /// What they would go on above.
        floor: u64,
    },
}

impl From<s3::Error> for Error {
    /// What an object is read into is a file of this machine for the time being.
    fn from(error: s3::Error) -> Error {
        if let s3::Error::Sink(source) = error { Error::Staging(source) } else { Error::S3(error) }
    }
}

/// What was backed up, and where to.
#[derive(Debug)]
pub struct Report {
    /// What every copy holds.
    pub contents: Contents,
    /// Bytes of a copy.
    pub bytes: u64,
    /// One for each target, in their order.
    pub copies: Vec<Copy>,
}

/// Backs the store up to all targets; in each folder `keep` backups of ours stay. A target that fails does not keep the
/// others from theirs.
pub async fn back_up(
    store: &config::Store,
    targets: &[Target],
    keep: Option<NonZeroUsize>,
    s3: &s3::Settings,
    now: Timestamp,
) -> Result<Report, Error> {
    let places = targets.iter().map(|it| it.open(s3)).collect::<Result<Vec<_>, Error>>()?;
    let staged = NamedTempFile::new().map_err(Error::Staging)?;
    match store {
        config::Store::Memory => return Err(Error::Memory),
        config::Store::Folder(folder) => {
            let copy = Embedded::open_copy(&folder.join(embedded::FILE)).await?;
            write(&copy, Origin::Embedded, now, staged.as_file()).await?;
        }
        config::Store::Etcd { folder: _, etcd } => {
            write(&Etcd::open(etcd)?, Origin::Etcd, now, staged.as_file()).await?;
        }
    }
    let contents = inspect(staged.path())?;
    let mut digest = Digesting::default();
    let bytes = File::open(staged.path())
        .and_then(|mut file| io::copy(&mut file, &mut digest))
        .map_err(Error::Staging)?;
    let mut copies = Vec::new();
    for (target, place) in targets.iter().zip(places) {
        let name = target.name_at(now, &contents.sha256);
        let keep = keep.filter(|_| !target.is_one());
        let outcome = copy_to(&place, &name, staged.path(), &digest, keep).await;
        copies.push(Copy { url: place.url(&name), outcome });
    }
    Ok(Report { contents, bytes, copies })
}

/// Writes all state, as it is now.
async fn write(store: &impl Whole, origin: Origin, now: Timestamp, file: &File) -> Result<(), Error> {
    let mut reading = store.read().await?;
    let header = Header::new(now, origin, reading.position());
    let mut writer = Writer::begin(BufWriter::new(file), &header).map_err(Error::Staging)?;
    loop {
        let entries = reading.next().await?;
        if entries.is_empty() {
            break;
        }
        for entry in entries {
            writer.entry(&entry.key, &entry.value).map_err(Error::Staging)?;
        }
    }
    writer.finish().map_err(Error::Staging)?;
    Ok(())
}

/// A backup on this machine, for as long as this lives.
pub struct Fetched {
    /// What it is called.
    pub url: String,
    /// What it holds: all of it was read and found to be right.
    pub contents: Contents,
    path: PathBuf,
    _copy: Option<NamedTempFile>,
}

/// Fetches a backup, of a folder the newest, and reads all of it.
pub async fn fetch(source: &Target, s3: &s3::Settings) -> Result<Fetched, Error> {
    let place = source.open(s3)?;
    let name = source.name_in(&place).await?;
    let url = place.url(&name);
    let (path, copy) = match &place {
        Place::Folder(folder) => (folder.path(&name), None),
        Place::Bucket(_) => {
            let mut copy = NamedTempFile::new().map_err(Error::Staging)?;
            place.fetch(&name, copy.as_file_mut()).await?;
            (copy.path().to_owned(), Some(copy))
        }
    };
    Ok(Fetched { url, contents: inspect(&path)?, path, _copy: copy })
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Entries put.
    pub entries: u64,
    /// Entries that were there before and were removed.
    pub removed: u64,
    /// The store's revision now: every later one, and with it every later term, is higher.
    pub revision: u64,
}

/// Fills the store with a backup. `now` is this machine's clock, above which terms go on.
pub async fn restore(
    fetched: &Fetched,
    store: &config::Store,
    old: Old,
    now: Timestamp,
) -> Result<Restored, Error> {
    check_clock(&fetched.contents.header, now)?;
    match store {
        config::Store::Memory => Err(Error::Memory),
        config::Store::Folder(folder) => {
            fill(&Embedded::open(&folder.join(embedded::FILE))?, fetched, old, now).await
        }
        config::Store::Etcd { folder: _, etcd } => fill(&Etcd::open(etcd)?, fetched, old, now).await,
    }
}

/// What a restore would do now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rehearsal {
    /// Entries that it would put.
    pub entries: u64,
    /// Entries that are there and that it would remove.
    pub removed: u64,
    /// What revisions and terms would go on above.
    pub floor: u64,
}

/// Looks at all that a restore looks at, and is refused with what it would be. Changes nothing.
pub async fn rehearse(
    fetched: &Fetched,
    store: &config::Store,
    old: Old,
    now: Timestamp,
) -> Result<Rehearsal, Error> {
    let Contents { header, entries, .. } = &fetched.contents;
    check_clock(header, now)?;
    let (removed, position) = match store {
        config::Store::Memory => return Err(Error::Memory),
        config::Store::Folder(folder) => {
            let file = folder.join(embedded::FILE);
            // Opening would make it.
            let there = file.try_exists().map_err(|source| Error::Look { file: file.clone(), source })?;
            if there { look(&Embedded::open(&file)?, old).await? } else { (0, Position::default()) }
        }
        config::Store::Etcd { folder: _, etcd } => look(&Etcd::open(etcd)?, old).await?,
    };
    Ok(Rehearsal { entries: *entries, removed, floor: floor(header, position, now)? })
}

async fn look(store: &impl Whole, old: Old) -> Result<(u64, Position), Error> {
    Ok((store.would_remove(old).await?, store.position().await?))
}

fn check_clock(header: &Header, now: Timestamp) -> Result<(), Error> {
    let created = header.created;
    let behind = now < created.saturating_sub(CLOCK_DIFFERENCE_MAX).unwrap_or(Timestamp::MIN);
    if behind { Err(Error::Clock { created, now }) } else { Ok(()) }
}

async fn fill(store: &impl Whole, fetched: &Fetched, old: Old, now: Timestamp) -> Result<Restored, Error> {
    let floor = floor(&fetched.contents.header, store.position().await?, now)?;
    let entries = open(&fetched.path)?.map(|entry| entry.map_err(Box::from));
    let filled = store.fill(Box::new(entries), old, floor).await?;
    Ok(Restored { entries: filled.entries, removed: filled.removed, revision: filled.revision })
}

/// Above every revision that any store of this fleet can have given (decision "Terms go on rising over a restore"), as long
/// as no clock that an earlier store was restored by was ahead of this one by more than the time that has passed since. Each
/// store counts from zero or from the moment of a restore in microseconds since 1970, and far more slowly than one a
/// microsecond, so that the clock is above all of them, also above those that nobody remembers. Where it is not above those
/// that are known, clocks differ.
fn floor(header: &Header, target: Position, now: Timestamp) -> Result<u64, Error> {
    let clock = u64::try_from(now.as_microsecond()).unwrap_or(0);
    let known = [header.revision, header.term, target.revision, target.term].into_iter().fold(0, u64::max);
    let floor = if clock > known { clock } else { known.saturating_add(REVISIONS_UNSEEN_MAX) };
    if floor > REVISION_MAX { Err(Error::FloorTooHigh { floor }) } else { Ok(floor) }
}

fn inspect(path: &Path) -> Result<Contents, Error> {
    Ok(open(path)?.contents()?)
}

fn open(path: &Path) -> Result<Reader<BufReader<File>>, Error> {
    let file = File::open(path).map_err(|source| Error::Folder { path: path.to_owned(), source })?;
    Ok(Reader::open(BufReader::new(file))?)
}

#[cfg(test)]
mod tests;
