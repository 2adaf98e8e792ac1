//! Inputs and expectations of Knative's own tests (`pkg/autoscaler/scaling/autoscaler_test.go`).

use std::time::Duration;

use super::*;
use crate::policy::observation::{Phase, Readiness, Readings, Replica};

const START: Time = Time::from_millis(1_000_000_000);

fn after(seconds: u64) -> Time {
    START + Duration::from_secs(seconds)
}

/// The share of a replica's capacity that Knative's tests aim at.
const UTILIZATION: f64 = 0.75;

/// What Knative's tests use: rates of 10 and 200 % for panic.
fn config(target: i64, burst: i64) -> Config {
    Config {
        target_value: Milli::from_units(target),
        total_value: Milli((target as f64 / UTILIZATION * 1000.0).round() as i64),
        target_burst: match burst {
            -1 => Burst::Unlimited,
            0 => Burst::None,
            burst => Burst::Capacity(Milli::from_units(burst)),
        },
        max_scale_up_rate: Milli::from_units(10),
        max_scale_down_rate: Milli::from_units(10),
        ..Config::concurrency()
    }
}

struct Scaler {
    config: Config,
    memory: Memory,
}

impl Scaler {
    fn new(config: Config) -> Scaler {
        Scaler { config, memory: Memory::new(&config, 1, START) }
    }

    /// The count and the excess burst capacity.
    fn scale(&mut self, (stable, panic): (f64, f64), ready: u32, now: Time) -> (u32, i32) {
        let mut reasons = Vec::new();
        let observed = Observed { stable, panic };
        let replicas = decide(observed, ready, &self.config, &mut self.memory, now, &mut reasons);
        let Some(Reason::ExcessBurst { capacity }) = reasons.last() else { panic!("{reasons:?}") };
        (replicas, *capacity)
    }

    fn replicas(&mut self, observed: (f64, f64), ready: u32, now: Time) -> u32 {
        self.scale(observed, ready, now).0
    }
}

/// Knative's `expectedEBC`, to which its tests hold the result to within one.
fn assert_excess(excess: i32, target: f64, burst: f64, panic: f64, ready: f64) {
    let expected = (target / UTILIZATION * ready - burst - panic).floor() as i32;
    assert!((excess - expected).abs() <= 1, "{excess} instead of {expected}");
}

#[test]
fn the_table_of_knative_holds() {
    for (name, target, burst, observed, ready, replicas) in [
        ("no load", 10, 100, (0.0, 0.0), 1, 0),
        ("stable, unlimited burst", 181, -1, (21.0, 26.0), 1, 1),
        ("stable, no burst", 10, 0, (50.0, 49.0), 1, 5),
        ("stable, no change", 10, 100, (50.0, 50.0), 1, 5),
        ("stable, already scaled", 10, 100, (50.0, 50.0), 5, 5),
        ("panic doubles", 10, 84, (50.0, 100.0), 1, 10),
        ("stable decrease", 10, 98, (50.0, 50.0), 8, 5),
        ("grows ten times at most", 10, 61, (1000.0, 1001.0), 1, 10),
        ("shrinks ten times at most", 10, 61, (1.0, 1.0), 100, 10),
        ("none ready counts as one", 10, 81, (1000.0, 888.0), 0, 10),
    ] {
        let mut scaler = Scaler::new(config(target, burst));
        let (got, excess) = scaler.scale(observed, ready, START);
        assert_eq!(got, replicas, "{name}");
        match burst {
            -1 | 0 => assert_eq!(i64::from(excess), burst, "{name}"),
            burst => assert_excess(excess, target as f64, burst as f64, observed.1, f64::from(ready)),
        }
    }
}

#[test]
fn a_rate_too_small_for_a_replica_still_moves() {
    let up = Config { max_scale_up_rate: Milli(1100), ..config(1, 1982) };
    assert_eq!(Scaler::new(up).replicas((3.0, 3.1), 2, START), 3);
    let down = |reach| Config { max_scale_down_rate: Milli(1100), reach, ..config(10, 1982) };
    assert_eq!(Scaler::new(down(Reach::Reachable)).replicas((1.0, 1.0), 100, START), 90);
    assert_eq!(Scaler::new(down(Reach::Unreachable)).replicas((1.0, 1.0), 100, START), 1);
}

#[test]
fn in_panic_the_larger_window_counts() {
    for ((stable, panic), expected) in [((50.0, 30.0), 50), ((20.0, 30.0), 30)] {
        let mut scaler = Scaler::new(config(1, 100));
        scaler.memory.panicking = Some(START - Duration::from_secs(5));
        scaler.memory.panic_max = 5;
        assert_eq!(scaler.replicas((stable, panic), 5, START), expected);
    }
}

#[test]
fn panic_ends_after_a_slow_increase() {
    let mut scaler = Scaler::new(config(1, 98));
    assert_eq!(scaler.replicas((11.0, 25.0), 10, START), 25);
    assert_eq!(scaler.memory.panicking, Some(START));
    assert_eq!(scaler.replicas((30.0, 41.0), 40, after(30)), 41);
    assert_eq!(scaler.memory.panicking, Some(START), "it does not move without a burst");
    assert_eq!(scaler.replicas((50.0, 56.0), 55, after(62)), 50);
    assert_eq!(scaler.memory.panicking, None);
}

#[test]
fn a_burst_that_goes_on_extends_panic() {
    let mut scaler = Scaler::new(config(1, 98));
    assert_eq!(scaler.replicas((11.0, 25.0), 10, START), 25);
    assert_eq!(scaler.replicas((30.0, 80.0), 40, after(30)), 80);
    assert_eq!(scaler.memory.panicking, Some(after(30)));
}

#[test]
fn an_exponential_surge_is_followed_to_its_end() {
    let mut scaler = Scaler::new(config(1, 101));
    for (second, load, ready) in [(0, 6, 1), (0, 36, 6), (1, 216, 36), (1, 1296, 216), (2, 1296, 1296)] {
        let load_now = f64::from(load);
        assert_eq!(scaler.replicas((load_now, load_now), ready, after(second)), load);
    }
    assert_eq!(scaler.memory.panicking, Some(after(1)), "at 1296 of 1296 nothing bursts any more");
}

#[test]
fn a_pool_shrinks_only_a_stable_window_after_its_burst() {
    let mut scaler = Scaler::new(config(10, 93));
    assert_eq!(scaler.replicas((100.0, 100.0), 1, START), 10);
    assert_eq!(scaler.replicas((100.0, 1000.0), 10, START), 100);
    assert_eq!(scaler.replicas((1.0, 1.0), 10, after(30)), 100);
    assert_eq!(scaler.replicas((1.0, 1.0), 10, after(60)), 100, "the window is inclusive");
    assert_eq!(scaler.replicas((1.0, 1.0), 10, after(61)), 1);
}

#[test]
fn a_woken_pool_begins_with_its_activation_scale() {
    let config = Config { activation_scale: 2, ..config(10, 75) };
    let mut scaler = Scaler::new(config);
    assert_eq!(scaler.replicas((0.0, 0.0), 1, START), 0);
    assert_eq!(scaler.replicas((1.0, 0.0), 1, START), 2);
}

fn delayed() -> Config {
    Config {
        panic_threshold_percent: 10_000,
        scale_down_delay: Duration::from_secs(300),
        target_burst: Burst::None,
        ..config(10, 0)
    }
}

#[test]
fn a_delay_holds_the_largest_count() {
    let mut scaler = Scaler::new(delayed());
    let mut at = |seconds, load: f64| scaler.replicas((load, load), 1, after(seconds));
    assert_eq!(at(2, 40.0), 4);
    assert_eq!(at(300, 0.0), 4);
    assert_eq!(at(302, 0.0), 0);
    assert_eq!([at(540, 40.0), at(600, 30.0), at(660, 0.0)], [4, 4, 4]);
    assert_eq!([at(840, 0.0), at(900, 0.0)], [3, 0]);
}

#[test]
fn a_pool_that_nobody_reaches_is_not_delayed() {
    let mut scaler = Scaler::new(delayed());
    assert_eq!(scaler.replicas((40.0, 40.0), 1, after(2)), 4);
    assert_eq!(scaler.replicas((0.0, 0.0), 1, after(60)), 4);
    scaler.config.reach = Reach::Unreachable;
    assert_eq!(scaler.replicas((0.0, 0.0), 1, after(62)), 0);
}

#[test]
fn without_a_delay_the_newest_count_holds() {
    let mut scaler = Scaler::new(Config { scale_down_delay: Duration::ZERO, ..delayed() });
    assert_eq!(scaler.replicas((40.0, 40.0), 1, START), 4);
    assert_eq!(scaler.replicas((20.0, 20.0), 1, START + Duration::from_millis(500)), 2);
}

fn pool(serving: u32) -> Pool {
    let replica = Replica {
        phase: Phase::Running,
        readiness: Readiness::Ready(START),
        leaving: false,
        started: Some(START),
        readings: Readings::default(),
        requests: std::collections::BTreeMap::new(),
    };
    let replicas = vec![replica; serving as usize];
    Pool { replicas_wanted: serving, replicas_existing: serving, replicas, readings: Readings::default() }
}

#[test]
fn lost_windows_begin_in_panic_and_keep_the_pool() {
    let config = Config::concurrency();
    for ready in [0, 1] {
        assert_eq!(Memory::new(&config, ready, START).panicking, None);
    }
    let mut memory = Memory::new(&config, 7, START);
    for second in 0..=60 {
        memory.record(Milli::from_units(70), after(second));
        let proposal = propose(&pool(7), &config, &mut memory, after(second));
        assert_eq!(proposal.replicas, Some(7), "one would do, but a window must pass first");
    }
    memory.record(Milli::from_units(70), after(61));
    assert_eq!(propose(&pool(7), &config, &mut memory, after(61)).replicas, Some(3), "half at once at most");
}

#[test]
fn silence_is_not_idleness() {
    let config = Config::concurrency();
    let mut memory = Memory::new(&config, 1, START);
    let before = propose(&pool(1), &config, &mut memory, START);
    assert_eq!((before.replicas, before.evidence), (None, Evidence::Lacking));
    (0..60).for_each(|second| memory.record(Milli::from_units(140), after(second)));
    let fresh = propose(&pool(2), &config, &mut memory, after(59));
    assert_eq!((fresh.replicas, fresh.evidence), (Some(2), Evidence::Enough));
    let silent = propose(&pool(2), &config, &mut memory, after(66));
    assert_eq!(silent.evidence, Evidence::Lacking, "the panic window is empty, as if nobody asked");
    let lost = propose(&pool(2), &config, &mut memory, after(120));
    assert_eq!((lost.replicas, lost.evidence), (None, Evidence::Lacking));
}
