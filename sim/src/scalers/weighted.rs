//! The weighted score over a pool of the simulator, every 60 s as its origin checks (REQUIREMENTS, source E).
//!
//! Its four metrics, as far as they can be known here: processors at 8 % of the machine when the GPU is always at work
//! (reference/autoscaling.md §7), memory at half, which says neither more nor less, since engines keep what they took at
//! their start; the 95th percentile to the first token over a minute as response time, zero when the pool has nothing to
//! do; and what waits, in the engines and before them.

use std::collections::VecDeque;
use std::time::Duration;

use ostler_core::policy::limits::Limits;
use ostler_core::policy::observation::{Pool, Reading, Readings};
use ostler_core::policy::weighted::{self, Config, Memory, Term};
use ostler_core::time::Time;

use super::view::{self, sample};
use super::{Pace, wanted};
use crate::scaler::{Observation, Scaler, Wanted};

/// Between two checks.
const CHECK: Duration = Duration::from_secs(60);

/// Of the machine's processors, when the GPU is always at work.
const CPU_PERCENT_BUSY: f64 = 8.0;

/// Neither high nor low.
const MEMORY_PERCENT: f64 = 50.0;

/// Means and percentiles are over this window.
const WINDOW: Duration = Duration::from_secs(60);

/// How it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What stands where its origin has processors.
    pub first_term: FirstTerm,
    /// Beyond this score the pool changes; its origin has 30.
    pub threshold_percent: u16,
    /// Whether values have to last.
    pub lasting: Lasting,
}

/// The term of the largest weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstTerm {
    /// As in its origin.
    Cpu,
    /// The share of time in which GPUs work.
    Gpu,
}

/// For how long values must be beyond their thresholds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// 3 and 5 minutes, as the text of its origin says.
    Minutes,
    /// Not at all, as the code of its origin scores.
    Immediate,
}

/// The engine and its memory.
#[derive(Clone, Debug)]
pub struct Weighted {
    config: Config,
    pace: Pace,
    memory: Memory,
    /// In percent, of the pool's GPUs.
    busy: VecDeque<(Time, f64)>,
    waiting: VecDeque<(Time, f64)>,
    /// In milliseconds, where requests had their first token.
    response: VecDeque<(Time, f64)>,
    last_count: Option<u32>,
}

impl Weighted {
    /// Within these limits.
    pub fn new(setting: Setting, limits: Limits) -> Weighted {
        let mut config = Config::source(limits);
        match setting.first_term {
            FirstTerm::Cpu => {}
            FirstTerm::Gpu => {
                let gpu = Term::gpu_utilization(config.terms[0].weight_percent);
                config.trend = gpu.metric.clone();
                config.terms[0] = gpu;
            }
        }
        config = match setting.lasting {
            Lasting::Minutes => config,
            Lasting::Immediate => config.immediate(),
        };
        config.threshold_percent = setting.threshold_percent;
        Weighted {
            config,
            pace: Pace::every(CHECK),
            memory: Memory::default(),
            busy: VecDeque::new(),
            waiting: VecDeque::new(),
            response: VecDeque::new(),
            last_count: None,
        }
    }

    fn see(&mut self, seen: &Observation) {
        let signals = &seen.signals;
        if let Some(percent) = signals.gpu_utilization_percent {
            view::push(&mut self.busy, percent, WINDOW, seen.now);
        }
        if let Some(waiting) = signals.requests_waiting {
            view::push(&mut self.waiting, waiting + seen.gateway_waiting as f64, WINDOW, seen.now);
        }
        let idle = signals.requests_running == Some(0.0) && signals.requests_waiting == Some(0.0);
        if let Some(seconds) = signals.ttft_p95_seconds.or(idle.then_some(0.0)) {
            view::push(&mut self.response, seconds * 1e3, WINDOW, seen.now);
        }
    }

    fn readings(&self, now: Time) -> Readings {
        let fresh = |looks: &VecDeque<(Time, f64)>| looks.back().is_some_and(|(at, _)| *at + WINDOW > now);
        let reading = |looks: &VecDeque<(Time, f64)>, value: Option<f64>| {
            value.filter(|_| fresh(looks)).map_or(Reading::Missing, |value| sample(value, now, WINDOW))
        };
        let busy = view::mean(&self.busy);
        let worst = self.response.iter().map(|(_, millis)| *millis).reduce(f64::max);
        Readings::from_iter([
            ("cpu_percent".into(), reading(&self.busy, busy.map(|it| it / 100.0 * CPU_PERCENT_BUSY))),
            ("gpu_utilization_percent".into(), reading(&self.busy, busy)),
            ("memory_percent".into(), sample(MEMORY_PERCENT, now, WINDOW)),
            ("response_ms".into(), reading(&self.response, worst)),
            ("queue_requests".into(), reading(&self.waiting, view::mean(&self.waiting))),
        ])
    }
}

impl Scaler for Weighted {
    fn name(&self) -> &str {
        "weighted"
    }

    fn decide(&mut self, seen: &Observation) -> Wanted {
        self.see(seen);
        let now = seen.now;
        let replicas_wanted = seen.wanted.total();
        if self.last_count.replace(replicas_wanted).is_some_and(|last| last != replicas_wanted) {
            self.memory.scaled(now);
        }
        if !self.pace.is_due(now) {
            return seen.wanted;
        }
        let pool = Pool { replicas_wanted, readings: self.readings(now), ..Pool::default() };
        wanted(&weighted::propose(&pool, &self.config, &mut self.memory, now), seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalers::scene::{Load, seen};

    fn first_change(setting: Setting, load: Load) -> Option<(u64, u32)> {
        let mut scaler = Weighted::new(setting, Limits::new(1, 100).unwrap());
        (0..1200).step_by(5).find_map(|at| {
            let wanted = scaler.decide(&seen(at, &[load; 4], 0)).total();
            (wanted != 4).then_some((at, wanted))
        })
    }

    fn setting(first_term: FirstTerm, lasting: Lasting) -> Setting {
        Setting { first_term, threshold_percent: 20, lasting }
    }

    #[test]
    fn a_flood_does_not_grow_the_pool_of_its_origin_and_does_with_gpus_in_the_score() {
        // 200 wait and GPUs never rest: +0.15 for the queue, -0.22 for idle processors, -0.15 for 200 ms.
        let flood = Load(200, 50, 1.0);
        let origin = first_change(setting(FirstTerm::Cpu, Lasting::Immediate), flood);
        assert_eq!(origin, Some((0, 3)), "it shrinks");
        let (at, wanted) = first_change(setting(FirstTerm::Gpu, Lasting::Minutes), flood).unwrap();
        assert!(at >= 300 && wanted > 4, "{wanted} at {at} s");
    }

    #[test]
    fn a_pool_that_rests_shrinks_after_its_minutes_and_not_while_it_is_unseen() {
        let (at, wanted) = first_change(setting(FirstTerm::Gpu, Lasting::Minutes), Load(0, 0, 0.0)).unwrap();
        assert!((180..=240).contains(&at) && wanted == 3, "{wanted} at {at} s");
        let mut scaler =
            Weighted::new(setting(FirstTerm::Gpu, Lasting::Immediate), Limits::new(1, 9).unwrap());
        let mut blind = seen(0, &[Load(0, 0, 0.0); 4], 0);
        blind.signals = crate::telemetry::signals(&[], 4);
        assert_eq!(scaler.decide(&blind), blind.wanted);
    }
}
