//! Kubernetes' HorizontalPodAutoscaler over a pool of the simulator, and KEDA, whose scaler is one.
//!
//! Every 15 s, as the controller does. A metric of the replicas (`Pods`, or a resource for processors) counts those that
//! start against growing; KEDA's is the sum over the pool divided by a target (`External`, `AverageValue`), what waits
//! before the engines included.

use std::time::Duration;

use ostler_core::policy::limits::Limits;
use ostler_core::policy::observation::Milli;
use ostler_core::policy::target::{
    self, Config, Memory, Metric, PoolTarget, ResourceKind, ResourceTarget, Source,
};

use super::view::{Gauge, View};
use super::{Pace, wanted};
use crate::scaler::{Observation, Scaler, Wanted};

/// `--horizontal-pod-autoscaler-sync-period`.
const SYNC: Duration = Duration::from_secs(15);

/// How such an autoscaler is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// What it goes by.
    pub signal: Signal,
    /// What one replica should have of it, in the gauge's unit; [`Gauge::Cpu`] counts in percent of what was asked for.
    pub target: f64,
    /// Means of the metric are over this window.
    pub window: Duration,
    /// How long a larger count holds.
    pub stabilization: Duration,
}

/// What an autoscaler goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The mean over the replicas.
    Replicas(Gauge),
    /// The sum over the pool, and what waits before it.
    Pool(Gauge),
}

impl Signal {
    fn gauge(self) -> Gauge {
        match self {
            Signal::Replicas(gauge) | Signal::Pool(gauge) => gauge,
        }
    }

    fn source(self, target: f64) -> Source {
        let average = Milli(((target * 1000.0).round() as i64).max(1));
        match self {
            Signal::Replicas(Gauge::Cpu) => Source::Resource {
                kind: ResourceKind::Cpu,
                target: ResourceTarget::UtilizationPercent(target.round().clamp(1.0, 1000.0) as u16),
            },
            Signal::Replicas(Gauge::GpuUtilization | Gauge::Waiting | Gauge::Requests) => {
                Source::Pods { average }
            }
            Signal::Pool(_) => Source::External(PoolTarget::AverageValue(average)),
        }
    }
}

/// An autoscaler and its memory.
#[derive(Clone, Debug)]
pub struct Target {
    name: String,
    config: Config,
    view: View,
    pace: Pace,
    /// None before the first look.
    memory: Option<Memory>,
}

impl Target {
    /// Within these limits, with Kubernetes' defaults for what the setting does not say.
    pub fn new(name: &str, setting: Setting, limits: Limits) -> Target {
        let Setting { signal, target, window, stabilization } = setting;
        let metric = Metric { name: signal.gauge().name(), source: signal.source(target) };
        Target {
            name: name.to_owned(),
            config: Config { downscale_stabilization: stabilization, ..Config::new(limits, vec![metric]) },
            view: View::new(signal.gauge(), window),
            pace: Pace::every(SYNC),
            memory: None,
        }
    }
}

impl Scaler for Target {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&mut self, seen: &Observation) -> Wanted {
        self.view.see(seen);
        if !self.pace.is_due(seen.now) {
            return seen.wanted;
        }
        let now = seen.now;
        let current = seen.wanted.total();
        let memory = self.memory.get_or_insert_with(|| Memory::beginning(current, now));
        let proposal = target::propose(&self.view.pool(seen), &self.config, memory, now);
        let wanted = wanted(&proposal, seen);
        if wanted.total() != current {
            memory.scaled(&self.config, current, wanted.total(), now);
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalers::scene::{Load, seen};

    fn scaler(signal: Signal, target: f64) -> Target {
        let setting =
            Setting { signal, target, window: Duration::ZERO, stabilization: Duration::from_secs(300) };
        Target::new("it", setting, Limits::new(1, 100).unwrap())
    }

    #[test]
    fn each_signal_brings_its_mean_to_the_target() {
        // Two replicas with 12 and 20 requests, 4 of them waiting, 90 % busy.
        let busy = [Load(10, 2, 0.9), Load(18, 2, 0.9)];
        for (signal, target, expected) in [
            (Signal::Replicas(Gauge::Requests), 8.0, 4),
            (Signal::Replicas(Gauge::Waiting), 1.0, 4),
            (Signal::Replicas(Gauge::GpuUtilization), 60.0, 3),
            (Signal::Replicas(Gauge::Cpu), 60.0, 3),
            (Signal::Pool(Gauge::Requests), 8.0, 4),
            (Signal::Pool(Gauge::Requests), 16.0, 2),
        ] {
            let wanted = scaler(signal, target).decide(&seen(15, &busy, 0));
            assert_eq!(wanted, Wanted::on_demand(expected), "{signal:?} at {target}");
        }
    }

    #[test]
    fn replicas_that_start_slow_growth_down_for_a_mean_and_not_for_a_sum() {
        let busy = [Load(16, 0, 0.9), Load(16, 0, 0.9)];
        let with = |signal| scaler(signal, 8.0).decide(&seen(15, &busy, 2)).total();
        assert_eq!(with(Signal::Replicas(Gauge::Requests)), 4, "two that start count as idle");
        assert_eq!(with(Signal::Pool(Gauge::Requests)), 4);
        let more = [Load(32, 0, 0.9), Load(32, 0, 0.9)];
        let with = |signal| scaler(signal, 8.0).decide(&seen(15, &more, 6)).total();
        assert_eq!(with(Signal::Replicas(Gauge::Requests)), 8);
        assert_eq!(with(Signal::Pool(Gauge::Requests)), 8);
    }

    #[test]
    fn it_decides_every_15_seconds_and_shrinks_after_the_window() {
        let idle = [Load(1, 0, 0.1); 4];
        let mut scaler = scaler(Signal::Pool(Gauge::Requests), 4.0);
        let shrunk: Vec<u64> =
            (0..400).filter(|at| scaler.decide(&seen(*at, &idle, 0)).total() < 4).collect();
        assert_eq!(shrunk.first(), Some(&315), "300 s and the next look after them");
        assert!(shrunk.iter().all(|at| at % 15 == 0), "{shrunk:?}");
    }

    #[test]
    fn nobody_who_is_blind_shrinks_a_pool() {
        let mut blind = seen(15, &[Load(0, 0, 0.0); 4], 0);
        blind.replicas.iter_mut().for_each(|it| it.engine = None);
        for signal in [Signal::Replicas(Gauge::Requests), Signal::Pool(Gauge::Requests)] {
            assert_eq!(scaler(signal, 4.0).decide(&blind), blind.wanted, "{signal:?}");
        }
    }
}
