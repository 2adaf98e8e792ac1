//! What one page of metrics says about the signals: still cumulative, still by label set.

use std::collections::BTreeSet;

use super::rule::Fold;
use super::signal::{Counter, Gauge, Latency};

/// Distinct models whose names are kept; an engine serves one, a Triton server a few.
const MODELS_MAX: usize = 4;

/// Longest model name that is kept, in bytes.
const MODEL_BYTES_MAX: usize = 256;

/// A label set's value; the number stands for the label set.
pub(super) type Series = (u64, f64);

/// A gauge over its label sets.
#[derive(Clone, Debug, Default)]
pub(super) struct GaugeReading {
    rank: u8,
    sum: f64,
    max: f64,
    count: u32,
    mean: bool,
    maximum: bool,
}

impl GaugeReading {
    pub(super) fn add(&mut self, value: f64, fold: Fold, rank: u8) {
        if self.count > 0 && rank > self.rank {
            return;
        }
        if self.count > 0 && rank < self.rank {
            *self = Self::default();
        }
        self.rank = rank;
        self.max = if self.count == 0 { value } else { self.max.max(value) };
        self.sum += value;
        self.count += 1;
        self.mean = fold == Fold::Mean;
        self.maximum = fold == Fold::Max;
    }

    fn value(&self) -> Option<f64> {
        match self.count {
            0 => None,
            _ if self.maximum => Some(self.max),
            count if self.mean => Some(self.sum / f64::from(count)),
            _ => Some(self.sum),
        }
    }
}

/// A counter by label set.
#[derive(Clone, Debug, Default)]
pub(super) struct CounterReading {
    rank: Option<u8>,
    pub(super) series: Vec<Series>,
    /// When the oldest of the label sets began to count, in seconds of the engine's clock.
    pub(super) created: Option<f64>,
}

impl CounterReading {
    /// Makes room for a value of this rank; false when a better one was there before.
    fn admit(&mut self, rank: u8) -> bool {
        if self.rank.is_some_and(|known| rank > known) {
            return false;
        }
        if self.rank.is_some_and(|known| rank < known) {
            *self = Self::default();
        }
        self.rank = Some(rank);
        true
    }

    pub(super) fn add(&mut self, series: Series, rank: u8) {
        if self.admit(rank) {
            self.series.push(series);
        }
    }

    pub(super) fn add_created(&mut self, time: f64, rank: u8) {
        if self.admit(rank) {
            self.created = earliest(self.created, time);
        }
    }

    pub(super) fn total(&self) -> Option<f64> {
        (!self.series.is_empty()).then(|| self.series.iter().map(|(_, value)| value).sum())
    }
}

fn earliest(known: Option<f64>, time: f64) -> Option<f64> {
    Some(known.map_or(time, |known| known.min(time)))
}

/// A bucket of one label set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bucket {
    pub(super) series: u64,
    /// Upper bound in the engine's unit.
    pub(super) bound: f64,
    /// Observations up to the bound since the engine started.
    pub(super) count: f64,
}

/// Which line of a histogram or summary a sample is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Piece {
    Bucket(Bucket),
    Sum(Series),
    Count(Series),
    /// A quantile that the engine estimates itself, over a time of its own choosing, and its value.
    Quantile(f64, Series),
    Created(f64),
}

/// A histogram, a summary, or a sum and a count, by label set.
#[derive(Clone, Debug, Default)]
pub(super) struct LatencyReading {
    rank: Option<u8>,
    /// Seconds per unit of the bounds and the sum.
    pub(super) scale: f64,
    pub(super) buckets: Vec<Bucket>,
    pub(super) sum: Vec<Series>,
    pub(super) count: Vec<Series>,
    /// Those of [`QUANTILES`] that the engine estimates itself.
    quantiles: Vec<(f64, Series)>,
    pub(super) created: Option<f64>,
}

/// The quantiles that are reported.
pub(super) const QUANTILES: [f64; 3] = [0.5, 0.95, 0.99];

impl LatencyReading {
    pub(super) fn add(&mut self, piece: Piece, scale: f64, rank: u8) {
        if self.rank.is_some_and(|known| rank > known) {
            return;
        }
        if self.rank.is_some_and(|known| rank < known) {
            *self = Self::default();
        }
        self.rank = Some(rank);
        // A sum and a count have units of their own; only those that time is measured in carry one.
        if !matches!(piece, Piece::Count(_) | Piece::Created(_)) {
            self.scale = scale;
        }
        match piece {
            Piece::Bucket(bucket) => self.buckets.push(bucket),
            Piece::Sum(series) => self.sum.push(series),
            Piece::Count(series) => self.count.push(series),
            Piece::Created(time) => self.created = earliest(self.created, time),
            Piece::Quantile(quantile, series) => self.quantiles.push((quantile, series)),
        }
    }

    /// The engine's own estimates, the greatest of those label sets that have observed anything.
    pub(super) fn estimates(&self) -> [Option<f64>; 3] {
        let observed = |key: u64| {
            self.count.iter().find(|(known, _)| *known == key).is_none_or(|(_, count)| *count > 0.0)
        };
        QUANTILES.map(|wanted| {
            let matching = self.quantiles.iter().filter(|(quantile, _)| (quantile - wanted).abs() < 1e-9);
            matching.filter(|(_, (key, _))| observed(*key)).map(|(_, (_, value))| *value).reduce(f64::max)
        })
    }
}

/// One page, sorted by signal.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    pub(super) gauges: [GaugeReading; Gauge::COUNT],
    pub(super) counters: [CounterReading; Counter::COUNT],
    pub(super) latencies: [LatencyReading; Latency::COUNT],
    pub(super) models: BTreeSet<String>,
    /// When the engine's process started, in seconds of its clock.
    pub(super) started: Option<f64>,
    /// Samples that some rule took.
    pub(super) matched: u32,
    /// All samples.
    pub(super) samples: u32,
    /// Lines that could not be read, and the first of them.
    pub(super) rejected: u32,
    pub(super) first_rejected: Option<crate::exposition::Rejected>,
}

impl Page {
    pub(super) fn gauge(&self, gauge: Gauge) -> Option<f64> {
        self.gauges.get(gauge as usize).and_then(GaugeReading::value)
    }

    pub(super) fn add_model(&mut self, name: &str) {
        let fits = !name.is_empty() && name.len() <= MODEL_BYTES_MAX;
        if fits && self.models.len() < MODELS_MAX && !self.models.contains(name) {
            self.models.insert(name.to_owned());
        }
    }

    /// The model served, or all of them by name.
    pub(super) fn model(&self) -> String {
        self.models.iter().map(String::as_str).collect::<Vec<_>>().join(",")
    }
}
