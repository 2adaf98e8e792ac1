//! What a contest came to, to be printed, stored or plotted.

use serde::Serialize;

use super::contender::Contender;
use super::statistics::Estimate;
use super::timeline::Timeline;
use super::{Arena, Trial};
use crate::outcome::{Objective, Outcome, PromptTime};

/// A contest. Its fields are those of the JSON that `ostler simulate -o json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Of this form; another number for another one.
    pub version: u32,
    /// The trace.
    pub trace: String,
    /// Requests of the first seed.
    pub requests: u64,
    /// Seconds from the first to the last arrival of the first seed.
    pub trace_seconds: f64,
    /// Seeds.
    pub seeds: u64,
    /// Name of the engine's profile.
    pub profile: String,
    /// What was promised.
    pub objective: Promise,
    /// Replicas that pools begin with, but for a static one, a plan, and a minimum that is higher.
    pub initial_replicas: u32,
    /// Mean seconds from asking to serving on a node that is there, without the pull of its image.
    pub start_seconds: f64,
    /// GPU-hours that nobody can go below who answers every request that fits an engine.
    pub floor_gpu_hours: f64,
    /// By contender, in the order they were asked for.
    pub entries: Vec<Entry>,
}

/// The objective in numbers.
#[derive(Clone, Debug, Serialize)]
pub struct Promise {
    /// Latest first token, in seconds.
    pub ttft_seconds: f64,
    /// Whether the prompt's own time on an idle engine comes on top of it.
    pub plus_idle_prompt_time: bool,
    /// Longest mean time between tokens, in seconds.
    pub itl_seconds: f64,
    /// Share of requests for which it is to hold.
    pub goal: f64,
}

/// One contender.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    /// Name.
    pub policy: &'static str,
    /// Its setting, for a person; of the oracle, that for the first seed.
    pub setting: String,
    /// Runs that it took to find it. Those for the static pool, whose parts are the minimums of others, count there only.
    pub search_runs: u32,
    /// Whether it holds the objective for the goal's share of all seeds' requests.
    pub reaches_goal: bool,
    /// How it fared.
    pub figures: Figures,
    /// The first seed's run in slices.
    pub timeline: Timeline,
    #[serde(skip)]
    contender: Contender,
}

/// Figures over the seeds. Times are in seconds.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs)]
pub struct Figures {
    pub in_objective: Estimate,
    pub ttft_p50: Estimate,
    pub ttft_p95: Estimate,
    pub ttft_p99: Estimate,
    pub itl_p50: Estimate,
    pub itl_p95: Estimate,
    pub itl_p99: Estimate,
    pub gpu_hours: Estimate,
    pub cost: Estimate,
    pub replicas_max: Estimate,
    pub scalings: Estimate,
    pub aborted: Estimate,
    pub retried: Estimate,
    /// Requests that arrived while a wanted replica did not serve yet.
    pub exposed: Estimate,
    /// Of them, those whose first token came too late.
    pub exposed_late: Estimate,
    /// From asking to serving.
    pub start_p95: Estimate,
}

impl Figures {
    fn of(outcomes: &[&Outcome]) -> Figures {
        let over = |value: fn(&Outcome) -> f64| {
            let values: Vec<f64> = outcomes.iter().map(|it| value(it)).collect();
            Estimate::of(&values)
        };
        Figures {
            in_objective: over(Outcome::attainment),
            ttft_p50: over(|it| it.ttft_seconds.p50),
            ttft_p95: over(|it| it.ttft_seconds.p95),
            ttft_p99: over(|it| it.ttft_seconds.p99),
            itl_p50: over(|it| it.itl_mean_seconds.p50),
            itl_p95: over(|it| it.itl_mean_seconds.p95),
            itl_p99: over(|it| it.itl_mean_seconds.p99),
            gpu_hours: over(|it| it.gpu_hours),
            cost: over(|it| it.cost),
            replicas_max: over(|it| f64::from(it.replicas_max)),
            scalings: over(|it| it.scalings_total as f64),
            aborted: over(|it| it.requests.aborted.total() as f64),
            retried: over(|it| it.requests.retried as f64),
            exposed: over(|it| it.cold_start.exposed as f64),
            exposed_late: over(|it| it.cold_start.exposed_late as f64),
            start_p95: over(|it| it.cold_start.start_seconds.p95),
        }
    }
}

impl Entry {
    pub(super) fn new(contender: Contender, best: &Trial, runs: u32, goal: f64) -> Entry {
        let outcomes: Vec<&Outcome> = best.runs.iter().map(|run| &run.outcome).collect();
        Entry {
            policy: contender.name(),
            setting: best.setting.to_string(),
            search_runs: runs,
            reaches_goal: best.attainment() >= goal,
            figures: Figures::of(&outcomes),
            timeline: best.runs[0].timeline.clone(),
            contender,
        }
    }
}

impl Report {
    pub(super) fn new(arena: &Arena, entries: Vec<Entry>) -> Report {
        let setup = arena.setup();
        let Objective { ttft, prompt, itl } = setup.objective;
        let requests = arena.requests();
        let ends = requests.first().zip(requests.last());
        Report {
            version: 1,
            trace: arena.trace.clone(),
            requests: requests.len() as u64,
            trace_seconds: ends.map_or(0.0, |(one, last)| last.arrival.since(one.arrival).as_seconds()),
            seeds: arena.traces.len() as u64,
            profile: setup.profile.name.to_owned(),
            objective: Promise {
                ttft_seconds: ttft.as_seconds(),
                plus_idle_prompt_time: prompt == PromptTime::OnTop,
                itl_seconds: itl.as_seconds(),
                goal: arena.goal,
            },
            initial_replicas: setup.initial.total(),
            start_seconds: (setup.startup.load.mean() + setup.startup.warm.mean()).as_seconds(),
            floor_gpu_hours: arena.demand.floor_gpu_hours(&setup.profile),
            entries,
        }
    }

    /// GPU-hours of the cheapest HPA that reaches the goal; none when none does.
    pub fn best_hpa_gpu_hours(&self) -> Option<f64> {
        let hpas = self.entries.iter().filter(|it| it.contender.is_hpa() && it.reaches_goal);
        hpas.map(|it| it.figures.gpu_hours.mean).reduce(f64::min)
    }

    /// GPU-hours of the clairvoyant; none when it was not asked or does not reach the goal.
    pub fn oracle_gpu_hours(&self) -> Option<f64> {
        let oracle = self.entries.iter().find(|it| it.contender == Contender::Oracle && it.reaches_goal);
        oracle.map(|it| it.figures.gpu_hours.mean)
    }

    /// The entry of a contender.
    pub fn entry(&self, contender: Contender) -> Option<&Entry> {
        self.entries.iter().find(|it| it.contender == contender)
    }
}
