//! A replica's folder with something in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ostler_coordinator::config;
use ostler_coordinator::store::embedded::{Embedded, FILE};
use ostler_coordinator::store::whole::is_state;
use ostler_coordinator::store::{Operation, Store, Transaction};
use tempfile::TempDir;

/// The moment of the first backup; those after it are a second later each.
pub(crate) const NOON: &str = "2026-11-21T12:00:00Z";

pub(crate) fn noon_and(seconds: i64) -> Timestamp {
    let noon: Timestamp = NOON.parse().unwrap();
    Timestamp::from_second(noon.as_second() + seconds).unwrap()
}

/// A folder with the file of a store, and one for backups.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("backups")).unwrap();
        Place { folder }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn backups(&self) -> PathBuf {
        self.folder.path().join("backups")
    }

    pub(crate) fn config(&self) -> config::Store {
        config::Store::Folder(self.data())
    }

    pub(crate) fn open(&self) -> Embedded {
        Embedded::open(&self.data().join(FILE)).unwrap()
    }

    pub(crate) async fn put(&self, entries: &[(&str, &str)]) {
        let put = |(key, value): &(&str, &str)| Operation::Put((*key).to_owned(), value.as_bytes().to_vec());
        let operations = entries.iter().map(put).collect();
        self.open().commit(Transaction { compares: Vec::new(), operations }).await.unwrap();
    }
}

/// All state of a store.
pub(crate) async fn state(store: &impl Store) -> BTreeMap<String, Vec<u8>> {
    let (entries, _) = store.list("").await.unwrap();
    entries.into_iter().filter(|it| is_state(&it.key)).map(|it| (it.key, it.value)).collect()
}

pub(crate) fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
