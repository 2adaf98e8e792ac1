//! From pages to values: what happened lately, out of counters that only say what happened so far.
//!
//! Engines restart, so every label set is followed by itself: one that falls has begun again, and counts from zero. The
//! increases add up to totals that never fall, and everything over time (rates, quantiles, hit ratios) is the difference
//! of two moments of those. Time is passed in.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::histogram;
use super::page::{CounterReading, LatencyReading, Page, QUANTILES, Series};
use super::signal::{Counter, Latency};

/// Label sets that are followed for one signal. Data-parallel engines have about 16 times 6 finish reasons; one that makes
/// up label sets without end begins anew instead of growing.
const SERIES_MAX: usize = 8_192;

/// Moments that a window is divided into. One a second at the usual 60 s: 61 moments of about 700 bytes when busy.
const MARKS: u32 = 60;

/// How far back to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spans {
    /// For quantiles, means and hit ratios.
    pub(super) quantiles: Duration,
    /// For rates.
    pub(super) rates: Duration,
}

/// What is known of an engine's past.
#[derive(Debug)]
pub(super) struct Window {
    spans: Spans,
    /// Whether a page was seen before: then a label set that is new began at zero since.
    begun: bool,
    started: Option<f64>,
    counters: [Total; Counter::COUNT],
    latencies: [LatencyTotal; Latency::COUNT],
    marks: VecDeque<Mark>,
    resets: u64,
}

/// What happened lately.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lately {
    /// Per second; absent while there is only one page, or when the engine does not count it.
    pub(super) rates: [Option<f64>; Counter::COUNT],
    /// Seconds, for 0.5, 0.95 and 0.99; absent while nothing was observed.
    pub(super) latencies: [[Option<f64>; 3]; Latency::COUNT],
    /// Share of queried tokens that the prefix cache had; absent while none were queried.
    pub(super) prefix_hits: Option<f64>,
    /// Times that counters began again, since the engine was first seen.
    pub(super) resets: u64,
}

/// An increasing sum of increases.
#[derive(Clone, Debug, Default)]
struct Total {
    last: BTreeMap<u64, f64>,
    created: Option<f64>,
    total: f64,
}

#[derive(Clone, Debug, Default)]
struct LatencyTotal {
    bounds: Vec<f64>,
    last: BTreeMap<(u64, usize), f64>,
    /// Increases up to each bound.
    cumulative: Arc<Vec<f64>>,
    sum: Total,
    count: Total,
    created: Option<f64>,
    /// Counts the layouts of buckets there have been; moments of different ones cannot be compared.
    layout: u32,
}

#[derive(Clone, Debug)]
struct Mark {
    at: Duration,
    counters: [f64; Counter::COUNT],
    latencies: [LatencyMark; Latency::COUNT],
}

#[derive(Clone, Debug)]
struct LatencyMark {
    layout: u32,
    /// Shared with the moment before while nothing happens.
    cumulative: Arc<Vec<f64>>,
    sum: f64,
    count: f64,
}

impl Window {
    pub(super) fn new(spans: Spans) -> Self {
        Self {
            spans,
            begun: false,
            started: None,
            counters: Default::default(),
            latencies: Default::default(),
            marks: VecDeque::new(),
            resets: 0,
        }
    }

    /// Times that counters began again.
    pub(super) fn resets(&self) -> u64 {
        self.resets
    }

    /// Folds a page read at `now`, which never goes back, and tells what happened lately.
    pub(super) fn fold(&mut self, page: &Page, now: Duration) -> Lately {
        let restarted = later(self.started, page.started);
        self.started = page.started.or(self.started);
        let mut reset = restarted && self.begun;
        for (total, reading) in self.counters.iter_mut().zip(&page.counters) {
            reset |= total.fold(&Increase::of(reading, restarted, self.begun));
        }
        for (total, reading) in self.latencies.iter_mut().zip(&page.latencies) {
            reset |= total.fold(reading, restarted, self.begun);
        }
        self.resets += u64::from(reset);
        self.begun = true;
        let mark = self.mark(now);
        let lately = self.lately(page, &mark);
        self.keep(mark);
        lately
    }

    fn mark(&self, at: Duration) -> Mark {
        Mark {
            at,
            counters: std::array::from_fn(|i| self.counters[i].total),
            latencies: std::array::from_fn(|i| self.latencies[i].mark()),
        }
    }

    /// Remembers a moment, unless the last one is so near that more would only take memory.
    fn keep(&mut self, mark: Mark) {
        let spacing = (self.spans.quantiles / MARKS).mul_f64(0.9).min(self.spans.rates);
        if self.marks.back().is_some_and(|last| mark.at.saturating_sub(last.at) < spacing) {
            return;
        }
        let horizon = mark.at.saturating_sub(self.spans.quantiles.max(self.spans.rates));
        self.marks.push_back(mark);
        // The newest moment before the window is what the window is measured from.
        while self.marks.get(1).is_some_and(|second| second.at <= horizon) {
            self.marks.pop_front();
        }
    }

    fn lately(&self, page: &Page, now: &Mark) -> Lately {
        let mut lately = Lately { resets: self.resets, ..Lately::default() };
        if let Some(base) = self.base(now.at, self.spans.rates, |_| true) {
            let seconds = now.at.saturating_sub(base.at).as_secs_f64();
            for (i, rate) in lately.rates.iter_mut().enumerate() {
                let counted = page.counters[i].total().is_some() && seconds > 0.0;
                *rate = counted.then(|| (now.counters[i] - base.counters[i]) / seconds);
            }
        }
        for (i, slot) in lately.latencies.iter_mut().enumerate() {
            let (reading, latest) = (&page.latencies[i], &now.latencies[i]);
            let base =
                self.base(now.at, self.spans.quantiles, |mark| mark.latencies[i].layout == latest.layout);
            // An engine's own estimates may linger long after the requests they are about.
            let idle = base.is_some_and(|mark| {
                mark.at + self.spans.quantiles <= now.at && mark.latencies[i].count >= latest.count
            });
            *slot = match reading.estimates() {
                [None, None, None] => {
                    increase(reading, &self.latencies[i].bounds, latest, base.map(|mark| &mark.latencies[i]))
                }
                _ if idle => [None; 3],
                estimates => estimates.map(|value| value.map(|value| value * reading.scale)),
            };
        }
        if let Some(base) = self.base(now.at, self.spans.quantiles, |_| true) {
            let increase =
                |counter: Counter| now.counters[counter as usize] - base.counters[counter as usize];
            let queries = increase(Counter::PrefixQueries);
            lately.prefix_hits = (queries > 0.0).then(|| increase(Counter::PrefixHits) / queries);
        }
        lately
    }

    /// The newest moment that a span reaches back to, or the oldest there is.
    fn base(&self, now: Duration, span: Duration, usable: impl Fn(&Mark) -> bool) -> Option<&Mark> {
        let reached = |mark: &&Mark| mark.at + span <= now && usable(mark);
        self.marks.iter().rev().find(reached).or_else(|| self.marks.iter().find(|mark| usable(mark)))
    }
}

fn later(before: Option<f64>, now: Option<f64>) -> bool {
    // Start times are computed from uptime by some libraries, so that they waver by some milliseconds.
    matches!((before, now), (Some(before), Some(now)) if now > before + 0.5)
}

/// A counter's new values, and what is known about how they came to be.
struct Increase<'a> {
    series: &'a [Series],
    created: Option<f64>,
    restarted: bool,
    begun: bool,
}

impl<'a> Increase<'a> {
    fn of(reading: &'a CounterReading, restarted: bool, begun: bool) -> Self {
        Self { series: &reading.series, created: reading.created, restarted, begun }
    }
}

impl Total {
    /// Adds what was counted since the page before; true when the counter began again.
    fn fold(&mut self, increase: &Increase<'_>) -> bool {
        let recreated = later(self.created, increase.created);
        self.created = increase.created.or(self.created);
        let restarted = increase.restarted || recreated;
        let mut reset = recreated;
        let forgotten = self.last.len() > SERIES_MAX;
        if forgotten {
            self.last.clear();
        }
        for (key, value) in increase.series {
            self.total += match self.last.insert(*key, *value) {
                None if increase.begun && !forgotten => *value,
                None => 0.0,
                Some(last) if *value < last => {
                    reset = true;
                    *value
                }
                Some(_) if restarted => *value,
                Some(last) => value - last,
            };
        }
        reset
    }
}

impl LatencyTotal {
    fn fold(&mut self, reading: &LatencyReading, restarted: bool, begun: bool) -> bool {
        let recreated = later(self.created, reading.created);
        self.created = reading.created.or(self.created);
        let restarted = restarted || recreated;
        let sums = Increase { series: &reading.sum, created: None, restarted, begun };
        let counts = Increase { series: &reading.count, created: None, restarted, begun };
        let mut reset = self.sum.fold(&sums) | self.count.fold(&counts) | recreated;
        if reading.buckets.is_empty() {
            return reset;
        }
        let relaid = self.lay_out(reading);
        reset |= relaid;
        reset |= self.add_buckets(reading, restarted, begun && !relaid);
        reset
    }

    /// Takes over the page's bounds; true when they differ from those before, which cannot be compared with them.
    fn lay_out(&mut self, reading: &LatencyReading) -> bool {
        let mut bounds: Vec<f64> = reading.buckets.iter().map(|bucket| bucket.bound).collect();
        bounds.sort_by(f64::total_cmp);
        bounds.dedup();
        if bounds == self.bounds {
            return false;
        }
        let relaid = !self.bounds.is_empty();
        self.layout += u32::from(relaid);
        self.last.clear();
        self.cumulative = Arc::new(vec![0.0; bounds.len()]);
        self.bounds = bounds;
        relaid
    }

    fn add_buckets(&mut self, reading: &LatencyReading, restarted: bool, begun: bool) -> bool {
        let forgotten = self.last.len() > SERIES_MAX;
        if forgotten {
            self.last.clear();
        }
        let index = |bound: f64| self.bounds.partition_point(|known| known.total_cmp(&bound).is_lt());
        let fallen: BTreeSet<u64> = reading
            .buckets
            .iter()
            .filter(|bucket| {
                let last = self.last.get(&(bucket.series, index(bucket.bound)));
                last.is_some_and(|last| bucket.count < *last)
            })
            .map(|bucket| bucket.series)
            .collect();
        let mut increases = vec![0.0; self.bounds.len()];
        for bucket in &reading.buckets {
            let i = index(bucket.bound);
            let increase = match self.last.get(&(bucket.series, i)) {
                None if begun && !forgotten => bucket.count,
                None => 0.0,
                Some(_) if restarted || fallen.contains(&bucket.series) => bucket.count,
                Some(last) => bucket.count - last,
            };
            self.last.insert((bucket.series, i), bucket.count);
            increases[i] += increase;
        }
        if increases.iter().any(|increase| *increase > 0.0) {
            for (total, increase) in Arc::make_mut(&mut self.cumulative).iter_mut().zip(increases) {
                *total += increase;
            }
        }
        !fallen.is_empty()
    }

    fn mark(&self) -> LatencyMark {
        LatencyMark {
            layout: self.layout,
            cumulative: Arc::clone(&self.cumulative),
            sum: self.sum.total,
            count: self.count.total,
        }
    }
}

/// Quantiles in seconds: of the buckets' increase, else the mean in the place of the median.
fn increase(
    reading: &LatencyReading,
    bounds: &[f64],
    now: &LatencyMark,
    base: Option<&LatencyMark>,
) -> [Option<f64>; 3] {
    let scaled = |value: f64| value * reading.scale;
    let Some(base) = base else { return [None; 3] };
    if bounds.last() == Some(&f64::INFINITY) && bounds.len() > 1 && !reading.buckets.is_empty() {
        let before = |i: usize| base.cumulative.get(i).copied().unwrap_or(0.0);
        let counts: Vec<f64> = now.cumulative.iter().enumerate().map(|(i, now)| now - before(i)).collect();
        return QUANTILES.map(|q| histogram::quantile(q, bounds, &counts).map(scaled));
    }
    let count = now.count - base.count;
    let mean = (count > 0.0 && !reading.sum.is_empty()).then(|| scaled((now.sum - base.sum) / count));
    [mean, None, None]
}
