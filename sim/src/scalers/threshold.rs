//! The alert that scales, over a pool of the simulator: GPUs above a limit for a time, every 60 s as its origin checks.

use std::collections::VecDeque;
use std::time::Duration;

use ostler_core::policy::limits::Limits;
use ostler_core::policy::observation::{Milli, Pool, Reading, Readings};
use ostler_core::policy::threshold::{self, Config, Memory, Rule, Step};
use ostler_core::time::Time;

use super::view::{self, Gauge, sample};
use super::{Pace, wanted};
use crate::scaler::{Observation, Scaler, Wanted};

/// Between two checks (REQUIREMENTS, source A).
const CHECK: Duration = Duration::from_secs(60);

/// Means are over this window.
const WINDOW: Duration = Duration::from_secs(60);

/// After a change, nothing changes for so long.
const COOLDOWN: Duration = Duration::from_secs(300);

/// How it is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// The pool grows above this use of its GPUs, in percent, to where they are at it; its origin has 80. It shrinks by one
    /// below half of it.
    pub above_percent: f64,
    /// After being above or below for so long; its origin has 5 minutes.
    pub lasting: Duration,
}

/// The rule and its memory.
#[derive(Clone, Debug)]
pub struct Threshold {
    config: Config,
    pace: Pace,
    memory: Memory,
    busy: VecDeque<(Time, f64)>,
    last_count: Option<u32>,
}

impl Threshold {
    /// Within these limits.
    pub fn new(setting: Setting, limits: Limits) -> Threshold {
        let above = Milli(((setting.above_percent * 1000.0).round() as i64).max(2));
        let rule = Rule {
            above,
            above_lasting: setting.lasting,
            below: Milli(above.0 / 2),
            below_lasting: setting.lasting,
            grow: Step::Target(above),
            ..Rule::source(Gauge::GpuUtilization.name())
        };
        Threshold {
            config: Config { limits, rules: vec![rule], cooldown: COOLDOWN },
            pace: Pace::every(CHECK),
            memory: Memory::default(),
            busy: VecDeque::new(),
            last_count: None,
        }
    }
}

impl Scaler for Threshold {
    fn name(&self) -> &str {
        "threshold"
    }

    fn decide(&mut self, seen: &Observation) -> Wanted {
        let now = seen.now;
        if let Some(percent) = seen.signals.gpu_utilization_percent {
            view::push(&mut self.busy, percent, WINDOW, now);
        }
        let replicas_wanted = seen.wanted.total();
        if self.last_count.replace(replicas_wanted).is_some_and(|last| last != replicas_wanted) {
            self.memory.scaled(now);
        }
        if !self.pace.is_due(now) {
            return seen.wanted;
        }
        let reading = seen.signals.gpu_utilization_percent.and_then(|_| view::mean(&self.busy));
        let reading = reading.map_or(Reading::Missing, |percent| sample(percent, now, WINDOW));
        let readings = Readings::from_iter([(Gauge::GpuUtilization.name(), reading)]);
        let pool = Pool { replicas_wanted, readings, ..Pool::default() };
        wanted(&threshold::propose(&pool, &self.config, &mut self.memory, now), seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalers::scene::{Load, seen};

    #[test]
    fn it_grows_after_its_minutes_to_where_the_load_fits() {
        let setting = Setting { above_percent: 60.0, lasting: Duration::from_secs(300) };
        let mut scaler = Threshold::new(setting, Limits::new(1, 100).unwrap());
        let mut wanted = |at, busy| scaler.decide(&seen(at, &[Load(9, 0, busy); 4], 0)).total();
        (0..300).for_each(|at| assert_eq!(wanted(at, 0.9), 4));
        assert_eq!(wanted(300, 0.9), 6);
        (301..660).for_each(|at| assert_eq!(wanted(at, 0.4), 4, "between the limits"));
    }
}
