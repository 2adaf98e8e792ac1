//! A policy that reacts holds the objective only while replicas start faster than load rises: DynoSim found a cliff at
//! 100-120 s of start-up time on its load.

use ostler_sim::lifecycle::Startup;
use ostler_sim::outcome::Outcome;
use ostler_sim::scaler::QueueTarget;
use ostler_sim::setup::Setup;
use ostler_sim::time::Span;

use crate::load;

fn sweep(start_s: u64) -> Outcome {
    // Swings between 3 and 37 requests a second every 20 minutes.
    let rate = |at: f64| 20.0 - 17.0 * (at * std::f64::consts::TAU / 1200.0).cos();
    let requests = load::poisson(rate, 2400.0, load::chat, 9);
    let setup = Setup { startup: Startup::constant(Span::from_seconds(start_s)), ..load::setup(1) };
    load::run(&setup, &requests, &mut QueueTarget::new(16.0).expect("over 0")).0
}

#[test]
fn slow_starts_break_the_objective_at_a_cliff() {
    let held = [10, 60, 120, 240, 480].map(|start| sweep(start).attainment());
    let [quick, .., slowest] = held;
    assert!(quick > 0.98 && slowest < 0.8, "{held:?}");
    let steepest = held.windows(2).map(|pair| pair[0] - pair[1]).fold(0.0, f64::max);
    assert!(steepest > (quick - slowest) * 0.5, "a cliff and not a slope: {held:?}");
}
