//! Lets messages gather while many come, as network cards do with packets.
//!
//! A thread that is woken for each of ten thousand messages a second spends a third of its time on waking and going to
//! sleep. When that many come, it sleeps a little longer instead before it asks the kernel what there is, and then takes
//! a hundred at once. Nobody notices the milliseconds: rows come once a second. A thread with little to do never waits.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

/// How long messages may gather: a hundredth of the second between two rows of an agent.
const GATHER: Duration = Duration::from_millis(10);

/// Messages a second from which on gathering brings two or more together.
const BUSY_PER_SECOND: f64 = 500.0;

/// How often the rate is worked out.
const WINDOW: Duration = Duration::from_millis(100);

thread_local! {
    /// Messages in this window.
    static MESSAGES: Cell<u32> = const { Cell::new(0) };
    /// When the window began, and whether the window before was busy.
    static STATE: Cell<Option<(Instant, bool)>> = const { Cell::new(None) };
}

/// Counts a message of a report stream.
#[inline]
pub(super) fn count() {
    MESSAGES.set(MESSAGES.get().wrapping_add(1));
}

/// To be called by a thread that serves report streams when it has nothing left to do, before it waits for more.
pub fn before_park() {
    let now = Instant::now();
    let (began, mut busy) = STATE.get().unwrap_or((now, false));
    let passed = now.saturating_duration_since(began);
    if passed >= WINDOW {
        busy = f64::from(MESSAGES.take()) >= BUSY_PER_SECOND * passed.as_secs_f64();
        STATE.set(Some((now, busy)));
    } else {
        STATE.set(Some((began, busy)));
    }
    if busy {
        thread::sleep(GATHER);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long [`before_park`] takes after a window with so many messages.
    fn wait_after(messages: u32) -> Duration {
        let window_ago = Instant::now().checked_sub(WINDOW).unwrap();
        STATE.set(Some((window_ago, false)));
        MESSAGES.set(messages);
        let start = Instant::now();
        before_park();
        start.elapsed()
    }

    #[test]
    fn only_a_busy_thread_waits() {
        assert!(wait_after(1000) >= GATHER);
        assert!((0..20).map(|_| wait_after(10)).min().unwrap() < GATHER);
    }
}
