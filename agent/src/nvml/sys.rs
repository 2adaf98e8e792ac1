//! The few system calls that the NVML monitor needs and the standard library does not offer.
#![allow(unsafe_code)]

use std::{
    fs::File,
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd},
    ptr::NonNull,
    sync::atomic::AtomicU64,
    time::Duration,
};

/// Memory that two processes see at once, as words.
#[derive(Debug)]
pub(crate) struct SharedWords {
    start: NonNull<AtomicU64>,
    words: usize,
}

// SAFETY: the mapping is owned by this value alone and is only handed out as atomics, which any thread may touch.
unsafe impl Send for SharedWords {}
// SAFETY: as above.
unsafe impl Sync for SharedWords {}

impl SharedWords {
    /// Maps `words` words of the file that `descriptor` names; the file must be at least that long.
    pub(crate) fn map(descriptor: RawFd, words: usize) -> io::Result<SharedWords> {
        let bytes = words * size_of::<AtomicU64>();
        // SAFETY: fstat only fills the zeroed struct that it is given.
        let length = unsafe {
            let mut stat: libc::stat = std::mem::zeroed();
            if libc::fstat(descriptor, &raw mut stat) != 0 {
                return Err(io::Error::last_os_error());
            }
            stat.st_size
        };
        if usize::try_from(length).unwrap_or(0) < bytes {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the shared page is too short"));
        }
        // SAFETY: a fresh shared mapping of a file that is long enough; the result is checked before use.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                descriptor,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mmap returned null"))?;
        Ok(SharedWords { start, words })
    }

    /// The words themselves.
    pub(crate) fn words(&self) -> &[AtomicU64] {
        // SAFETY: the mapping is page-aligned, `words` long, zero-filled at creation, and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.words) }
    }
}

impl Drop for SharedWords {
    fn drop(&mut self) {
        // SAFETY: the range is exactly what `map` obtained, and no borrow outlives `self`.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.words * size_of::<AtomicU64>()) };
    }
}

/// Anonymous memory behind a descriptor that a child process inherits (it is not closed on exec).
pub(crate) fn inheritable_memory(words: usize) -> io::Result<OwnedFd> {
    // SAFETY: the name is a C string; the returned descriptor is checked and owned from here on.
    let memory = unsafe {
        let descriptor = libc::memfd_create(c"ostler-nvml".as_ptr(), 0);
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        OwnedFd::from_raw_fd(descriptor)
    };
    let bytes = libc::off_t::try_from(words * size_of::<AtomicU64>()).map_err(io::Error::other)?;
    // SAFETY: the descriptor is open and ours.
    if unsafe { libc::ftruncate(memory.as_raw_fd(), bytes) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(memory)
}

/// Calls this process what it is, in lists of processes; the file that it runs is named otherwise.
pub(crate) fn name_process() {
    // SAFETY: PR_SET_NAME reads a C string of at most 16 bytes.
    unsafe { libc::prctl(libc::PR_SET_NAME, c"ostler-nvml".as_ptr()) };
}

/// How long a process that was told to end may take to end by itself.
const GRACE_SECONDS: u32 = 3;

/// Asks the kernel to end this process some time after the thread that started it, so that it can shut down by itself
/// unless it is stuck. A SIGTERM means the same.
pub(crate) fn die_with_parent() {
    extern "C" fn end_later(_signal: libc::c_int) {
        // SAFETY: alarm is async-signal-safe; when it fires, the default action ends the process.
        unsafe { libc::alarm(GRACE_SECONDS) };
    }
    let handler: extern "C" fn(libc::c_int) = end_later;
    // SAFETY: the handler only calls what a handler may call; PR_SET_PDEATHSIG takes a signal number.
    unsafe {
        libc::signal(libc::SIGTERM, handler as libc::sighandler_t);
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
    }
}

/// Reads and writes on `descriptor` return at once from now on.
pub(crate) fn set_nonblocking(descriptor: RawFd) -> io::Result<()> {
    // SAFETY: fcntl with F_GETFL and F_SETFL touches no memory.
    unsafe {
        let flags = libc::fcntl(descriptor, libc::F_GETFL);
        if flags < 0 || libc::fcntl(descriptor, libc::F_SETFL, flags | libc::O_NONBLOCK) < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Waits until one of `descriptors` can be read or is closed, or until `timeout` has passed.
pub(crate) fn wait_readable(descriptors: &[RawFd], timeout: Duration) {
    const DESCRIPTORS_MAX: usize = 4;
    let mut entries = [libc::pollfd { fd: -1, events: libc::POLLIN, revents: 0 }; DESCRIPTORS_MAX];
    let count = descriptors.len().min(DESCRIPTORS_MAX);
    for (entry, descriptor) in entries.iter_mut().zip(descriptors) {
        entry.fd = *descriptor;
    }
    // Rounded up, so that a wait for a deadline never ends just before it and spins.
    let timeout_ms = i32::try_from(timeout.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
    // SAFETY: the array outlives the call and `count` is within it. An error (EINTR) is the same as an early wake-up.
    unsafe { libc::poll(entries.as_mut_ptr(), count as libc::nfds_t, timeout_ms) };
}

/// The process's standard output as a file of its own; what a library prints from now on goes to standard error.
pub(crate) fn take_stdout() -> io::Result<File> {
    // SAFETY: dup and dup2 touch no memory; the new descriptor is checked and owned from here on.
    unsafe {
        let output = libc::fcntl(libc::STDOUT_FILENO, libc::F_DUPFD_CLOEXEC, 3);
        if output < 0 {
            return Err(io::Error::last_os_error());
        }
        let output = File::from_raw_fd(output);
        if libc::dup2(libc::STDERR_FILENO, libc::STDOUT_FILENO) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(output)
    }
}

/// Microseconds on the clock that all processes of the machine share and that never goes back.
pub(crate) fn monotonic_us() -> u64 {
    // SAFETY: clock_gettime only fills the struct that it is given.
    let time = unsafe {
        let mut time: libc::timespec = std::mem::zeroed();
        libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time);
        time
    };
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0) / 1000
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;

    #[test]
    fn two_mappings_of_one_memory_see_the_same_words() {
        let memory = inheritable_memory(8).unwrap();
        let writer = SharedWords::map(memory.as_raw_fd(), 8).unwrap();
        let reader = SharedWords::map(memory.as_raw_fd(), 8).unwrap();
        writer.words()[3].store(42, Ordering::Release);
        assert_eq!(reader.words()[3].load(Ordering::Acquire), 42);
    }

    #[test]
    fn a_memory_that_is_too_short_is_refused_instead_of_faulting_later() {
        let memory = inheritable_memory(8).unwrap();
        assert!(SharedWords::map(memory.as_raw_fd(), 100_000).is_err());
    }
}
