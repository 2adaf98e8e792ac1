//! Public captures that tests read from the folder of shared data.

use std::io::Read as _;
use std::path::PathBuf;

/// The bytes of a file below `metrics_text`, unpacked where it is packed.
pub(crate) fn capture(name: &str) -> Vec<u8> {
    let folder = std::env::var_os("OSTLER_SHARED_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let path = folder.join("metrics_text").join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| {
        panic!(
            "{} cannot be read ({error}); set OSTLER_SHARED_DATA to the folder of shared data",
            path.display()
        )
    });
    if path.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).unwrap();
    unpacked
}
