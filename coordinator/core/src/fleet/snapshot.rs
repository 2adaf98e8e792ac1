//! Folding a snapshot: what there is on a node is replaced whole, and what is different is told.

use std::collections::VecDeque;
use std::sync::Arc;

use super::LAYOUTS_SHARED;
use super::bits;
use super::change::Removed;
use super::ledger::{Ledger, Note};
use super::node::{Following, Node};
use crate::event::{SOURCES_MAX, SnapshotFact};
use crate::id::{GpuId, PoolId};
use crate::inventory::{Engine, EngineState, Gpu, GpuState, Source, SourceState};
use crate::journal::{Kind, Severity};
use crate::layout::Layout;
use crate::time::Time;

/// The equal layout that another node has already, else this one, which is then shared with those that follow.
pub(super) fn share(layouts: &mut VecDeque<Arc<Layout>>, layout: Arc<Layout>) -> Arc<Layout> {
    if let Some(known) = layouts.iter().find(|known| **known == layout) {
        return Arc::clone(known);
    }
    if layouts.len() == LAYOUTS_SHARED {
        layouts.pop_front();
    }
    layouts.push_back(Arc::clone(&layout));
    layout
}

impl Node {
    /// Folds a snapshot that was checked, as the change with this revision. GPUs and engines are replaced before, by
    /// [`replace_gpus`] and [`replace_engines`].
    pub(super) fn apply_snapshot(&mut self, snapshot: &SnapshotFact<'_>, now: Time, revision: u64) {
        let at = now - snapshot.age;
        let slots = snapshot.values.len();
        let comparable = self.layout == snapshot.layout;
        if comparable {
            self.reset.fill(0);
            self.any_reset = false;
            for slot in 0..slots {
                if snapshot.values[slot] < self.values[slot] && !bits::get(snapshot.absent, slot) {
                    self.note_decrease(slot);
                }
            }
        } else {
            self.absent = vec![0; bits::bytes(slots)];
            self.reset = vec![0; bits::bytes(slots)];
            self.any_reset = false;
            self.layout = Arc::clone(&snapshot.layout);
            self.sampled = vec![0; bits::bytes(self.layout.groups().len())];
            // A group that was not read in this interval was read within its period.
            self.sampled_at = self.layout.groups().iter().map(|group| at - group.period).collect();
        }
        self.values.clear();
        self.values.extend_from_slice(snapshot.values);
        bits::assign(&mut self.absent, snapshot.absent);
        if snapshot.sampled.is_empty() {
            self.sampled_at.fill(at);
            (0..self.sampled_at.len()).for_each(|group| bits::set(&mut self.sampled, group));
        } else {
            bits::assign(&mut self.sampled, snapshot.sampled);
            bits::ones(&self.sampled).for_each(|group| self.sampled_at[group] = at);
        }
        self.engine_gpus = self.engines.iter().map(|engine| self.positions(&engine.gpus)).collect();
        self.owner_revisions.clear();
        self.owner_revisions.resize(self.layout.owner_count(), revision);
        self.following = Following::Message(snapshot.seq);
        self.reported = true;
        self.keep_totals(now);
        self.count_gpus();
    }

    /// Bits of the positions of these GPUs; those of other nodes have none.
    fn positions(&self, gpus: &[GpuId]) -> u16 {
        gpus.iter().filter_map(|gpu| self.gpu_position(gpu)).fold(0, |bits, position| bits | 1 << position)
    }
}

/// Names GPUs that the agent cannot name: one that was lost before its UUID could be read must not hide the others. A
/// node's own name has no colon, so no UUID of another node is met.
pub(super) fn name_gpus(node: &Node, gpus: &mut [Gpu]) {
    for gpu in gpus.iter_mut().filter(|gpu| gpu.id.as_str().is_empty()) {
        gpu.id = GpuId::from(format!("{}:{}", node.id(), gpu.index).as_str());
    }
}

/// Takes over a node's list of GPUs; returns those that are gone.
pub(super) fn replace_gpus(node: &mut Node, gpus: Vec<Gpu>, ledger: &mut Ledger, now: Time) -> Vec<Gpu> {
    for gpu in &gpus {
        let known = node.gpus.iter().find(|it| it.id == gpu.id);
        let from = known.map_or(GpuState::Unknown, |it| it.state);
        // A GPU that is well when it is first seen is no news.
        if gpu.state != from && (known.is_some() || gpu.state != GpuState::Ok) {
            ledger.tell(Note::gpu(node, now, &gpu.id, from, gpu.state, &gpu.detail));
        }
    }
    let before = std::mem::replace(&mut node.gpus, gpus);
    let gone: Vec<Gpu> =
        before.into_iter().filter(|it| !node.gpus.iter().any(|gpu| gpu.id == it.id)).collect();
    for gpu in &gone {
        let message = String::from("GPU is no longer listed by its node");
        let mut note = Note::of(node, now, Kind::GpuState, Severity::Critical, message);
        note.place.gpu = Some(gpu.id.clone());
        ledger.tell(note.with("from", gpu.state.name()));
    }
    gone
}

/// Takes over a node's list of engines.
pub(super) fn replace_engines(node: &mut Node, mut engines: Vec<Engine>, ledger: &mut Ledger, now: Time) {
    for engine in engines.iter_mut().filter(|it| it.pool.is_none() && !it.model.is_empty()) {
        engine.pool = Some(PoolId::from(&*engine.model));
    }
    for engine in &engines {
        let known = node.engines.iter().find(|it| it.id == engine.id);
        let from = known.map_or(EngineState::Unknown, |it| it.state);
        if engine.state != from && (known.is_some() || engine.state != EngineState::Serving) {
            ledger.tell(Note::engine(node, now, &engine.id, (from, engine.state), &engine.detail));
        }
    }
    let before = std::mem::replace(&mut node.engines, engines);
    for engine in before.iter().filter(|it| !node.engines.iter().any(|engine| engine.id == it.id)) {
        let message = format!("engine {} is no longer there", engine.id);
        let mut note = Note::of(node, now, Kind::EngineState, Severity::Info, message);
        note.place.engine = Some(engine.id.clone());
        ledger.tell(note.with("from", engine.state.name()));
        ledger.changes.remove(Removed::Engine(node.id().clone(), engine.id.clone()));
    }
}

/// Takes over all sources: those that are not given are gone.
pub(super) fn replace_sources(node: &mut Node, sources: &[Source], ledger: &mut Ledger, at: Time) {
    node.sources.retain(|known| sources.iter().any(|it| it.name == known.name));
    merge_sources(node, sources, ledger, at);
}

/// Takes over the sources given; false when they are as before. Those that are not given stay as they are.
pub(super) fn merge_sources(node: &mut Node, sources: &[Source], ledger: &mut Ledger, at: Time) -> bool {
    let mut changed = false;
    for source in sources {
        let position = node.sources.iter().position(|it| it.name == source.name);
        if position.is_some_and(|position| node.sources[position] == *source) {
            continue;
        }
        changed = true;
        let from = position.map_or(SourceState::Unknown, |position| node.sources[position].state);
        let told = match source.state {
            SourceState::Ok | SourceState::Absent | SourceState::Unknown => position.is_some(),
            SourceState::Degraded | SourceState::Hung | SourceState::Failed | SourceState::Released => true,
        };
        if source.state != from && told {
            ledger.tell(Note::source(node, at, from, source));
        }
        match position {
            Some(position) => node.sources[position] = source.clone(),
            None if node.sources.len() < SOURCES_MAX => node.sources.push(source.clone()),
            None => {}
        }
    }
    changed
}
