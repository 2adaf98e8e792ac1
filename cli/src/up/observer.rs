//! What `up` learns from the watch: counts, peaks, and when each incident was seen. Time is passed in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ostler_agent::simulated::incident::{Phase, Step};
use ostler_coordinator::Running;
use ostler_proto::v1::{self, GpuState, NodeState, SourceState, change};

use super::demo::Told;
use super::summary::{Incident, Summary};
use crate::view::View;

/// Events that are counted at most: their names are kept so that none counts twice, and this many take about 10 MB.
const EVENTS_COUNTED_MAX: usize = 100_000;

/// How long NVML may take until what this machine's agent says of it is final enough to be told.
const SETTLED: Duration = Duration::from_millis(1_500);

/// Something worth a line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum News {
    /// An incident was found so long after it happened.
    Seen { text: String, verdict: v1::Verdict, after: Duration },
    /// An incident is over, as the coordinator sees it.
    Over { text: String },
    /// The machine that this runs on has reported.
    ThisMachine(Box<v1::Node>),
}

/// One incident, and what came of it.
#[derive(Clone, Debug)]
struct Followed {
    told: Told,
    injected: Duration,
    seen: Option<Duration>,
    ended: Option<Duration>,
    recovered: Option<Duration>,
}

/// The watch, digested.
#[derive(Debug)]
pub(crate) struct Observer {
    demo: bool,
    pub(crate) view: View,
    events: BTreeMap<String, u64>,
    event_names: BTreeSet<String>,
    changes: u64,
    followed: Vec<Followed>,
    running_peak: f64,
    waiting_peak: f64,
    /// Whether this machine's node was told of.
    met: bool,
}

impl Observer {
    pub(crate) fn new(demo: bool) -> Observer {
        Observer {
            demo,
            view: View::default(),
            events: BTreeMap::new(),
            event_names: BTreeSet::new(),
            changes: 0,
            followed: Vec::new(),
            running_peak: 0.0,
            waiting_peak: 0.0,
            met: false,
        }
    }

    /// Takes one answer, and tells what is new in it.
    pub(crate) fn hear(&mut self, response: v1::WatchResponse, now: Duration) -> Vec<News> {
        for entry in response.changes.iter().filter_map(|change| change.entry.as_ref()) {
            match entry {
                change::Entry::Event(event) => self.count(event),
                change::Entry::Node(_) => self.changes += 1,
                change::Entry::Zone(_)
                | change::Entry::Gpu(_)
                | change::Entry::Engine(_)
                | change::Entry::Pool(_)
                | change::Entry::Removed(_) => {}
            }
        }
        self.view.apply(response);
        let (running, waiting) = self.requests();
        self.running_peak = self.running_peak.max(running);
        self.waiting_peak = self.waiting_peak.max(waiting);
        let mut news = self.follow(now);
        news.extend(self.meet(now));
        news
    }

    /// Requests that run and that wait, over all pools.
    pub(crate) fn requests(&self) -> (f64, f64) {
        let signals = || self.view.pools.values().filter_map(|pool| pool.signals.as_ref());
        // Adding to 0.0, because the sum of no floats is -0.0 and would be printed as such.
        let sum = |field: fn(&v1::Signals) -> Option<f64>| {
            signals().filter_map(field).fold(0.0, |all, one| all + one)
        };
        (sum(|signals| signals.requests_running), sum(|signals| signals.requests_waiting))
    }

    /// An incident begins or ends now.
    pub(crate) fn expect(&mut self, step: &Step, told: Told, now: Duration) {
        match step.phase {
            Phase::Begin => {
                self.followed.push(Followed {
                    told,
                    injected: now,
                    seen: None,
                    ended: None,
                    recovered: None,
                });
            }
            Phase::End => {
                let open = self.followed.iter_mut().rev().find(|followed| followed.told == told);
                if let Some(followed) = open {
                    followed.ended = Some(now);
                }
            }
        }
    }

    fn count(&mut self, event: &v1::Event) {
        // A watch that was taken up again may repeat events.
        if self.event_names.len() < EVENTS_COUNTED_MAX && self.event_names.insert(event.name.clone()) {
            *self.events.entry(event.kind.clone()).or_default() += 1;
        }
    }

    fn follow(&mut self, now: Duration) -> Vec<News> {
        let mut news = Vec::new();
        for followed in &mut self.followed {
            let shown = shows(&self.view, &followed.told);
            if let Some(verdict) = shown
                && followed.seen.is_none()
            {
                followed.seen = Some(now);
                news.push(News::Seen {
                    text: followed.told.text.clone(),
                    verdict,
                    after: now.saturating_sub(followed.injected),
                });
            }
            let over = followed.ended.is_some() && followed.seen.is_some() && shown.is_none();
            if over && followed.recovered.is_none() {
                followed.recovered = Some(now);
                news.push(News::Over { text: followed.told.text.clone() });
            }
        }
        news
    }

    fn meet(&mut self, now: Duration) -> Option<News> {
        if self.met {
            return None;
        }
        let settled = |node: &v1::Node| {
            let nvml = node.sources.iter().find(|source| source.name == "nvml");
            nvml.is_none_or(|nvml| nvml.state() == SourceState::Ok) || now >= SETTLED
        };
        let own = |node: &&v1::Node| !node.simulated && node.state() == NodeState::Fresh && settled(node);
        let node = self.view.nodes.values().find(own)?;
        self.met = true;
        Some(News::ThisMachine(Box::new(node.clone())))
    }

    /// The summary of the whole run. Of a demonstration it counts the simulated fleet alone.
    pub(crate) fn summary(&self, seconds: f64, seed: Option<u64>, running: &Running) -> Summary {
        let nodes: Vec<&v1::Node> =
            self.view.nodes.values().filter(|node| node.simulated == self.demo).collect();
        let own: BTreeSet<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
        let gpus: Vec<&v1::Gpu> =
            self.view.gpus.values().filter(|gpu| own.contains(gpu.node.as_str())).collect();
        let engines: Vec<&v1::Engine> =
            self.view.engines.values().filter(|engine| own.contains(engine.node.as_str())).collect();
        let zones: BTreeSet<&str> = nodes.iter().map(|node| node.zone.as_str()).collect();
        let fresh =
            |name: &str| self.view.nodes.get(name).is_some_and(|node| node.state() == NodeState::Fresh);
        let gpu_ok = |gpu: &&&v1::Gpu| gpu.state() == GpuState::Ok && fresh(&gpu.node);
        let serving =
            |engine: &&&v1::Engine| engine.state() == v1::EngineState::Serving && fresh(&engine.node);
        Summary {
            version: env!("CARGO_PKG_VERSION"),
            simulated: self.demo,
            seed,
            duration_s: rounded(seconds),
            grpc: super::url(running.grpc_address),
            http: super::url(running.http_address),
            zones: zones.len(),
            nodes: nodes.len(),
            nodes_fresh: nodes.iter().filter(|node| fresh(&node.name)).count(),
            gpus: gpus.len(),
            gpus_ok: gpus.iter().filter(gpu_ok).count(),
            engines: engines.len(),
            engines_serving: engines.iter().filter(serving).count(),
            pools: self.view.pools.len(),
            requests_running_peak: self.running_peak,
            requests_waiting_peak: self.waiting_peak,
            reports_received: running.driver.view(|view| view.report.rows),
            node_updates: self.changes,
            events: self.events.clone(),
            incidents: self.followed.iter().map(incident).collect(),
        }
    }
}

/// The verdict by which the coordinator has found what happened, if it has.
fn shows(view: &View, told: &Told) -> Option<v1::Verdict> {
    use v1::Verdict::{GpuLost, NodeDead, NodeUnreachable, ZoneDown};
    let (verdict, wanted) = if !told.gpu.is_empty() {
        (view.gpus.get(&told.gpu)?.verdict(), &[GpuLost][..])
    } else if !told.node.is_empty() {
        (view.nodes.get(&told.node)?.verdict(), &[NodeUnreachable, NodeDead][..])
    } else {
        (view.zones.get(&told.zone)?.verdict(), &[ZoneDown][..])
    };
    wanted.contains(&verdict).then_some(verdict)
}

fn incident(followed: &Followed) -> Incident {
    let Followed { told, injected, seen, ended, recovered } = followed.clone();
    let seconds = |time: Duration| rounded(time.as_secs_f64());
    Incident {
        kind: told.kind,
        zone: told.zone,
        node: (!told.node.is_empty()).then_some(told.node),
        gpu: (!told.gpu.is_empty()).then_some(told.gpu),
        injected_s: seconds(injected),
        seen_s: seen.map(seconds),
        seen_after_s: seen.map(|seen| seconds(seen.saturating_sub(injected))),
        ended_s: ended.map(seconds),
        recovered_s: recovered.map(seconds),
        text: told.text,
    }
}

/// To milliseconds: more would be noise.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, verdict: v1::Verdict) -> v1::Change {
        let node = v1::Node { name: name.to_owned(), verdict: verdict.into(), ..v1::Node::default() };
        v1::Change { entry: Some(change::Entry::Node(node)) }
    }

    fn zone(verdict: v1::Verdict) -> v1::Change {
        let zone = v1::Zone { name: "zone-a".to_owned(), verdict: verdict.into(), ..v1::Zone::default() };
        v1::Change { entry: Some(change::Entry::Zone(zone)) }
    }

    fn hear(observer: &mut Observer, second: u64, changes: Vec<v1::Change>) -> Vec<News> {
        observer.hear(v1::WatchResponse { changes, ..Default::default() }, Duration::from_secs(second))
    }

    fn told(node: &str) -> Told {
        let kind = if node.is_empty() { "zone_dark" } else { "node_down" };
        let (zone, node) = ("zone-a".to_owned(), node.to_owned());
        Told { kind, zone, node, gpu: String::new(), text: "it happened".to_owned() }
    }

    fn step(phase: Phase) -> Step {
        Step { at: Duration::ZERO, phase, incident: ostler_agent::simulated::Incident::NodeDown { node: 0 } }
    }

    #[test]
    fn an_incident_is_followed_from_its_begin_to_the_recovery() {
        let mut observer = Observer::new(true);
        hear(&mut observer, 1, vec![node("n1", v1::Verdict::Healthy)]);
        observer.expect(&step(Phase::Begin), told("n1"), Duration::from_secs(2));
        assert_eq!(hear(&mut observer, 3, vec![node("n1", v1::Verdict::NodeSuspect)]), []);
        let verdict = v1::Verdict::NodeUnreachable;
        let news = hear(&mut observer, 5, vec![node("n1", verdict)]);
        let text = "it happened".to_owned();
        assert_eq!(news, [News::Seen { text, verdict, after: Duration::from_secs(3) }]);
        observer.expect(&step(Phase::End), told("n1"), Duration::from_secs(9));
        let news = hear(&mut observer, 10, vec![node("n1", v1::Verdict::Healthy)]);
        assert_eq!(news, [News::Over { text: "it happened".to_owned() }]);
        let incident = incident(&observer.followed[0]);
        assert_eq!((incident.seen_after_s, incident.recovered_s), (Some(3.0), Some(10.0)));
    }

    #[test]
    fn a_zone_is_dark_when_the_verdict_on_it_says_so_and_not_when_a_node_is_gone() {
        let mut observer = Observer::new(true);
        hear(&mut observer, 1, vec![zone(v1::Verdict::Healthy), node("n1", v1::Verdict::Healthy)]);
        observer.expect(&step(Phase::Begin), told(""), Duration::from_secs(2));
        assert_eq!(hear(&mut observer, 3, vec![node("n1", v1::Verdict::NodeUnreachable)]), []);
        assert_eq!(hear(&mut observer, 4, vec![zone(v1::Verdict::ZoneDown)]).len(), 1);
    }

    #[test]
    fn an_event_that_is_told_twice_counts_once() {
        let mut observer = Observer::new(false);
        let event = v1::Event { name: "1".to_owned(), kind: "xid".to_owned(), ..v1::Event::default() };
        let change = v1::Change { entry: Some(change::Entry::Event(event)) };
        hear(&mut observer, 1, vec![change.clone(), change]);
        assert_eq!(observer.events, BTreeMap::from([("xid".to_owned(), 1)]));
    }
}
