//! Moments on the clock that counts since the machine started.

use std::fmt;
use std::ops::Add;
use std::time::Duration;

/// A moment in milliseconds since the machine started, suspends included (`CLOCK_BOOTTIME`). It means nothing on another
/// machine, and is its own type so that a deadline of a lease is never compared with the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Boot(u64);

impl Boot {
    /// The moment `millis` milliseconds after the start.
    pub const fn from_millis(millis: u64) -> Boot {
        Boot(millis)
    }

    /// Milliseconds since the start.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Time passed since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Boot) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Boot {
    type Output = Boot;

    fn add(self, rhs: Duration) -> Boot {
        Boot(self.0.saturating_add(u64::try_from(rhs.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Display for Boot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s after boot", self.0 / 1000, self.0 % 1000)
    }
}
