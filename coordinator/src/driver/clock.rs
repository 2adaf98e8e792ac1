//! The clock: wall time at the start, carried on by the monotonic clock, so that it never goes back.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ostler_core::time::Time;

/// Milliseconds since 1970. A step of the wall clock while the process runs is not followed: all nodes would fall silent
/// at once. Slow corrections are, because they change the monotonic clock's rate too.
pub(super) struct Clock {
    wall_millis: u64,
    started: Instant,
}

impl Clock {
    pub(super) fn start() -> Clock {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Clock { wall_millis: u64::try_from(wall.as_millis()).unwrap_or(0), started: Instant::now() }
    }

    pub(super) fn now(&self) -> Time {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Time::from_millis(self.wall_millis.saturating_add(elapsed))
    }
}
