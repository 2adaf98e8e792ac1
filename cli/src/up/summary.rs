//! What a run of `up` came to.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

/// The whole run. Times are seconds since its start.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Summary {
    pub(crate) version: &'static str,
    /// True when the counts below are of a simulated fleet.
    pub(crate) simulated: bool,
    pub(crate) seed: Option<u64>,
    pub(crate) duration_s: f64,
    /// Where agents and the API were.
    pub(crate) grpc: String,
    /// Where the dashboard was.
    pub(crate) http: String,
    pub(crate) zones: usize,
    pub(crate) nodes: usize,
    pub(crate) nodes_fresh: usize,
    pub(crate) gpus: usize,
    pub(crate) gpus_ok: usize,
    pub(crate) engines: usize,
    pub(crate) engines_serving: usize,
    pub(crate) pools: usize,
    pub(crate) requests_running_peak: f64,
    pub(crate) requests_waiting_peak: f64,
    /// Rows that the coordinator has taken in from agents.
    pub(crate) reports_received: u64,
    /// Changes of nodes that the watch told of.
    pub(crate) node_updates: u64,
    /// How many events of each kind.
    pub(crate) events: BTreeMap<String, u64>,
    pub(crate) incidents: Vec<Incident>,
}

/// One scripted incident.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Incident {
    /// "gpu_lost", "node_down" or "zone_dark".
    pub(crate) kind: &'static str,
    pub(crate) zone: String,
    pub(crate) node: Option<String>,
    pub(crate) gpu: Option<String>,
    /// When it was made to happen.
    pub(crate) injected_s: f64,
    /// When a client of the coordinator could see it; absent when it was not seen before the end.
    pub(crate) seen_s: Option<f64>,
    pub(crate) seen_after_s: Option<f64>,
    /// When it was put right.
    pub(crate) ended_s: Option<f64>,
    /// When a client could see that.
    pub(crate) recovered_s: Option<f64>,
    /// For a person.
    pub(crate) text: String,
}

impl Summary {
    /// For a person.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let simulated = if self.simulated { " (SIMULATED)" } else { "" };
        // Writing into a String cannot fail.
        let _ = writeln!(text, "\nRan for {:.1} s{simulated}", self.duration_s);
        let _ = writeln!(
            text,
            "  zones {}, nodes {}/{} fresh, GPUs {}/{} ok, engines {}/{} serving, pools {}",
            self.zones,
            self.nodes_fresh,
            self.nodes,
            self.gpus_ok,
            self.gpus,
            self.engines_serving,
            self.engines,
            self.pools
        );
        let (running, waiting) = (self.requests_running_peak, self.requests_waiting_peak);
        let reports = self.reports_received;
        let _ = writeln!(
            text,
            "  {reports} reports received; at most {running:.0} requests running and {waiting:.0} waiting"
        );
        let events: Vec<String> = self.events.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        let _ = writeln!(
            text,
            "  events: {}",
            if events.is_empty() { "none".to_owned() } else { events.join(", ") }
        );
        for incident in &self.incidents {
            let seen = match incident.seen_after_s {
                Some(after) => format!("seen after {after:.1} s"),
                None => "not seen before the end".to_owned(),
            };
            let _ = writeln!(text, "  {:>5.1} s  {}: {seen}", incident.injected_s, incident.text);
        }
        text.trim_end().to_owned()
    }
}
