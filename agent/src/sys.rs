//! The few calls to the C library that nothing safe offers.
#![allow(unsafe_code)]

use std::{ffi::CString, io, mem::MaybeUninit, os::unix::ffi::OsStrExt, path::Path};

/// Space of a file system, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Space {
    /// All of it.
    pub total: u64,
    /// Taken, what is reserved for root not counted as taken.
    pub used: u64,
}

/// The space of the file system that holds `path`. Blocks as long as that file system does.
///
/// # Errors
/// When the path cannot be reached.
pub fn space(path: &Path) -> io::Result<Space> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut stat = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` ends with a zero byte and outlives the call; `stat` is writable and of the type the call fills.
    let answer = unsafe { libc::statvfs(path.as_ptr(), stat.as_mut_ptr()) };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call returned 0, so it has filled the whole structure.
    let stat = unsafe { stat.assume_init() };
    let unit = stat.f_frsize;
    Ok(Space {
        total: stat.f_blocks.saturating_mul(unit),
        used: stat.f_blocks.saturating_sub(stat.f_bfree).saturating_mul(unit),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_has_space_and_some_of_it_is_used() {
        let space = space(Path::new("/")).unwrap();
        assert!(space.used > 0 && space.used <= space.total, "{space:?}");
    }

    #[test]
    fn a_path_that_is_not_there_is_an_error() {
        assert_eq!(space(Path::new("/no/such/path")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
