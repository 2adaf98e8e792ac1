//! What must hold at every moment, and what a world counted.

use std::collections::BTreeSet;

use ostler_core::detect::{Subject, Verdict};
use ostler_core::id::Term;

use crate::agent::{self, Health};
use crate::world::World;

/// For how long a node must have been well, and reached by two kinds of others, to count as healthy by two signals: longer
/// than any verdict waits.
const HEALTHY_MS: u64 = 10_000;

/// How soon a node that is off is called so by a replica that is well, also when the leader died with it. The goal of the
/// control plane's design is 8 s; it is looked for once a second.
pub(crate) const FOUND_MS: u64 = 8_000 + 1_000;

/// How long a replica, its network and the rest of the fleet must have been undisturbed to be held to [`FOUND_MS`].
const WELL_MS: u64 = 15_000;

/// A verdict that moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) at_ms: u64,
    pub(crate) replica: usize,
    pub(crate) node: usize,
    pub(crate) verdict: Verdict,
}

/// What happened in a world.
#[derive(Debug, Default)]
pub(crate) struct Record {
    /// Who began to lead, under which term and when.
    pub(crate) leads: Vec<(usize, Term, u64)>,
    pub(crate) moved: Vec<Moved>,
    pub(crate) calls: u64,
    pub(crate) permits: u64,
    pub(crate) resignations: u64,
    pub(crate) drained: BTreeSet<usize>,
    /// When a replica, the network or etcd was last disturbed.
    pub(crate) disturbed_ms: u64,
    /// By node: when it was last not reached from its own zone and from another one.
    unreached_ms: Vec<u64>,
    looked_ms: u64,
    /// Nodes that had to be found, and were looked for, once a second each.
    pub(crate) found: u64,
}

impl Record {
    pub(crate) fn lead(&mut self, replica: usize, term: Term, now_ms: u64) {
        let before = self.leads.last().map_or(Term(0), |(_, term, _)| *term);
        assert!(term > before, "at {now_ms} ms replica {replica} leads under {term:?} after {before:?}");
        self.leads.push((replica, term, now_ms));
    }

    /// When a node was first called this since a moment, by a replica.
    pub(crate) fn called(&self, replica: usize, node: usize, verdict: Verdict, since_ms: u64) -> Option<u64> {
        let fits = |it: &&Moved| {
            it.at_ms >= since_ms && (it.replica, it.node, it.verdict) == (replica, node, verdict)
        };
        self.moved.iter().find(fits).map(|it| it.at_ms)
    }
}

impl World {
    /// After everything that happens.
    pub(crate) fn check(&mut self) {
        let now_ms = self.now_ms;
        let live: Vec<usize> =
            (0..self.replicas.len()).filter(|at| self.replicas[*at].is_live(now_ms)).collect();
        assert!(live.len() <= 1, "at {now_ms} ms replicas {live:?} hold a live token");
        assert!(self.sink.stale.is_empty(), "at {now_ms} ms: {:?}", self.sink.stale);
        assert!(self.sink.effects_most() <= 1, "at {now_ms} ms an action had two effects");
        if now_ms >= self.record.looked_ms + 500 {
            self.record.looked_ms = now_ms;
            self.look_for_unreached();
        }
    }

    fn look_for_unreached(&mut self) {
        self.record.unreached_ms.resize(self.agents.len(), 0);
        for at in 0..self.agents.len() {
            if !self.is_reached(at) {
                self.record.unreached_ms[at] = self.now_ms;
            }
        }
        if (0..self.replicas.len()).any(|at| !self.replicas[at].runs(self.now_ms))
            || !self.net.is_calm(self.now_ms)
        {
            self.record.disturbed_ms = self.now_ms;
        }
        for replica in 0..self.replicas.len() {
            self.check_found(replica);
        }
    }

    /// Whether nodes of its own zone and of another one reach it.
    fn is_reached(&self, at: usize) -> bool {
        let it = &self.agents[at];
        let reaches = |same: bool| {
            let others = self.agents.iter().filter(|other| {
                other.at != at && other.health == Health::Well && (other.zone == it.zone) == same
            });
            others.into_iter().any(|other| self.net.open_both(it.spot(), other.spot(), self.now_ms))
        };
        it.health == Health::Well && reaches(true) && reaches(false)
    }

    fn is_healthy(&self, at: usize) -> bool {
        let since_ms = self.record.unreached_ms.get(at).copied().unwrap_or(0).max(self.agents[at].since_ms);
        self.is_reached(at) && self.now_ms >= since_ms + HEALTHY_MS
    }

    /// Notes the verdicts that moved, and that none of them accuses a node that is healthy.
    pub(crate) fn note_verdicts(&mut self, replica: usize) {
        let it = &self.replicas[replica];
        let transitions = it.engine.detector().report().transitions.clone();
        for moved in transitions {
            let Subject::Node(key) = moved.subject else { continue };
            let engine = &self.replicas[replica].engine;
            let Some(node) = engine.fleet().node_by_key(key).map(|it| agent::number(it.id())) else {
                continue;
            };
            let (verdict, zone) = (moved.finding.verdict, self.agents[node].zone);
            let accused = matches!(verdict, Verdict::NodeUnreachable | Verdict::NodeDead);
            assert!(
                !(accused && self.is_healthy(node)),
                "at {} ms replica {replica} calls healthy node {node} {verdict}: {}",
                self.now_ms,
                moved.finding.evidence
            );
            let at_ms = self.now_ms;
            self.record.moved.push(Moved { at_ms, replica, node, verdict });
            let changes = &mut self.replicas[replica].changes;
            changes.retain(|(at, _)| at_ms - at < 60_000);
            changes.push((at_ms, zone));
        }
    }

    /// A disruptive permit was taken: by the one leader, that runs and sees, and not against a healthy node.
    pub(crate) fn check_permit(&mut self, replica: usize, node: usize) {
        let (now_ms, it) = (self.now_ms, &self.replicas[replica]);
        assert!(it.runs(now_ms) && it.is_live(now_ms), "only a live leader takes permits");
        assert!(!self.is_healthy(node), "at {now_ms} ms replica {replica} may drain healthy node {node}");
        let well: Vec<_> = self.agents.iter().filter(|it| it.health == Health::Well).collect();
        let sees = well.iter().filter(|other| self.net.open_both(it.spot(), other.spot(), now_ms)).count();
        // A cut is noticed within seconds; what was accused before it was accused by a replica that saw.
        let cut_off = sees * 2 < well.len() && self.agents[node].health == Health::Well;
        assert!(
            !cut_off,
            "at {now_ms} ms replica {replica} sees {sees} of {} nodes and takes a permit",
            well.len()
        );
        self.record.permits += 1;
    }

    /// Whether a node that is off is found in time.
    fn check_found(&mut self, replica: usize) {
        let (now_ms, it) = (self.now_ms, &self.replicas[replica]);
        let off: Vec<usize> =
            (0..self.agents.len()).filter(|at| self.agents[*at].health != Health::Well).collect();
        let few = off.len() * 10 <= self.agents.len() && now_ms >= self.record.disturbed_ms + WELL_MS;
        if !few || !it.runs(now_ms) {
            return;
        }
        for at in off {
            let node = &self.agents[at];
            let known = it.engine.fleet().node(&agent::name(at)).is_some();
            if node.health == Health::Off && known && now_ms >= node.since_ms + FOUND_MS {
                let verdict = self.verdict(replica, at);
                assert!(
                    matches!(verdict, Verdict::NodeUnreachable | Verdict::NodeDead),
                    "at {now_ms} ms node {at} is off for {} ms and replica {replica} calls it {verdict}, itself {}",
                    now_ms - node.since_ms,
                    it.engine.detector().verdict(&Subject::Observer),
                );
                self.record.found += 1;
            }
        }
    }
}
