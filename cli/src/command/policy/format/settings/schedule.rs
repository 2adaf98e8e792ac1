//! Settings of `schedule`: windows of the week.

use ostler_core::policy::decider::Policy;
use ostler_core::policy::limits::REPLICAS_MAX;
use ostler_core::policy::schedule::{self, Config, Rule, WINDOWS_MAX, WeekSecond};
use serde::{Deserialize, Serialize};

use super::{counted, limits};
use crate::command::policy::format::Wrong;

/// Offsets are less than a day.
const OFFSET_SECONDS_MAX: u32 = 86_399;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Schedule {
    /// What is added to UTC, in seconds.
    #[serde(default)]
    utc_offset_s: i32,
    windows: Vec<Window>,
}

/// One of `at_least`, `at_most`, both of them, or `desired`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Window {
    /// For example "Mon 08:00".
    from: String,
    until: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    desired: Option<u32>,
}

impl Schedule {
    pub(crate) fn policy(&self) -> Result<Policy, Wrong> {
        let Schedule { utc_offset_s, windows } = self;
        if utc_offset_s.unsigned_abs() > OFFSET_SECONDS_MAX {
            return Err(Wrong::new("utc_offset_s", "must be less than a day, for example 28800 for Beijing"));
        }
        counted("windows", windows, WINDOWS_MAX)?;
        let window = |(index, window): (usize, &Window)| {
            window.window().map_err(|wrong| wrong.within(&format!("windows[{index}]")))
        };
        let windows = windows.iter().enumerate().map(window).collect::<Result<_, _>>()?;
        Ok(Policy::Schedule(Config { offset_seconds: *utc_offset_s, windows }))
    }
}

impl Window {
    fn window(&self) -> Result<schedule::Window, Wrong> {
        let Window { from, until, at_least, at_most, desired } = self;
        let count = |key: &str, count: u32| {
            if count <= REPLICAS_MAX {
                Ok(count)
            } else {
                Err(Wrong::new(key, format!("must be at most {REPLICAS_MAX}")))
            }
        };
        let rule = match (*at_least, *at_most, *desired) {
            (Some(least), None, None) => Rule::AtLeast(count("at_least", least)?),
            (None, Some(most), None) => Rule::AtMost(count("at_most", most)?),
            (Some(least), Some(most), None) => Rule::Between(limits(least, most)?),
            (None, None, Some(desired)) => Rule::Desired(count("desired", desired)?),
            (None, None, None) | (Some(_), _, Some(_)) | (_, Some(_), Some(_)) => {
                return Err(Wrong::new("", "must have at_least, at_most, both of them, or desired"));
            }
        };
        Ok(schedule::Window { from: moment("from", from)?, until: moment("until", until)?, rule })
    }
}

/// `Mon 08:00` as a second of the week.
fn moment(key: &str, text: &str) -> Result<WeekSecond, Wrong> {
    let wrong =
        || Wrong::new(key, format!("{text:?} is no moment of a week; write for example \"Mon 08:00\""));
    let (day, time) = text.split_once(' ').ok_or_else(wrong)?;
    let day = DAYS.iter().position(|known| *known == day).ok_or_else(wrong)?;
    let (hour, minute) = time.split_once(':').ok_or_else(wrong)?;
    let number = |text: &str, most: u32| {
        let two = text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_digit());
        text.parse().ok().filter(|number: &u32| two && *number <= most)
    };
    let hour = number(hour, 23).ok_or_else(wrong)?;
    let minute = number(minute, 59).ok_or_else(wrong)?;
    let day = u32::try_from(day).map_err(|_| wrong())?;
    WeekSecond::new(day * 86_400 + hour * 3_600 + minute * 60).ok_or_else(wrong)
}
