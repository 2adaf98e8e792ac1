//! By the hour of the week: at least, at most or exactly so many replicas at known times.
//!
//! A week begins on Monday at midnight, in the time zone that the caller's offset stands for. The policy knows no zones,
//! and so no summer time: who wants that passes another offset from that day on.

use std::fmt;

use super::limits::Limits;
use super::proposal::{self, Bounds, Evidence, Proposal};
use crate::time::Time;

/// Seconds of a week.
const WEEK: u32 = 7 * 24 * 3600;

/// The epoch of wall clocks, 1970-01-01, was a Thursday: this long after Monday's midnight.
const EPOCH: i64 = 3 * 24 * 3600;

/// Windows that one pool can have: one for each hour of a week.
pub const WINDOWS_MAX: usize = 168;

/// A moment of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WeekSecond(u32);

impl WeekSecond {
    /// Seconds since Monday's midnight; none for a week or more.
    pub const fn new(seconds: u32) -> Option<WeekSecond> {
        if seconds < WEEK { Some(WeekSecond(seconds)) } else { None }
    }

    /// The moment of the week of a wall clock, which a time zone's offset is added to.
    pub fn of(now: Time, offset_seconds: i32) -> WeekSecond {
        let seconds = i64::try_from(now.as_millis() / 1000).unwrap_or(i64::MAX - EPOCH - i64::from(i32::MAX));
        let second = (seconds + EPOCH + i64::from(offset_seconds)).rem_euclid(i64::from(WEEK));
        WeekSecond(u32::try_from(second).expect("less than a week"))
    }
}

impl fmt::Display for WeekSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][(self.0 / 86_400) as usize];
        write!(f, "{day} {:02}:{:02}", self.0 % 86_400 / 3600, self.0 % 3600 / 60)
    }
}

/// One pool's week. Of windows that overlap, the highest floor, the lowest ceiling and the highest count hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What is added to UTC, for example 28,800 for Beijing; less than a day either way.
    pub offset_seconds: i32,
    /// At most [`WINDOWS_MAX`].
    pub windows: Vec<Window>,
}

/// What holds between two moments of each week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its first second.
    pub from: WeekSecond,
    /// The first second after it; one before or at `from` is in the next week.
    pub until: WeekSecond,
    /// What holds.
    pub rule: Rule,
}

/// What a window asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// At least so many.
    AtLeast(u32),
    /// At most so many.
    AtMost(u32),
    /// Not fewer and not more.
    Between(Limits),
    /// So many, where nobody with a higher rank says otherwise.
    Desired(u32),
}

impl Window {
    fn holds(&self, now: WeekSecond) -> bool {
        if self.from < self.until {
            self.from <= now && now < self.until
        } else {
            self.from <= now || now < self.until
        }
    }
}

/// What the week says now.
pub fn propose(config: &Config, now: Time) -> Proposal {
    assert!(config.windows.len() <= WINDOWS_MAX, "a pool has at most {WINDOWS_MAX} windows");
    let now = WeekSecond::of(now, config.offset_seconds);
    let mut bounds = Bounds::NONE;
    let mut replicas = None;
    let mut reasons = Vec::new();
    for window in config.windows.iter().filter(|window| window.holds(now)) {
        match window.rule {
            Rule::AtLeast(floor) => bounds.floor = bounds.floor.max(floor),
            Rule::AtMost(ceiling) => bounds.ceiling = bounds.ceiling.min(ceiling),
            Rule::Between(limits) => {
                bounds.floor = bounds.floor.max(limits.min());
                bounds.ceiling = bounds.ceiling.min(limits.max());
            }
            Rule::Desired(count) => replicas = replicas.max(Some(count)),
        }
        reasons.push(proposal::Reason::Schedule(Reason { window: *window }));
    }
    Proposal { replicas, bounds, evidence: Evidence::Enough, reasons, conditions: Vec::new() }
}

/// A window that holds now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Which one.
    pub window: Window,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Window { from, until, rule } = self.window;
        match rule {
            Rule::AtLeast(floor) => write!(f, "at least {floor}")?,
            Rule::AtMost(ceiling) => write!(f, "at most {ceiling}")?,
            Rule::Between(limits) => write!(f, "{} to {}", limits.min(), limits.max())?,
            Rule::Desired(count) => write!(f, "{count}")?,
        }
        write!(f, " from {from} until {until}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u32 = 86_400;

    fn week_second(day: u32, hour: u32) -> WeekSecond {
        WeekSecond::new(day * DAY + hour * 3600).unwrap()
    }

    fn window(from: WeekSecond, until: WeekSecond, rule: Rule) -> Window {
        Window { from, until, rule }
    }

    /// 2024-01-01 was a Monday.
    fn monday(hour: u64) -> Time {
        Time::from_millis((1_704_067_200 + hour * 3600) * 1000)
    }

    #[test]
    fn a_week_begins_on_monday_in_the_callers_zone() {
        assert_eq!(WeekSecond::of(monday(0), 0).to_string(), "Mon 00:00");
        assert_eq!(WeekSecond::of(monday(0), -3600).to_string(), "Sun 23:00");
        assert_eq!(WeekSecond::of(monday(20), 8 * 3600).to_string(), "Tue 04:00");
        assert_eq!(WeekSecond::of(Time::ZERO, 0).to_string(), "Thu 00:00");
        assert_eq!(WeekSecond::new(WEEK), None);
        WeekSecond::of(Time::from_millis(u64::MAX), i32::MAX);
    }

    #[test]
    fn windows_end_before_their_end_and_may_span_the_weekend() {
        let work = window(week_second(0, 8), week_second(0, 18), Rule::AtLeast(10));
        let weekend = window(week_second(4, 18), week_second(0, 6), Rule::AtMost(2));
        let config = Config { offset_seconds: 0, windows: vec![work, weekend] };
        let bounds = |hour| propose(&config, monday(hour)).bounds;
        assert_eq!(bounds(5), Bounds { floor: 0, ceiling: 2 });
        assert_eq!(bounds(6), Bounds::NONE);
        assert_eq!(bounds(8), Bounds { floor: 10, ..Bounds::NONE });
        assert_eq!(bounds(17), Bounds { floor: 10, ..Bounds::NONE });
        assert_eq!(bounds(18), Bounds::NONE);
    }

    #[test]
    fn of_windows_that_overlap_the_strictest_hold() {
        let all_week = |rule| window(week_second(0, 0), week_second(0, 0), rule);
        let limits = Limits::new(3, 9).unwrap();
        let rules =
            [Rule::Between(limits), Rule::AtLeast(5), Rule::AtMost(12), Rule::Desired(6), Rule::Desired(7)];
        let config = Config { offset_seconds: 0, windows: rules.map(all_week).into() };
        let proposal = propose(&config, monday(100));
        assert_eq!(proposal.bounds, Bounds { floor: 5, ceiling: 9 });
        assert_eq!(proposal.replicas, Some(7));
        let texts: Vec<_> = proposal.reasons.iter().map(ToString::to_string).collect();
        assert_eq!(texts[0], "3 to 9 from Mon 00:00 until Mon 00:00");
    }

    #[test]
    fn outside_of_its_windows_a_schedule_has_no_opinion() {
        let config = Config { offset_seconds: 0, windows: Vec::new() };
        let proposal = propose(&config, monday(0));
        assert_eq!((proposal.replicas, proposal.bounds, proposal.reasons), (None, Bounds::NONE, Vec::new()));
    }
}
