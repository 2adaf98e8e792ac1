//! Knative's KPA over a pool of the simulator, by requests in flight.
//!
//! Its two windows are of sums by the second, and it decides every 2 s. A look less often than once a second stands for the
//! seconds since the one before, so that the windows mean what they do in Knative whatever the setup's pace.

use std::time::Duration;

use ostler_core::policy::observation::Milli;
use ostler_core::policy::panic::{self, Config, Memory, panic_window};
use ostler_core::time::Time;

use super::view::{Gauge, View};
use super::{Pace, wanted};
use crate::scaler::{Observation, Scaler, Wanted};

/// `tick-interval`.
const TICK: Duration = Duration::from_secs(2);

const SECOND: Duration = Duration::from_secs(1);

/// How it is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Requests in flight that one replica should have.
    pub target: f64,
    /// The window of the normal day; that of the burst is a tenth of it, and Knative's default is 60 s.
    pub stable_window: Duration,
}

/// The autoscaler and its memory.
#[derive(Clone, Debug)]
pub struct Panic {
    config: Config,
    view: View,
    pace: Pace,
    /// When it last looked; none before it did.
    looked: Option<Time>,
    memory: Option<Memory>,
}

impl Panic {
    /// With Knative's defaults for what the setting does not say.
    pub fn new(setting: Setting) -> Panic {
        let target_value = Milli(((setting.target * 1000.0).round() as i64).max(1));
        let config = Config {
            target_value,
            total_value: Milli(target_value.0 * 10 / 7),
            stable_window: setting.stable_window,
            panic_window: panic_window(setting.stable_window, 10),
            ..Config::concurrency()
        };
        Panic {
            config,
            view: View::new(Gauge::Requests, Duration::ZERO),
            pace: Pace::every(TICK),
            looked: None,
            memory: None,
        }
    }
}

impl Scaler for Panic {
    fn name(&self) -> &str {
        "kpa"
    }

    fn decide(&mut self, seen: &Observation) -> Wanted {
        self.view.see(seen);
        let now = seen.now;
        let memory = self.memory.get_or_insert_with(|| Memory::new(&self.config, seen.counts.ready, now));
        if let Some(sample) = self.view.sum(seen).fresh() {
            let mut at =
                self.looked.map_or(now, |looked| looked + SECOND).max(now - self.config.stable_window);
            while at < now {
                memory.record(sample.value, at);
                at = at + SECOND;
            }
            memory.record(sample.value, now);
        }
        self.looked = Some(now);
        if !self.pace.is_due(now) {
            return seen.wanted;
        }
        wanted(&panic::propose(&self.view.pool(seen), &self.config, memory, now), seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalers::scene::{Load, seen};

    fn scaler() -> Panic {
        Panic::new(Setting { target: 10.0, stable_window: Duration::from_secs(60) })
    }

    /// What it wants at the last of these seconds.
    fn last(scaler: &mut Panic, seconds: impl Iterator<Item = u64>, load: impl Fn(u64) -> u64) -> u32 {
        let wanted = seconds.map(|at| scaler.decide(&seen(at, &[Load(load(at), 0, 0.5)], 0)).total());
        wanted.last().expect("there is a second")
    }

    #[test]
    fn a_burst_is_followed_at_once_and_not_given_up_for_a_window() {
        let mut scaler = scaler();
        assert_eq!(last(&mut scaler, 0..60, |_| 8), 1);
        assert!(last(&mut scaler, 60..67, |_| 60) >= 5, "the window of 6 s is full of the burst");
        assert!(last(&mut scaler, 67..69, |_| 8) >= 5, "and panic holds");
        assert_eq!(last(&mut scaler, 69..141, |_| 8), 1);
    }

    #[test]
    fn looks_far_apart_stand_for_the_seconds_between() {
        let rising = |at| 5 * (1 + at / 30);
        let often = last(&mut scaler(), 0..=120, rising);
        assert_eq!(last(&mut scaler(), (0..=120).step_by(2), rising), often);
        assert!(often > 1);
    }
}
