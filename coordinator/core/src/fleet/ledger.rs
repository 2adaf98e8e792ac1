//! What the fleet writes down while it folds: revisions and the journal.

use super::change::Changes;
use super::node::{Node, State, StateCounts};
use crate::id::{EngineId, GpuId};
use crate::inventory::{EngineState, GpuState, Source, SourceState};
use crate::journal::{Entry, Journal, Kind, Place, Severity};
use crate::time::Time;

/// Revisions and journal, apart from the nodes so that both can be written while a node is borrowed.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    pub(super) changes: Changes,
    pub(super) journal: Journal,
    /// Nodes by the state that was told of them.
    pub(super) states: StateCounts,
}

/// An entry to be: all but its number and revision.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) at: Time,
    pub(crate) kind: Kind,
    pub(crate) severity: Severity,
    pub(crate) place: Place,
    pub(crate) message: String,
    pub(crate) attributes: Vec<(&'static str, String)>,
}

impl Ledger {
    pub(super) fn new() -> Ledger {
        Ledger { changes: Changes::new(), journal: Journal::default(), states: StateCounts::default() }
    }

    /// Counts a node in another state than the one told of it, which is this one from now on.
    pub(super) fn count(&mut self, node: &mut Node, state: State) {
        *self.states.of(node.told) -= 1;
        *self.states.of(state) += 1;
        node.told = state;
    }

    /// Writes an entry.
    pub(super) fn tell(&mut self, note: Note) {
        let Note { at, kind, severity, place, message, attributes } = note;
        let revision = self.changes.advance();
        self.journal.write(Entry { id: 0, revision, at, kind, severity, place, message, attributes });
    }
}

impl Note {
    /// A plain one about a node.
    pub(super) fn of(node: &Node, at: Time, kind: Kind, severity: Severity, message: String) -> Note {
        Note { at, kind, severity, place: place(node), message, attributes: Vec::new() }
    }

    /// A GPU's state changed.
    pub(super) fn gpu(node: &Node, at: Time, gpu: &GpuId, from: GpuState, to: GpuState, why: &str) -> Note {
        let severity = match to {
            GpuState::Ok | GpuState::Unknown => Severity::Info,
            GpuState::Degraded | GpuState::Unreadable => Severity::Warning,
            GpuState::Lost | GpuState::Hung => Severity::Critical,
        };
        let mut note =
            Note::of(node, at, Kind::GpuState, severity, moved("GPU", from.name(), to.name(), why));
        note.place.gpu = Some(gpu.clone());
        note.with("from", from.name()).with("to", to.name())
    }

    /// An engine's state changed.
    pub(super) fn engine(
        node: &Node,
        at: Time,
        engine: &EngineId,
        (from, to): (EngineState, EngineState),
        why: &str,
    ) -> Note {
        let severity = match to {
            EngineState::Serving | EngineState::Loading | EngineState::Unknown => Severity::Info,
            EngineState::Timeout | EngineState::Unreadable => Severity::Warning,
            EngineState::Down => Severity::Critical,
        };
        let what = format!("engine {engine}");
        let mut note =
            Note::of(node, at, Kind::EngineState, severity, moved(&what, from.name(), to.name(), why));
        note.place.engine = Some(engine.clone());
        note.with("from", from.name()).with("to", to.name())
    }

    /// A source's state changed.
    pub(super) fn source(node: &Node, at: Time, from: SourceState, source: &Source) -> Note {
        let severity = match source.state {
            SourceState::Ok | SourceState::Unknown | SourceState::Absent | SourceState::Released => {
                Severity::Info
            }
            SourceState::Degraded | SourceState::Hung | SourceState::Failed => Severity::Warning,
        };
        let (from, to) = (from.name(), source.state.name());
        let message = moved(&format!("source {}", source.name), from, to, &source.detail);
        Note::of(node, at, Kind::SourceState, severity, message)
            .with("source", &source.name)
            .with("from", from)
            .with("to", to)
    }

    /// With one more attribute.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Note {
        self.attributes.push((name, value.to_owned()));
        self
    }
}

fn place(node: &Node) -> Place {
    Place { zone: Some(node.zone().clone()), node: Some(node.id().clone()), gpu: None, engine: None }
}

fn moved(what: &str, from: &str, to: &str, why: &str) -> String {
    let separator = if why.is_empty() { "" } else { ": " };
    format!("{what} is {to}, was {from}{separator}{why}")
}
