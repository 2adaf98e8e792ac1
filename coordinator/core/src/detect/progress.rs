//! Whether an engine that has work gets anywhere: hung, busy and idle look alike to everything but tokens.
//!
//! Samples of an engine that gets on, or has nothing to do, may be left out: after a gap everything begins anew.
//!
//! An engine is stalled when it holds or queues requests and nothing it counts has grown for a while. How long depends on
//! its GPUs: idle GPUs with work waiting mean that the work does not reach them, while busy GPUs may be reading a very
//! long prompt, during which no token is written. What is absent accuses nobody.

use std::time::Duration;

use super::fact::EngineSample;
use super::verdict::Verdict;
use crate::id::EngineId;
use crate::inventory::EngineState;
use crate::time::Time;

/// How long an engine with work may make no progress while its GPUs do nothing.
const STALL_IDLE: Duration = Duration::from_secs(10);

/// How long while they are busy, or nobody knows: a prompt of a million tokens read at 10,000 tokens a second takes 100 s.
const STALL_BUSY: Duration = Duration::from_secs(180);

/// Below this a GPU does nothing, in percent.
const IDLE_PERCENT: u8 = 5;

/// A gap between samples after which what came before says nothing.
const GAP: Duration = Duration::from_secs(5);

/// Samples with progress that end a stall.
const RECOVERED: u8 = 2;

/// Why an engine is stalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EngineEvidence {
    /// Time since anything it counts grew.
    pub without_progress: Duration,
    /// Requests it worked on, as last told.
    pub running: u64,
    /// Requests that waited, as last told.
    pub waiting: u64,
    /// Its busiest GPU.
    pub gpu_percent: Option<u8>,
    /// As the agent sees it.
    pub state: EngineState,
}

/// One engine.
#[derive(Clone, Debug)]
pub(super) struct EngineWatch {
    pub(super) id: EngineId,
    /// When its newest sample came.
    pub(super) sampled: Time,
    sample: EngineSample,
    /// When it last made progress or had nothing to do.
    progressed: Time,
    /// Whether it got on by its newest sample, or had nothing to do.
    moves: bool,
    /// Since when its GPUs do nothing.
    idle_since: Option<Time>,
    /// Samples with progress since it stalled.
    recovered: u8,
    pub(super) verdict: Verdict,
}

impl EngineWatch {
    pub(super) fn new(id: EngineId, sample: EngineSample, now: Time) -> EngineWatch {
        let (progressed, sampled) = (now, now);
        let idle_since = idle(&sample).then_some(now);
        let verdict = Verdict::Healthy;
        EngineWatch { id, sampled, sample, progressed, moves: false, idle_since, recovered: 0, verdict }
    }

    /// Whether its next sample may be left out if it moves.
    pub(super) fn fine(&self) -> bool {
        self.moves && self.verdict == Verdict::Healthy
    }

    /// Takes a sample, and moves the verdict; the one before when it moved.
    pub(super) fn note(&mut self, sample: EngineSample, now: Time) -> Option<Verdict> {
        if now.since(self.sampled) > GAP {
            (self.progressed, self.idle_since) = (now, None);
            self.sample = EngineSample { running: None, waiting: None, progress: None, ..self.sample };
        }
        self.moves = self.moves(&sample);
        if self.moves {
            self.progressed = now;
        }
        self.idle_since = if idle(&sample) { self.idle_since.or(Some(now)) } else { None };
        self.remember(sample, now);
        let stalled = self.stalled(now);
        self.recovered = if self.moves { self.recovered.saturating_add(1) } else { 0 };
        let lasts = self.verdict == Verdict::EngineStalled && self.recovered < RECOVERED;
        let verdict = if lasts || stalled { Verdict::EngineStalled } else { Verdict::Healthy };
        (verdict != self.verdict).then(|| std::mem::replace(&mut self.verdict, verdict))
    }

    pub(super) fn evidence(&self, now: Time) -> EngineEvidence {
        EngineEvidence {
            without_progress: now.since(self.progressed),
            running: self.sample.running.unwrap_or_default(),
            waiting: self.sample.waiting.unwrap_or_default(),
            gpu_percent: self.sample.gpu_percent,
            state: self.sample.state,
        }
    }

    /// Whether it gets anywhere, has nothing to do, or cannot be told.
    fn moves(&self, sample: &EngineSample) -> bool {
        match sample.state {
            EngineState::Serving => {
                let idle = sample.running == Some(0) && sample.waiting.unwrap_or_default() == 0;
                let untold =
                    sample.progress.is_none() || sample.running.is_none() && sample.waiting.is_none();
                idle || untold || sample.progress != self.sample.progress
            }
            // A hung engine often does not answer: what it held before counts on.
            EngineState::Timeout => !self.had_work(),
            // It loads, is gone, or says nothing that could be held against it.
            EngineState::Loading | EngineState::Down | EngineState::Unknown | EngineState::Unreadable => true,
        }
    }

    fn had_work(&self) -> bool {
        self.sample.running.unwrap_or_default() + self.sample.waiting.unwrap_or_default() > 0
    }

    /// Keeps what it held when it does not answer, which a sample without numbers tells before its state does.
    fn remember(&mut self, sample: EngineSample, now: Time) {
        let kept = self.sample;
        self.sample = sample;
        self.sampled = now;
        let mute = sample.running.is_none() && sample.waiting.is_none() && sample.progress.is_none();
        if mute || sample.state == EngineState::Timeout {
            self.sample.running = sample.running.or(kept.running);
            self.sample.waiting = sample.waiting.or(kept.waiting);
            self.sample.progress = sample.progress.or(kept.progress);
        }
    }

    fn stalled(&self, now: Time) -> bool {
        let idle = self.idle_since.is_some_and(|since| now.since(since.max(self.progressed)) >= STALL_IDLE);
        self.had_work() && (idle || now.since(self.progressed) >= STALL_BUSY)
    }
}

/// Whether its GPUs do nothing.
fn idle(sample: &EngineSample) -> bool {
    sample.gpu_percent.is_some_and(|percent| percent < IDLE_PERCENT)
}
