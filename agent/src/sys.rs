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

/// Gives back the pages of code and constants that starting up has touched and running on does not need.
///
/// They are read again from the system's page cache where they are needed after all. An agent sits on every node of a
/// fleet, and most of what it and its child held resident was such pages, counted twice.
///
/// # Errors
/// When `/proc/self/smaps` cannot be read.
pub fn release_startup_pages() -> io::Result<()> {
    let maps = std::fs::read_to_string("/proc/self/smaps")?;
    for range in unmodified_file_ranges(&maps) {
        // SAFETY: the range is a mapping of a file, not writable and without one modified page, as the kernel has just
        // said; dropping such pages means only that the same bytes are mapped again at the next access.
        unsafe { libc::madvise(range.start as *mut libc::c_void, range.len(), libc::MADV_DONTNEED) };
    }
    Ok(())
}

/// Address ranges of read-only mappings of files in which no page was ever modified, from the text of `smaps`.
fn unmodified_file_ranges(smaps: &str) -> Vec<std::ops::Range<usize>> {
    let mut ranges = Vec::new();
    let mut candidate = None;
    for line in smaps.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(first), second) = (words.next(), words.next()) else { continue };
        if let Some((start, end)) = first.split_once('-') {
            let addresses = usize::from_str_radix(start, 16).ok().zip(usize::from_str_radix(end, 16).ok());
            let of_file = words.nth(3).is_some_and(|path| path.starts_with('/'));
            let read_only = second.is_some_and(|rights| rights == "r-xp" || rights == "r--p");
            candidate = addresses.filter(|_| of_file && read_only).map(|(start, end)| start..end);
        } else if first == "Anonymous:" && second == Some("0") {
            ranges.extend(candidate.take());
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_read_only_unmodified_mappings_of_files_are_given_back() {
        let smaps = "\
1000-2000 r--p 00000000 fe:00 7 /bin/agent\nAnonymous:             0 kB\n\
2000-5000 r-xp 00001000 fe:00 7 /bin/agent\nRss: 8 kB\nAnonymous:             0 kB\n\
5000-6000 r--p 00004000 fe:00 7 /bin/agent\nAnonymous:             4 kB\n\
6000-7000 rw-p 00005000 fe:00 7 /bin/agent\nAnonymous:             0 kB\n\
7000-8000 r-xp 00000000 00:00 0 [vdso]\nAnonymous:             0 kB\n\
8000-9000 r--p 00000000 00:00 0\nAnonymous:             0 kB\n";
        assert_eq!(unmodified_file_ranges(smaps), [0x1000..0x2000, 0x2000..0x5000]);
    }

    #[test]
    fn the_process_goes_on_after_its_pages_were_given_back() {
        release_startup_pages().unwrap();
        assert_eq!(format!("{:.1}", 2.5_f64.sqrt()), "1.6");
    }

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
