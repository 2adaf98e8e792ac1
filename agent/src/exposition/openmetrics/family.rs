//! Rules for the lines of one family.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::super::line::{Body, number};
use super::super::{Kind, Label, Metadata, Reason};
use super::histogram::{Histogram, Part};
use super::suffixes;

/// A family of which more lines may come.
pub(super) struct Family<'t> {
    pub(super) name: Cow<'t, str>,
    kind: Option<Kind>,
    unit: Option<&'t str>,
    helped: bool,
    /// Whether a sample was seen, after which no comment may follow.
    begun: bool,
    /// Labels that tell the metrics of the family apart, of the metric at hand.
    group: Option<String>,
    /// Every metric so far: one that was left may not come back.
    groups: BTreeSet<String>,
    /// Timestamp of the sample before, within the group.
    timestamp: Option<f64>,
    /// Series seen at that timestamp: a repeat is a truncated timestamp and not a fault.
    repeats: BTreeSet<String>,
    histogram: Histogram,
}

impl<'t> Family<'t> {
    pub(super) fn new(name: Cow<'t, str>) -> Self {
        Self {
            name,
            kind: None,
            unit: None,
            helped: false,
            begun: false,
            group: None,
            groups: BTreeSet::new(),
            timestamp: None,
            repeats: BTreeSet::new(),
            histogram: Histogram::default(),
        }
    }

    /// The family of a sample that no comment announced.
    pub(super) fn untyped(name: Cow<'t, str>) -> Self {
        Self { kind: Some(Kind::Unknown), ..Self::new(name) }
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind.unwrap_or_default()
    }

    /// Whether a sample of this name belongs to the family.
    pub(super) fn allows(&self, name: &str) -> bool {
        name.strip_prefix(self.name.as_ref()).is_some_and(|suffix| suffixes(self.kind()).contains(&suffix))
    }

    pub(super) fn describe(&mut self, metadata: &Metadata<'t>) -> Result<(), Reason> {
        if self.begun {
            return Err(Reason::Rule("a comment on a family after its first sample"));
        }
        let repeated = match metadata {
            Metadata::Type(kind) => self.kind.replace(*kind).is_some(),
            Metadata::Unit(unit) => self.unit.replace(unit).is_some(),
            Metadata::Help(_) => std::mem::replace(&mut self.helped, true),
        };
        if repeated { Err(Reason::Rule("the same comment on a family twice")) } else { Ok(()) }
    }

    pub(super) fn add(&mut self, body: &Body<'t>, labels: &[Label<'t>]) -> Result<(), Reason> {
        self.begun = true;
        let suffix = body.name.get(self.name.len()..).unwrap_or("").to_owned();
        let special = self.check_labels(&suffix, body, labels)?;
        let fresh = self.order(&suffix, body, labels)?;
        self.check_value(&suffix, body)?;
        if matches!(self.kind(), Kind::Histogram | Kind::GaugeHistogram) && fresh {
            let group = self.group.clone().unwrap_or_default();
            let part = match (suffix.as_str(), special) {
                ("_bucket", Some(bound)) => Part::Bucket(bound),
                ("_count" | "_gcount", _) => Part::Count,
                ("_sum", _) => Part::Sum,
                ("_gsum", _) => Part::GaugeSum,
                _ => Part::Other,
            };
            self.histogram.add(group, body.timestamp, part, body.value)?;
        }
        Ok(())
    }

    pub(super) fn finish(&self) -> Result<(), Reason> {
        if let Some(unit) = self.unit.filter(|unit| !unit.is_empty()) {
            if !self.name.strip_suffix(unit).is_some_and(|stem| stem.ends_with('_')) {
                return Err(Reason::Rule("a family's name does not end with its unit"));
            }
            if matches!(self.kind(), Kind::Info | Kind::StateSet) {
                return Err(Reason::Rule("a unit on an info or a state set"));
            }
        }
        self.histogram.finish()
    }

    /// Checks the label that the type prescribes, and gives its number where it is one.
    fn check_labels(
        &self,
        suffix: &str,
        body: &Body<'_>,
        labels: &[Label<'_>],
    ) -> Result<Option<f64>, Reason> {
        let find = |name: &str| labels.iter().find(|label| label.name == name).map(|label| &*label.value);
        if self.kind() == Kind::StateSet && find(&self.name).is_none() {
            return Err(Reason::Rule("a state set without the label of its name"));
        }
        if suffix == "_bucket" {
            let bound = find("le").and_then(canonical).filter(|bound| !bound.is_nan());
            if bound.is_none() {
                return Err(Reason::Rule("a bucket whose 'le' is missing or not canonical"));
            }
            return Ok(bound);
        }
        if self.kind() == Kind::Summary && body.name == self.name {
            let quantile =
                find("quantile").and_then(canonical).filter(|quantile| (0.0..=1.0).contains(quantile));
            if quantile.is_none() {
                return Err(Reason::Rule("a summary whose 'quantile' is missing or not within 0 and 1"));
            }
            return Ok(quantile);
        }
        Ok(None)
    }

    /// Checks that metrics and timestamps come in order. False: the sample repeats the one before.
    fn order(&mut self, suffix: &str, body: &Body<'_>, labels: &[Label<'_>]) -> Result<bool, Reason> {
        let group = self.group_of(suffix, labels);
        let same = self.group.as_ref() == Some(&group);
        if !same && self.groups.contains(&group) {
            return Err(Reason::Rule("a metric of the family comes back after another"));
        }
        if same {
            if self.timestamp.is_some() != body.timestamp.is_some() {
                return Err(Reason::Rule("samples with and without a timestamp in one metric"));
            }
            if self.timestamp > body.timestamp && self.kind() != Kind::Info {
                return Err(Reason::Rule("timestamps go back within a metric"));
            }
        }
        if !same || self.timestamp != body.timestamp {
            self.repeats.clear();
        }
        let fresh = self.repeats.insert(format!("{suffix}{}", key(labels, "")));
        self.timestamp = body.timestamp;
        self.groups.insert(group.clone());
        self.group = Some(group);
        Ok(fresh)
    }

    fn group_of(&self, suffix: &str, labels: &[Label<'_>]) -> String {
        match (self.kind(), suffix) {
            (Kind::Info, _) => String::new(),
            (Kind::Summary, "") => key(labels, "quantile"),
            (Kind::StateSet, _) => key(labels, &self.name),
            (Kind::Histogram | Kind::GaugeHistogram, "_bucket") => key(labels, "le"),
            _ => key(labels, ""),
        }
    }

    fn check_value(&self, suffix: &str, body: &Body<'_>) -> Result<(), Reason> {
        let value = body.value;
        let counts = matches!(suffix, "_count" | "_gcount" | "_bucket");
        if counts && (!value.is_finite() || value.fract() != 0.0) {
            return Err(Reason::Rule("a count that is not a whole number"));
        }
        if (matches!(suffix, "_total" | "_sum" | "_gsum") || counts) && value.is_nan() {
            return Err(Reason::Rule("a counter that is not a number"));
        }
        if (matches!(suffix, "_total" | "_sum") || counts) && value < 0.0 {
            return Err(Reason::Rule("a negative counter"));
        }
        let kind = self.kind();
        if kind == Kind::StateSet && value != 0.0 && value != 1.0 {
            return Err(Reason::Rule("a state that is neither 0 nor 1"));
        }
        if kind == Kind::Info && value != 1.0 {
            return Err(Reason::Rule("an info that is not 1"));
        }
        if kind == Kind::Summary && suffix.is_empty() && value < 0.0 {
            return Err(Reason::Rule("a negative quantile"));
        }
        let buckets = matches!(kind, Kind::Histogram | Kind::GaugeHistogram) && suffix == "_bucket";
        if body.exemplar.is_some() && !buckets && !(kind == Kind::Counter && suffix == "_total") {
            return Err(Reason::Rule("an exemplar on neither a bucket nor a counter"));
        }
        Ok(())
    }
}

/// Labels as one text in name order, without one of them.
fn key(labels: &[Label<'_>], without: &str) -> String {
    let mut labels: Vec<_> = labels.iter().filter(|label| label.name != without).collect();
    labels.sort_by(|a, b| a.name.cmp(&b.name));
    let mut key = String::new();
    for label in labels {
        // Lengths make the text unambiguous whatever the values hold.
        key.push_str(&format!("{}:{}{}:{}", label.name.len(), label.name, label.value.len(), label.value));
    }
    key
}

/// The number of an `le` or `quantile`, where infinity has only one spelling.
fn canonical(text: &str) -> Option<f64> {
    number(text).filter(|value| *value != f64::INFINITY || text == "+Inf")
}
