//! Nodes that fall and come back, again and again: each time they are trusted later.

use std::time::Duration;

use crate::time::Time;

/// Falls that make a node flap.
const FALLS: usize = 3;

/// Falls within this time count together.
const WINDOW: Duration = Duration::from_secs(600);

/// The first hold-down; each further fall doubles it.
const HOLD: Duration = Duration::from_secs(60);

/// The longest hold-down.
const HOLD_MAX: Duration = Duration::from_secs(30 * 60);

/// Falls of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Flaps {
    /// The newest falls, oldest first.
    falls: [Option<Time>; FALLS],
    /// How long it is held down after the newest fall; none while it does not flap.
    hold: Option<Duration>,
}

impl Flaps {
    /// The node fell.
    pub(super) fn fall(&mut self, now: Time) {
        let calm =
            self.newest().is_some_and(|newest| now.since(newest) > WINDOW + self.hold.unwrap_or_default());
        if calm {
            *self = Flaps::default();
        }
        self.falls.rotate_left(1);
        self.falls[FALLS - 1] = Some(now);
        self.hold = match (self.hold, self.falls[0]) {
            (Some(hold), _) => Some((hold * 2).min(HOLD_MAX)),
            (None, Some(oldest)) if now.since(oldest) <= WINDOW => Some(HOLD),
            (None, _) => None,
        };
    }

    /// Until when the node is held down, if it is.
    pub(super) fn held_until(&self) -> Option<Time> {
        Some(self.newest()? + self.hold?)
    }

    /// How long it is held down after a fall.
    pub(super) fn hold(&self) -> Option<Duration> {
        self.hold
    }

    fn newest(&self) -> Option<Time> {
        self.falls[FALLS - 1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(falls: &[u64]) -> Vec<Option<u64>> {
        let mut flaps = Flaps::default();
        let fall = |second: &u64| {
            flaps.fall(Time::from_millis(second * 1000));
            flaps.held_until().map(|until| until.as_millis() / 1000 - second)
        };
        falls.iter().map(fall).collect()
    }

    #[test]
    fn the_third_fall_in_ten_minutes_holds_and_each_further_one_doubles_up_to_half_an_hour() {
        let falls: Vec<u64> = (0..9).map(|n| 100 + n * 200).collect();
        let minutes = [1, 2, 4, 8, 16, 30, 30].map(|minutes| Some(minutes * 60));
        assert_eq!(holds(&falls), [&[None, None], &minutes[..]].concat());
    }

    #[test]
    fn falls_that_are_far_apart_do_not_add_up() {
        assert_eq!(holds(&[100, 500, 701, 1302]), [None; 4].map(|it: Option<u64>| it));
        assert_eq!(holds(&[100, 200, 300, 300 + 661, 1000]), [None, None, Some(60), None, None]);
    }
}
