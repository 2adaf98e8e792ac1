//! Copies of backups as files of a folder.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::Error;
use super::place::is_ours;

/// A folder, which is never made: one that is missing is a medium that is not there.
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn new(path: &Path) -> Folder {
        Folder { path: path.to_owned() }
    }

    /// Copies a file under a new name. It gets its name once all of it is on the disk.
    pub(super) fn store(&self, staged: &Path, name: &str) -> Result<(), Error> {
        let failed = |source| Error::Folder { path: self.path(name), source };
        if !self.path.is_dir() {
            return Err(Error::NoFolder { path: self.path.clone() });
        }
        let mut partial = tempfile::Builder::new()
            .prefix(".ostler-")
            .suffix(".partial")
            .tempfile_in(&self.path)
            .map_err(failed)?;
        io::copy(&mut File::open(staged).map_err(failed)?, partial.as_file_mut()).map_err(failed)?;
        partial.as_file().sync_all().map_err(failed)?;
        if let Err(error) = partial.persist_noclobber(self.path(name)) {
            let there = error.error.kind() == io::ErrorKind::AlreadyExists;
            let url = self.path(name).display().to_string();
            return Err(if there { Error::Exists { url } } else { failed(error.error) });
        }
        File::open(&self.path).and_then(|folder| folder.sync_all()).map_err(failed)
    }

    pub(super) fn fetch(&self, name: &str, sink: &mut (dyn Write + Send)) -> Result<(), Error> {
        let path = self.path(name);
        let copied = File::open(&path).and_then(|mut file| io::copy(&mut file, sink));
        copied.map(drop).map_err(|source| Error::Folder { path, source })
    }

    /// Names of backups that we made there.
    pub(super) fn names(&self) -> Result<Vec<String>, Error> {
        let failed = |source| Error::Folder { path: self.path.clone(), source };
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().into_string();
            names.extend(name.ok().filter(|name| is_ours(name)));
        }
        Ok(names)
    }

    pub(super) fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name);
        fs::remove_file(&path).map_err(|source| Error::Folder { path, source })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.path.clone() } else { self.path.join(name) }
    }
}
