//! Reads metric pages: Prometheus text 0.0.4 and OpenMetrics text 1.0.
//!
//! The pages come from engines that we do not control, so the lenient reader gives up a line and never a page: what it
//! cannot read is rejected with its place and its reason, and everything else still counts. The strict reader judges a
//! whole document by OpenMetrics' rules and stops at the first thing that breaks one. Neither ever panics, both take time
//! linear in the text, and [`scan`] allocates only for what is escaped.

mod lenient;
mod line;
mod openmetrics;

#[cfg(test)]
pub(crate) mod captures;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

pub use self::lenient::scan;

/// How a page is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Line by line, either format, spaces and line ends as they come.
    Lenient,
    /// The whole document must be valid OpenMetrics 1.0, `# EOF` included.
    OpenMetrics,
}

/// What a page may cost. A line over a limit is rejected like any other bad line.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest line, in bytes. The longest real one seen (`vllm:cache_config_info`) has about 1,200.
    pub line_bytes: usize,
    /// Labels of one sample. Real engines have at most 30; the check for duplicates is quadratic in it.
    pub labels: usize,
    /// Samples of one page. The largest real page seen has 1,827.
    pub samples: usize,
    /// Rejections that are kept with their reason; the rest are only counted.
    pub rejected: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line_bytes: 64 * 1024, labels: 64, samples: 100_000, rejected: 16 }
    }
}

/// Name and value of a label, unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label<'t> {
    /// Never empty.
    pub name: Cow<'t, str>,
    /// May be empty, which means the same as no label.
    pub value: Cow<'t, str>,
}

/// A trace that a sample points at.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar<'t> {
    /// For example `trace_id`.
    pub labels: Vec<Label<'t>>,
    /// The observation that is the example.
    pub value: f64,
    /// Seconds since the Unix epoch.
    pub timestamp: Option<f64>,
}

/// One line with a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'t> {
    /// Full name, suffix included.
    pub name: Cow<'t, str>,
    /// In the order of the line, each name once.
    pub labels: Vec<Label<'t>>,
    /// May be NaN or infinite.
    pub value: f64,
    /// As written: milliseconds in Prometheus text, seconds in OpenMetrics.
    pub timestamp: Option<f64>,
    /// Only in OpenMetrics.
    pub exemplar: Option<Exemplar<'t>>,
    /// Counted from 1.
    pub line: u32,
}

impl Sample<'_> {
    /// Value of a label, if the sample has it.
    pub fn label(&self, name: &str) -> Option<&str> {
        label(&self.labels, name)
    }
}

/// A sample that is only looked at while scanning.
#[derive(Debug)]
pub struct View<'t, 's> {
    /// Full name, suffix included.
    pub name: &'s Cow<'t, str>,
    /// In the order of the line, each name once.
    pub labels: &'s [Label<'t>],
    /// May be NaN or infinite.
    pub value: f64,
    /// As written.
    pub timestamp: Option<f64>,
    /// Only in OpenMetrics.
    pub exemplar: Option<&'s Exemplar<'t>>,
    /// Counted from 1.
    pub line: u32,
}

impl View<'_, '_> {
    /// Value of a label, if the sample has it.
    pub fn label(&self, name: &str) -> Option<&str> {
        label(self.labels, name)
    }
}

fn label<'s>(labels: &'s [Label<'_>], name: &str) -> Option<&'s str> {
    labels.iter().find(|label| label.name == name).map(|label| label.value.as_ref())
}

/// What a `# TYPE` line may say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the formats")]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
    GaugeHistogram,
    Summary,
    Info,
    StateSet,
    #[default]
    Unknown,
}

/// What a comment line says about a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metadata<'t> {
    /// `# TYPE`
    Type(Kind),
    /// `# HELP`, still escaped.
    Help(&'t str),
    /// `# UNIT`
    Unit(&'t str),
}

/// What scanning meets.
#[derive(Debug)]
pub enum Item<'t, 's> {
    /// A comment about the family of this name.
    Metadata(&'s Cow<'t, str>, Metadata<'t>),
    /// A value.
    Sample(View<'t, 's>),
}

/// What is known of a family from its comments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Family<'t> {
    /// Name without suffix, as in the comments.
    pub name: Cow<'t, str>,
    /// Unknown when no `# TYPE` says.
    pub kind: Kind,
    /// Still escaped.
    pub help: Option<&'t str>,
    /// Only in OpenMetrics.
    pub unit: Option<&'t str>,
}

/// Why a line was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is described where it is displayed")]
pub enum Reason {
    InvalidUtf8,
    LineTooLong,
    TooManyLabels,
    TooManySamples,
    MissingName,
    InvalidName,
    NameTwice,
    InvalidLabelName,
    DuplicateLabel,
    MissingEquals,
    UnquotedValue,
    UnterminatedValue,
    UnterminatedLabels,
    MissingComma,
    MissingValue,
    InvalidValue,
    InvalidTimestamp,
    InvalidExemplar,
    InvalidSpacing,
    TrailingText,
    InvalidType,
    /// A rule of OpenMetrics for whole documents.
    Rule(&'static str),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidUtf8 => "the line is not UTF-8",
            Self::LineTooLong => "the line is too long",
            Self::TooManyLabels => "too many labels",
            Self::TooManySamples => "too many samples in one page",
            Self::MissingName => "no metric name",
            Self::InvalidName => "a character that a metric name cannot have",
            Self::NameTwice => "the metric is named twice",
            Self::InvalidLabelName => "a label name was expected",
            Self::DuplicateLabel => "the same label twice",
            Self::MissingEquals => "'=' was expected after the label name",
            Self::UnquotedValue => "a label value in double quotes was expected",
            Self::UnterminatedValue => "the line ends inside quotes",
            Self::UnterminatedLabels => "the line ends inside the braces",
            Self::MissingComma => "',' or '}' was expected",
            Self::MissingValue => "no value",
            Self::InvalidValue => "the value is not a number",
            Self::InvalidTimestamp => "the timestamp is not a finite number",
            Self::InvalidExemplar => "the exemplar cannot be read",
            Self::InvalidSpacing => "exactly one space was expected",
            Self::TrailingText => "text after the end of the sample",
            Self::InvalidType => "an unknown metric type",
            Self::Rule(rule) => rule,
        })
    }
}

/// A line that was not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Counted from 1.
    pub line: u32,
    /// In bytes, counted from 1.
    pub column: u32,
    /// What is wrong there.
    pub reason: Reason,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.reason)
    }
}

/// Lines that were not counted: the first of them, and how many in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejections {
    /// The first ones, at most [`Limits::rejected`].
    pub first: Vec<Rejected>,
    /// All of them.
    pub total: u32,
}

impl Rejections {
    fn add(&mut self, rejected: Rejected, limits: &Limits) {
        self.total = self.total.saturating_add(1);
        if self.first.len() < limits.rejected {
            self.first.push(rejected);
        }
    }
}

/// A page, read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed<'t> {
    /// In the order of the page.
    pub samples: Vec<Sample<'t>>,
    /// Those that have a comment, in the order of the page.
    pub families: Vec<Family<'t>>,
    /// What was left out. In [`Mode::OpenMetrics`] anything here means that the document is not valid.
    pub rejected: Rejections,
}

impl<'t> Parsed<'t> {
    fn add(&mut self, item: Item<'t, '_>) {
        match item {
            Item::Metadata(name, metadata) => {
                if self.families.last().is_none_or(|family| family.name != *name) {
                    self.families.push(Family { name: name.clone(), ..Family::default() });
                }
                if let Some(family) = self.families.last_mut() {
                    match metadata {
                        Metadata::Type(kind) => family.kind = kind,
                        Metadata::Help(text) => family.help = Some(text),
                        Metadata::Unit(text) => family.unit = Some(text),
                    }
                }
            }
            Item::Sample(view) => self.samples.push(Sample {
                name: view.name.clone(),
                labels: view.labels.to_vec(),
                value: view.value,
                timestamp: view.timestamp,
                exemplar: view.exemplar.cloned(),
                line: view.line,
            }),
        }
    }
}

/// Reads a whole page into memory. What only needs some of the samples should [`scan`].
pub fn parse<'t>(text: &'t [u8], mode: Mode, limits: &Limits) -> Parsed<'t> {
    let mut parsed = Parsed::default();
    parsed.rejected = match mode {
        Mode::Lenient => scan(text, limits, |item| parsed.add(item)),
        Mode::OpenMetrics => openmetrics::check(text, limits, |item| parsed.add(item)),
    };
    parsed
}
