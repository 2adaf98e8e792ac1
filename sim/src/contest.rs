//! Policies against each other: the same requests, the same pool, the same luck.
//!
//! ```text
//! requests of each seed -> search: runs of each contender's settings over all seeds -> the best of each -> report
//! ```
//!
//! A contender with settings gets its best one: the one that needs the fewest GPU-hours while it holds the objective for
//! the goal's share of the requests of all seeds, or that holds it for the most when none reaches the goal. How far is
//! searched stands at [`search`]. The clairvoyant in [`oracle`] makes a plan for each seed. All begin with the same pool,
//! which is what the first minutes need, but for those whose setting names a number: a static pool begins with it, a
//! minimum raises the start to itself, and a plan begins with its first step.

pub mod contender;
pub mod demand;
mod held;
pub mod html;
pub mod oracle;
pub mod report;
pub mod search;
pub mod statistics;
pub mod timeline;

use std::cell::Cell;
use std::sync::Arc;

use self::contender::{Contender, Setting};
use self::demand::Demand;
use self::held::{HELD_MAX, REQUESTS_MAX};
use self::report::{Entry, Report};
use self::search::StaticPool;
use self::timeline::{Recorder, Timeline};
use crate::outcome::{Outcome, Served};
use crate::scaler::Wanted;
use crate::setup::{Setup, SetupError};
use crate::trace::{self, Options, Request, Source};
use crate::world;

/// Seeds of one contest: enough for narrow intervals, and for the table of Student's t.
pub const SEEDS_MAX: u64 = 30;

/// How much more than the first minutes need the pools begin with.
const INITIAL_MARGIN: f64 = 1.25;

/// Why there is no contest.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A run failed.
    #[error(transparent)]
    Run(#[from] world::Error),
    /// The requests could not be read.
    #[error(transparent)]
    Trace(#[from] trace::Error),
    /// There are none.
    #[error("the trace has no request in the cut; give a longer one")]
    Empty,
    /// There are too many.
    #[error("the trace has over {REQUESTS_MAX} requests; cut it, or scale its rate down")]
    TooLong,
    /// There are too many in all.
    #[error(
        "the seeds have over {HELD_MAX} requests together; give fewer seeds, cut the trace, or scale its rate down"
    )]
    TooMany,
    /// The share is none.
    #[error("a goal of {0} is not over 0 and at most 1; 0.999 lets one request in a thousand miss")]
    Goal(f64),
    /// Too few or too many seeds.
    #[error("{0} seeds are not 1 to {SEEDS_MAX}")]
    Seeds(u64),
    /// Numbers end before the last seed.
    #[error("{seeds} seeds from {first} on are more than numbers go; begin with a lower one")]
    SeedsEnd {
        /// The first.
        first: u64,
        /// How many.
        seeds: u64,
    },
}

impl From<SetupError> for Error {
    fn from(error: SetupError) -> Error {
        Error::Run(world::Error::Setup(error))
    }
}

/// What holds for all.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The trace by a name for people.
    pub trace: String,
    /// The pool; each contender decides at its own pace, and starts are the oracle's own.
    pub setup: Setup,
    /// What pools begin with.
    pub start: Start,
    /// Share of requests for which the objective is to hold, over 0 and at most 1.
    pub goal: f64,
}

/// The ground on which contenders meet.
#[derive(Debug)]
pub struct Arena {
    trace: String,
    setup: Setup,
    goal: f64,
    /// By seed; the same one for all where chance has no part in it.
    traces: Vec<Arc<[Request]>>,
    /// Of the first seed.
    demand: Demand,
}

/// How large the pool begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// As many replicas as the first minutes need.
    ByDemand,
    /// So many.
    Replicas(u32),
}

/// How far along a contest is, for a person who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Runs that ended.
    pub runs: u32,
    /// Runs there can be at most.
    pub runs_max: u32,
    /// Who runs.
    pub contender: Contender,
}

/// Whether a run that cannot reach the goal any more goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    ToTheEnd,
    WhileThereIsHope,
}

/// A setting over all seeds.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    pub(crate) setting: Setting,
    /// By seed; fewer than there are when it was given up.
    pub(crate) runs: Vec<Run>,
    /// Requests of all seeds.
    pub(crate) requests: u64,
}

/// A run over the requests of one seed.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) outcome: Outcome,
    pub(crate) timeline: Timeline,
    pub(crate) missed: u64,
}

impl Terms {
    /// What makes them impossible whatever the trace, if anything does.
    pub fn check(&self) -> Result<(), Error> {
        if !(self.goal > 0.0 && self.goal <= 1.0) {
            return Err(Error::Goal(self.goal));
        }
        let replicas = match self.start {
            Start::Replicas(replicas) => replicas,
            Start::ByDemand => self.setup.clamped(1),
        };
        let setup = Setup { initial: Wanted::on_demand(replicas), ..self.setup.clone() };
        Ok(setup.check()?)
    }
}

impl Trial {
    /// Share of all requests that were answered within the objective; a trial that was given up has too few.
    pub(crate) fn attainment(&self) -> f64 {
        let within: u64 = self.runs.iter().map(|run| run.outcome.requests.within).sum();
        within as f64 / self.requests as f64
    }

    /// Of all seeds together.
    pub(crate) fn gpu_hours(&self) -> f64 {
        self.runs.iter().map(|run| run.outcome.gpu_hours).sum()
    }

    /// Whether it was played to its end.
    fn is_whole(&self) -> bool {
        self.runs.iter().map(|run| run.outcome.requests.arrived).sum::<u64>() == self.requests
    }
}

impl Arena {
    /// Reads the requests of each of `seeds` seeds, counted up from the setup's. What is wrong with the terms is told before.
    pub fn new(
        terms: Terms,
        source: &Source,
        options: impl Fn(u64) -> Options,
        seeds: u64,
    ) -> Result<Arena, Error> {
        if !(1..=SEEDS_MAX).contains(&seeds) {
            return Err(Error::Seeds(seeds));
        }
        let first = terms.setup.seed;
        let last = first.checked_add(seeds - 1).ok_or(Error::SeedsEnd { first, seeds })?;
        terms.check()?;
        let options: Vec<Options> = (first..=last).map(options).collect();
        Arena::of(terms, held::read_each(source, &options, HELD_MAX)?)
    }

    /// With these requests, one list for each seed, each in order of arrival.
    pub fn of(terms: Terms, traces: Vec<Arc<[Request]>>) -> Result<Arena, Error> {
        terms.check()?;
        let Terms { trace, mut setup, start, goal } = terms;
        let first = traces.first().filter(|requests| !requests.is_empty()).ok_or(Error::Empty)?;
        let demand = Demand::of(first, &setup.profile);
        setup.initial = Wanted::on_demand(match start {
            Start::Replicas(replicas) => replicas,
            Start::ByDemand => setup.clamped((demand.first_minutes() * INITIAL_MARGIN).ceil() as u32),
        });
        Ok(Arena { trace, setup, goal, traces, demand })
    }

    /// What all share.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Requests of the first seed.
    pub fn requests(&self) -> &[Request] {
        &self.traces[0]
    }

    /// Finds what each contender can do at best.
    pub fn run(&self, contenders: &[Contender], tell: &mut dyn FnMut(Progress)) -> Result<Report, Error> {
        let seeds = u32::try_from(self.traces.len()).expect("seeds are bounded");
        let needs_peak = contenders.iter().any(|it| *it != Contender::Oracle);
        let peak_trials_max = if needs_peak { search::static_trials_max(&self.setup) } else { 0 };
        let trials_max: u32 = contenders.iter().map(|it| it.trials_max() + 1).sum();
        let runs_max = (trials_max + peak_trials_max) * seeds;
        let mut runs = 0;
        let mut count = |contender| {
            runs += 1;
            tell(Progress { runs, runs_max, contender });
        };
        let mut count_peak = || count(Contender::StaticPeak);
        let peak = needs_peak.then(|| search::static_pool(self, &mut count_peak)).transpose()?;
        let mut entries = Vec::new();
        for contender in contenders {
            let own = peak.as_ref().filter(|_| *contender == Contender::StaticPeak);
            let mut searched = own.map_or(0, |peak| peak.runs);
            let mut count_one = || {
                searched += 1;
                count(*contender);
            };
            let best = self.best(*contender, peak.as_ref(), &mut count_one)?;
            entries.push(Entry::new(*contender, &best, searched, self.goal));
        }
        Ok(Report::new(self, entries))
    }

    /// `peak` is there for all but the oracle. `count` is called after each run.
    fn best(
        &self,
        contender: Contender,
        peak: Option<&StaticPool>,
        count: &mut dyn FnMut(),
    ) -> Result<Trial, Error> {
        let best = match contender {
            Contender::Oracle => oracle::plan_each(self, count)?,
            Contender::StaticPeak => peak.expect("it was searched for").trial.clone(),
            Contender::HpaCpu
            | Contender::HpaGpu
            | Contender::HpaQueue
            | Contender::KedaQueue
            | Contender::Kpa
            | Contender::Weighted
            | Contender::Threshold => search::best(self, contender, peak.and_then(|it| it.holds), count)?,
        };
        if best.is_whole() { Ok(best) } else { self.play(&best.setting, Patience::ToTheEnd, count) }
    }

    /// The same for one seed alone.
    pub(crate) fn only(&self, seed: usize) -> Arena {
        let requests = Arc::clone(&self.traces[seed]);
        let setup = Setup { seed: self.setup.seed + seed as u64, ..self.setup.clone() };
        Arena {
            trace: self.trace.clone(),
            demand: Demand::of(&requests, &setup.profile),
            setup,
            goal: self.goal,
            traces: vec![requests],
        }
    }

    /// Runs a setting over all seeds.
    pub(crate) fn play(
        &self,
        setting: &Setting,
        patience: Patience,
        count: &mut dyn FnMut(),
    ) -> Result<Trial, Error> {
        let requests: u64 = self.traces.iter().map(|trace| trace.len() as u64).sum();
        let mut left = match patience {
            Patience::ToTheEnd => u64::MAX,
            Patience::WhileThereIsHope => missed_max(self.goal, requests),
        };
        let mut runs = Vec::new();
        for seed in 0..self.traces.len() {
            let run = self.run_seed(seed, setting, left)?;
            count();
            let missed = run.missed;
            runs.push(run);
            if missed > left {
                break;
            }
            left -= missed;
        }
        Ok(Trial { setting: setting.clone(), runs, requests })
    }

    /// Runs a setting over the requests of a seed, until more than so many of them have missed.
    fn run_seed(&self, seed: usize, setting: &Setting, missed_max: u64) -> Result<Run, Error> {
        let requests = &self.traces[seed];
        let setup = setting.setup(&self.setup, self.setup.seed + seed as u64);
        let missed = Cell::new(0_u64);
        let arrivals = requests.iter().copied().map(Ok).take_while(|_| missed.get() <= missed_max);
        let mut recorder = Recorder::new(setting.scaler(&setup));
        let mut timeline = Timeline::of(requests);
        let mut sink = |served: &Served| {
            if setup.objective.is_met(served, &setup.profile) {
                timeline.meet(served.request.arrival);
            } else {
                missed.set(missed.get() + 1);
            }
        };
        let outcome = world::run(&setup, arrivals, &mut recorder, &mut sink)?;
        timeline.pool(&recorder, requests);
        Ok(Run { outcome, timeline, missed: missed.get() })
    }
}

/// Most requests of so many that may miss when the share of the others is to be the goal.
fn missed_max(goal: f64, requests: u64) -> u64 {
    let holds = |missed: &u64| (requests - missed) as f64 / requests as f64 >= goal;
    // The product is rounded, and 90 % of 100 leave 9.999999999999998.
    let near = ((1.0 - goal) * requests as f64) as u64;
    (near.saturating_sub(1)..=(near + 1).min(requests)).rev().find(holds).unwrap_or(0)
}

#[cfg(test)]
mod tests;
