//! Sums by the second over a window that ends now (`pkg/autoscaler/aggregation/bucketing.go`).

use std::time::Duration;

use crate::time::Time;

/// The longest window, as Knative allows: an hour is 3,600 sums, 29 kB.
const SECONDS_MAX: u64 = 3_600;

/// What averages are rounded to, so that taking old sums away leaves no dust.
const PRECISION: f64 = 1e6;

/// One sum a second.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Buckets {
    /// Second number n is at n modulo the count.
    sums: Vec<f64>,
    /// Of all sums, those outside of what was written included.
    total: f64,
    written: Option<Written>,
}

/// Which seconds were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Written {
    /// Since the last pause of a whole window.
    first: u64,
    last: u64,
}

impl Buckets {
    /// Over a window of 1 s to 1 h, rounded up to whole seconds.
    pub(super) fn new(window: Duration) -> Buckets {
        let seconds = u64::try_from(window.as_millis().div_ceil(1000)).unwrap_or(u64::MAX);
        assert!((1..=SECONDS_MAX).contains(&seconds), "a window lasts 1 s to 1 h, not {window:?}");
        Buckets { sums: vec![0.0; seconds as usize], total: 0.0, written: None }
    }

    /// Adds to the second that runs. What comes too late for the window is dropped.
    pub(super) fn record(&mut self, value: f64, now: Time) {
        let second = now.as_millis() / 1000;
        let written = match self.written {
            Some(written) if second < written.last => {
                if second + self.window() <= written.last {
                    return;
                }
                Written { first: written.first.min(second), ..written }
            }
            Some(written) if second - written.last < self.window() => {
                (written.last + 1..=second).for_each(|second| self.clear(second));
                Written { last: second, ..written }
            }
            None | Some(_) => {
                self.sums.fill(0.0);
                self.total = 0.0;
                Written { first: second, last: second }
            }
        };
        self.written = Some(written);
        let at = self.at(second);
        self.sums[at] += value;
        self.total += value;
    }

    /// The mean over the seconds that were written, as far as the window reaches back.
    pub(super) fn average(&self, now: Time) -> f64 {
        let Some(Written { first, last }) = self.written else { return 0.0 };
        let now = now.as_millis() / 1000;
        let ahead = now.saturating_sub(last);
        if ahead >= self.window() {
            return 0.0;
        }
        let sum = (last + 1..=now).fold(self.total, |sum, second| sum - self.sums[self.at(second)]);
        let seconds = (last - first + 1).min(self.window() - ahead);
        (sum / seconds as f64 * PRECISION).round() / PRECISION
    }

    /// Whether nothing was recorded for longer than the window.
    pub(super) fn is_empty(&self, now: Time) -> bool {
        self.ahead(now).is_none_or(|ahead| ahead > self.window())
    }

    /// Whether nothing was recorded for a whole window.
    pub(super) fn is_silent(&self, now: Time) -> bool {
        self.ahead(now).is_none_or(|ahead| ahead >= self.window())
    }

    /// Seconds since the last one that was written.
    fn ahead(&self, now: Time) -> Option<u64> {
        self.written.map(|written| (now.as_millis() / 1000).saturating_sub(written.last))
    }

    fn clear(&mut self, second: u64) {
        let at = self.at(second);
        self.total -= self.sums[at];
        self.sums[at] = 0.0;
    }

    fn window(&self) -> u64 {
        self.sums.len() as u64
    }

    fn at(&self, second: u64) -> usize {
        (second % self.window()) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::from_millis(1_000_000_000_000 + millis)
    }

    fn filled() -> Buckets {
        let mut buckets = Buckets::new(Duration::from_secs(5));
        (0..5).for_each(|second| buckets.record(second as f64 + 1.0, at(second * 1000)));
        buckets
    }

    /// The numbers of Knative's `TestTimedFloat64BucketsWindowAverage`.
    #[test]
    fn averages_are_over_what_was_written() {
        let mut first = Buckets::new(Duration::from_secs(5));
        first.record(1.0, at(0));
        assert_eq!(first.average(at(0)), 1.0, "not over seconds before the first");
        let mut buckets = filled();
        assert_eq!(buckets.average(at(4000)), 15.0 / 5.0);
        assert_eq!(buckets.average(at(3600)), 15.0 / 5.0, "now lags behind");
        assert_eq!(buckets.average(at(6000)), (15.0 - 1.0 - 2.0) / 3.0, "a short hole");
        assert_eq!(buckets.average(at(10_000)), 0.0, "a long hole");
        buckets.record(91.0, at(6000));
        assert_eq!(buckets.average(at(6000)), (15.0 - 1.0 - 2.0 + 91.0) / 5.0, "written after a hole");
    }

    #[test]
    fn late_values_count_while_the_window_reaches_them() {
        let mut buckets = filled();
        let minute = 60_000;
        buckets.record(1984.0, at(minute));
        assert_eq!(buckets.average(at(minute)), 1984.0, "a minute later all else is forgotten");
        buckets.record(4.0, at(minute - 3000));
        assert_eq!(buckets.average(at(minute)), (4.0 + 1984.0) / 4.0);
        buckets.record(5.0, at(minute + 1000));
        buckets.record(10.0, at(minute - 2000));
        let full = (4.0 + 10.0 + 1984.0 + 5.0) / 5.0;
        assert_eq!(buckets.average(at(minute + 1000)), full);
        buckets.record(10.0, at(minute - 5000));
        buckets.record(10.0, at(minute - 4000));
        assert_eq!(buckets.average(at(minute + 1000)), full, "a window late is too late");
        buckets.record(10.0, at(minute + 6000));
        assert_eq!(buckets.average(at(minute + 6000)), 10.0, "a pause of a whole window starts anew");
    }

    #[test]
    fn values_of_one_second_add_up_and_seconds_may_come_backwards() {
        let mut buckets = Buckets::new(Duration::from_secs(5));
        buckets.record(1.0, at(0));
        buckets.record(10.0, at(100));
        assert_eq!(buckets.average(at(900)), 11.0);
        let mut backwards = Buckets::new(Duration::from_secs(5));
        (0..=8).rev().for_each(|second| backwards.record(5.0, at(second * 1000)));
        assert_eq!(backwards.average(at(5000)), 5.0);
    }

    #[test]
    fn empty_is_one_second_later_than_silent() {
        let buckets = filled();
        assert!(!buckets.is_silent(at(8999)));
        assert!(buckets.is_silent(at(9000)) && !buckets.is_empty(at(9000)));
        assert!(buckets.is_empty(at(10_000)));
    }
}
