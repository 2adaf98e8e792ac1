//! Turns a page of an engine's own metrics into signals.
//!
//! An adapter is a list of rules. They are compiled into one index by full sample name, so that a page is read in one
//! pass and what no rule wants costs one look-up for each family.

use std::collections::BTreeMap;

use super::kind::Kind;
use super::page::{Bucket, Page, Piece};
use super::rule::{Feeds, Fold, Matcher, Rule};
use super::signal::{Counter, Gauge, Latency};
use super::tables;
use crate::exposition::{Item, Limits, View, scan};

/// Labels in which engines name their model, best first. The last is SGLang's of 2024.
const MODEL_LABELS: [&str; 4] = ["model_name", "model", "served_model_name", "name"];

/// Which part of a rule's signal a sample is.
#[derive(Clone, Copy, Debug)]
enum Part {
    Gauge(Gauge, Fold),
    LabelProduct(Gauge, &'static str, &'static str),
    Counter(Counter),
    CounterCreated(Counter),
    /// A line of a histogram or summary without suffix: a quantile, or a bucket of those that leave `_bucket` off.
    Bare(Latency),
    Bucket(Latency),
    Sum(Latency),
    Count(Latency),
    LatencyCreated(Latency),
}

/// What to do with the samples of one name.
#[derive(Clone, Debug)]
struct Entry {
    part: Part,
    /// The rule that it belongs to, which keeps series of different metrics apart.
    rule: u64,
    scale: f64,
    rank: u8,
    matchers: Vec<Matcher>,
}

/// The rules of one engine, ready to read pages.
#[derive(Clone, Debug)]
pub(super) struct Adapter {
    pub(super) kind: Kind,
    index: BTreeMap<String, Vec<Entry>>,
}

impl Adapter {
    /// For an engine of this kind, with more rules than those that are known.
    pub(super) fn with(kind: Kind, more: impl IntoIterator<Item = Rule>) -> Self {
        let mut rules = tables::rules(kind);
        rules.extend(more);
        Self::new(kind, &rules)
    }

    fn new(kind: Kind, rules: &[Rule]) -> Self {
        let mut index: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for (number, rule) in (0_u64..).zip(rules) {
            for (name, part, rank) in names(rule) {
                let matchers = rule.matchers.clone();
                let entry = Entry { part, rule: number, scale: rule.scale, rank, matchers };
                // Some collectors write the colon, which is legal, as an underscore.
                if name.contains(':') {
                    index.entry(name.replace(':', "_")).or_default().push(entry.clone());
                }
                index.entry(name).or_default().push(entry);
            }
        }
        Self { kind, index }
    }

    /// Reads a page. What cannot be read or is not wanted is counted and left out.
    pub(super) fn read(&self, text: &[u8], limits: &Limits) -> Page {
        let mut page = Page::default();
        let only_model = self.backend_model(text, limits);
        // Samples of one family follow each other, so the last look-up mostly answers the next.
        let mut last: (String, Option<&Vec<Entry>>) = (String::new(), None);
        let rejections = scan(text, limits, |item| {
            let Item::Sample(sample) = item else { return };
            page.samples += 1;
            if last.0 != *sample.name {
                last.0.clear();
                last.0.push_str(sample.name);
                last.1 = self.index.get(sample.name.as_ref());
            }
            if let Some(entries) = last.1 {
                let excluded = only_model.is_some() && sample.label("model") != only_model.as_deref();
                if !excluded {
                    self.take(&mut page, entries, &sample);
                }
            } else if sample.name == "process_start_time_seconds" && sample.value.is_finite() {
                page.started = Some(page.started.map_or(sample.value, |known| known.min(sample.value)));
            }
        });
        page.rejected = rejections.total;
        page.first_rejected = rejections.first.first().copied();
        page
    }

    /// A Triton ensemble counts a request once for every model it passes. Where the TensorRT-LLM backend runs, only the
    /// model it runs is counted.
    fn backend_model(&self, text: &[u8], limits: &Limits) -> Option<String> {
        if self.kind != Kind::Triton {
            return None;
        }
        let mut model = None;
        scan(text, limits, |item| {
            if let Item::Sample(sample) = item
                && model.is_none()
                && sample.name == "nv_trt_llm_request_metrics"
            {
                model = sample.label("model").map(str::to_owned);
            }
        });
        model
    }

    fn take(&self, page: &mut Page, entries: &[Entry], sample: &View<'_, '_>) {
        let mut taken = false;
        for entry in entries {
            if entry.matchers.iter().all(|matcher| matcher.passes(sample.label(&matcher.label))) {
                taken |= add(page, entry, sample);
            }
        }
        if !taken {
            return;
        }
        page.matched += 1;
        let labels = if self.kind == Kind::Sglang { &MODEL_LABELS[..] } else { &MODEL_LABELS[..3] };
        if let Some(model) = labels.iter().find_map(|label| sample.label(label)) {
            page.add_model(model);
        }
    }
}

/// The engine whose metrics a page has, if it is one of those known.
pub(super) fn detect(text: &[u8], limits: &Limits) -> Option<Kind> {
    let mut best: Option<(usize, Kind)> = None;
    scan(text, limits, |item| {
        if let Item::Sample(sample) = item
            && let Some(found) = Kind::of_metric(sample.name)
            && best.is_none_or(|best| found.0 < best.0)
        {
            best = Some(found);
        }
    });
    best.map(|(_, kind)| kind)
}

/// Every full sample name that a rule covers.
fn names(rule: &Rule) -> Vec<(String, Part, u8)> {
    let name = rule.name.as_ref();
    let rank = rule.rank.saturating_mul(2);
    let suffixed = |suffix: &str| format!("{name}{suffix}");
    match rule.feeds {
        Feeds::Gauge(gauge, fold) => vec![(suffixed(""), Part::Gauge(gauge, fold), rank)],
        Feeds::LabelProduct(gauge, a, b) => vec![(suffixed(""), Part::LabelProduct(gauge, a, b), rank)],
        Feeds::Counter(counter) => with_total(name, Part::Counter(counter), rank)
            .chain([(created(name), Part::CounterCreated(counter), rank)])
            .collect(),
        Feeds::LatencySum(latency) => with_total(name, Part::Sum(latency), rank).collect(),
        Feeds::LatencyCount(latency) => with_total(name, Part::Count(latency), rank).collect(),
        Feeds::Latency(latency) => vec![
            (suffixed(""), Part::Bare(latency), rank),
            (suffixed("_bucket"), Part::Bucket(latency), rank),
            (suffixed("_sum"), Part::Sum(latency), rank),
            (suffixed("_count"), Part::Count(latency), rank),
            (suffixed("_created"), Part::LatencyCreated(latency), rank),
        ],
    }
}

/// A counter may have been exported with `_total` or without; with both, the former counts.
fn with_total(name: &str, part: Part, rank: u8) -> impl Iterator<Item = (String, Part, u8)> {
    let stem = name.strip_suffix("_total").unwrap_or(name);
    [(format!("{stem}_total"), part, rank), (stem.to_owned(), part, rank.saturating_add(1))].into_iter()
}

fn created(name: &str) -> String {
    format!("{}_created", name.strip_suffix("_total").unwrap_or(name))
}

/// Puts a sample where it belongs; false when there is nothing in it to take.
fn add(page: &mut Page, entry: &Entry, sample: &View<'_, '_>) -> bool {
    let value = match entry.part {
        Part::LabelProduct(_, a, b) => product(sample, a, b).unwrap_or(f64::NAN),
        Part::Gauge(..) | Part::Counter(_) => sample.value * entry.scale,
        Part::CounterCreated(_)
        | Part::Bare(_)
        | Part::Bucket(_)
        | Part::Sum(_)
        | Part::Count(_)
        | Part::LatencyCreated(_) => sample.value,
    };
    if !value.is_finite() || value < 0.0 {
        return false;
    }
    match entry.part {
        Part::Gauge(gauge, fold) => page.gauges[gauge as usize].add(value, fold, entry.rank),
        Part::LabelProduct(gauge, ..) => page.gauges[gauge as usize].add(value, Fold::Sum, entry.rank),
        Part::Counter(counter) => {
            page.counters[counter as usize].add((series(entry, sample), value), entry.rank)
        }
        Part::CounterCreated(counter) => page.counters[counter as usize].add_created(value, entry.rank),
        Part::Bare(latency) | Part::Bucket(latency) => {
            let Some(piece) = bucket_or_quantile(entry, sample, value) else { return false };
            page.latencies[latency as usize].add(piece, entry.scale, entry.rank);
        }
        Part::Sum(latency) => {
            let piece = Piece::Sum((series(entry, sample), value));
            page.latencies[latency as usize].add(piece, entry.scale, entry.rank);
        }
        Part::Count(latency) => {
            let piece = Piece::Count((series(entry, sample), value));
            page.latencies[latency as usize].add(piece, entry.scale, entry.rank);
        }
        Part::LatencyCreated(latency) => {
            page.latencies[latency as usize].add(Piece::Created(value), entry.scale, entry.rank);
        }
    }
    true
}

fn bucket_or_quantile(entry: &Entry, sample: &View<'_, '_>, value: f64) -> Option<Piece> {
    let number = |label| sample.label(label).and_then(|text| text.parse::<f64>().ok());
    if let Some(bound) = number("le").filter(|bound| !bound.is_nan()) {
        return Some(Piece::Bucket(Bucket { series: series(entry, sample), bound, count: value }));
    }
    if !matches!(entry.part, Part::Bare(_)) {
        return None;
    }
    number("quantile").map(|quantile| Piece::Quantile(quantile, (series(entry, sample), value)))
}

fn product(sample: &View<'_, '_>, a: &str, b: &str) -> Option<f64> {
    let number = |label: &str| sample.label(label)?.parse::<f64>().ok();
    Some(number(a)? * number(b)?)
}

/// A number for a label set, the same in whatever order its labels come.
fn series(entry: &Entry, sample: &View<'_, '_>) -> u64 {
    let mut key = entry.rule.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for label in sample.labels {
        if label.name != "le" && label.name != "quantile" {
            key = key.wrapping_add(fnv(fnv(0xcbf2_9ce4_8422_2325, &label.name), &label.value));
        }
    }
    key
}

/// Fowler-Noll-Vo, with a mark between texts so that "ab","c" is not "a","bc".
fn fnv(seed: u64, text: &str) -> u64 {
    let bytes = text.bytes().chain([0xff]);
    bytes.fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
