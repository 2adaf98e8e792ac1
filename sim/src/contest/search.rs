//! The best setting of a contender, within bounds that are the same for all.
//!
//! A contender has families of settings that differ in one number, from generous to frugal. Each family is bisected, on a
//! logarithmic scale and [`BISECTIONS`] times, for the most frugal number that reaches the goal; then, if none did, its
//! generous end is run. What has no such number has a grid. The family or setting that did best is tried again with minimums
//! of a quarter, a half, three quarters and all of the least static pool that holds, as an operator would set them, where
//! those are over the pool's own. Of all settings that were run, the one with the fewest GPU-hours that reached the goal
//! wins, or else the one with the most requests within the objective. A run that cannot reach the goal any more ends at
//! once, and counts with what was answered until then: so when none reaches the goal, one that missed early may lose to
//! one that would have missed more in the end.
//!
//! The static pool is bisected over whole numbers from the pool's minimum to its maximum.
//!
//! Bisection takes for granted that a more frugal number misses more. Where that does not hold it still ends, and may
//! miss a better setting: the figures of peers are what this search found, not a proof.

use std::time::Duration;

use super::contender::{Contender, Setting};
use super::{Arena, Error, Patience, Trial, oracle};
use crate::scalers::target::Signal;
use crate::scalers::view::Gauge;
use crate::scalers::weighted::{FirstTerm, Lasting};
use crate::scalers::{panic, target, threshold, weighted};
use crate::setup::Setup;

/// Steps of each bisection. Between targets of 5 and 98 percent, seven leave 2.4 % between neighbours.
pub const BISECTIONS: u32 = 7;

/// Settings that differ in one number.
pub(crate) struct Family<'a> {
    pub(crate) make: Box<dyn Fn(f64) -> Setting + 'a>,
    /// The number that asks for the most replicas; over 0.
    pub(crate) generous: f64,
    /// The number that asks for the fewest; over 0.
    pub(crate) frugal: f64,
}

/// What there is to try.
enum Space {
    Families(Vec<Family<'static>>),
    Grid(Vec<Setting>),
}

impl Contender {
    /// Settings that its search tries at most.
    pub(crate) fn trials_max(self) -> u32 {
        match self {
            Contender::Oracle => oracle::TRIALS_MAX,
            // Its search is everybody's and counted apart.
            Contender::StaticPeak => 0,
            Contender::HpaCpu
            | Contender::HpaGpu
            | Contender::HpaQueue
            | Contender::KedaQueue
            | Contender::Kpa
            | Contender::Weighted
            | Contender::Threshold => match space(self) {
                Space::Families(families) => (families.len() as u32 + QUARTERS) * (BISECTIONS + 1),
                Space::Grid(settings) => settings.len() as u32 + QUARTERS,
            },
        }
    }
}

/// Parts of the static pool that minimums are.
const QUARTERS: u32 = 4;

/// Settings that the search for a static pool tries at most: each halves what is left, and the largest is tried last.
pub(crate) fn static_trials_max(setup: &Setup) -> u32 {
    u32::BITS - (setup.room() - setup.clamped(1)).leading_zeros() + 1
}

/// The least pool that reaches the goal without ever scaling, or else the largest there can be.
pub(crate) struct StaticPool {
    pub(crate) trial: Trial,
    /// Its replicas when it reaches the goal.
    pub(crate) holds: Option<u32>,
    /// Runs that it took to find it.
    pub(crate) runs: u32,
}

/// Finds the static pool. `count` is called after each run.
pub(crate) fn static_pool(arena: &Arena, count: &mut dyn FnMut()) -> Result<StaticPool, Error> {
    let (mut least, mut most) = (arena.setup.clamped(1), arena.setup.room());
    let mut runs = 0;
    let mut play = |replicas, patience| {
        let mut count_one = || {
            runs += 1;
            count();
        };
        arena.play(&Setting::Static(replicas), patience, &mut count_one)
    };
    let mut found = None;
    while least < most {
        let middle = least.midpoint(most);
        let trial = play(middle, Patience::WhileThereIsHope)?;
        if trial.attainment() >= arena.goal {
            most = middle;
            found = Some(trial);
        } else {
            least = middle + 1;
        }
    }
    let trial = match found {
        Some(trial) => trial,
        None => play(most, Patience::ToTheEnd)?,
    };
    let holds = (trial.attainment() >= arena.goal).then_some(most);
    Ok(StaticPool { trial, holds, runs })
}

/// Minimums over `min` that are parts of the least static pool that reaches the goal, in rising order.
fn floors(peak: Option<u32>, min: u32) -> Vec<u32> {
    let quarters = (1..=QUARTERS).filter_map(|quarter| Some((peak? * quarter).div_ceil(QUARTERS)));
    let mut floors: Vec<u32> = quarters.filter(|floor| *floor > min).collect();
    floors.dedup();
    floors
}

/// Finds a contender's best setting; `peak` is the least static pool that reaches the goal. `count` is called after each
/// run.
pub(crate) fn best(
    arena: &Arena,
    contender: Contender,
    peak: Option<u32>,
    count: &mut dyn FnMut(),
) -> Result<Trial, Error> {
    let mut search = Search::new(arena, count);
    let floors = floors(peak, arena.setup.replicas_min);
    match space(contender) {
        Space::Families(families) => {
            let mut winner = &families[0];
            for family in &families {
                if search.bisect(family)? {
                    winner = family;
                }
            }
            floors.into_iter().try_for_each(|floor| search.bisect(&winner.at_least(floor)).map(drop))?;
        }
        Space::Grid(settings) => {
            for setting in settings {
                search.run(setting, Patience::ToTheEnd)?;
            }
            let winner = search.best.as_ref().expect("every grid has a setting").setting.clone();
            for floor in floors {
                let setting = Setting::AtLeast(floor, Box::new(winner.clone()));
                search.run(setting, Patience::WhileThereIsHope)?;
            }
        }
    }
    Ok(search.best.expect("every space has a setting"))
}

impl Family<'_> {
    /// The same with a minimum.
    fn at_least(&self, floor: u32) -> Family<'_> {
        let make = move |value| Setting::AtLeast(floor, Box::new((self.make)(value)));
        Family { make: Box::new(make), generous: self.generous, frugal: self.frugal }
    }
}

/// What was tried, and the best of it.
pub(crate) struct Search<'a> {
    arena: &'a Arena,
    count: &'a mut dyn FnMut(),
    pub(crate) best: Option<Trial>,
}

impl<'a> Search<'a> {
    pub(crate) fn new(arena: &'a Arena, count: &'a mut dyn FnMut()) -> Search<'a> {
        Search { arena, count, best: None }
    }

    /// Runs a setting and keeps it if it is the best.
    pub(crate) fn run(&mut self, setting: Setting, patience: Patience) -> Result<Ran, Error> {
        let trial = self.arena.play(&setting, patience, self.count)?;
        let goal = self.arena.goal;
        let reached = trial.attainment() >= goal;
        let is_best = self.best.as_ref().is_none_or(|best| is_better(&trial, best, goal));
        if is_best {
            self.best = Some(trial);
        }
        Ok(Ran { reached, is_best })
    }

    /// Looks for the most frugal of a family that reaches the goal. Tells whether it has the best so far.
    pub(crate) fn bisect(&mut self, family: &Family) -> Result<bool, Error> {
        let Family { make, generous, frugal } = family;
        let at = |share: f64| make(generous.powf(1.0 - share) * frugal.powf(share));
        let (mut reaches, mut misses, mut improved) = (0.0, 1.0, false);
        for _ in 0..BISECTIONS {
            let middle = (reaches + misses) / 2.0;
            let ran = self.run(at(middle), Patience::WhileThereIsHope)?;
            improved |= ran.is_best;
            if ran.reached {
                reaches = middle;
            } else {
                misses = middle;
            }
        }
        if reaches == 0.0 {
            improved |= self.run(at(0.0), Patience::ToTheEnd)?.is_best;
        }
        Ok(improved)
    }
}

/// What a run came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ran {
    /// It reached the goal.
    reached: bool,
    /// It is the best so far.
    is_best: bool,
}

fn is_better(one: &Trial, other: &Trial, goal: f64) -> bool {
    match (one.attainment() >= goal, other.attainment() >= goal) {
        (true, true) => one.gpu_hours() < other.gpu_hours(),
        (false, false) => one.attainment() > other.attainment(),
        (reaches, _) => reaches,
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Windows over which a metric is a mean, and for how long larger counts hold: Kubernetes' default, less and more of it, and a
/// longer window.
const SMOOTHING: [(Duration, Duration); 4] = [
    (seconds(15), seconds(300)),
    (seconds(15), seconds(60)),
    (seconds(15), seconds(900)),
    (seconds(60), seconds(300)),
];

fn space(contender: Contender) -> Space {
    match contender {
        Contender::HpaCpu => targets(Signal::Replicas(Gauge::Cpu), 5.0, 98.0),
        Contender::HpaGpu => targets(Signal::Replicas(Gauge::GpuUtilization), 5.0, 98.0),
        Contender::HpaQueue => Space::Families(queues(Signal::Replicas)),
        Contender::KedaQueue => Space::Families(queues(Signal::Pool)),
        Contender::Kpa => {
            let family = |window: &u64| {
                let stable_window = seconds(*window);
                let make = move |target| Setting::Panic(panic::Setting { target, stable_window });
                Family { make: Box::new(make), generous: 0.5, frugal: 300.0 }
            };
            Space::Families([60, 300, 900].iter().map(family).collect())
        }
        Contender::Weighted => Space::Grid(scores()),
        Contender::Threshold => {
            let family = |lasting: &u64| {
                let lasting = seconds(*lasting);
                let make =
                    move |above_percent| Setting::Threshold(threshold::Setting { above_percent, lasting });
                Family { make: Box::new(make), generous: 5.0, frugal: 98.0 }
            };
            Space::Families([60, 300].iter().map(family).collect())
        }
        Contender::StaticPeak | Contender::Oracle => unreachable!("they have a search of their own"),
    }
}

fn targets(signal: Signal, generous: f64, frugal: f64) -> Space {
    Space::Families(SMOOTHING.iter().map(|smoothing| family(signal, *smoothing, generous, frugal)).collect())
}

/// On all requests in four ways, and on those that wait, which is what many guides scale by.
fn queues(signal: fn(Gauge) -> Signal) -> Vec<Family<'static>> {
    let all = SMOOTHING.iter().map(|smoothing| family(signal(Gauge::Requests), *smoothing, 0.5, 300.0));
    all.chain([family(signal(Gauge::Waiting), SMOOTHING[0], 0.01, 100.0)]).collect()
}

fn family(signal: Signal, smoothing: (Duration, Duration), generous: f64, frugal: f64) -> Family<'static> {
    let (window, stabilization) = smoothing;
    let make = move |target| Setting::Target(target::Setting { signal, target, window, stabilization });
    Family { make: Box::new(make), generous, frugal }
}

fn scores() -> Vec<Setting> {
    let mut settings = Vec::new();
    for first_term in [FirstTerm::Cpu, FirstTerm::Gpu] {
        for lasting in [Lasting::Minutes, Lasting::Immediate] {
            for threshold_percent in [5, 10, 20, 30] {
                let setting = weighted::Setting { first_term, threshold_percent, lasting };
                settings.push(Setting::Weighted(setting));
            }
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minimums_are_tried_once_and_only_where_they_raise_the_pools_own() {
        assert_eq!(floors(Some(8), 1), [2, 4, 6, 8]);
        assert_eq!(floors(Some(2), 0), [1, 2]);
        assert_eq!(floors(Some(8), 5), [6, 8]);
        assert!(floors(Some(3), 3).is_empty());
        assert!(floors(None, 0).is_empty());
    }
}
