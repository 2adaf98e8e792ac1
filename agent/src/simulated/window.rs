//! Quantiles and rates over the newest seconds.

use std::collections::VecDeque;

/// How far back quantiles look, in seconds.
const WINDOW_SECONDS: f64 = 15.0;

/// Values kept at most: a replica finishes about 30 requests a second, so 15 s of them fit.
const VALUES_MAX: usize = 512;

/// Values of the last [`WINDOW_SECONDS`], for quantiles.
#[derive(Clone, Debug, Default)]
pub(super) struct Quantiles {
    /// (when, value), oldest first.
    values: VecDeque<(f64, f64)>,
}

impl Quantiles {
    /// Adds `value`, seen at `now`.
    pub(super) fn record(&mut self, now: f64, value: f64) {
        if self.values.len() == VALUES_MAX {
            self.values.pop_front();
        }
        self.values.push_back((now, value));
    }

    /// The 50th, 95th and 99th percentile, or none when nothing happened.
    pub(super) fn read(&self, now: f64) -> Option<[f64; 3]> {
        let recent = self.values.iter().filter(|(at, _)| now - at <= WINDOW_SECONDS);
        let mut sorted: Vec<f64> = recent.map(|(_, value)| *value).collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        Some([0.50, 0.95, 0.99].map(|share| sorted[(last as f64 * share).round() as usize]))
    }
}

/// Ticks that a rate looks back on: 2 s of ticks of 0.1 s.
const RATE_TICKS: usize = 20;

/// A counter and how fast it has grown lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Counter {
    total: f64,
    /// Growth of each of the last [`RATE_TICKS`] ticks.
    recent: VecDeque<f64>,
}

impl Counter {
    /// Adds what one tick brought.
    pub(super) fn add(&mut self, amount: f64) {
        if self.recent.len() == RATE_TICKS {
            self.recent.pop_front();
        }
        self.recent.push_back(amount);
        self.total += amount;
    }

    /// All that was added.
    pub(super) fn total(&self) -> i64 {
        self.total as i64
    }

    /// Thousandths per second, for ticks of `tick_seconds`.
    pub(super) fn milli_per_second(&self, tick_seconds: f64) -> i64 {
        if self.recent.is_empty() {
            return 0;
        }
        (self.recent.iter().sum::<f64>() / (self.recent.len() as f64 * tick_seconds) * 1e3) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_forget_what_is_older_than_the_window() {
        let mut quantiles = Quantiles::default();
        assert_eq!(quantiles.read(0.0), None);
        quantiles.record(0.0, 1_000.0);
        (1..=101).for_each(|value| quantiles.record(10.0, f64::from(value)));
        assert_eq!(quantiles.read(20.0), Some([51.0, 96.0, 100.0]));
        assert_eq!(quantiles.read(60.0), None);
    }

    #[test]
    fn a_rate_follows_the_last_two_seconds() {
        let mut counter = Counter::default();
        (0..50).for_each(|_| counter.add(10.0));
        (0..20).for_each(|_| counter.add(1.0));
        assert_eq!((counter.total(), counter.milli_per_second(0.1)), (520, 10_000));
    }
}
