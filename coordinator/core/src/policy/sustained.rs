//! For how long a value has been beyond a threshold without a break.
//!
//! A look without a number breaks what would scale in, and leaves what would scale out: one lost sample must not start a
//! five-minute alert anew, and silence is not idleness. It confirms neither.

use std::time::Duration;

use crate::time::Time;

/// Beyond which of two thresholds a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Above the upper one: more replicas are wanted.
    Above,
    /// Below the lower one: fewer would do.
    Below,
}

/// One value's run. Remembers nothing else, so it is as large for an hour as for a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sustained(Option<Run>);

/// A stretch of looks on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    side: Side,
    since: Time,
    /// The last look that had a number.
    seen: Time,
}

impl Sustained {
    /// Looks at a number; `side` is none between the thresholds. Tells whether it has now been on its side for
    /// `lasting`. Two numbers further apart than that do not belong to one run.
    pub fn see(&mut self, side: Option<Side>, lasting: Duration, now: Time) -> bool {
        let Some(side) = side else {
            self.0 = None;
            return false;
        };
        let goes_on = |run: &Run| run.side == side && now.since(run.seen) <= lasting;
        let since = self.0.filter(goes_on).map_or(now, |run| run.since);
        self.0 = Some(Run { side, since, seen: now });
        now.since(since) >= lasting
    }

    /// Looks and finds no number.
    pub fn miss(&mut self) {
        self.0 = self.0.filter(|run| run.side == Side::Above);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LASTING: Duration = Duration::from_secs(120);

    fn at(minute: u64) -> Time {
        Time::from_millis(minute * 60_000)
    }

    #[test]
    fn a_run_lasts_from_its_first_look() {
        let mut run = Sustained::default();
        let looks = (1..=4).map(|minute| run.see(Some(Side::Above), LASTING, at(minute)));
        assert_eq!(looks.collect::<Vec<_>>(), [false, false, true, true]);
        assert!(!run.see(Some(Side::Below), LASTING, at(5)), "the other side is another run");
        assert!(!run.see(None, LASTING, at(6)));
        assert!(!run.see(Some(Side::Below), LASTING, at(7)));
    }

    #[test]
    fn no_time_is_at_once() {
        assert!(Sustained::default().see(Some(Side::Above), Duration::ZERO, at(1)));
    }

    #[test]
    fn a_missing_number_breaks_only_what_would_scale_in() {
        let mut above = Sustained::default();
        let mut below = Sustained::default();
        above.see(Some(Side::Above), LASTING, at(1));
        below.see(Some(Side::Below), LASTING, at(1));
        above.miss();
        below.miss();
        assert!(above.see(Some(Side::Above), LASTING, at(3)));
        assert!(!below.see(Some(Side::Below), LASTING, at(3)));
        assert!(!above.see(Some(Side::Above), LASTING, at(6)), "three minutes of silence are a break");
    }
}
