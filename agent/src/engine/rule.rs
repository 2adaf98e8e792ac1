//! One sentence of an adapter: this series means that signal.

use std::borrow::Cow;

use super::signal::{Counter, Gauge, Latency};

/// How the label sets of a gauge become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    /// Counts of requests or blocks: data-parallel ranks add up.
    Sum,
    /// Ratios: adding them would pass 1.
    Mean,
    /// Properties that all label sets share.
    Max,
}

/// What a series feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feeds {
    Gauge(Gauge, Fold),
    /// A gauge whose number is the product of two labels, as in vLLM's `cache_config_info`.
    LabelProduct(Gauge, &'static str, &'static str),
    Counter(Counter),
    /// A histogram or a summary, by its name without suffix.
    Latency(Latency),
    /// A counter of time spent, where there is no histogram.
    LatencySum(Latency),
    /// The counter of events that the time was spent on.
    LatencyCount(Latency),
}

/// A condition on one label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Matcher {
    pub(super) label: Cow<'static, str>,
    /// Any of these; empty: any value that is not empty.
    pub(super) values: Vec<Cow<'static, str>>,
    /// Whether a sample without the label passes.
    pub(super) optional: bool,
}

impl Matcher {
    pub(super) fn passes(&self, value: Option<&str>) -> bool {
        match value {
            None | Some("") => self.optional,
            Some(value) => self.values.is_empty() || self.values.iter().any(|wanted| wanted == value),
        }
    }
}

/// A series and what it means.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    /// A counter's with or without `_total`, a histogram's without suffix.
    pub(super) name: Cow<'static, str>,
    pub(super) feeds: Feeds,
    /// All of them must pass.
    pub(super) matchers: Vec<Matcher>,
    /// Multiplies the value: seconds per unit for latencies, 1 for counts.
    pub(super) scale: f64,
    /// Of the names that an engine has used for a signal over time, only those of the lowest rank in a page count.
    pub(super) rank: u8,
}

impl Rule {
    pub(super) fn new(name: &'static str, feeds: Feeds) -> Self {
        Self { name: name.into(), feeds, matchers: Vec::new(), scale: 1.0, rank: 0 }
    }

    pub(super) fn sum(name: &'static str, gauge: Gauge) -> Self {
        Self::new(name, Feeds::Gauge(gauge, Fold::Sum))
    }

    pub(super) fn mean(name: &'static str, gauge: Gauge) -> Self {
        Self::new(name, Feeds::Gauge(gauge, Fold::Mean))
    }

    pub(super) fn max(name: &'static str, gauge: Gauge) -> Self {
        Self::new(name, Feeds::Gauge(gauge, Fold::Max))
    }

    pub(super) fn counter(name: &'static str, counter: Counter) -> Self {
        Self::new(name, Feeds::Counter(counter))
    }

    pub(super) fn latency(name: &'static str, latency: Latency) -> Self {
        Self::new(name, Feeds::Latency(latency))
    }

    /// Only samples whose label has one of the values; any value when there are none.
    pub(super) fn only(mut self, label: &'static str, values: &[&'static str]) -> Self {
        let values = values.iter().copied().map(Cow::Borrowed).collect();
        self.matchers.push(Matcher { label: label.into(), values, optional: false });
        self
    }

    /// Only samples whose label has the value, or that lack it.
    pub(super) fn unless_other(mut self, label: &'static str, value: &'static str) -> Self {
        self.matchers.push(Matcher { label: label.into(), values: vec![value.into()], optional: true });
        self
    }

    pub(super) fn scaled(mut self, scale: f64) -> Self {
        self.scale = scale;
        self
    }

    /// Counts only where no better name is in the page.
    pub(super) fn rank(mut self, rank: u8) -> Self {
        self.rank = rank;
        self
    }
}
