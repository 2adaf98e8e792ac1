//! With a batch of one and free prompts an engine is a single server, and theory says how long requests wait.

use ostler_sim::outcome::Served;
use ostler_sim::profile::Profile;
use ostler_sim::router::Routing;
use ostler_sim::scaler::Wanted;
use ostler_sim::setup::Setup;
use ostler_sim::telemetry::Telemetry;
use ostler_sim::time::Span;

use crate::load;

/// Long enough for intervals of some tenths of the mean.
const SECONDS: f64 = 12_000.0;

/// One token a millisecond, one request at a time.
fn single_server() -> Profile {
    Profile {
        seqs_max: 1,
        budget_tokens: 1 << 20,
        kv_blocks: 1 << 20,
        iteration: Span::from_millis(1),
        seq: Span::ZERO,
        kv_token: Span::ZERO,
        prefill_pass: Span::ZERO,
        prompt_token: Span::ZERO,
        prompt_pair: Span::ZERO,
        ..Profile::llama_8b_h100()
    }
}

/// Mean wait in seconds before service begins, and its half 99 % confidence interval from twenty batches.
fn wait(served: &[Served]) -> (f64, f64) {
    const BATCHES: usize = 20;
    let waits: Vec<f64> = served.iter().map(|it| it.ttft.as_seconds() - 0.001).collect();
    let means: Vec<f64> = waits
        .chunks(waits.len().div_ceil(BATCHES))
        .map(|batch| batch.iter().sum::<f64>() / batch.len() as f64)
        .collect();
    let mean = means.iter().sum::<f64>() / means.len() as f64;
    let variance = means.iter().map(|it| (it - mean).powi(2)).sum::<f64>() / (means.len() - 1) as f64;
    // Student's t for 19 degrees of freedom.
    (mean, 2.861 * (variance / means.len() as f64).sqrt())
}

fn measure(replicas: u32, rate: f64, exponential: bool, routing: Routing) -> (f64, f64) {
    let setup = Setup {
        profile: single_server(),
        initial: Wanted::on_demand(replicas),
        routing,
        telemetry: Telemetry { period: Span::from_seconds(60), ..Telemetry::default() },
        ..load::setup(replicas)
    };
    // A mean service of 100 ms: the token that comes with the prompt and 99 more.
    let tokens = |stream: &mut _| (1, if exponential { load::around(99.5, stream) } else { 100 });
    let requests = load::poisson(|_| rate, SECONDS, tokens, 11);
    wait(&load::run_static(&setup, &requests).1)
}

/// Erlang's C: the share of requests that wait at `servers` with this load.
fn erlang_c(servers: u32, load: f64) -> f64 {
    let mut blocked = 1.0;
    for server in 1..=servers {
        blocked = load * blocked / (f64::from(server) + load * blocked);
    }
    let use_share = load / f64::from(servers);
    blocked / (1.0 - use_share * (1.0 - blocked))
}

#[test]
fn equal_services_wait_as_in_m_d_1() {
    for rate in [5.0, 8.0] {
        let (mean, half) = measure(1, rate, false, Routing::LeastWork);
        let load = rate * 0.1;
        let theory = load * 0.1 / (2.0 * (1.0 - load));
        assert!((mean - theory).abs() <= half && half < theory * 0.3, "{mean} ± {half} for {theory}");
    }
}

#[test]
fn exponential_services_wait_as_in_m_m_1() {
    for rate in [5.0, 7.0] {
        let (mean, half) = measure(1, rate, true, Routing::LeastWork);
        let load = rate * 0.1;
        let theory = load * 0.1 / (1.0 - load);
        assert!((mean - theory).abs() <= half && half < theory * 0.3, "{mean} ± {half} for {theory}");
    }
}

#[test]
fn four_servers_wait_between_one_queue_and_four() {
    let (servers, rate) = (4, 32.0);
    let load = rate * 0.1;
    let one_queue = erlang_c(servers, load) * 0.1 / (f64::from(servers) - load);
    let split = 0.8 * 0.1 / (1.0 - 0.8);
    let (by_work, half) = measure(servers, rate, true, Routing::LeastWork);
    assert!(by_work + half > one_queue && by_work < split * 0.6, "{by_work} for {one_queue} to {split}");
    // Every fourth of Poisson arrivals comes more evenly than Poisson, so turns wait less than a random split.
    let (by_turns, _) = measure(servers, rate, true, Routing::RoundRobin);
    assert!(by_turns > by_work && by_turns < split, "{by_turns} for {by_work} to {split}");
}
