//! What a bench found, and whether that is good enough.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::Table;
use hdrhistogram::Histogram;
use serde::Serialize;

/// Time that the machine's processors wanted to work and were given to others, since it started. Zero where there is no
/// hypervisor that tells.
pub(crate) fn stolen() -> Duration {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let ticks = stat.split_whitespace().nth(8).and_then(|text| text.parse().ok()).unwrap_or(0);
    Duration::from_millis(10 * ticks)
}

/// One bench's result, printed as it is with `-o json`.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    bench: &'static str,
    machine: Machine,
    figures: BTreeMap<&'static str, f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<Peer>,
    checks: Vec<Check>,
}

/// Where it was measured.
#[derive(Debug, Serialize)]
struct Machine {
    cpu: String,
    cores: usize,
    memory_bytes: u64,
    kernel: String,
}

/// The same, measured of something else.
#[derive(Debug, Serialize)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) figures: BTreeMap<&'static str, f64>,
}

/// One promise.
#[derive(Debug, Serialize)]
struct Check {
    id: &'static str,
    value: f64,
    op: &'static str,
    limit: f64,
    ok: bool,
}

impl Outcome {
    /// An empty result of this machine.
    pub(crate) fn new(bench: &'static str) -> Self {
        Self { bench, machine: Machine::this(), figures: BTreeMap::new(), peer: None, checks: Vec::new() }
    }

    /// Adds a figure that is no promise.
    pub(crate) fn figure(&mut self, id: &'static str, value: f64) {
        self.figures.insert(id, rounded(value));
    }

    /// Adds a figure that must not be above its limit.
    pub(crate) fn at_most(&mut self, id: &'static str, value: f64, limit: f64) {
        self.check(id, value, "<=", limit, value <= limit);
    }

    /// Adds a figure that must not be below its limit.
    pub(crate) fn at_least(&mut self, id: &'static str, value: f64, limit: f64) {
        self.check(id, value, ">=", limit, value >= limit);
    }

    /// Adds what was measured of something else.
    pub(crate) fn set_peer(&mut self, peer: Peer) {
        self.peer = Some(peer);
    }

    /// Whether every promise is kept.
    pub(crate) fn ok(&self) -> bool {
        self.checks.iter().all(|check| check.ok)
    }

    fn check(&mut self, id: &'static str, value: f64, op: &'static str, limit: f64, ok: bool) {
        let (ok, value) = (ok && value.is_finite(), rounded(value));
        self.figures.insert(id, value);
        self.checks.push(Check { id, value, op, limit, ok });
    }

    /// Prints it for a person or for a program.
    #[allow(clippy::print_stdout, reason = "the result is what the program is for")]
    pub(crate) fn print(&self, json: bool) {
        if json {
            println!("{}", serde_json::to_string_pretty(self).expect("plain data can be written as JSON"));
            return;
        }
        let Machine { cpu, cores, memory_bytes, kernel } = &self.machine;
        println!("{} on {cpu}, {cores} cores, {} GiB, Linux {kernel}", self.bench, memory_bytes >> 30);
        let mut table = Table::new();
        table.set_header(["figure", "value", "limit", ""]);
        for (id, value) in &self.figures {
            let check = self.checks.iter().find(|check| check.id == *id);
            let limit = check.map_or(String::new(), |check| format!("{} {}", check.op, check.limit));
            let verdict = check.map_or("", |check| if check.ok { "ok" } else { "MISSED" });
            table.add_row([(*id).to_owned(), value.to_string(), limit, verdict.to_owned()]);
        }
        for (peer, (id, value)) in
            self.peer.iter().flat_map(|peer| peer.figures.iter().map(move |it| (peer, it)))
        {
            table.add_row([
                format!("{}: {id}", peer.name),
                rounded(*value).to_string(),
                String::new(),
                String::new(),
            ]);
        }
        println!("{table}");
    }
}

impl Machine {
    fn this() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let field = |text: &str, name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
            line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
        };
        let memory = field(&read("/proc/meminfo"), "MemTotal");
        let kib: u64 = memory.split_whitespace().next().and_then(|kib| kib.parse().ok()).unwrap_or(0);
        Self {
            cpu: field(&read("/proc/cpuinfo"), "model name"),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_bytes: kib * 1024,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}

/// A histogram of times in microseconds, up to a minute; longer ones count as a minute.
pub(crate) fn times() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, 60_000_000, 3)?)
}

/// Four significant digits: no bench is more exact.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10f64.powi(3 - value.abs().log10().floor() as i32);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_limit_fails_and_so_does_a_figure_that_is_no_number() {
        let mut outcome = Outcome::new("test");
        outcome.at_most("a", 10.0, 10.0);
        outcome.at_least("b", 10.0, 10.0);
        assert!(outcome.ok());
        outcome.at_most("c", f64::NAN, 1.0);
        assert!(!outcome.ok());
    }

    #[test]
    fn times_are_kept_as_they_are() {
        let mut times = times().unwrap();
        times.saturating_record(1_234_000);
        assert!((1_233_000..=1_235_000).contains(&times.max()));
    }

    #[test]
    fn figures_have_four_digits() {
        assert_eq!([12.3456, 123_456.0, 0.0, 0.012_345_6].map(rounded), [12.35, 123_500.0, 0.0, 0.01235]);
    }
}
