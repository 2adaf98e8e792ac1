//! The little that an agent remembers across restarts: its incarnation and the highest leader term it has seen.
//!
//! Both only ever rise. The incarnation is the wall clock's milliseconds at start, or one more than the stored one when
//! the clock went back, so that a coordinator can tell a new process from a late message of the old one. The term is on
//! disk before an order under it is carried out: an agent that restarts still refuses the orders of a deposed leader.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

/// Name of the file in the state directory.
const FILE: &str = "agent.json";

/// A state file is some 50 bytes; a larger one is not ours.
const FILE_BYTES_MAX: u64 = 4096;

/// What is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Milliseconds of the wall clock when the agent last started.
    pub incarnation: u64,
    /// The highest leader term seen.
    pub highest_term: u64,
}

/// Where it is stored, or nowhere for an agent that never carries out orders after a restart (the demo's).
#[derive(Clone, Debug)]
pub struct Store {
    directory: Option<PathBuf>,
}

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The directory or file cannot be used.
    #[error("cannot {verb} {}; make it writable for the agent or set `state_dir` to another directory", path.display())]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} is not an agent's state file; move it away to start anew", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
}

impl Store {
    /// A store in a directory, which is made when it is first written to; `None` keeps nothing.
    #[must_use]
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self { directory }
    }

    /// What is stored; the default when nothing is.
    ///
    /// # Errors
    /// When there is a file that cannot be read or understood.
    pub fn read(&self) -> Result<Stored, Error> {
        let Some(path) = self.directory.as_ref().map(|directory| directory.join(FILE)) else {
            return Ok(Stored::default());
        };
        let text = match read_bounded(&path) {
            Ok(text) => text,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(Stored::default()),
            Err(source) => return Err(Error::Io { verb: "read", path, source }),
        };
        serde_json::from_slice(&text).map_err(|source| Error::Format { path, source })
    }

    /// Stores durably: after a power cut either the old or the new state is there, whole.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn write(&self, stored: Stored) -> Result<(), Error> {
        let Some(directory) = &self.directory else { return Ok(()) };
        let path = directory.join(FILE);
        replace(directory, &path, stored).map_err(|source| Error::Io { verb: "write", path, source })
    }
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    use io::Read;
    let mut text = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX).read_to_end(&mut text)?;
    Ok(text)
}

fn replace(directory: &Path, path: &Path, stored: Stored) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let draft = path.with_extension("json.new");
    let mut file = File::create(&draft)?;
    file.write_all(&serde_json::to_vec(&stored)?)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(directory)?.sync_all()
}

/// The incarnation of a start at this wall-clock time.
#[must_use]
pub fn incarnation(stored: Stored, now: SystemTime) -> u64 {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    u64::try_from(now).unwrap_or(u64::MAX).max(stored.incarnation.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(Some(directory.path().join("deep/er")));
        assert_eq!(store.read().unwrap(), Stored::default());
        let stored = Stored { incarnation: 5, highest_term: 7 };
        store.write(stored).unwrap();
        assert_eq!(store.read().unwrap(), stored);
    }

    #[test]
    fn a_disk_that_is_full_leaves_the_old_term_in_force() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(Some(directory.path().to_owned()));
        let stored = Stored { incarnation: 5, highest_term: 7 };
        store.write(stored).unwrap();
        let draft = directory.path().join(FILE).with_extension("json.new");
        std::os::unix::fs::symlink("/dev/full", &draft).unwrap();
        let error = store.write(Stored { incarnation: 5, highest_term: 9 }).unwrap_err();
        assert!(error.to_string().contains("cannot write"), "{error}");
        assert_eq!(store.read().unwrap(), stored);
    }

    #[test]
    fn what_a_power_cut_left_half_written_is_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::new(Some(directory.path().to_owned()));
        let stored = Stored { incarnation: 5, highest_term: 7 };
        store.write(stored).unwrap();
        fs::write(directory.path().join(FILE).with_extension("json.new"), "{\"incarn").unwrap();
        assert_eq!(store.read().unwrap(), stored);
        let next = Stored { incarnation: 6, highest_term: 9 };
        store.write(next).unwrap();
        assert_eq!(store.read().unwrap(), next);
    }

    #[test]
    fn a_file_that_is_not_ours_is_an_error_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join(FILE);
        fs::write(&file, "no json").unwrap();
        let error = Store::new(Some(directory.path().to_owned())).read().unwrap_err();
        assert!(error.to_string().contains("move it away"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), b"no json");
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_an_error_that_says_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Store::new(Some(file.join("below"))).write(Stored::default()).unwrap_err();
        assert!(error.to_string().contains("state_dir"), "{error}");
    }

    #[test]
    fn the_incarnation_rises_even_when_the_clock_goes_back() {
        let noon = UNIX_EPOCH + Duration::from_millis(1_000);
        assert_eq!(incarnation(Stored::default(), noon), 1_000);
        let stored = Stored { incarnation: 2_000, highest_term: 0 };
        assert_eq!(incarnation(stored, noon), 2_001);
    }
}
