//! The one call to the system that the standard library lacks.
#![allow(unsafe_code)]

use ostler_core::lead::Boot;

/// Now, on the clock that counts since the machine started and goes on while it is suspended.
pub(super) fn boot_now() -> Boot {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid `timespec` that the call fills in.
    let outcome = unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
    assert_eq!(outcome, 0, "Linux has had this clock since 2.6.39");
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let millis = u64::try_from(time.tv_nsec / 1_000_000).unwrap_or(0);
    Boot::from_millis(seconds.saturating_mul(1_000).saturating_add(millis))
}
