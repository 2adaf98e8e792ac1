//! The position in the kernel log, kept in a file: `boot-id sequence`.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Where reading goes on in this boot.
#[derive(Debug)]
pub(crate) struct Cursor {
    path: Option<PathBuf>,
    boot_id: String,
    position: Option<u64>,
    /// Nothing was kept yet: the first position is worth writing at once.
    fresh: bool,
}

impl Cursor {
    /// What was kept for this boot; a file of another boot, or one that makes no sense, counts as none.
    pub(crate) fn open(path: Option<PathBuf>, boot_id: String) -> Cursor {
        let kept = path.as_deref().and_then(|path| read(path, &boot_id));
        Cursor { path, boot_id, position: kept, fresh: kept.is_none() }
    }

    /// The last record that was passed on.
    pub(crate) fn position(&self) -> Option<u64> {
        self.position
    }

    /// Whether the next position should be kept without delay.
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// Keeps the position: the file is either the old or the new one, never half of it.
    pub(crate) fn save(&mut self, position: u64) -> io::Result<()> {
        (self.position, self.fresh) = (Some(position), false);
        let Some(path) = &self.path else { return Ok(()) };
        let temporary = path.with_extension("new");
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = File::create(&temporary)?;
        writeln!(file, "{} {position}", self.boot_id)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    }
}

fn read(path: &Path, boot_id: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let (boot, position) = text.trim().split_once(' ')?;
    (boot == boot_id).then(|| position.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_kept_for_its_boot_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = Some(folder.path().join("deep/state"));
        Cursor::open(path.clone(), "a".into()).save(7).unwrap();
        assert_eq!(Cursor::open(path.clone(), "a".into()).position(), Some(7));
        assert_eq!(Cursor::open(path, "b".into()).position(), None);
    }

    #[test]
    fn a_file_that_makes_no_sense_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        for nonsense in ["", "a", "a x", "a 1 2", "\0\0"] {
            fs::write(&path, nonsense).unwrap();
            assert_eq!(Cursor::open(Some(path.clone()), "a".into()).position(), None, "{nonsense:?}");
        }
    }
}
