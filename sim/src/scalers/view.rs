//! How a pool of the simulator looks to a policy of the core: replicas with readings, each a mean over a window.
//!
//! Means are over the samples that were fresh when the view was shown the pool, so a view that is shown it every few
//! seconds has what an `avg_over_time` has. A replica whose engine has no fresh value now has no reading, whatever its
//! past.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ostler_core::fleet::Freshness;
use ostler_core::policy::observation::{
    MetricName, Milli, Phase as CorePhase, Pool, Readiness, Reading, Readings, Replica, Sample,
};
use ostler_core::time::Time;

use crate::lifecycle::Phase;
use crate::scaler::{Observation, ReplicaSeen};
use crate::telemetry::EngineSeen;

/// A value of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gauge {
    /// Processors in use, in shares of what a busy engine uses, which is also what its replica asks for: the best case
    /// for who scales by it. An engine's processor follows its GPU at a low level (8 % of the machine's at 100 % of the
    /// GPU, reference/autoscaling.md §7); that it does so in proportion is an assumption.
    Cpu,
    /// Share of the time in which the GPU works, in percent, as `nvidia-smi` counts it.
    GpuUtilization,
    /// Requests that wait for capacity.
    Waiting,
    /// Requests that run or wait.
    Requests,
}

impl Gauge {
    /// As the policy calls it.
    pub fn name(self) -> MetricName {
        MetricName::from(match self {
            Gauge::Cpu => "cpu",
            Gauge::GpuUtilization => "gpu_utilization_percent",
            Gauge::Waiting => "requests_waiting",
            Gauge::Requests => "requests",
        })
    }

    /// Of a fresh sample; none when the engine does not tell.
    fn of(self, engine: &EngineSeen) -> Option<f64> {
        match self {
            Gauge::Cpu => engine.rates.map(|it| it.busy_share),
            Gauge::GpuUtilization => engine.rates.map(|it| it.busy_share * 100.0),
            Gauge::Waiting => engine.waiting.map(|it| it as f64),
            Gauge::Requests => Some((engine.running? + engine.waiting?) as f64),
        }
    }

    /// What of it is before the engines and not in them.
    fn before_engines(self, seen: &Observation) -> f64 {
        match self {
            Gauge::Cpu | Gauge::GpuUtilization => 0.0,
            Gauge::Waiting | Gauge::Requests => seen.gateway_waiting as f64,
        }
    }
}

/// Looks that a window can hold: one a second over 300 s.
const LOOKS_MAX: usize = 300;

/// One gauge of all engines over a window.
#[derive(Clone, Debug)]
pub struct View {
    gauge: Gauge,
    window: Duration,
    engines: BTreeMap<u64, VecDeque<(Time, f64)>>,
    /// What waited before the engines.
    gateway: VecDeque<(Time, f64)>,
}

impl View {
    /// Means over this window; zero for the latest value.
    pub fn new(gauge: Gauge, window: Duration) -> View {
        View { gauge, window, engines: BTreeMap::new(), gateway: VecDeque::new() }
    }

    /// Takes in what is fresh, and forgets what is gone.
    pub fn see(&mut self, seen: &Observation) {
        let there: BTreeMap<u64, &ReplicaSeen> = seen.replicas.iter().map(|it| (it.replica, it)).collect();
        self.engines.retain(|number, _| there.contains_key(number));
        for (number, replica) in there {
            if let Some(value) =
                replica.engine.as_ref().filter(|it| is_fresh(it)).and_then(|it| self.gauge.of(it))
            {
                push(self.engines.entry(number).or_default(), value, self.window, seen.now);
            }
        }
        push(&mut self.gateway, self.gauge.before_engines(seen), self.window, seen.now);
    }

    /// The pool with a reading for each replica that has one.
    pub fn pool(&self, seen: &Observation) -> Pool {
        let replicas: Vec<Replica> = seen.replicas.iter().map(|it| self.replica(it, seen.now)).collect();
        Pool {
            replicas_wanted: seen.wanted.total(),
            replicas_existing: u32::try_from(replicas.len()).unwrap_or(u32::MAX),
            replicas,
            readings: Readings::from_iter([(self.gauge.name(), self.sum(seen))]),
        }
    }

    /// The sum over the engines and what waits before them; no number when no engine has one while some serve.
    pub fn sum(&self, seen: &Observation) -> Reading {
        let known: Vec<f64> = seen.replicas.iter().filter_map(|replica| self.mean_of(replica)).collect();
        if known.is_empty() && seen.counts.ready > 0 {
            return Reading::Missing;
        }
        let before = mean(&self.gateway).unwrap_or(0.0);
        sample(known.iter().sum::<f64>() + before, seen.now, self.window)
    }

    fn mean_of(&self, replica: &ReplicaSeen) -> Option<f64> {
        let engine = replica.engine.as_ref().filter(|it| is_fresh(it))?;
        self.gauge.of(engine)?;
        mean(self.engines.get(&replica.replica)?)
    }

    fn replica(&self, replica: &ReplicaSeen, now: Time) -> Replica {
        let reading = self.mean_of(replica).map_or(Reading::Missing, |mean| sample(mean, now, self.window));
        let (phase, readiness) = standing(replica);
        let requests = match self.gauge {
            Gauge::Cpu => BTreeMap::from([(self.gauge.name(), Milli::from_units(1))]),
            Gauge::GpuUtilization | Gauge::Waiting | Gauge::Requests => BTreeMap::new(),
        };
        Replica {
            phase,
            readiness,
            leaving: replica.phase == Phase::Draining,
            started: (phase == CorePhase::Running).then_some(replica.asked),
            readings: Readings::from_iter([(self.gauge.name(), reading)]),
            requests,
        }
    }
}

/// As Kubernetes sees it: a pod pends until its container runs, and is ready when the engine answers.
fn standing(replica: &ReplicaSeen) -> (CorePhase, Readiness) {
    match replica.phase {
        Phase::PendingNode | Phase::Pull => (CorePhase::Pending, Readiness::Unreported),
        Phase::Load | Phase::Warm => (CorePhase::Running, Readiness::Unready(replica.asked)),
        Phase::Ready | Phase::Draining | Phase::Lost => (CorePhase::Running, Readiness::Ready(replica.since)),
    }
}

fn is_fresh(engine: &EngineSeen) -> bool {
    engine.freshness == Freshness::Fresh
}

/// A reading of now.
pub(super) fn sample(value: f64, at: Time, window: Duration) -> Reading {
    if value.is_finite() {
        Reading::Fresh(Sample { value: Milli((value * 1000.0).round() as i64), at, window })
    } else {
        Reading::NotFinite
    }
}

/// Adds a look and drops those that have left the window.
pub(super) fn push(looks: &mut VecDeque<(Time, f64)>, value: f64, window: Duration, now: Time) {
    looks.push_back((now, value));
    let old = |at: Time| at + window <= now && at != now;
    while looks.len() > LOOKS_MAX || looks.front().is_some_and(|(at, _)| old(*at)) {
        looks.pop_front();
    }
}

/// The mean of what was looked at; none without a look.
pub(super) fn mean(looks: &VecDeque<(Time, f64)>) -> Option<f64> {
    let sum: f64 = looks.iter().map(|(_, value)| value).sum();
    (!looks.is_empty()).then(|| sum / looks.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalers::scene::{self, Load};

    fn value(reading: Reading) -> Option<i64> {
        reading.fresh().map(|sample| sample.value.0)
    }

    #[test]
    fn a_reading_is_the_mean_of_its_window_and_of_its_own_engine() {
        let mut view = View::new(Gauge::Requests, Duration::from_secs(10));
        for (at_s, first) in [(0, 100), (5, 4), (10, 8)] {
            view.see(&scene::seen(at_s, &[Load(first, 0, 0.0), Load(1, 1, 0.0)], 0));
        }
        let seen = scene::seen(10, &[Load(8, 0, 0.0), Load(1, 1, 0.0)], 1);
        let pool = view.pool(&seen);
        let readings: Vec<_> =
            pool.replicas.iter().map(|it| value(it.readings.of(&Gauge::Requests.name()))).collect();
        assert_eq!(readings, [Some(6_000), Some(2_000), None], "the first look has left the window");
        assert_eq!(value(pool.readings.of(&Gauge::Requests.name())), Some(8_000));
        assert_eq!((pool.replicas_existing, pool.serving()), (3, 2));
    }

    #[test]
    fn what_waits_before_the_engines_counts_for_the_pool_and_silence_is_no_number() {
        let mut view = View::new(Gauge::Waiting, Duration::ZERO);
        let mut seen = scene::seen(0, &[Load(3, 1, 0.0)], 0);
        seen.gateway_waiting = 5;
        view.see(&seen);
        assert_eq!(value(view.sum(&seen)), Some(6_000));
        seen.replicas[0].engine = None;
        view.see(&seen);
        assert_eq!(view.sum(&seen), Reading::Missing);
    }

    #[test]
    fn a_replica_that_starts_is_not_ready_and_one_that_drains_is_leaving() {
        let mut seen = scene::seen(60, &[Load(3, 1, 0.5)], 2);
        seen.replicas[1].phase = Phase::Pull;
        seen.replicas[0].phase = Phase::Draining;
        let pool = View::new(Gauge::Cpu, Duration::ZERO).pool(&seen);
        assert!(pool.replicas[0].leaving);
        assert_eq!(pool.replicas[1].phase, CorePhase::Pending);
        assert_eq!(pool.replicas[2].readiness, Readiness::Unready(seen.now));
        assert_eq!(pool.replicas[2].requests[&Gauge::Cpu.name()], Milli(1000));
    }
}
