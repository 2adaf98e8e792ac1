//! Requests drawn for tests, and runs over them.

use ostler_sim::outcome::{Outcome, Served};
use ostler_sim::profile::Profile;
use ostler_sim::random::{self, Law};
use ostler_sim::scaler::{Scaler, Static, Wanted};
use ostler_sim::setup::Setup;
use ostler_sim::time::{SimTime, Span};
use ostler_sim::trace::Request;
use ostler_sim::world;

/// Poisson arrivals at a rate that may change with the time in seconds, until `until_s`.
pub(crate) fn poisson(
    rate: impl Fn(f64) -> f64,
    until_s: f64,
    tokens: impl Fn(&mut random::Stream) -> (u32, u32),
    seed: u64,
) -> Vec<Request> {
    let mut stream = random::stream(seed, "test arrivals", [0, 0]);
    let unit = Law::Exponential { mean: Span::from_seconds(1) };
    let mut at_s = 0.0;
    let mut requests = Vec::new();
    loop {
        at_s += unit.draw(&mut stream).as_seconds() / rate(at_s);
        if at_s >= until_s {
            return requests;
        }
        let (input_tokens, output_tokens) = tokens(&mut stream);
        let arrival = SimTime::after(Span::try_from_seconds(at_s).expect("a time of the run"));
        requests.push(Request { arrival, input_tokens, output_tokens, class: 0, prefix: None });
    }
}

/// A length around a mean, exponential, at least 1.
pub(crate) fn around(mean: f64, stream: &mut random::Stream) -> u32 {
    let drawn = Law::Exponential { mean: Span::from_seconds(1) }.draw(stream).as_seconds() * mean;
    (drawn.ceil() as u32).max(1)
}

/// Chat-like requests: 1,000 tokens in, 200 out on average.
pub(crate) fn chat(stream: &mut random::Stream) -> (u32, u32) {
    (around(1000.0, stream), around(200.0, stream))
}

/// A pool of 8B replicas that start in 60 s.
pub(crate) fn setup(replicas: u32) -> Setup {
    Setup {
        initial: Wanted::on_demand(replicas),
        startup: ostler_sim::lifecycle::Startup::constant(Span::from_seconds(60)),
        ..Setup::new(Profile::llama_8b_h100())
    }
}

pub(crate) fn run(setup: &Setup, requests: &[Request], scaler: &mut dyn Scaler) -> (Outcome, Vec<Served>) {
    let mut served = Vec::new();
    let outcome = world::run(setup, requests.iter().copied().map(Ok), scaler, &mut |it| served.push(*it))
        .expect("it runs");
    (outcome, served)
}

/// Runs with the number of replicas that the setup begins with.
pub(crate) fn run_static(setup: &Setup, requests: &[Request]) -> (Outcome, Vec<Served>) {
    run(setup, requests, &mut Static(setup.initial))
}
