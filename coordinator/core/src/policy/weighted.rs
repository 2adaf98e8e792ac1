//! A weighted score over several metrics: the engine of the elastic scaling service this product began with.
//!
//! The intuition: each metric scores from -1 (idle) to 1 (overloaded) and 0 in between, the scores are weighted and added
//! to a trend, and a sum beyond a threshold changes the pool in proportion, with a pause after each change. Further
//! terms, for GPUs, their memory, requests a second or latency, are terms like the first four.
//!
//! It keeps the weights and numbers it is known by so that it can be compared; it dilutes a busy GPU with an idle CPU by
//! construction, so it is not the default.

mod score;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

pub use score::{Curve, Term};

use super::limits::Limits;
use super::observation::{MetricName, Milli, Pool, Reading};
use super::proposal::{self, Bounds, Evidence, Proposal};
use super::sustained::{Side, Sustained};
use crate::time::Time;

/// Terms that one engine can have: the four of its origin and as many as there are metrics of engines and GPUs.
pub const TERMS_MAX: usize = 64;

/// Points that the trend is drawn through.
const TREND_POINTS: usize = 10;

/// A slope of this much a look is an (almost) full score: its hyperbolic tangent is 0.76.
const TREND_SLOPE: f64 = 10.0;

/// One pool's engine.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The fewest and the most replicas.
    pub limits: Limits,
    /// At most [`TERMS_MAX`].
    pub terms: Vec<Term>,
    /// The metric whose slope counts.
    pub trend: MetricName,
    /// How much the slope counts.
    pub trend_weight_percent: u16,
    /// Beyond this score, up or down, the pool changes.
    pub threshold_percent: u16,
    /// By how much of itself the pool grows at a full score.
    pub step_out_percent: u16,
    /// By how much of itself the pool shrinks at a full score.
    pub step_in_percent: u16,
    /// After a change, nothing changes for so long.
    pub cooldown: Duration,
}

impl Config {
    /// With the numbers of its origin (REQUIREMENTS, source E): weights 30, 25, 25 and 15 % and 5 % for the trend, a
    /// threshold of 0.3, steps of 50 and 30 %, 300 s between changes. `cpu_percent`, `memory_percent`, `response_ms`
    /// and `queue_requests` are the names of its readings.
    pub fn source(limits: Limits) -> Config {
        Config {
            limits,
            terms: Term::source().into(),
            trend: "cpu_percent".into(),
            trend_weight_percent: 5,
            threshold_percent: 30,
            step_out_percent: 50,
            step_in_percent: 30,
            cooldown: Duration::from_secs(300),
        }
    }

    /// The same without the times that a value must last, as the code of its origin scores.
    pub fn immediate(mut self) -> Config {
        self.terms.iter_mut().for_each(|term| term.lasting = Duration::ZERO);
        self
    }
}

/// Kept by the caller between two decisions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// One a term, in the same order.
    runs: Vec<Sustained>,
    /// The last values of the trend's metric, one a look; at most [`TREND_POINTS`].
    points: VecDeque<Milli>,
    /// When the pool was last changed.
    changed: Option<Time>,
}

impl Memory {
    /// Notes that the pool was changed, by whomever.
    pub fn scaled(&mut self, now: Time) {
        self.changed = Some(now);
    }
}

/// What the score says. One look: the trend counts looks, not seconds.
pub fn propose(pool: &Pool, config: &Config, memory: &mut Memory, now: Time) -> Proposal {
    assert!(config.terms.len() <= TERMS_MAX, "an engine has at most {TERMS_MAX} terms");
    let mut reasons = Vec::new();
    let Sum { mut score, lacking } = sum(pool, config, memory, now, &mut reasons);
    score += trend(pool, config, memory, &mut reasons);
    let pause = memory.changed.map(|changed| config.cooldown.saturating_sub(now.since(changed)));
    let replicas = pool.replicas_wanted;
    let mut step = step(replicas, score, config);
    let confidence = score.abs().min(1.0);
    reasons.push(Reason::Scored { score, confidence });
    if let Some(left) = pause.filter(|left| !left.is_zero()) {
        reasons.push(Reason::Cooldown { left });
        step = Step::None;
    }
    if lacking && matches!(step, Step::In(_)) {
        reasons.push(Reason::Held);
        step = Step::None;
    }
    let (asked, wanted) = match step {
        Step::Out(by) => {
            let asked = replicas.saturating_add(by);
            (asked, config.limits.max().min(asked))
        }
        Step::In(by) => {
            let asked = replicas.saturating_sub(by);
            (asked, config.limits.min().max(asked))
        }
        Step::None => (replicas, replicas),
    };
    if asked != wanted {
        reasons.push(Reason::Limited { asked, replicas: wanted });
    }
    reasons.push(Reason::Wants { replicas, wanted });
    Proposal {
        replicas: Some(wanted),
        bounds: Bounds::NONE,
        evidence: if lacking { Evidence::Lacking } else { Evidence::Enough },
        reasons: reasons.into_iter().map(proposal::Reason::Weighted).collect(),
        conditions: Vec::new(),
    }
}

/// The terms together.
struct Sum {
    score: f64,
    /// A term had no number.
    lacking: bool,
}

fn sum(pool: &Pool, config: &Config, memory: &mut Memory, now: Time, reasons: &mut Vec<Reason>) -> Sum {
    memory.runs.resize(config.terms.len(), Sustained::default());
    let mut sum = Sum { score: 0.0, lacking: false };
    for (term, run) in config.terms.iter().zip(&mut memory.runs) {
        let reading = pool.readings.of(&term.metric);
        let Some(sample) = reading.fresh() else {
            run.miss();
            sum.lacking = true;
            reasons.push(Reason::Unreadable { metric: term.metric.clone(), reading });
            continue;
        };
        let side = term.curve.side(sample.value);
        let lasted = run.see(side, term.lasting, now);
        let (metric, value) = (term.metric.clone(), sample.value);
        match side {
            Some(_) if lasted => {
                let score = term.curve.score(value);
                sum.score += share(term.weight_percent) * score;
                reasons.push(Reason::Term { metric, value, score });
            }
            Some(side) => reasons.push(Reason::NotYet { metric, value, side }),
            None => {}
        }
    }
    sum
}

/// What the slope of the trend's metric adds; nothing before there are enough points.
fn trend(pool: &Pool, config: &Config, memory: &mut Memory, reasons: &mut Vec<Reason>) -> f64 {
    if let Some(sample) = pool.readings.of(&config.trend).fresh() {
        if memory.points.len() == TREND_POINTS {
            memory.points.pop_front();
        }
        memory.points.push_back(sample.value);
    }
    if memory.points.len() < TREND_POINTS {
        return 0.0;
    }
    let slope = score::slope(memory.points.iter().map(|point| point.as_f64()));
    let score = (slope / TREND_SLOPE).tanh();
    reasons.push(Reason::Trend { slope, score });
    share(config.trend_weight_percent) * score
}

/// By how much the pool changes.
#[derive(Clone, Copy)]
enum Step {
    Out(u32),
    In(u32),
    None,
}

fn step(replicas: u32, score: f64, config: &Config) -> Step {
    let threshold = share(config.threshold_percent);
    let by = |percent| ((f64::from(replicas) * score.abs().min(1.0) * share(percent)) as u32).max(1);
    if score > threshold {
        Step::Out(by(config.step_out_percent))
    } else if score < -threshold {
        Step::In(by(config.step_in_percent))
    } else {
        Step::None
    }
}

fn share(percent: u16) -> f64 {
    f64::from(percent) / 100.0
}

/// One step of a decision.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// A metric scores.
    Term {
        /// Which one.
        metric: MetricName,
        /// Its value.
        value: Milli,
        /// -1 to 1.
        score: f64,
    },
    /// A metric is beyond a threshold, and not for long enough yet.
    NotYet {
        /// Which one.
        metric: MetricName,
        /// Its value.
        value: Milli,
        /// Beyond which one.
        side: Side,
    },
    /// A metric has no number.
    Unreadable {
        /// Which one.
        metric: MetricName,
        /// What it has.
        reading: Reading,
    },
    /// The trend scores.
    Trend {
        /// In the unit of its metric, a look.
        slope: f64,
        /// -1 to 1.
        score: f64,
    },
    /// All together.
    Scored {
        /// The weighted sum.
        score: f64,
        /// The size of the score, at most 1: the origin gives no formula for it.
        confidence: f64,
    },
    /// The pool was changed not long ago.
    Cooldown {
        /// Until it may change again.
        left: Duration,
    },
    /// The pool does not shrink, because a metric without a number might be high.
    Held,
    /// The step would leave the limits.
    Limited {
        /// What the step asks for.
        asked: u32,
        /// What it became.
        replicas: u32,
    },
    /// What comes of it.
    Wants {
        /// What there is.
        replicas: u32,
        /// What there should be.
        wanted: u32,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Term { metric, value, score } => write!(f, "{metric} of {value} scores {score:+.2}"),
            Reason::NotYet { metric, value, side: Side::Above } => {
                write!(f, "{metric} of {value} is high, but not for long enough")
            }
            Reason::NotYet { metric, value, side: Side::Below } => {
                write!(f, "{metric} of {value} is low, but not for long enough")
            }
            Reason::Unreadable { metric, reading } => write!(f, "{metric} is {reading}"),
            Reason::Trend { slope, score } => write!(f, "a trend of {slope:+.2} a look scores {score:+.2}"),
            Reason::Scored { score, confidence } => {
                write!(f, "the score is {score:+.3}, the confidence {confidence:.2}")
            }
            Reason::Cooldown { left } => write!(f, "nothing changes for another {} s", left.as_secs()),
            Reason::Held => f.write_str("the pool does not shrink while a metric has no number"),
            Reason::Limited { asked, replicas } => write!(f, "{replicas} instead of {asked}: the limits"),
            Reason::Wants { replicas, wanted } if replicas == wanted => write!(f, "{replicas} are right"),
            Reason::Wants { replicas, wanted } => write!(f, "{wanted} instead of {replicas}"),
        }
    }
}
