//! What the journal says of a verdict that moved: in words an operator can check, and as loud as what is lost.

use crate::detect::{Subject, Transition, Verdict};
use crate::fleet::{Fleet, Note};
use crate::id::NodeKey;
use crate::journal::{Kind, Place, Severity};
use crate::layout::Owner;

/// Writes a verdict that moved into the journal, and marks what it is about as changed.
pub(super) fn tell(fleet: &mut Fleet, transition: &Transition) {
    let Transition { subject, was, finding } = transition;
    let what = match subject {
        Subject::Observer => "this replica",
        Subject::Fleet => "the fleet",
        Subject::Zone(_) => "zone",
        Subject::Node(_) => "node",
        Subject::Gpu(..) => "GPU",
        Subject::Engine(..) => "engine",
    };
    let verdict = finding.verdict;
    let note = Note {
        at: finding.since,
        kind: Kind::Verdict,
        severity: severity(verdict),
        place: place(fleet, subject),
        message: format!("{what} is {verdict}, was {was}: {}", finding.evidence),
        attributes: vec![("verdict", verdict.name().to_owned()), ("was", was.name().to_owned())],
    };
    match owner(fleet, subject) {
        Some((node, owner)) => fleet.tell_of(node, owner, note),
        None => fleet.tell(note),
    }
}

/// A stream that breaks costs nothing; a node that is suspected may be well.
const fn severity(verdict: Verdict) -> Severity {
    match verdict {
        Verdict::Healthy | Verdict::Left | Verdict::StreamBroken | Verdict::NodeSuspect => Severity::Info,
        Verdict::AgentDown | Verdict::Flapping | Verdict::GpuDegraded => Severity::Warning,
        Verdict::ObserverIsolated
        | Verdict::GlobalFreeze
        | Verdict::ZonePartition
        | Verdict::ZoneDown
        | Verdict::NodeDead
        | Verdict::NodeUnreachable
        | Verdict::GpuLost
        | Verdict::GpuHung
        | Verdict::EngineStalled => Severity::Critical,
    }
}

fn place(fleet: &Fleet, subject: &Subject) -> Place {
    let mut place = Place::default();
    let node = match subject {
        Subject::Observer | Subject::Fleet => None,
        Subject::Zone(zone) => {
            place.zone = Some(zone.clone());
            None
        }
        Subject::Node(node) => Some(node),
        Subject::Gpu(node, gpu) => {
            place.gpu = Some(gpu.clone());
            Some(node)
        }
        Subject::Engine(node, engine) => {
            place.engine = Some(engine.clone());
            Some(node)
        }
    };
    if let Some(node) = node.and_then(|node| fleet.node_by_key(*node)) {
        place.zone = Some(node.zone().clone());
        place.node = Some(node.id().clone());
    }
    place
}

/// Whose entry shows the verdict: a node and which part of it.
fn owner(fleet: &Fleet, subject: &Subject) -> Option<(NodeKey, Owner)> {
    match subject {
        Subject::Observer | Subject::Fleet | Subject::Zone(_) => None,
        Subject::Node(node) => Some((*node, Owner::Host)),
        Subject::Gpu(node, gpu) => Some((*node, Owner::Gpu(fleet.node_by_key(*node)?.gpu_position(gpu)?))),
        Subject::Engine(node, engine) => {
            Some((*node, Owner::Engine(fleet.node_by_key(*node)?.engine_position(engine)?)))
        }
    }
}
