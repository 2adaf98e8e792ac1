//! Recorded data of real machines, kept outside the repository.

use std::{env, fs, io::Read, path::PathBuf};

use super::build::workspace;

/// A file below the shared data folder, unpacked when it is gzip.
pub(crate) fn read(path: &str) -> String {
    let file = folder().join(path);
    let bytes = fs::read(&file).unwrap_or_else(|error| {
        panic!("{} cannot be read ({error}); OSTLER_SHARED_DATA can name another data folder", file.display())
    });
    let mut text = String::new();
    if path.ends_with(".gz") {
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    text
}

fn folder() -> PathBuf {
    match env::var_os("OSTLER_SHARED_DATA") {
        Some(folder) => folder.into(),
        None => workspace().join("../shared/data"),
    }
}
