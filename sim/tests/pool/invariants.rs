//! What must hold in every run, whatever happens in it.

use ostler_sim::lifecycle::{Phase, Startup};
use ostler_sim::outcome::Outcome;
use ostler_sim::profile::Profile;
use ostler_sim::random::Law;
use ostler_sim::router::Routing;
use ostler_sim::scaler::{Observation, Scaler, Static, Wanted};
use ostler_sim::setup::{Fault, Faults, Setup, Zone, ZoneIndex};
use ostler_sim::telemetry::Telemetry;
use ostler_sim::time::{SimTime, Span};
use ostler_sim::trace::Request;
use ostler_sim::world;
use proptest::prelude::*;

use crate::load;

/// Wants something else each time, both kinds, as if by whim.
struct Restless(u32);

impl Scaler for Restless {
    fn name(&self) -> &str {
        "restless"
    }

    fn decide(&mut self, seen: &Observation) -> Wanted {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let mut engines = seen.replicas.iter().filter_map(|it| it.engine);
        assert!(engines.all(|it| it.kv_share.is_none_or(|share| share <= 1.0)), "KV within capacity");
        assert!(seen.replicas.iter().all(|it| it.phase != Phase::Lost), "the dead are not known to be");
        assert!((0.0..=1.0).contains(&seen.signals.coverage));
        Wanted { on_demand: self.0 >> 29, spot: self.0 >> 26 & 7 }
    }
}

fn at(seconds: u64) -> SimTime {
    SimTime::after(Span::from_seconds(seconds))
}

/// A pool in which everything goes wrong.
fn chaos(seed: u64, routing: Routing) -> Setup {
    let share = |part: u64| (seed >> part & 3) as f64 / 6.0;
    Setup {
        profile: Profile { kv_blocks: 400, ..Profile::llama_8b_h100() },
        zones: ["a", "b"].map(|name| Zone { name: name.to_owned(), replicas_max: 6 }).to_vec(),
        replicas_min: 0,
        routing,
        retries_max: (seed % 3) as u32,
        in_flight_max: 300,
        drain_max: Span::from_seconds(seed % 20),
        telemetry: Telemetry {
            lag: Law::Exponential { mean: Span::from_seconds(4) },
            loss: share(2),
            nan: share(4),
            reset: share(6),
            ..Telemetry::default()
        },
        faults: Faults {
            scripted: vec![
                (at(20), Fault::ReplicaCrash),
                (at(45), Fault::NodeDown),
                (at(70), Fault::SpotNotice { nodes: 2 }),
                (at(90), Fault::ZoneDown { zone: ZoneIndex(1), lasts: Span::from_seconds(60) }),
            ],
            node_deaths_per_1000_days: 300_000.0,
            spot_removals_per_day: 900.0,
            spot_notice: Span::from_seconds(10),
            ..Faults::default()
        },
        startup: Startup::constant(Span::from_seconds(12)),
        settle_max: Span::from_seconds(30),
        seed,
        ..load::setup(3)
    }
}

fn requests(seed: u64) -> Vec<Request> {
    load::poisson(|at| if at > 100.0 { 30.0 } else { 8.0 }, 200.0, load::chat, seed)
}

fn play(seed: u64, routing: Routing) -> Outcome {
    let (outcome, served) = load::run(&chaos(seed, routing), &requests(seed), &mut Restless(seed as u32));
    assert_eq!(served.len() as u64, outcome.requests.finished);
    for it in &served {
        assert!(it.ttft > Span::ZERO && it.ttft <= it.total && it.itl_mean <= it.itl_max, "{it:?}");
    }
    outcome
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn nothing_is_lost_in_chaos_and_the_same_seed_is_the_same_run(seed in 0_u64..1_000_000) {
        let routing = [Routing::LeastWork, Routing::RoundRobin, Routing::LeastKv][(seed % 3) as usize];
        let outcome = play(seed, routing);
        let it = outcome.requests;
        prop_assert_eq!(it.arrived, it.finished + it.in_flight + it.aborted.total());
        prop_assert_eq!(it.arrived as usize, requests(seed).len());
        prop_assert!(it.within <= it.finished && it.retried <= outcome.interrupted);
        prop_assert!(outcome.replicas_max <= 12, "zones are never over full");
        let hours = outcome.replica_hours;
        prop_assert!(outcome.cost <= hours + 1e-9 && outcome.cost >= hours * 0.4 - 1e-9);
        prop_assert_eq!(&outcome, &play(seed, routing));
    }
}

#[test]
fn chaos_is_where_it_should_be() {
    let outcomes: Vec<Outcome> = (0..8).map(|seed| play(seed, Routing::LeastWork)).collect();
    let any = |what: fn(&Outcome) -> u64| outcomes.iter().map(what).sum::<u64>() > 0;
    assert!(any(|it| it.requests.aborted.lost) && any(|it| it.requests.aborted.drained));
    assert!(any(|it| it.requests.aborted.rejected) && any(|it| it.requests.retried));
    assert!(any(|it| it.unplaced) && any(|it| it.preemptions) && any(|it| it.cold_start.starts));
}

#[test]
fn a_request_too_long_for_the_engine_fails_and_the_rest_goes_on() {
    let mut requests = load::poisson(|_| 2.0, 60.0, load::chat, 1);
    requests[3].input_tokens = 10_000_000;
    let (outcome, served) = load::run_static(&load::setup(1), &requests);
    assert_eq!(outcome.requests.aborted.too_long, 1);
    assert_eq!(served.len() + 1, requests.len());
}

#[test]
fn requests_out_of_order_are_an_error() {
    let mut requests = load::poisson(|_| 2.0, 60.0, load::chat, 1);
    requests.swap(4, 9);
    let mut scaler = Static(Wanted::on_demand(1));
    let result = world::run(&load::setup(1), requests.into_iter().map(Ok), &mut scaler, &mut |_| ());
    assert!(matches!(result, Err(world::Error::Order { .. })), "{result:?}");
}

/// Wants a replica more from a look on.
struct OneMore {
    looks_before: usize,
}

impl Scaler for OneMore {
    fn name(&self) -> &str {
        "one-more"
    }

    fn decide(&mut self, seen: &Observation) -> Wanted {
        let left = self.looks_before.checked_sub(1);
        self.looks_before = left.unwrap_or(0);
        Wanted::on_demand(if left.is_some() { seen.wanted.total() } else { 3 })
    }
}

#[test]
fn policies_that_act_at_other_times_meet_the_same_requests_and_start_times() {
    let requests = load::poisson(|_| 6.0, 900.0, load::chat, 5);
    let lag = Law::Exponential { mean: Span::from_seconds(1) };
    let play = |seed, looks_before| {
        let startup = Startup::of(&Profile::llama_8b_h100());
        let telemetry = Telemetry { lag: lag.clone(), loss: 0.1, ..Telemetry::default() };
        let setup = Setup { startup, telemetry, seed, ..load::setup(2) };
        let (outcome, mut served) = load::run(&setup, &requests, &mut OneMore { looks_before });
        served.sort_by_key(|it| it.request);
        let met: Vec<Request> = served.iter().map(|it| it.request).collect();
        (outcome, met)
    };
    let ((early, met_early), (late, met_late)) = (play(1, 0), play(1, 20));
    assert!(early.scalings[0].at < late.scalings[0].at);
    assert_eq!((&met_early, &met_late), (&requests, &requests));
    let start = |outcome: &Outcome| (outcome.cold_start.starts, outcome.cold_start.start_seconds.max);
    assert_eq!(start(&early), start(&late));
    assert_eq!(start(&early).0, 1);
    assert_ne!(start(&early), start(&play(2, 0).0), "another seed has other luck");
}
