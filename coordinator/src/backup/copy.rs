//! One copy of a backup: written, read back, and only then older ones removed.

use std::fmt;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::Error;
use super::place::{Place, Put};

/// One copy of a backup.
#[derive(Debug)]
pub struct Copy {
    /// What it is called.
    pub url: String,
    /// What became of older ones beside it, or why this copy does not count.
    pub outcome: Result<Pruned, Error>,
}

/// What became of older backups beside a copy that counts.
#[derive(Debug, Default)]
pub struct Pruned {
    /// Names of those that were removed.
    pub removed: Vec<String>,
    /// Why others that were to be removed are still there. The copy is as good without.
    pub problem: Option<Error>,
}

/// What became of a copy that is not what was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is gone.
    Removed,
    /// It was to be removed, which failed.
    Stuck,
    /// It may be another's, who wrote at the same time.
    Left,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fate::Removed => "it was removed",
            Fate::Stuck => "it could not be removed and is to be removed by hand",
            Fate::Left => "it was left there, because another may have written it at the same time",
        })
    }
}

/// Makes one copy, reads it back, and then removes older ones.
pub(super) async fn copy_to(
    place: &Place,
    name: &str,
    staged: &Path,
    expected: &Digesting,
    keep: Option<NonZeroUsize>,
) -> Result<Pruned, Error> {
    let put = place.store(staged, name).await?;
    let mut found = Digesting::default();
    place.fetch(name, &mut found).await?;
    if found != *expected {
        return Err(differs(place, name, put).await);
    }
    let Some(keep) = keep else { return Ok(Pruned::default()) };
    let mut pruned = Pruned::default();
    pruned.problem = prune(place, name, keep, &mut pruned.removed).await.err();
    Ok(pruned)
}

/// Removes all but the newest of our names and this one.
async fn prune(
    place: &Place,
    name: &str,
    keep: NonZeroUsize,
    removed: &mut Vec<String>,
) -> Result<(), Error> {
    let mut old = place.names().await?;
    old.truncate(old.len().saturating_sub(keep.get()));
    // A clock that was set back makes this one look old.
    old.retain(|other| other != name);
    let mut problem = Ok(());
    for other in old {
        match place.remove(&other).await {
            Ok(()) => removed.push(other),
            // One that cannot be removed keeps no other.
            Err(error) => problem = problem.and(Err(error)),
        }
    }
    problem
}

/// Removes a copy that came out wrong, if nobody else can have written what is there now.
async fn differs(place: &Place, name: &str, put: Put) -> Error {
    let url = place.url(name);
    let (fate, source) = match put {
        Put::Found => return Error::Exists { url },
        Put::Shared => (Fate::Left, None),
        Put::Own => match place.remove(name).await {
            Ok(()) => (Fate::Removed, None),
            Err(error) => (Fate::Stuck, Some(Box::new(error))),
        },
    };
    Error::Differs { url, fate, source }
}

/// Digests what is written to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Digesting {
    digest: Sha256,
    bytes: u64,
}

impl PartialEq for Digesting {
    fn eq(&self, other: &Digesting) -> bool {
        self.bytes == other.bytes && self.digest.clone().finalize() == other.digest.clone().finalize()
    }
}

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
