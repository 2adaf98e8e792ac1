//! The largest count of a window that ends now (`pkg/autoscaler/aggregation/max`).

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Time;

/// Knative's tick: counts of the same two seconds are one.
const PART_MS: u64 = 2_000;

/// The longest delay, as Knative allows: an hour is 1,800 counts.
const PARTS_MAX: u64 = 1_800;

/// Counts by part, only those that can still be the largest: falling from front to back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DelayWindow {
    /// At most as many as `parts`.
    counts: VecDeque<(u64, u32)>,
    parts: u64,
}

impl DelayWindow {
    /// None for no delay: even a window of one part is not the same as none.
    pub(super) fn new(delay: Duration) -> Option<DelayWindow> {
        let parts = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX).div_ceil(PART_MS);
        assert!(parts <= PARTS_MAX, "a delay lasts at most 1 h, not {delay:?}");
        (parts > 0).then(|| DelayWindow { counts: VecDeque::new(), parts })
    }

    /// Adds a count and tells the largest of the window.
    pub(super) fn record(&mut self, count: u32, now: Time) -> u32 {
        let part = now.as_millis() / PART_MS;
        while self.counts.back().is_some_and(|(_, known)| *known <= count) {
            self.counts.pop_back();
        }
        while self.counts.front().is_some_and(|(known, _)| part.saturating_sub(*known) >= self.parts) {
            self.counts.pop_front();
        }
        let same = self.counts.back().copied().filter(|(known, _)| *known == part);
        if same.is_none() {
            self.counts.push_back((part, count));
        }
        self.counts.front().map_or(count, |(_, largest)| *largest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five parts long; each count comes a part after the one before, or at the given part.
    fn largest(counts: &[(u64, u32)]) -> Vec<u32> {
        let mut window = DelayWindow::new(Duration::from_secs(10)).unwrap();
        let time = |part: u64| Time::from_millis(1_000_000 * PART_MS + part * PART_MS);
        counts.iter().map(|(part, count)| window.record(*count, time(*part))).collect()
    }

    fn in_turn(counts: &[u32]) -> Vec<(u64, u32)> {
        (0..).zip(counts.iter().copied()).collect()
    }

    /// The numbers of Knative's `TestWindowMax`.
    #[test]
    fn the_largest_holds_for_the_window() {
        assert_eq!(largest(&in_turn(&[1, 2])), [1, 2]);
        assert_eq!(largest(&in_turn(&[2, 1])), [2, 2]);
        assert_eq!(largest(&in_turn(&[5, 6, 5, 5, 5, 5, 5])), [5, 6, 6, 6, 6, 6, 5]);
        assert_eq!(
            largest(&in_turn(&[5, 8, 5, 7, 5, 5, 1, 4, 4, 4, 4, 9, 3, 4, 2, 1, 0])),
            [5, 8, 8, 8, 8, 8, 7, 7, 5, 5, 4, 9, 9, 9, 9, 9, 4]
        );
        assert_eq!(largest(&[(0, 6), (1, 5), (2, 2), (6, 1)]), [6, 6, 6, 2], "with a gap");
    }

    #[test]
    fn the_largest_of_one_part_counts() {
        assert_eq!(largest(&[(1, 1), (1, 2), (1, 3)]), [1, 2, 3]);
        assert_eq!(largest(&[(1, 7), (1, 6), (1, 5)]), [7, 7, 7]);
    }

    #[test]
    fn no_delay_is_no_window() {
        assert_eq!(DelayWindow::new(Duration::ZERO), None);
    }
}
