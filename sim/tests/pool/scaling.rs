//! The interface to policies, proved by the two that come with it.

use std::time::Duration;

use ostler_core::fleet::Freshness;
use ostler_sim::lifecycle::{self, Phase, Startup};
use ostler_sim::profile::Profile;
use ostler_sim::random::Law;
use ostler_sim::scaler::{Observation, QueueTarget, Scaler, Wanted};
use ostler_sim::setup::{Setup, Zone, ZoneIndex};
use ostler_sim::telemetry::{EngineSeen, Telemetry};
use ostler_sim::time::Span;

use crate::load;

/// Keeps what it saw.
struct Witness {
    wanted: Wanted,
    seen: Vec<Observation>,
}

impl Scaler for Witness {
    fn name(&self) -> &str {
        "witness"
    }

    fn decide(&mut self, seen: &Observation) -> Wanted {
        self.seen.push(seen.clone());
        self.wanted
    }
}

fn witness(setup: &Setup, rate: f64, wanted: u32) -> Vec<Observation> {
    let mut witness = Witness { wanted: Wanted::on_demand(wanted), seen: Vec::new() };
    load::run(setup, &load::poisson(|_| rate, 300.0, load::chat, 6), &mut witness);
    witness.seen
}

fn engines(seen: &Observation) -> impl Iterator<Item = EngineSeen> {
    seen.replicas.iter().filter_map(|it| it.engine)
}

#[test]
fn a_queue_target_follows_the_load_up_and_down() {
    let rate = |at: f64| if (600.0..1500.0).contains(&at) { 60.0 } else { 6.0 };
    let requests = load::poisson(rate, 3600.0, load::chat, 7);
    let mut scaler = QueueTarget::new(24.0).expect("over 0");
    let (outcome, _) = load::run(&load::setup(1), &requests, &mut scaler);
    let most = outcome.scalings.iter().map(|it| it.to.on_demand).max().unwrap();
    let before = |seconds: f64| outcome.scalings.iter().rfind(|it| it.at.as_seconds() < seconds).unwrap();
    assert!(most >= 4 && before(1500.0).to.on_demand >= 4, "{:?}", outcome.scalings);
    assert!(before(2400.0).to.on_demand <= 2, "{:?}", before(2400.0));
    assert_eq!(outcome.requests.aborted.total(), 0, "drains end in peace");
    let static_hours = f64::from(most) * outcome.ended.as_seconds() / 3600.0;
    assert!(outcome.replica_hours < static_hours * 0.7, "{} of {static_hours}", outcome.replica_hours);
}

#[test]
fn a_policy_sees_the_pool_late_and_starts_counted() {
    let seen = witness(&load::setup(2), 6.0, 3);
    let first = &seen[0];
    assert_eq!(first.now.as_millis(), 15_000);
    assert_eq!((first.counts.ready, first.counts.starting), (2, 0));
    assert_eq!(first.zones.iter().map(|it| it.ready).collect::<Vec<_>>(), [1, 1, 0]);
    assert_eq!(first.signals.freshness, Freshness::Fresh);
    assert_eq!(first.signals.coverage, 1.0);
    assert!((100..=1100).contains(&first.signals.age.as_millis()), "{:?}", first.signals.age);
    assert_eq!((seen[1].counts.ready, seen[1].counts.starting), (2, 1));
    let third = seen[1].replicas[2];
    assert_eq!((third.phase, third.zone, third.asked.as_millis()), (Phase::Load, ZoneIndex(2), 15_000));
    assert!(third.engine.is_none(), "an engine that does not serve shows nothing");
    let ready = seen.iter().find(|it| it.counts.ready == 3).unwrap();
    // It serves from 75 s on, after the decision of that moment.
    assert_eq!(ready.now.as_millis(), 90_000);
    assert_eq!(ready.start_times, [Duration::from_secs(60)]);
    let later = &seen[10].signals;
    // Answers of single seconds at each look: 6 a second arrive, and the mean of so many Poisson counts lies within 1.5 of it.
    let looks = &seen[10..];
    let answered: f64 = looks.iter().map(|it| it.signals.requests_per_second.unwrap()).sum();
    let mean = answered / looks.len() as f64;
    assert!(looks.len() >= 10 && (4.5..7.5).contains(&mean), "{mean} over {} looks", looks.len());
    assert!(later.gpu_utilization_percent.unwrap() > 50.0, "GPUs look busy at any load: {later:?}");
}

#[test]
fn lost_samples_make_a_pool_stale_and_not_idle() {
    let telemetry = Telemetry { loss: 1.0, ..Telemetry::default() };
    let seen = witness(&Setup { telemetry, ..load::setup(2) }, 6.0, 2);
    assert!(seen.iter().all(|it| it.signals.requests_running.is_none() && it.signals.coverage == 0.0));
    assert!(seen.iter().all(|it| it.signals.freshness == Freshness::Missing));
    let lag = Law::Constant(Span::from_seconds(20));
    let telemetry = Telemetry { lag, ..Telemetry::default() };
    let seen = witness(&Setup { telemetry, ..load::setup(2) }, 6.0, 2);
    let last = seen.last().unwrap();
    assert_eq!(last.signals.freshness, Freshness::Stale);
    assert!(engines(last).all(|it| it.age >= Duration::from_secs(20)));
}

#[test]
fn holes_and_resets_are_missing_values_and_not_zeros() {
    let telemetry = Telemetry { nan: 0.5, reset: 0.3, ..Telemetry::default() };
    let seen = witness(&Setup { telemetry, ..load::setup(4) }, 24.0, 4);
    let engines = || seen.iter().flat_map(engines);
    let share = |missing: usize| missing as f64 / engines().count() as f64;
    let no_running = share(engines().filter(|it| it.running.is_none()).count());
    let no_rates = share(engines().filter(|it| it.rates.is_none()).count());
    assert!((0.02..0.25).contains(&no_running), "{no_running}");
    assert!((0.2..0.6).contains(&no_rates), "{no_rates}");
}

#[test]
fn wishes_are_brought_within_the_limits() {
    let setup = Setup { replicas_min: 2, replicas_max: 3, ..load::setup(2) };
    let seen = witness(&setup, 6.0, 90);
    assert_eq!(seen.last().unwrap().wanted, Wanted::on_demand(3));
    let seen = witness(&setup, 6.0, 0);
    assert_eq!(seen.last().unwrap().wanted, Wanted::on_demand(2));
}

#[test]
fn a_wish_without_measure_ends_where_the_room_does() {
    let zones = vec![Zone { name: "a".to_owned(), replicas_max: 5 }];
    let setup = Setup { replicas_max: u32::MAX, zones, ..load::setup(2) };
    let seen = witness(&setup, 6.0, u32::MAX);
    let last = seen.last().unwrap();
    assert_eq!((last.wanted.on_demand, last.counts.ready), (u32::MAX, 5));
}

#[test]
fn a_pool_at_zero_holds_requests_until_a_replica_serves() {
    let setup = Setup { replicas_min: 0, initial: Wanted::on_demand(0), ..load::setup(0) };
    let requests = load::poisson(|_| 2.0, 100.0, load::chat, 8);
    let (outcome, served) = load::run(&setup, &requests, &mut QueueTarget::new(20.0).expect("over 0"));
    assert_eq!(outcome.requests.finished, outcome.requests.arrived);
    assert!(served[0].ttft.as_seconds() > 60.0, "{:?}", served[0]);
    assert!(outcome.cold_start.exposed_late > 50, "{:?}", outcome.cold_start);
}

#[test]
fn measured_loads_can_take_the_place_of_assumed_ones() {
    let folder = match std::env::var_os("OSTLER_SHARED_DATA") {
        Some(folder) => folder.into(),
        None => std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
    };
    let file = folder.join("cold_start/gentd26_basemodel_load_ms.csv.gz");
    let loads = lifecycle::read_loads(&file).expect("OSTLER_SHARED_DATA can name another data folder");
    // The published percentiles of 7,531 loads.
    assert!((loads.quantile(0.5).as_seconds() - 22.7).abs() < 0.3, "{:?}", loads.quantile(0.5));
    assert!((loads.quantile(0.99).as_seconds() - 51.9).abs() < 0.3, "{:?}", loads.quantile(0.99));
    let startup = Startup::of(&Profile::llama_8b_h100()).with_loads(loads);
    assert!(matches!(startup.load, Law::Empirical(_)));
}
