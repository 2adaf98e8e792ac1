//! GPUs and engines of one node. They are judged when a fact about them comes; only what is wrong is looked at again.

use std::sync::Arc;
use std::time::Duration;

use super::evidence::Evidence;
use super::fact::{EngineSample, GpuSample};
use super::gpu::{self, GpuWatch};
use super::progress::EngineWatch;
use super::verdict::{Subject, Verdict};
use super::xid::Table;
use crate::id::{EngineId, GpuId, NodeKey};
use crate::time::Time;

/// GPUs and engines of a node, as the wire allows.
const GPUS_MAX: usize = 16;
const ENGINES_MAX: usize = 64;

/// An engine of which nothing is told for so long is gone.
const ENGINE_GONE: Duration = Duration::from_secs(60);

/// A verdict that moved, or whose reason did.
#[derive(Clone, Debug)]
pub(super) struct Moved {
    pub(super) subject: Subject,
    pub(super) was: Verdict,
    pub(super) verdict: Verdict,
    pub(super) evidence: Evidence,
}

/// GPUs and engines of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Devices {
    /// The pool's own table.
    pub(super) table: Option<Arc<Table>>,
    /// Those with something to remember.
    gpus: Vec<GpuWatch>,
    /// Those of which samples came lately.
    engines: Vec<EngineWatch>,
}

/// Which further samples of a node's devices matter, because something is remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Minded {
    /// Of GPUs.
    pub gpus: bool,
    /// Of engines.
    pub engines: bool,
}

impl Devices {
    pub(super) fn note_gpu(
        &mut self,
        node: NodeKey,
        gpu: &GpuId,
        sample: GpuSample,
        now: Time,
    ) -> Option<Moved> {
        let known = self.gpus.iter().any(|known| known.id == *gpu);
        if !known && gpu::unremarkable(&sample) {
            return None;
        }
        self.gpu(gpu)?.note_sample(sample, now);
        self.settle_gpu(node, gpu, now)
    }

    /// Takes an error; the flag is false when it is only to be reported.
    pub(super) fn note_xid(
        &mut self,
        (node, gpu): (NodeKey, &GpuId),
        (number, message): (u32, &str),
        standard: &Arc<Table>,
        now: Time,
    ) -> (bool, Option<Moved>) {
        let table = Arc::clone(self.table.as_ref().unwrap_or(standard));
        let Some(watch) = self.gpu(gpu) else { return (false, None) };
        let counts = watch.note_xid(number, message, &table, now);
        (counts, self.settle_gpu(node, gpu, now))
    }

    /// Takes a sample of an engine that runs on these GPUs; one on a GPU that is not well is not judged.
    pub(super) fn note_engine(
        &mut self,
        node: NodeKey,
        engine: &EngineId,
        sample: EngineSample,
        gpus: &[GpuId],
        now: Time,
    ) -> Option<Moved> {
        let sick = |gpu: &GpuWatch| gpu.verdict != Verdict::Healthy && gpus.contains(&gpu.id);
        if self.gpus.iter().any(sick) {
            return None;
        }
        let Some(watch) = self.engines.iter_mut().find(|known| known.id == *engine) else {
            if self.engines.len() == ENGINES_MAX {
                // One that something is held against is taken back first, by the next look.
                let kept = |known: &EngineWatch| {
                    now.since(known.sampled) < ENGINE_GONE || known.verdict != Verdict::Healthy
                };
                self.engines.retain(kept);
            }
            if self.engines.len() < ENGINES_MAX {
                self.engines.push(EngineWatch::new(engine.clone(), sample, now));
            }
            return None;
        };
        let was = watch.note(sample, now)?;
        let evidence = Evidence::Engine(watch.evidence(now));
        let subject = Subject::Engine(node, engine.clone());
        Some(Moved { subject, was, verdict: watch.verdict, evidence })
    }

    /// The machine started again.
    pub(super) fn restart(&mut self, now: Time) {
        self.gpus.iter_mut().for_each(|gpu| gpu.restart(now));
        self.engines.iter_mut().for_each(|engine| engine.sampled = Time::ZERO);
    }

    /// Looks again at what is remembered: errors that waited for the driver, and what has been silent for too long.
    pub(super) fn tick(&mut self, node: NodeKey, now: Time) -> Vec<Moved> {
        let gpus: Vec<GpuId> = self.gpus.iter().map(|gpu| gpu.id.clone()).collect();
        let mut moved: Vec<Moved> = gpus.iter().filter_map(|gpu| self.settle_gpu(node, gpu, now)).collect();
        let gone = |engine: &EngineWatch| now.since(engine.sampled) >= ENGINE_GONE;
        for engine in self.engines.iter().filter(|engine| gone(engine) && engine.verdict != Verdict::Healthy)
        {
            moved.push(Moved {
                subject: Subject::Engine(node, engine.id.clone()),
                was: engine.verdict,
                verdict: Verdict::Healthy,
                evidence: Evidence::Engine(engine.evidence(now)),
            });
        }
        self.engines.retain(|engine| !gone(engine));
        moved
    }

    /// Whether nothing is remembered.
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_none() && self.gpus.is_empty() && self.engines.is_empty()
    }

    pub(super) fn minded(&self) -> Minded {
        Minded { gpus: !self.gpus.is_empty(), engines: self.engines.iter().any(|engine| !engine.fine()) }
    }

    /// What it found, so that findings can be dropped with the node.
    pub(super) fn subjects(&self, node: NodeKey) -> impl Iterator<Item = Subject> + '_ {
        let gpus = self.gpus.iter().map(move |gpu| Subject::Gpu(node, gpu.id.clone()));
        gpus.chain(self.engines.iter().map(move |engine| Subject::Engine(node, engine.id.clone())))
    }

    fn gpu(&mut self, gpu: &GpuId) -> Option<&mut GpuWatch> {
        let at = match self.gpus.iter().position(|known| known.id == *gpu) {
            Some(at) => at,
            None if self.gpus.len() < GPUS_MAX => {
                self.gpus.push(GpuWatch::new(gpu.clone()));
                self.gpus.len() - 1
            }
            None => return None,
        };
        Some(&mut self.gpus[at])
    }

    fn settle_gpu(&mut self, node: NodeKey, gpu: &GpuId, now: Time) -> Option<Moved> {
        let at = self.gpus.iter().position(|known| known.id == *gpu)?;
        let watch = &mut self.gpus[at];
        let was = watch.settle(now);
        let moved = was.map(|was| Moved {
            subject: Subject::Gpu(node, gpu.clone()),
            was,
            verdict: watch.verdict,
            evidence: Evidence::Gpu(watch.evidence),
        });
        if watch.forgettable() {
            self.gpus.swap_remove(at);
        }
        moved
    }
}
