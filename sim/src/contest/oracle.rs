//! The clairvoyant: the cheapest plan found by who knows every arrival, the engine, and how long starts take.
//!
//! It makes plans from [`Demand`](super::demand::Demand): replicas for a multiple of the load, smoothed over a window, asked for as long ahead
//! as a start takes and kept through gaps shorter than a start, since giving up and starting anew bills as much. The multiple
//! is bisected for each of several windows, as the settings of peers are. The best plan is then thinned: time is cut into 8
//! parts and then into 32, and each part in turn loses one replica if that is better, once. Long traces have fewer attempts.
//!
//! Starts take their mean time, nodes and images are there, and the pool begins as large as it should: three things that
//! no policy has. Every plan is run, so what is reported is what a pool can do. It is the least that this search finds and
//! no proof that nothing is less: [`Demand::floor_gpu_hours`](super::demand::Demand::floor_gpu_hours) is a bound that nothing goes below, and none comes near.

use std::sync::Arc;

use ostler_core::time::Time;

use super::contender::Setting;
use super::demand::STEP_S;
use super::search::{BISECTIONS, Family, Search};
use super::{Arena, Error, Patience, Trial};

/// Windows over which the load is smoothed, in steps of [`STEP_S`]: 5 s to 5 min.
const WINDOWS: [usize; 4] = [1, 3, 12, 60];

/// The multiples of the load that are tried lie between.
const MULTIPLES: (f64, f64) = (16.0, 0.8);

/// Parts into which a plan is cut to be thinned, from coarse to fine.
const PARTS: [usize; 2] = [8, 32];

/// Attempts to thin it: each part once.
const THINNINGS_MAX: u32 = 8 + 32;

/// Requests that attempts may play in all: so a long trace has fewer of them.
const REQUESTS_MAX: u64 = 20_000_000;

/// Plans that are tried at most for each seed.
pub(crate) const TRIALS_MAX: u32 = WINDOWS.len() as u32 * (BISECTIONS + 1) + THINNINGS_MAX;

/// Finds a plan for each seed.
pub(crate) fn plan_each(arena: &Arena, count: &mut dyn FnMut()) -> Result<Trial, Error> {
    let mut whole: Option<Trial> = None;
    for seed in 0..arena.traces.len() {
        let trial = plan(&arena.only(seed), count)?;
        match &mut whole {
            None => whole = Some(trial),
            Some(whole) => {
                whole.runs.extend(trial.runs);
                whole.requests += trial.requests;
            }
        }
    }
    Ok(whole.expect("an arena has a seed"))
}

/// Finds a plan for the first seed of an arena. One that reaches no goal is run to its end.
fn plan(arena: &Arena, count: &mut dyn FnMut()) -> Result<Trial, Error> {
    let mut search = Search::new(arena, count);
    let lead = lead_steps(arena);
    for window in WINDOWS {
        let smooth = smoothed(arena.demand.load(), window);
        let make = |multiple: f64| {
            let need: Vec<u32> = smooth.iter().map(|load| replicas(load * multiple, arena)).collect();
            Setting::Plan(steps(&ahead(&need, lead)))
        };
        search.bisect(&Family { make: Box::new(make), generous: MULTIPLES.0, frugal: MULTIPLES.1 })?;
    }
    thin(arena, &mut search)?;
    let best = search.best.expect("it has run");
    if best.is_whole() { Ok(best) } else { arena.play(&best.setting, Patience::ToTheEnd, count) }
}

/// Takes a replica away from each part of the best plan, where that is better.
fn thin(arena: &Arena, search: &mut Search) -> Result<(), Error> {
    let length = arena.demand.load().len();
    let mut played = 0;
    for parts in PARTS {
        for part in 0..parts {
            played += arena.requests().len() as u64;
            let best = search.best.as_ref().expect("it has run");
            if played > REQUESTS_MAX || best.attainment() < arena.goal {
                return Ok(());
            }
            let Setting::Plan(plan) = &best.setting else { return Ok(()) };
            let mut wanted = dense(plan, length);
            let (from, until) = (part * length / parts, (part + 1) * length / parts);
            wanted[from..until].iter_mut().for_each(|it| *it = replicas(f64::from(*it) - 1.0, arena));
            search.run(Setting::Plan(steps(&wanted)), Patience::WhileThereIsHope)?;
        }
    }
    Ok(())
}

/// Steps by which a replica has to be asked for ahead.
fn lead_steps(arena: &Arena) -> usize {
    let startup = &arena.setup.startup;
    let takes = (startup.load.mean() + startup.warm.mean()).as_seconds();
    (takes / STEP_S as f64).ceil() as usize
}

/// As many as this, rounded up and within the limits.
fn replicas(load: f64, arena: &Arena) -> u32 {
    arena.setup.clamped(load.ceil().max(0.0) as u32)
}

/// Means over as many steps around each.
fn smoothed(load: &[f64], window: usize) -> Vec<f64> {
    let around = |at: usize| {
        let from = at.saturating_sub(window / 2);
        let part = &load[from..load.len().min(from + window)];
        part.iter().sum::<f64>() / part.len() as f64
    };
    (0..load.len()).map(around).collect()
}

/// The most that is needed from each step until as many steps later have passed.
fn ahead(need: &[u32], steps: usize) -> Vec<u32> {
    let most = |at: usize| need[at..need.len().min(at + steps + 2)].iter().copied().max().unwrap_or(0);
    (0..need.len()).map(most).collect()
}

/// The moments at which a count changes, and to what.
fn steps(wanted: &[u32]) -> Arc<[(Time, u32)]> {
    let changes = |at: &usize| *at == 0 || wanted[*at] != wanted[at - 1];
    let moment = |at: usize| (Time::from_millis(at as u64 * STEP_S * 1000), wanted[at]);
    (0..wanted.len()).filter(changes).map(moment).collect()
}

/// The count at every step.
fn dense(steps: &[(Time, u32)], length: usize) -> Vec<u32> {
    let at = |step: usize| {
        let now = Time::from_millis(step as u64 * STEP_S * 1000);
        let begun = steps.partition_point(|(from, _)| *from <= now);
        steps[begun.max(1) - 1].1
    };
    (0..length).map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_asks_a_start_ahead_and_keeps_through_short_gaps() {
        let need = [1, 1, 1, 1, 3, 1, 1, 4, 1, 1];
        assert_eq!(ahead(&need, 2), [1, 3, 3, 3, 4, 4, 4, 4, 1, 1]);
        assert_eq!(ahead(&need, 0)[3..6], [3, 3, 1]);
    }

    #[test]
    fn a_plan_in_steps_is_the_plan() {
        let wanted = [2, 2, 5, 5, 1, 1, 1];
        let plan = steps(&wanted);
        assert_eq!(plan.len(), 3);
        assert_eq!(dense(&plan, 7), wanted);
    }

    #[test]
    fn smoothing_keeps_the_middle() {
        assert_eq!(smoothed(&[0.0, 3.0, 0.0, 0.0], 3), [1.0, 1.0, 1.0, 0.0]);
        assert_eq!(smoothed(&[1.0, 2.0], 1), [1.0, 2.0]);
    }
}
