//! Lets messages gather while many come, as network cards do with packets.
//!
//! A thread that is woken for each of ten thousand messages a second spends a third of its time on waking and going to
//! sleep. When that many come, it sleeps a little longer instead before it asks the kernel what there is, and then takes
//! two hundred at once. Nobody notices the milliseconds: rows come once a second. A thread with little to do never waits.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

/// Messages that may gather: with more, waking is already a small part of the work.
const GATHERED: f64 = 200.0;

/// How long messages may gather: half of the 50 ms in which a change is to reach a hundred watchers, whom it takes the other
/// half to tell.
const GATHER_MAX: Duration = Duration::from_millis(25);

/// Messages a second from which on gathering brings two or more together.
const BUSY_PER_SECOND: f64 = 500.0;

/// How often the rate is worked out.
const WINDOW: Duration = Duration::from_millis(100);

thread_local! {
    /// Messages in this window.
    static MESSAGES: Cell<u32> = const { Cell::new(0) };
    /// When the window began, and how long to wait by what came in the window before.
    static STATE: Cell<Option<(Instant, Duration)>> = const { Cell::new(None) };
}

/// Counts a message of a report stream.
#[inline]
pub(super) fn count() {
    MESSAGES.set(MESSAGES.get().wrapping_add(1));
}

/// To be called by a thread that serves report streams when it has nothing left to do, before it waits for more.
pub fn before_park() {
    let now = Instant::now();
    let (began, mut wait) = STATE.get().unwrap_or((now, Duration::ZERO));
    let passed = now.saturating_duration_since(began);
    if passed >= WINDOW {
        wait = gather(f64::from(MESSAGES.take()) / passed.as_secs_f64());
        STATE.set(Some((now, wait)));
    } else {
        STATE.set(Some((began, wait)));
    }
    if !wait.is_zero() {
        thread::sleep(wait);
    }
}

/// How long messages may gather when so many come in a second.
fn gather(per_second: f64) -> Duration {
    if per_second < BUSY_PER_SECOND {
        return Duration::ZERO;
    }
    Duration::from_secs_f64(GATHERED / per_second).min(GATHER_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_busy_thread_waits_and_not_longer_than_for_two_hundred_messages() {
        let milliseconds = |per_second| gather(per_second).as_millis();
        assert_eq!([0.0, 499.0, 500.0, 1_000.0].map(milliseconds), [0, 0, 25, 25]);
        assert_eq!([10_000.0, 50_000.0].map(milliseconds), [20, 4]);
    }

    #[test]
    fn the_wait_goes_by_the_window_before() {
        let window_ago = Instant::now().checked_sub(WINDOW).unwrap();
        STATE.set(Some((window_ago, Duration::ZERO)));
        MESSAGES.set(1_000);
        let start = Instant::now();
        before_park();
        assert!(start.elapsed() >= Duration::from_millis(5), "a thousand in a tenth of a second");
        assert_eq!(MESSAGES.get(), 0);
    }
}
