//! Files of the shared data, which lie beside the repository and not in it.

use std::env;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be read; OSTLER_SHARED_DATA can name another data folder", path.display())]
pub struct Missing {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// Reads a file below the shared data folder, unpacked when its name ends in .gz or .xz.
pub(super) fn read(name: &str) -> Result<String, Missing> {
    let path = folder().join(name);
    unpacked(&path).map_err(|source| Missing { path, source })
}

fn unpacked(path: &Path) -> io::Result<String> {
    let bytes = fs::read(path)?;
    let mut text = String::new();
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text)?,
        Some("xz") => lzma_rust2::XzReader::new(&*bytes, true).read_to_string(&mut text)?,
        _ => io::Cursor::new(bytes).read_to_string(&mut text)?,
    };
    Ok(text)
}

fn folder() -> PathBuf {
    env::var_os("OSTLER_SHARED_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from)
}
