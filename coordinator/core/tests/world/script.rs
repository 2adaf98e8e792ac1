//! What scripts of faults are written with: a quiet world, its leader, and what is to be seen.

use ostler_core::detect::{Subject, Verdict};
use ostler_core::id::Term;

use crate::agent::{self, Health};
use crate::sink::Fencing;
use crate::world::World;

/// Until a world is quiet: all nodes have joined, somebody leads and has learned.
const SETTLED_MS: u64 = 20_000;

/// How long a fleet without a leader may be: the lease, its scan, a look that was just missed, a rest and some messages.
pub(crate) const LEADERLESS_MS: u64 = 8_000;

/// A quiet world of three zones with a leader.
pub(crate) fn quiet(nodes: usize) -> World {
    let mut world = World::new(1, nodes, 3, Fencing::On);
    world.run(SETTLED_MS);
    assert!((0..3).all(|replica| world.healthy_nodes(replica) == nodes), "all is well at first");
    world
}

impl World {
    /// The one that holds a live token.
    pub(crate) fn leader(&self) -> Option<usize> {
        self.replicas.iter().position(|it| it.is_live(self.now_ms))
    }

    /// The leader, and one that is not.
    pub(crate) fn leader_and_other(&self) -> (usize, usize) {
        let leader = self.leader().expect("somebody leads");
        (leader, (leader + 1) % self.replicas.len())
    }

    /// Nodes that a replica knows and finds nothing wrong with.
    pub(crate) fn healthy_nodes(&self, replica: usize) -> usize {
        let known = |at: &usize| self.replicas[replica].engine.fleet().node(&agent::name(*at)).is_some();
        let well = |at: &usize| self.verdict(replica, *at) == Verdict::Healthy;
        (0..self.agents.len()).filter(known).filter(well).count()
    }

    pub(crate) fn finds(&self, replica: usize, subject: &Subject) -> Verdict {
        self.replicas[replica].engine.detector().verdict(subject)
    }

    pub(crate) fn zone_verdict(&self, replica: usize, zone: usize) -> Verdict {
        self.finds(replica, &Subject::Zone(agent::zone_id(zone)))
    }

    /// Time until a replica calls a node unreachable, if it does so since a moment.
    pub(crate) fn found_after(&self, replica: usize, node: usize, since_ms: u64) -> Option<u64> {
        self.record.called(replica, node, Verdict::NodeUnreachable, since_ms).map(|at_ms| at_ms - since_ms)
    }

    /// Accusations since a moment.
    pub(crate) fn accusations(&self, since_ms: u64) -> usize {
        let accuses = |verdict| matches!(verdict, Verdict::NodeUnreachable | Verdict::NodeDead);
        self.record.moved.iter().filter(|it| it.at_ms >= since_ms && accuses(it.verdict)).count()
    }

    pub(crate) fn terms(&self) -> Vec<Term> {
        self.record.leads.iter().map(|(_, term, _)| *term).collect()
    }

    pub(crate) fn nodes_of(&self, zone: usize) -> Vec<usize> {
        (0..self.agents.len()).filter(|at| self.agents[*at].zone == zone).collect()
    }

    pub(crate) fn break_nodes(&mut self, nodes: &[usize], health: Health) {
        nodes.iter().for_each(|at| self.set_health(*at, health));
    }
}
