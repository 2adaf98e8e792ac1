//! The way from an engine's metrics to what a coordinator sees: sampled, late, lost, with holes, and counters that restart.
//!
//! None of Vidur, DynoSim, splitwise-sim and SageServe models it (reference/autoscaling.md §5), and policies fail on it.
//! A value that is not a number never reaches the coordinator, since agents send finite ones only: it is missing there. A
//! sample that comes after a later one is dropped. Values are fresh for three periods, as in the core.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ostler_core::fleet::Freshness;
use ostler_core::signals::Signals;
use rand::RngExt;

use crate::random::{self, Law, Stream};
use crate::replica::{Rates, Reading};
use crate::time::{SimTime, Span};

/// How far telemetry can be relied on.
#[derive(Clone, Debug, PartialEq)]
pub struct Telemetry {
    /// Between two samples of an engine; over 0.
    pub period: Span,
    /// From sampling to being seen.
    pub lag: Law,
    /// Share of samples that never arrive, 0-1.
    pub loss: f64,
    /// Share of samples in which one value is not a number, 0-1.
    pub nan: f64,
    /// Share of samples before which an engine's counters restarted, 0-1.
    pub reset: f64,
}

impl Default for Telemetry {
    /// An agent at 1 Hz, seen a tenth of a second later, without faults.
    fn default() -> Self {
        let lag = Law::Constant(Span::from_millis(100));
        Telemetry { period: Span::from_seconds(1), lag, loss: 0.0, nan: 0.0, reset: 0.0 }
    }
}

/// Periods for which a value is fresh.
const FRESH_PERIODS: u64 = 3;

/// Samples of one engine that can be under way. With more, the oldest is dropped: 64 at 1 Hz is a lag of a minute.
const UNDER_WAY_MAX: usize = 64;

/// The latest that is known of an engine. What is missing is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EngineSeen {
    /// The replica's number, never used twice.
    pub replica: u64,
    /// Since the sample was taken.
    pub age: Duration,
    /// Whether it still counts.
    pub freshness: Freshness,
    /// Requests in the batch.
    pub running: Option<u64>,
    /// Requests that wait for capacity.
    pub waiting: Option<u64>,
    /// Share of the KV cache in use, 0-1.
    pub kv_share: Option<f64>,
    /// 95th percentile to the first token over the last period.
    pub ttft_p95: Option<Duration>,
    /// 95th percentile between tokens over the last period.
    pub itl_p95: Option<Duration>,
    /// Over the last period; none after a start or a reset.
    pub rates: Option<Rates>,
}

/// All engines as seen from afar.
#[derive(Debug)]
pub(crate) struct Channel {
    telemetry: Telemetry,
    stream: Stream,
    engines: BTreeMap<u64, Line>,
}

#[derive(Clone, Debug, Default)]
struct Line {
    /// With the time at which each will be seen.
    under_way: VecDeque<(SimTime, Sample)>,
    latest: Option<Sample>,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    reading: Reading,
    hole: Option<Hole>,
}

/// Which value was not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hole {
    Running,
    Waiting,
    Kv,
    Ttft,
    Rates,
}

const HOLES: [Hole; 5] = [Hole::Running, Hole::Waiting, Hole::Kv, Hole::Ttft, Hole::Rates];

impl Channel {
    pub(crate) fn new(telemetry: Telemetry, seed: u64) -> Channel {
        Channel { telemetry, stream: random::stream(seed, "telemetry", [0, 0]), engines: BTreeMap::new() }
    }

    /// Whether the counters of the engine that is sampled next have restarted.
    pub(crate) fn resets(&mut self) -> bool {
        self.happens(self.telemetry.reset)
    }

    /// Sends a sample.
    pub(crate) fn send(&mut self, replica: u64, reading: Reading) {
        if self.happens(self.telemetry.loss) {
            return;
        }
        let broken = self.happens(self.telemetry.nan);
        let hole = broken.then(|| HOLES[self.stream.random_range(0..HOLES.len())]);
        let seen_at = reading.at + self.telemetry.lag.draw(&mut self.stream);
        let line = self.engines.entry(replica).or_default();
        line.arrive(reading.at);
        if line.under_way.len() == UNDER_WAY_MAX {
            line.under_way.pop_front();
        }
        line.under_way.push_back((seen_at, Sample { reading, hole }));
    }

    /// Forgets an engine that is known to be gone.
    pub(crate) fn forget(&mut self, replica: u64) {
        self.engines.remove(&replica);
    }

    /// What is known now.
    pub(crate) fn seen(&mut self, now: SimTime) -> Vec<EngineSeen> {
        let fresh = self.telemetry.period * FRESH_PERIODS;
        self.engines
            .iter_mut()
            .filter_map(|(replica, line)| {
                line.arrive(now);
                line.latest.map(|sample| sample.seen(*replica, now, fresh))
            })
            .collect()
    }

    fn happens(&mut self, share: f64) -> bool {
        share > 0.0 && self.stream.random::<f64>() < share
    }
}

impl Line {
    fn arrive(&mut self, now: SimTime) {
        let latest = &mut self.latest;
        self.under_way.retain(|(seen_at, sample)| {
            let here = *seen_at <= now;
            if here && latest.is_none_or(|known| known.reading.at < sample.reading.at) {
                *latest = Some(*sample);
            }
            !here
        });
    }
}

impl Sample {
    fn seen(self, replica: u64, now: SimTime, fresh: Span) -> EngineSeen {
        let reading = self.reading;
        let age = now.since(reading.at);
        let there = |hole| self.hole != Some(hole);
        EngineSeen {
            replica,
            age: age.as_duration(),
            freshness: if age <= fresh { Freshness::Fresh } else { Freshness::Stale },
            running: there(Hole::Running).then_some(reading.running),
            waiting: there(Hole::Waiting).then_some(reading.waiting),
            kv_share: there(Hole::Kv).then_some(reading.kv_share),
            ttft_p95: reading.ttft_p95.filter(|_| there(Hole::Ttft)).map(Span::as_duration),
            itl_p95: reading.itl_p95.map(Span::as_duration),
            rates: reading.rates.filter(|_| there(Hole::Rates)),
        }
    }
}

/// Adds up what is fresh, as the core does: missing is not zero, and silent engines lower the coverage.
pub(crate) fn signals(engines: &[EngineSeen], expected: u32) -> Signals {
    let fresh: Vec<&EngineSeen> = engines.iter().filter(|it| it.freshness == Freshness::Fresh).collect();
    let sum = |value: fn(&EngineSeen) -> Option<f64>| {
        fresh.iter().filter_map(|it| value(it)).reduce(|sum, value| sum + value)
    };
    let mean = |value: fn(&EngineSeen) -> Option<f64>| {
        let known = fresh.iter().filter(|it| value(it).is_some()).count();
        sum(value).map(|sum| sum / known as f64)
    };
    let worst =
        |value: fn(&EngineSeen) -> Option<f64>| fresh.iter().filter_map(|it| value(it)).reduce(f64::max);
    let freshness = match (fresh.is_empty(), engines.is_empty()) {
        (false, _) => Freshness::Fresh,
        (true, false) => Freshness::Stale,
        (true, true) => Freshness::Missing,
    };
    Signals {
        requests_running: sum(|it| it.running.map(|it| it as f64)),
        requests_waiting: sum(|it| it.waiting.map(|it| it as f64)),
        kv_cache_usage: mean(|it| it.kv_share),
        ttft_p95_seconds: worst(|it| it.ttft_p95.map(|it| it.as_secs_f64())),
        itl_p95_seconds: worst(|it| it.itl_p95.map(|it| it.as_secs_f64())),
        generation_tokens_per_second: sum(|it| it.rates.map(|it| it.generation_tokens_per_second)),
        prompt_tokens_per_second: sum(|it| it.rates.map(|it| it.prompt_tokens_per_second)),
        requests_per_second: sum(|it| it.rates.map(|it| it.requests_per_second)),
        // Engines of the model make no errors; lost requests are seen by their clients.
        errors_per_second: sum(|it| it.rates.map(|_| 0.0)),
        gpu_utilization_percent: mean(|it| it.rates.map(|it| it.busy_share * 100.0)),
        // Engines take their memory at the start and keep it, so it tells nothing and is not modelled.
        gpu_memory_used_bytes: None,
        gpu_memory_total_bytes: None,
        gpu_power_watts: None,
        age: fresh.iter().map(|it| it.age).max().unwrap_or_default(),
        coverage: if expected == 0 { 0.0 } else { (fresh.len() as f64 / f64::from(expected)).min(1.0) },
        freshness,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(at_s: u64, running: u64) -> Reading {
        Reading {
            at: at(at_s),
            running,
            waiting: 2,
            kv_share: 0.25 * running as f64,
            ttft_p95: (running > 1).then(|| Span::from_millis(100 * running)),
            itl_p95: None,
            rates: None,
        }
    }

    fn at(seconds: u64) -> SimTime {
        SimTime::after(Span::from_seconds(seconds))
    }

    fn channel(lag_s: u64) -> Channel {
        let lag = Law::Constant(Span::from_seconds(lag_s));
        Channel::new(Telemetry { lag, ..Telemetry::default() }, 1)
    }

    #[test]
    fn a_sample_is_seen_after_its_lag_and_grows_stale() {
        let mut channel = channel(2);
        channel.send(7, reading(10, 1));
        assert!(channel.seen(at(11)).is_empty());
        let seen = channel.seen(at(12))[0];
        assert_eq!((seen.replica, seen.age, seen.freshness), (7, Duration::from_secs(2), Freshness::Fresh));
        assert_eq!(channel.seen(at(13))[0].freshness, Freshness::Fresh);
        assert_eq!(channel.seen(at(14))[0].freshness, Freshness::Stale);
        channel.forget(7);
        assert!(channel.seen(at(14)).is_empty());
    }

    #[test]
    fn a_sample_that_is_overtaken_is_dropped() {
        let mut channel = channel(5);
        channel.send(7, reading(10, 1));
        channel.telemetry.lag = Law::Constant(Span::ZERO);
        channel.send(7, reading(11, 3));
        assert_eq!(channel.seen(at(12))[0].running, Some(3));
        assert_eq!(channel.seen(at(16))[0].running, Some(3));
    }

    #[test]
    fn signals_add_what_is_fresh_and_miss_what_nobody_has() {
        let fresh = Span::from_seconds(3);
        let seen = |replica, at_s, running| {
            Sample { reading: reading(at_s, running), hole: None }.seen(replica, at(20), fresh)
        };
        let hole = Sample { reading: reading(20, 3), hole: Some(Hole::Running) }.seen(3, at(20), fresh);
        let signals = signals(&[seen(1, 20, 1), seen(2, 18, 2), hole, seen(4, 10, 9)], 5);
        assert_eq!((signals.requests_running, signals.requests_waiting), (Some(3.0), Some(6.0)));
        assert_eq!((signals.kv_cache_usage, signals.ttft_p95_seconds), (Some(0.5), Some(0.3)));
        assert_eq!((signals.itl_p95_seconds, signals.requests_per_second), (None, None));
        assert_eq!((signals.coverage, signals.age), (0.6, Duration::from_secs(2)));
        let none = super::signals(&[], 2);
        assert_eq!((none.freshness, none.requests_running, none.coverage), (Freshness::Missing, None, 0.0));
    }
}
