//! Clocks of the system that the standard library lacks.
#![allow(unsafe_code)]

use std::time::Duration;

use ostler_core::lead::Boot;

/// Now, on the clock that counts since the machine started and goes on while it is suspended.
pub(crate) fn boot_now() -> Boot {
    let millis = read(libc::CLOCK_BOOTTIME).as_millis();
    Boot::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// Time that a processor has worked for this thread. It stands still while the thread waits for its turn.
pub(crate) fn thread_time() -> Duration {
    read(libc::CLOCK_THREAD_CPUTIME_ID)
}

fn read(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid `timespec` that the call fills in.
    let outcome = unsafe { libc::clock_gettime(clock, &raw mut time) };
    assert_eq!(outcome, 0, "Linux has had these clocks since 2.6.39");
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
