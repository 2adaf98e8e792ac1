//! How many simulated requests a minute one core does: a Poisson stream of chat requests through a pool of 8B replicas.
//!
//! ```text
//! cargo run --release -p ostler-sim --example speed -- [requests] [replicas] [requests a second for each replica]
//! ```

use std::time::Instant;

use ostler_sim::profile::Profile;
use ostler_sim::random::{self, Law};
use ostler_sim::scaler::{Static, Wanted};
use ostler_sim::setup::Setup;
use ostler_sim::time::{SimTime, Span};
use ostler_sim::trace::Request;
use ostler_sim::world;

/// Requests a second for each replica: 85 % of what one can do, since at a full batch of 256 a request takes 343 iterations of
/// 33 ms shared by all, and 26 ms for its prompt: 70 ms.
const RATE_PER_REPLICA: u64 = 12;

/// Mooncake's conversations have 343 tokens out; prompts as in chat.
const MEAN_TOKENS: (f64, f64) = (1000.0, 343.0);

#[allow(clippy::disallowed_methods, reason = "the example measures the simulator itself")]
#[allow(clippy::print_stdout, reason = "it has no other way to tell")]
fn main() {
    let mut arguments = std::env::args().skip(1).map(|it| it.parse().expect("a number"));
    let count: u64 = arguments.next().unwrap_or(1_000_000);
    let replicas = u32::try_from(arguments.next().unwrap_or(20)).expect("a number of replicas");
    let rate = arguments.next().unwrap_or(RATE_PER_REPLICA) as f64 * f64::from(replicas);
    let setup = Setup {
        initial: Wanted::on_demand(replicas),
        replicas_max: replicas,
        ..Setup::new(Profile::llama_8b_h100())
    };
    let began = Instant::now();
    let requests = stream(count, rate);
    let outcome = world::run(&setup, requests.map(Ok), &mut Static(setup.initial), &mut |_| ())
        .expect("the setup and the requests are in order");
    let wall_s = began.elapsed().as_secs_f64();
    println!(
        "{} requests on {replicas} replicas over {:.0} simulated s in {wall_s:.2} s: {:.2} million a minute",
        outcome.requests.arrived,
        outcome.ended.as_seconds(),
        outcome.requests.arrived as f64 / wall_s * 60.0 / 1e6,
    );
    println!(
        "in objective {:.4}, ttft p50 {:.3} s p99 {:.3} s, itl p50 {:.4} s p99 {:.4} s, preemptions {}",
        outcome.attainment(),
        outcome.ttft_seconds.p50,
        outcome.ttft_seconds.p99,
        outcome.itl_mean_seconds.p50,
        outcome.itl_mean_seconds.p99,
        outcome.preemptions,
    );
}

fn stream(count: u64, rate: f64) -> impl Iterator<Item = Request> {
    let mut draws = random::stream(1, "speed", [0, 0]);
    let unit = Law::Exponential { mean: Span::from_seconds(1) };
    let mut at_s = 0.0;
    (0..count).map(move |_| {
        let mut drawn = |mean: f64| unit.draw(&mut draws).as_seconds() * mean;
        at_s += drawn(1.0 / rate);
        let mut tokens = |mean| drawn(mean).ceil().max(1.0) as u32;
        Request {
            arrival: SimTime::after(Span::clamped_from_seconds(at_s)),
            input_tokens: tokens(MEAN_TOKENS.0),
            output_tokens: tokens(MEAN_TOKENS.1),
            class: 0,
            prefix: None,
        }
    })
}
