//! Settings of `weighted`, with the numbers of its origin: four terms and a trend, 1 to 20 replicas.

use std::time::Duration;

use ostler_core::policy::decider::Policy;
use ostler_core::policy::limits::Limits;
use ostler_core::policy::observation::MetricName;
use ostler_core::policy::weighted::{self, Config, Curve, TERMS_MAX};
use serde::{Deserialize, Serialize};

use super::{counted, limits, positive};
use crate::command::policy::format::Wrong;
use crate::command::policy::format::amount::{Amount, Seconds};

/// The fewest and the most replicas of its origin (REQUIREMENTS, source E).
const MIN: u32 = 1;
const MAX: u32 = 20;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Weighted {
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u32>,
    /// The four of its origin unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<Vec<Term>>,
    /// The metric whose slope counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    trend: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trend_weight_percent: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    threshold_percent: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step_out_percent: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step_in_percent: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cooldown_s: Option<Seconds>,
    /// A value scores at once, as in the code of its origin; otherwise after minutes, as in its text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    immediate: bool,
}

/// A term; of a metric that is known, only the weight has to be said.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Term {
    metric: String,
    weight_percent: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    lasting_s: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    curve: Option<CurveSpec>,
}

/// 0 between two thresholds, rising to 1 above the upper one and falling to -1 below the lower one.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CurveSpec {
    above: Amount,
    /// Where the rise begins; at `above` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    above_from: Option<Amount>,
    above_span: Amount,
    below: Amount,
    below_span: Amount,
}

impl Weighted {
    pub(crate) fn policy(&self) -> Result<Policy, Wrong> {
        let source = Config::source(limits(self.min.unwrap_or(MIN), self.max.unwrap_or(MAX))?);
        let terms = match &self.terms {
            None => source.terms.clone(),
            Some(terms) => {
                counted("terms", terms, TERMS_MAX)?;
                let term = |(index, term): (usize, &Term)| {
                    term.term(source.limits).map_err(|wrong| wrong.within(&format!("terms[{index}]")))
                };
                terms.iter().enumerate().map(term).collect::<Result<_, _>>()?
            }
        };
        let config = Config {
            terms,
            trend: self.trend.as_deref().map_or(source.trend, MetricName::from),
            trend_weight_percent: self.trend_weight_percent.unwrap_or(source.trend_weight_percent),
            threshold_percent: self.threshold_percent.unwrap_or(source.threshold_percent),
            step_out_percent: self.step_out_percent.unwrap_or(source.step_out_percent),
            step_in_percent: self.step_in_percent.unwrap_or(source.step_in_percent),
            cooldown: self.cooldown_s.map_or(source.cooldown, |time| time.0),
            ..source
        };
        Ok(Policy::Weighted(if self.immediate { config.immediate() } else { config }))
    }
}

impl Term {
    fn term(&self, limits: Limits) -> Result<weighted::Term, Wrong> {
        let known = known(&self.metric, limits);
        let curve = match (self.curve, &known) {
            (Some(curve), _) => curve.curve().map_err(|wrong| wrong.within("curve"))?,
            (None, Some(known)) => known.curve,
            (None, None) => {
                let problem = format!("must be there: nothing is known of how {} scores", self.metric);
                return Err(Wrong::new("curve", problem));
            }
        };
        let lasting = known.map_or(Duration::ZERO, |known| known.lasting);
        Ok(weighted::Term {
            metric: MetricName::from(&*self.metric),
            weight_percent: self.weight_percent,
            lasting: self.lasting_s.map_or(lasting, |time| time.0),
            curve,
        })
    }
}

/// The term of a metric that has one; its weight is said elsewhere.
fn known(metric: &str, limits: Limits) -> Option<weighted::Term> {
    let weight = 0;
    let more = [
        weighted::Term::gpu_utilization(weight),
        weighted::Term::gpu_memory(weight),
        weighted::Term::latency(weight),
    ];
    Config::source(limits).terms.into_iter().chain(more).find(|term| term.metric.as_str() == metric)
}

impl CurveSpec {
    fn curve(self) -> Result<Curve, Wrong> {
        let CurveSpec { above, above_from, above_span, below, below_span } = self;
        if below.0 > above.0 {
            return Err(Wrong::new("below", format!("must be at most above, which is {}", above.0)));
        }
        Ok(Curve {
            above: above.0,
            above_from: above_from.unwrap_or(above).0,
            above_span: positive("above_span", above_span)?.0,
            below: below.0,
            below_span: positive("below_span", below_span)?.0,
        })
    }
}
