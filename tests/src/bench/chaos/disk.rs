//! A small disk of its own, which can be filled.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;

/// Bytes of it: enough for a replica's file.
const SIZE: &str = "size=48m";

/// Bytes written at once when it is filled.
const PART_BYTES: usize = 64 << 10;

/// A folder on a memory file system, which is unmounted when this is dropped.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts one, which needs root.
    pub(crate) fn mount(folder: &Path) -> anyhow::Result<Disk> {
        std::fs::create_dir_all(folder)?;
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(folder).status()?;
        ensure!(mounted.success(), "mount: {mounted}");
        Ok(Disk { folder: folder.to_owned() })
    }

    /// Leaves no byte on it.
    pub(crate) fn fill(&self) -> anyhow::Result<()> {
        let mut filler = File::create(self.filler())?;
        let mut size = PART_BYTES;
        while size > 0 {
            match filler.write_all(&vec![0; size]) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::StorageFull => size /= 2,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Gives it its room back.
    pub(crate) fn clear(&self) -> anyhow::Result<()> {
        Ok(std::fs::remove_file(self.filler())?)
    }

    fn filler(&self) -> PathBuf {
        self.folder.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: who still has a file open on it is being ended.
        let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
    }
}
