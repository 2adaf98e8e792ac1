//! What a run came to: how requests fared, what it cost, how often it scaled.

use hdrhistogram::Histogram;

use crate::profile::Profile;
use crate::scaler::Wanted;
use crate::time::{SimTime, Span};
use crate::trace::Request;

/// What users are promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Objective {
    /// From arrival to the first token, retries included.
    pub ttft: Span,
    /// Where the time goes that the prompt takes by itself.
    pub prompt: PromptTime,
    /// Between two tokens, the mean over a request.
    pub itl: Span,
}

/// Where the time goes that a prompt takes on an engine that has nothing else to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptTime {
    /// It is part of the time to the first token, and some prompts are too long for any engine.
    Within,
    /// It comes on top, so that the promise is about waiting and every prompt can have it.
    OnTop,
}

impl Default for Objective {
    fn default() -> Self {
        let (ttft, itl) = (Span::from_seconds(2), Span::from_millis(100));
        Objective { ttft, prompt: PromptTime::Within, itl }
    }
}

impl Objective {
    /// Latest first token of a request, from its arrival.
    pub fn ttft_max(&self, request: &Request, profile: &Profile) -> Span {
        match self.prompt {
            PromptTime::Within => self.ttft,
            PromptTime::OnTop => self.ttft + profile.ttft_alone(u64::from(request.input_tokens)),
        }
    }

    /// Whether an answer kept the promise.
    pub fn is_met(&self, served: &Served, profile: &Profile) -> bool {
        served.ttft <= self.ttft_max(&served.request, profile) && served.itl_mean <= self.itl
    }
}

/// One request that was answered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Served {
    /// As it arrived.
    pub request: Request,
    /// From arrival to its first token, in the attempt that was answered.
    pub ttft: Span,
    /// Between two tokens, on average; zero when there is one token.
    pub itl_mean: Span,
    /// The longest between two tokens.
    pub itl_max: Span,
    /// From arrival to its last token.
    pub total: Span,
    /// Times it was lost with a replica before.
    pub retries: u32,
    /// Whether it arrived while a replica that was wanted did not serve yet.
    pub exposed: bool,
}

/// Percentiles, in seconds, good to three digits. All zero when nothing was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct Quantiles {
    pub mean: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

/// Requests by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// That came.
    pub arrived: u64,
    /// That were answered.
    pub finished: u64,
    /// That were in the system when the run ended.
    pub in_flight: u64,
    /// That were not and will not be answered.
    pub aborted: Aborted,
    /// That were answered within the objective.
    pub within: u64,
    /// Times a request began anew on another replica.
    pub retried: u64,
    /// That could not have been within the objective, since reading the prompt on an idle engine takes longer; what no
    /// policy can help.
    pub hopeless: u64,
}

/// Requests that failed, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aborted {
    /// Too many were in the system.
    pub rejected: u64,
    /// Too long for the engine.
    pub too_long: u64,
    /// Lost with a replica that crashed or whose node or zone failed, too often to be retried.
    pub lost: u64,
    /// Cut off when a drain ran out of time, too often to be retried.
    pub drained: u64,
}

impl Aborted {
    /// All of them.
    pub fn total(self) -> u64 {
        self.rejected + self.too_long + self.lost + self.drained
    }
}

/// What starting replicas did to requests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ColdStart {
    /// Requests that arrived while a replica that was wanted did not serve yet, and were answered.
    pub exposed: u64,
    /// Of them, those whose first token came later than the objective.
    pub exposed_late: u64,
    /// Starts that were completed.
    pub starts: u64,
    /// From asking to serving.
    pub start_seconds: Quantiles,
}

/// A change of the wanted number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scaling {
    /// When.
    pub at: SimTime,
    /// From.
    pub from: Wanted,
    /// To.
    pub to: Wanted,
}

/// Changes that are kept one by one; a policy that changes its mind every 15 s for 14 days makes 80,640.
pub const SCALINGS_MAX: usize = 100_000;

/// A run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Name of the policy.
    pub scaler: String,
    /// When it ended.
    pub ended: SimTime,
    /// Requests by what became of them.
    pub requests: Requests,
    /// From arrival to first token.
    pub ttft_seconds: Quantiles,
    /// Mean time between tokens, by request.
    pub itl_mean_seconds: Quantiles,
    /// Longest time between tokens, by request.
    pub itl_max_seconds: Quantiles,
    /// From arrival to last token.
    pub total_seconds: Quantiles,
    /// Replicas times hours, from when a replica has its node until it is gone.
    pub replica_hours: f64,
    /// The same in GPUs.
    pub gpu_hours: f64,
    /// In the unit of the prices.
    pub cost: f64,
    /// Most replicas at once, whatever their phase.
    pub replicas_max: u32,
    /// Changes of the wanted number, the first [`SCALINGS_MAX`].
    pub scalings: Vec<Scaling>,
    /// All of them.
    pub scalings_total: u64,
    /// Replicas that were wanted and found no place, counted at each attempt.
    pub unplaced: u64,
    /// What starting replicas did.
    pub cold_start: ColdStart,
    /// Requests lost or cut off with a replica, by why, whether retried or not.
    pub interrupted: u64,
    /// Times an engine ran out of cache and threw a request out.
    pub preemptions: u64,
}

impl Outcome {
    /// Share of the requests that arrived which were answered within the objective, 0-1; those that failed or had no
    /// answer when the run ended count against it. 1 when none arrived.
    pub fn attainment(&self) -> f64 {
        if self.requests.arrived == 0 {
            return 1.0;
        }
        self.requests.within as f64 / self.requests.arrived as f64
    }
}

/// Counts while the run goes on, in bounded memory.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) requests: Requests,
    pub(crate) interrupted: u64,
    ttft: Micros,
    itl_mean: Micros,
    itl_max: Micros,
    total: Micros,
    starts: Micros,
    cold_start: ColdStart,
    scalings: Vec<Scaling>,
    scalings_total: u64,
}

impl Tally {
    pub(crate) fn new() -> Tally {
        Tally {
            requests: Requests::default(),
            interrupted: 0,
            ttft: Micros::new(),
            itl_mean: Micros::new(),
            itl_max: Micros::new(),
            total: Micros::new(),
            starts: Micros::new(),
            cold_start: ColdStart::default(),
            scalings: Vec::new(),
            scalings_total: 0,
        }
    }

    pub(crate) fn served(&mut self, served: &Served, objective: &Objective, profile: &Profile) {
        let late = served.ttft > objective.ttft_max(&served.request, profile);
        self.requests.finished += 1;
        self.requests.within += u64::from(objective.is_met(served, profile));
        self.cold_start.exposed += u64::from(served.exposed);
        self.cold_start.exposed_late += u64::from(served.exposed && late);
        self.ttft.count(served.ttft);
        self.total.count(served.total);
        if served.request.output_tokens > 1 {
            self.itl_mean.count(served.itl_mean);
            self.itl_max.count(served.itl_max);
        }
    }

    pub(crate) fn started(&mut self, took: Span) {
        self.cold_start.starts += 1;
        self.starts.count(took);
    }

    pub(crate) fn scaled(&mut self, scaling: Scaling) {
        self.scalings_total += 1;
        if self.scalings.len() < SCALINGS_MAX {
            self.scalings.push(scaling);
        }
    }

    /// What the tally knows of the outcome; the rest is `known`'s.
    pub(crate) fn outcome(self, known: Outcome) -> Outcome {
        Outcome {
            requests: self.requests,
            ttft_seconds: self.ttft.quantiles(),
            itl_mean_seconds: self.itl_mean.quantiles(),
            itl_max_seconds: self.itl_max.quantiles(),
            total_seconds: self.total.quantiles(),
            scalings: self.scalings,
            scalings_total: self.scalings_total,
            cold_start: ColdStart { start_seconds: self.starts.quantiles(), ..self.cold_start },
            interrupted: self.interrupted,
            ..known
        }
    }
}

/// A histogram of times in whole microseconds.
#[derive(Clone, Debug)]
struct Micros(Histogram<u64>);

impl Micros {
    fn new() -> Micros {
        Micros(Histogram::new(3).expect("three digits are allowed"))
    }

    fn count(&mut self, span: Span) {
        self.0.record(span.as_micros()).expect("the histogram grows");
    }

    fn quantiles(&self) -> Quantiles {
        if self.0.is_empty() {
            return Quantiles::default();
        }
        let at = |share| self.0.value_at_quantile(share) as f64 / 1e6;
        Quantiles { mean: self.0.mean() / 1e6, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(ttft_ms: u64, itl_ms: u64) -> Served {
        let request =
            Request { arrival: SimTime::ZERO, input_tokens: 10, output_tokens: 5, class: 0, prefix: None };
        let itl_mean = Span::from_millis(itl_ms);
        Served {
            request,
            ttft: Span::from_millis(ttft_ms),
            itl_mean,
            itl_max: itl_mean * 2,
            total: Span::from_millis(ttft_ms) + itl_mean * 4,
            retries: 0,
            exposed: ttft_ms > 1000,
        }
    }

    fn outcome(all: &[Served], arrived: u64) -> Outcome {
        let mut tally = Tally::new();
        tally.requests.arrived = arrived;
        let profile = Profile::llama_8b_h100();
        all.iter().for_each(|it| tally.served(it, &Objective::default(), &profile));
        tally.outcome(Outcome::default())
    }

    #[test]
    fn the_objective_holds_up_to_its_limits_and_unanswered_requests_count() {
        let all = [served(2000, 100), served(2001, 10), served(10, 101), served(10, 10)];
        let outcome = outcome(&all, 8);
        assert_eq!((outcome.requests.within, outcome.attainment()), (2, 0.25));
        assert_eq!((outcome.cold_start.exposed, outcome.cold_start.exposed_late), (2, 1));
        assert_eq!(Outcome::default().attainment(), 1.0);
    }

    #[test]
    fn a_prompts_own_time_counts_or_comes_on_top() {
        let profile = Profile::llama_8b_h100();
        let long = Request { input_tokens: 60_000, ..served(0, 0).request };
        let answer = Served { request: long, ..served(3500, 10) };
        let alone = profile.ttft_alone(60_000);
        assert!(alone > Span::from_seconds(2) && alone < Span::from_seconds(3), "{alone:?}");
        let within = Objective::default();
        let on_top = Objective { prompt: PromptTime::OnTop, ..within };
        assert!(!within.is_met(&answer, &profile));
        assert!(on_top.is_met(&answer, &profile));
        let later = Served { ttft: alone + Span::from_millis(2001), ..answer };
        assert!(!on_top.is_met(&later, &profile));
    }

    #[test]
    fn percentiles_are_good_to_three_digits() {
        let all: Vec<Served> = (1..=1000).map(|millis| served(millis, 10)).collect();
        let ttft = outcome(&all, 1000).ttft_seconds;
        for (found, exact) in
            [(ttft.p50, 0.5), (ttft.p95, 0.95), (ttft.p99, 0.99), (ttft.max, 1.0), (ttft.mean, 0.5005)]
        {
            assert!((found / exact - 1.0).abs() < 2e-3, "{found} for {exact}");
        }
    }
}
