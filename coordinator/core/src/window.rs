//! How often something happens, over a window that ends now.
//!
//! Time is passed in, and reading changes nothing, so that a report and a dashboard can ask as often as they like.

use std::time::Duration;

use crate::time::Time;

/// Parts the window is cut into: what is older than the window is forgotten a tenth of it at a time.
const BUCKETS: usize = 10;

/// Counts events and tells their rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Length of one part.
    bucket_ms: u64,
    /// Events in each part; part number n is at n modulo the count.
    buckets: [u64; BUCKETS],
    /// Number of the newest part that was written, counted from the epoch.
    newest: u64,
}

impl Rate {
    /// A rate over a window of ten parts of this length, at least 1 ms.
    pub fn new(bucket: Duration) -> Rate {
        let bucket_ms = u64::try_from(bucket.as_millis()).unwrap_or(u64::MAX).max(1);
        Rate { bucket_ms, buckets: [0; BUCKETS], newest: 0 }
    }

    /// Counts events. One that comes after a later one is counted with that.
    pub fn add(&mut self, events: u64, now: Time) {
        let part = now.as_millis() / self.bucket_ms;
        if part > self.newest {
            let passed = (part - self.newest).min(BUCKETS as u64);
            for step in 0..passed {
                self.buckets[Self::at(part - step)] = 0;
            }
            self.newest = part;
        }
        let count = &mut self.buckets[Self::at(self.newest)];
        *count = count.saturating_add(events);
    }

    /// Events a second, over the nine whole parts before the one that runs now.
    pub fn per_second(&self, now: Time) -> f64 {
        let part = now.as_millis() / self.bucket_ms;
        let whole = BUCKETS as u64 - 1;
        let from = part.saturating_sub(whole).max((self.newest + 1).saturating_sub(BUCKETS as u64));
        let events: u64 = (from..part.min(self.newest + 1)).map(|part| self.buckets[Self::at(part)]).sum();
        events as f64 * 1000.0 / (whole * self.bucket_ms) as f64
    }

    fn at(part: u64) -> usize {
        (part % BUCKETS as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate() -> Rate {
        Rate::new(Duration::from_secs(1))
    }

    #[test]
    fn a_steady_flow_is_its_rate_and_an_end_is_seen() {
        let mut rate = rate();
        for tick in 0..200 {
            rate.add(3, Time::from_millis(1_000_000 + tick * 100));
        }
        let end = Time::from_millis(1_020_000);
        assert_eq!(rate.per_second(end), 30.0);
        assert_eq!(rate.per_second(end), 30.0, "reading changes nothing");
        assert_eq!(rate.per_second(end + Duration::from_secs(3)), 20.0);
        assert_eq!(rate.per_second(end + Duration::from_secs(9)), 0.0);
        assert_eq!(rate.per_second(end + Duration::from_secs(9_000)), 0.0);
    }

    #[test]
    fn a_pause_longer_than_the_window_leaves_nothing_behind() {
        let mut rate = rate();
        rate.add(50, Time::from_millis(5_000));
        rate.add(9, Time::from_millis(90_000));
        assert_eq!(rate.per_second(Time::from_millis(91_000)), 1.0);
        rate.add(9, Time::from_millis(10));
        assert_eq!(rate.per_second(Time::from_millis(91_000)), 2.0, "a late one is counted with the newest");
    }
}
