//! What to read, how often, and what it may cost.
//!
//! ```toml
//! [engines]
//! interval_ms = 1000
//! probe_ports = [8000, 30000]
//!
//! [[engines.static]]
//! url = "http://127.0.0.1:8000/metrics"
//! kind = "vllm"
//! pool = "chat"
//! gpus = ["GPU-5d..."]
//!
//! [[engines.static]]
//! url = "http://127.0.0.1:9000/metrics"
//! kind = "generic"
//! metrics = [
//!   { signal = "waiting", name = "queue_depth", labels = { lane = "gpu" } },
//!   { signal = "ttft", name = "first_token_ms", scale = 0.001 },
//! ]
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use http::Uri;
use serde::Deserialize;

use super::kind::Kind;
use super::rule::{Feeds, Fold, Matcher, Rule};
use super::signal::{Counter, Gauge, Latency};
use super::window::Spans;

/// The section `engines` of the agent's configuration.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether engines are looked for at all.
    pub enabled: bool,
    /// Between two readings of an engine, in milliseconds: 100 to 600,000.
    pub interval_ms: u64,
    /// For one reading, connection included, in milliseconds: at least 10, and less than the interval.
    pub timeout_ms: u64,
    /// Longest page, in bytes: 1,024 to 64 MiB.
    pub body_bytes_max: usize,
    /// What quantiles are taken over, in seconds: 5 to 3,600.
    pub window_s: u64,
    /// What rates are taken over, in seconds: 1 to `window_s`.
    pub rate_window_s: u64,
    /// Ports of this machine on which an engine may listen. At most 64.
    pub probe_ports: Vec<u16>,
    /// Between two looks at those ports and at the kubelet, in milliseconds: 100 to 3,600,000.
    pub discovery_interval_ms: u64,
    /// How long an engine that was found by itself is still reported after it went away, in seconds.
    pub forget_after_s: u64,
    /// Certificates to trust for engines with `https`, in PEM; the system's when absent.
    pub ca_file: Option<PathBuf>,
    /// Engines that are known beforehand. At most 64.
    #[serde(rename = "static")]
    pub targets: Vec<Target>,
    /// Where to ask for the pods of this node; not asked when absent.
    pub kubelet: Option<Kubelet>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            interval_ms: 1_000,
            timeout_ms: 800,
            body_bytes_max: 4 * 1024 * 1024,
            window_s: 60,
            rate_window_s: 5,
            // vLLM and trtllm-serve, Triton, llama.cpp and TGI, LMDeploy, SGLang.
            probe_ports: vec![8_000, 8_002, 8_080, 23_333, 30_000],
            discovery_interval_ms: 15_000,
            forget_after_s: 300,
            ca_file: None,
            targets: Vec::new(),
            kubelet: None,
        }
    }
}

/// An engine that is known beforehand.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Of its metrics, for example `http://127.0.0.1:8000/metrics`. Without a path the kind's usual one is taken.
    pub url: String,
    /// Unique on the node; by default made of kind and port.
    pub name: Option<String>,
    /// Found out from the page when absent.
    pub kind: Option<Kind>,
    /// By default the model.
    pub pool: Option<String>,
    /// By default what the engine says.
    pub model: Option<String>,
    /// UUIDs of the GPUs it runs on.
    #[serde(default)]
    pub gpus: Vec<String>,
    /// For the kind `generic`: which metrics mean what. For other kinds: more metrics, besides those known.
    #[serde(default)]
    pub metrics: Vec<Metric>,
}

/// One metric of an engine that is not known by name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// What it means.
    pub signal: Signal,
    /// A histogram's without suffix.
    pub name: String,
    /// Labels that a sample must have, by name.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Multiplies the value, for example 0.001 for milliseconds and 0.01 for percents; 1 by default.
    #[serde(default = "one")]
    pub scale: f64,
}

fn one() -> f64 {
    1.0
}

/// What a metric can mean. Latencies are histograms or summaries in seconds once scaled, ratios are 0 to 1 once scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it, and the type says the units")]
pub enum Signal {
    Running,
    Waiting,
    KvCacheUsage,
    KvCacheCapacityTokens,
    PrefixCacheHitRatio,
    PromptTokens,
    GenerationTokens,
    Requests,
    Errors,
    Preemptions,
    Ttft,
    Itl,
    E2e,
    QueueTime,
}

/// How to ask the kubelet of this node for its pods.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kubelet {
    /// For example `https://127.0.0.1:10250/pods`, or `http://127.0.0.1:10255/pods` for the read-only port.
    pub url: String,
    /// File with the token to present; read anew each time, because it is rotated.
    pub token_file: Option<PathBuf>,
    /// Certificate authority of the kubelet, in PEM; the system's when absent.
    pub ca_file: Option<PathBuf>,
    /// For one answer, in milliseconds.
    #[serde(default = "kubelet_timeout_ms")]
    pub timeout_ms: u64,
    /// Longest answer, in bytes. 110 pods of 20 KB make 2.2 MB.
    #[serde(default = "pods_bytes_max")]
    pub body_bytes_max: usize,
}

fn kubelet_timeout_ms() -> u64 {
    5_000
}

fn pods_bytes_max() -> usize {
    8 * 1024 * 1024
}

/// A configuration that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A number outside its range.
    #[error("engines.{key} is {value}; it must be within {min} and {max}")]
    Range {
        /// As in the file.
        key: &'static str,
        /// What was given.
        value: u64,
        /// Smallest that works.
        min: u64,
        /// Greatest that works.
        max: u64,
    },
    /// Something that is not the URL of a metric page.
    #[error("engines: \"{0}\" is not a URL like http://127.0.0.1:8000/metrics")]
    Url(String),
    /// A generic engine of which nothing could be read.
    #[error("engines: the generic engine {0} needs at least one entry in its metrics")]
    NoMetrics(String),
    /// A metric without a name or with a scale that is no positive number.
    #[error("engines: a metric of {0} needs a name and a positive scale")]
    Metric(String),
    /// Two engines of one name.
    #[error("engines: two engines are named \"{0}\"; names must be unique on the node")]
    Name(String),
}

/// Most engines that may be configured, as many as a node may report.
const TARGETS_MAX: u64 = crate::sample::ENGINES_MAX as u64;

impl Config {
    /// Checks every value.
    ///
    /// # Errors
    /// Names the first key that cannot work, and what would.
    pub fn validate(&self) -> Result<(), Error> {
        let range = |key, value: u64, min, max| {
            if (min..=max).contains(&value) { Ok(()) } else { Err(Error::Range { key, value, min, max }) }
        };
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        range("interval_ms", self.interval_ms, 100, 600_000)?;
        range("timeout_ms", self.timeout_ms, 10, self.interval_ms)?;
        range("body_bytes_max", count(self.body_bytes_max), 1_024, 64 * 1024 * 1024)?;
        range("window_s", self.window_s, 5, 3_600)?;
        range("rate_window_s", self.rate_window_s, 1, self.window_s)?;
        range("probe_ports (their number)", count(self.probe_ports.len()), 0, 64)?;
        range("discovery_interval_ms", self.discovery_interval_ms, 100, 3_600_000)?;
        range("forget_after_s", self.forget_after_s, 0, 86_400)?;
        range("static (their number)", count(self.targets.len()), 0, TARGETS_MAX)?;
        if let Some(kubelet) = &self.kubelet {
            url(&kubelet.url)?;
            range("kubelet.timeout_ms", kubelet.timeout_ms, 10, 60_000)?;
            range("kubelet.body_bytes_max", count(kubelet.body_bytes_max), 1_024, 256 * 1024 * 1024)?;
        }
        let mut names = std::collections::BTreeSet::new();
        for target in &self.targets {
            target.validate()?;
            if let Some(name) = target.name.as_ref().filter(|name| !names.insert(name.as_str())) {
                return Err(Error::Name(name.clone()));
            }
        }
        Ok(())
    }

    pub(super) fn interval(&self) -> Duration {
        Duration::from_millis(self.interval_ms)
    }

    pub(super) fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    pub(super) fn spans(&self) -> Spans {
        Spans {
            quantiles: Duration::from_secs(self.window_s),
            rates: Duration::from_secs(self.rate_window_s),
        }
    }
}

impl Target {
    fn validate(&self) -> Result<(), Error> {
        url(&self.url)?;
        if self.kind == Some(Kind::Generic) && self.metrics.is_empty() {
            return Err(Error::NoMetrics(self.url.clone()));
        }
        let works =
            |metric: &Metric| !metric.name.is_empty() && metric.scale.is_finite() && metric.scale > 0.0;
        if self.metrics.iter().all(works) { Ok(()) } else { Err(Error::Metric(self.url.clone())) }
    }
}

/// The URL, when it names a host and a scheme that can be asked.
pub(super) fn url(text: &str) -> Result<Uri, Error> {
    let uri: Uri = text.parse().map_err(|_| Error::Url(text.to_owned()))?;
    let works =
        uri.host().is_some_and(|host| !host.is_empty()) && matches!(uri.scheme_str(), Some("http" | "https"));
    if works { Ok(uri) } else { Err(Error::Url(text.to_owned())) }
}

impl Metric {
    pub(super) fn rule(&self) -> Rule {
        let matcher = |(label, value): (&String, &String)| Matcher {
            label: label.clone().into(),
            values: vec![value.clone().into()],
            optional: false,
        };
        Rule {
            name: self.name.clone().into(),
            feeds: self.signal.feeds(),
            matchers: self.labels.iter().map(matcher).collect(),
            scale: self.scale,
            rank: 0,
        }
    }
}

impl Signal {
    fn feeds(self) -> Feeds {
        match self {
            Self::Running => Feeds::Gauge(Gauge::Running, Fold::Sum),
            Self::Waiting => Feeds::Gauge(Gauge::Waiting, Fold::Sum),
            Self::KvCacheUsage => Feeds::Gauge(Gauge::KvUsage, Fold::Mean),
            Self::KvCacheCapacityTokens => Feeds::Gauge(Gauge::KvCapacityTokens, Fold::Sum),
            Self::PrefixCacheHitRatio => Feeds::Gauge(Gauge::PrefixHitRatio, Fold::Mean),
            Self::PromptTokens => Feeds::Counter(Counter::PromptTokens),
            Self::GenerationTokens => Feeds::Counter(Counter::GenerationTokens),
            Self::Requests => Feeds::Counter(Counter::Requests),
            Self::Errors => Feeds::Counter(Counter::Errors),
            Self::Preemptions => Feeds::Counter(Counter::Preemptions),
            Self::Ttft => Feeds::Latency(Latency::Ttft),
            Self::Itl => Feeds::Latency(Latency::Itl),
            Self::E2e => Feeds::Latency(Latency::E2e),
            Self::QueueTime => Feeds::Latency(Latency::QueueTime),
        }
    }
}
