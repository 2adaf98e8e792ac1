//! What this replica says of itself to Prometheus, computed when it is asked.
//!
//! Series are bounded: of zones and pools the first two hundred are told, and nothing is told of single nodes; their values
//! are the agents' to tell.

use std::fmt;
use std::sync::Arc;

use ostler_proto::v1;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::api::Api;
use crate::desk::{Counter, Papers};
use crate::driver::Driver;
use crate::ingest;
use crate::store::embedded::Embedded;
use crate::summary::Summaries;

/// Zones, and pools, that are told of, each with some ten series.
const LABELS_MAX: usize = 200;

/// What is asked when metrics are.
#[derive(Clone)]
pub struct Sources {
    /// The engine.
    pub driver: Driver,
    /// Zones and pools.
    pub summaries: Summaries,
    /// Report streams.
    pub ingest: ingest::Service,
    /// The read API.
    pub api: Api,
    /// The store.
    pub store: Embedded,
    /// What is decided and done.
    pub papers: Papers,
    /// What the desk here did.
    pub counter: Counter,
}

/// All metrics. Clones are the same.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
}

impl Metrics {
    /// Of these.
    pub fn new(sources: Sources) -> Metrics {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(Fleet(sources)));
        Metrics { registry: Arc::new(registry) }
    }

    /// The text that a scrape gets.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        match prometheus_client::encoding::text::encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing to a string does not fail, and what is written is known to be well formed.
            Err(fmt::Error) => String::from("# EOF\n"),
        }
    }
}

struct Fleet(Sources);

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fleet")
    }
}

/// Writes families one after the other.
struct Families<'a>(DescriptorEncoder<'a>);

impl Families<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        ConstGauge::new(value).encode(encoder)
    }

    fn counter(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        ConstCounter::new(value).encode(encoder)
    }

    fn gauges<'l>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (&'l str, f64)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (text, value) in values {
            ConstGauge::new(value).encode(encoder.encode_family(&[(label, text)])?)?;
        }
        Ok(())
    }

    fn counters<'l>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (&'l str, f64)>,
    ) -> fmt::Result {
        let mut encoder = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (text, value) in values {
            ConstCounter::new(value).encode(encoder.encode_family(&[(label, text)])?)?;
        }
        Ok(())
    }
}

impl Collector for Fleet {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut families = Families(encoder);
        self.replica(&mut families)?;
        self.engine(&mut families)?;
        self.fleet(&mut families)?;
        self.desk(&mut families)?;
        process(&mut families)
    }
}

impl Fleet {
    fn replica(&self, to: &mut Families<'_>) -> fmt::Result {
        let version = [(env!("CARGO_PKG_VERSION"), 1.0)];
        to.gauges("ostler_build_info", "Version of this replica", "version", version.into_iter())?;
        to.gauge(
            "ostler_uptime_seconds",
            "Time since this replica started",
            self.0.driver.uptime().as_secs_f64(),
        )?;
        to.gauge("ostler_report_streams", "Report streams that are open", self.0.ingest.streams() as f64)?;
        to.gauge("ostler_watches", "Watches that are open", self.0.api.watchers() as f64)?;
        to.gauge("ostler_store_revision", "Newest revision of the store", self.0.store.revision() as f64)?;
        match self.0.store.entry_bytes() {
            Ok(bytes) => to.gauge(
                "ostler_store_entry_bytes",
                "Bytes of all keys and values in the store",
                bytes as f64,
            ),
            Err(_) => Ok(()),
        }
    }

    fn engine(&self, to: &mut Families<'_>) -> fmt::Result {
        let (report, revision, history) =
            self.0.driver.view(|view| (view.report.clone(), view.fleet.revision(), view.history_bytes()));
        let replies = report.replies;
        let answers = [
            ("joined", replies.joined),
            ("folded", replies.folded),
            ("skipped", replies.skipped),
            ("resync", replies.resync),
            ("refused", replies.refused),
        ];
        let answers = answers.into_iter().map(|(answer, count)| (answer, count as f64));
        to.counters("ostler_facts", "Facts told by agents, by the engine's answer", "answer", answers)?;
        to.counter("ostler_rows", "Rows folded", report.rows as f64)?;
        let (total, longest) = self.0.driver.step_times();
        to.counter("ostler_steps", "Steps of the engine", report.steps as f64)?;
        to.counter("ostler_step_seconds", "Time that steps of the engine took", total.as_secs_f64())?;
        let dropped = self.0.driver.actions_dropped() as f64;
        to.counter("ostler_actions_dropped", "What the engine asked for and nobody took in time", dropped)?;
        to.gauge("ostler_step_longest_seconds", "Longest step of the engine", longest.as_secs_f64())?;
        to.gauge("ostler_fleet_revision", "Number of the newest change of the fleet", revision as f64)?;
        to.gauge("ostler_history_bytes", "Memory of the recent history of all nodes", history as f64)?;
        let nodes = report.nodes;
        let states = [
            ("joining", nodes.joining),
            ("fresh", nodes.fresh),
            ("stale", nodes.stale),
            ("left", nodes.left),
        ];
        let states = states.into_iter().map(|(state, count)| (state, f64::from(count)));
        to.gauges("ostler_nodes", "Nodes by state", "state", states)
    }

    fn fleet(&self, to: &mut Families<'_>) -> fmt::Result {
        let summary = self.0.summaries.get();
        let counts = summary.fleet.counts;
        let gpus = [("ok", counts.gpus_ok), ("other", counts.gpus.saturating_sub(counts.gpus_ok))];
        to.gauges(
            "ostler_gpus",
            "GPUs by state",
            "state",
            gpus.into_iter().map(|(state, count)| (state, f64::from(count))),
        )?;
        let others = counts.engines.saturating_sub(counts.engines_serving);
        let engines = [("serving", counts.engines_serving), ("other", others)];
        let engines = engines.into_iter().map(|(state, count)| (state, f64::from(count)));
        to.gauges("ostler_engines", "Engines by state", "state", engines)?;
        let zones = summary.zones.iter().take(LABELS_MAX);
        let zones: Vec<_> =
            zones.filter_map(|(name, zone)| Some((name.as_str(), zone.entry.signals.as_ref()?))).collect();
        let pools = summary.pools.iter().take(LABELS_MAX);
        let pools: Vec<_> =
            pools.filter_map(|(name, pool)| Some((name.as_str(), pool.entry.signals.as_ref()?))).collect();
        signals(to, "zone", &zones)?;
        signals(to, "pool", &pools)
    }
}

impl Fleet {
    /// What is in the store is the same on every replica; what the desk counted is the leader's, of its term.
    fn desk(&self, to: &mut Families<'_>) -> fmt::Result {
        let counts = self.0.counter.counts();
        to.counter(
            "ostler_decisions",
            "Decisions made in this term, on the leader",
            counts.decisions as f64,
        )?;
        let undecided = "Cases that got no decision because too many are open, on the leader";
        to.counter("ostler_cases_undecided", undecided, counts.undecided as f64)?;
        to.counter("ostler_action_calls", "Calls to the executor in this term", counts.calls as f64)?;
        let loaded = f64::from(u8::from(self.0.counter.is_loaded()));
        to.gauge("ostler_desk_loaded", "1 on a leader that has read what it goes on from, else 0", loaded)?;
        to.counter("ostler_desk_writes", "Transactions of the desk in this term", counts.writes as f64)?;
        let vetoes = counts.obstacles.iter().map(|(name, count)| (&**name, *count as f64));
        let help = "Times that something wanted came to wait, by what it waits for, on the leader";
        to.counters("ostler_vetoes", help, "veto", vetoes)?;
        let figures = self.0.papers.figures(self.0.driver.view(|view| view.now));
        let actions = figures.actions.iter().map(|(state, count)| (*state, *count as f64));
        to.gauges("ostler_actions", "Actions that are kept, by state", "state", actions)?;
        to.gauge("ostler_decisions_open", "Decisions that have not ended", figures.open as f64)?;
        to.gauge("ostler_holds", "Holds of people", figures.holds as f64)?;
        to.gauge("ostler_latches", "Latches of the brake that are not closed", figures.latches as f64)
    }
}

/// A signal: the end of its name, its help, and how it is read.
type Signal = (&'static str, &'static str, fn(&v1::Signals) -> Option<f64>);

const SIGNALS: [Signal; 9] = [
    ("requests_running", "Requests that engines work on", |it| it.requests_running),
    ("requests_waiting", "Requests that wait for capacity", |it| it.requests_waiting),
    ("kv_cache_usage_ratio", "Mean share of the KV cache in use", |it| it.kv_cache_usage),
    ("ttft_p95_seconds", "Worst engine's p95 time to first token", |it| it.ttft_p95_seconds),
    ("generation_tokens_per_second", "Tokens generated", |it| it.generation_tokens_per_second),
    ("gpu_utilization_percent", "Mean GPU utilization", |it| it.gpu_utilization_percent),
    ("gpu_memory_used_bytes", "GPU memory in use", |it| it.gpu_memory_used_bytes),
    ("gpu_power_watts", "Power of all GPUs", |it| it.gpu_power_watts),
    ("coverage_ratio", "Share of owners whose values were fresh", |it| Some(it.coverage)),
];

fn signals(to: &mut Families<'_>, kind: &str, all: &[(&str, &v1::Signals)]) -> fmt::Result {
    for (name, help, read) in SIGNALS {
        let values = all.iter().filter_map(|(label, signals)| Some((*label, read(signals)?)));
        to.gauges(&format!("ostler_{kind}_{name}"), &format!("{help}, by {kind}"), kind, values)?;
    }
    Ok(())
}

/// Clock ticks of `/proc/self/stat`: 100 a second on every Linux that matters.
const TICKS_PER_SECOND: f64 = 100.0;

/// The usual `process_*` metrics, where `/proc` has them.
fn process(to: &mut Families<'_>) -> fmt::Result {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in the second field may hold anything but a closing parenthesis at its end.
    let fields: Vec<&str> =
        stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    if let (Some(user), Some(system)) = (ticks(11), ticks(12)) {
        to.counter("process_cpu_seconds", "CPU time, user and system", (user + system) / TICKS_PER_SECOND)?;
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<f64>().ok());
    match resident {
        Some(kib) => to.gauge("process_resident_memory_bytes", "Resident memory", kib * 1024.0),
        None => Ok(()),
    }
}
