//! What is known of every engine of the node, shared between those who read and whoever asks.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ostler_proto::v1::{self, EngineState, SourceState};
use tokio::time::Instant;

use super::canonical::METRICS;
use super::reader::Outcome;
use super::target::Target;
use crate::sample::{ENGINES_MAX, EngineSample, Group};

/// Events kept for an owner that does not fetch them: four for each engine a node can have.
const EVENTS_MAX: usize = 4 * ENGINES_MAX;

/// All engines, by their key.
#[derive(Default)]
pub(super) struct Table {
    slots: BTreeMap<String, Slot>,
    events: VecDeque<v1::EngineEvent>,
    /// Engines that were found beyond those that a node may report.
    pub(super) left_out: usize,
    /// Why the pods of the node are not known.
    pub(super) pods_error: Option<String>,
}

struct Slot {
    target: Target,
    /// Chosen at the first outcome and kept, but for one that was named before its kind was known.
    name: String,
    outcome: Option<Outcome>,
    /// Whether it was read since it was last looked at.
    fresh: bool,
    last_answer: Instant,
}

impl Table {
    pub(super) fn insert(&mut self, target: Target, now: Instant) {
        let slot = Slot { name: String::new(), outcome: None, fresh: false, last_answer: now, target };
        self.slots.insert(slot.target.key.clone(), slot);
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.slots.contains_key(key)
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn targets(&self) -> impl Iterator<Item = &Target> {
        self.slots.values().map(|slot| &slot.target)
    }

    /// Keys of engines that have not answered for so long.
    pub(super) fn silent(&self, now: Instant, limit: Duration) -> Vec<String> {
        let silent =
            self.slots.iter().filter(|(_, slot)| now.saturating_duration_since(slot.last_answer) >= limit);
        silent.map(|(key, _)| key.clone()).collect()
    }

    pub(super) fn remove(&mut self, key: &str, why: &str) {
        if let Some(slot) = self.slots.remove(key) {
            let from = slot.outcome.map_or(EngineState::Unspecified, |outcome| outcome.state);
            self.event(slot.name, from, EngineState::Unspecified, why.to_owned());
        }
    }

    /// Takes over what a reading gave.
    pub(super) fn update(&mut self, key: &str, outcome: Outcome, now: Instant) {
        let Some(slot) = self.slots.get(key) else { return };
        let known_before = slot.outcome.as_ref().is_some_and(|before| before.kind.is_some());
        let rename = slot.name.is_empty() || (!known_before && outcome.kind.is_some());
        let name = if rename {
            self.unique(key, &slot.target.preferred_name(outcome.kind))
        } else {
            slot.name.clone()
        };
        let Some(slot) = self.slots.get_mut(key) else { return };
        let from = slot.outcome.as_ref().map_or(EngineState::Unspecified, |before| before.state);
        let (to, detail) = (outcome.state, outcome.detail.clone());
        slot.name.clone_from(&name);
        if matches!(to, EngineState::Serving | EngineState::Loading) {
            slot.last_answer = now;
        }
        slot.outcome = Some(outcome);
        slot.fresh = true;
        if from != to {
            self.event(name, from, to, detail);
        }
    }

    fn unique(&self, key: &str, wanted: &str) -> String {
        let taken = |name: &str| self.slots.iter().any(|(other, slot)| other != key && slot.name == name);
        let numbered = (2..).map(|number| format!("{wanted}-{number}"));
        std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default()
    }

    fn event(&mut self, engine: String, from: EngineState, to: EngineState, detail: String) {
        if self.events.len() >= EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(v1::EngineEvent { engine, from: from.into(), to: to.into(), detail });
    }

    pub(super) fn take_events(&mut self) -> Vec<v1::agent_event::Kind> {
        self.events.drain(..).map(v1::agent_event::Kind::Engine).collect()
    }

    /// Every engine of which an outcome is known, in name order.
    pub(super) fn samples(&mut self, period: Duration) -> Vec<EngineSample> {
        let mut samples: Vec<EngineSample> =
            self.slots.values_mut().filter_map(|slot| slot.sample(period)).collect();
        samples.sort_by(|a, b| a.info.name.cmp(&b.info.name));
        samples.truncate(ENGINES_MAX);
        samples
    }

    /// How reading engines goes as a whole.
    pub(super) fn status(&self) -> v1::SourceStatus {
        let mut wrong: Vec<String> = self.pods_error.iter().cloned().collect();
        if self.left_out > 0 {
            let found = self.slots.len() + self.left_out;
            wrong.push(format!("{found} engines found, of which a node reports only {ENGINES_MAX}"));
        }
        for slot in self.slots.values() {
            let failed = slot
                .outcome
                .as_ref()
                .filter(|outcome| !matches!(outcome.state, EngineState::Serving | EngineState::Loading));
            wrong.extend(failed.map(|outcome| format!("{}: {}", slot.name, outcome.detail)));
        }
        let (state, detail) = match (wrong.is_empty(), self.slots.is_empty()) {
            (true, false) => (SourceState::Ok, String::new()),
            (true, true) => (SourceState::Absent, "no engine found on this node".to_owned()),
            (false, _) => (SourceState::Degraded, clip(wrong.join("; "))),
        };
        v1::SourceStatus { name: "engines".to_owned(), state: state.into(), detail }
    }
}

impl Slot {
    fn sample(&mut self, period: Duration) -> Option<EngineSample> {
        let outcome = self.outcome.as_ref()?;
        let pool = self.target.pool.clone().unwrap_or_else(|| outcome.model.clone());
        let kind = outcome.kind.map_or(v1::EngineKind::Unspecified, Into::into);
        let info = v1::EngineInfo {
            name: self.name.clone(),
            kind: kind.into(),
            model: outcome.model.clone(),
            pool,
            url: outcome.url.clone(),
            gpu_uuids: self.target.gpus.clone(),
            pod: self.target.pod.clone(),
            namespace: self.target.namespace.clone(),
            state: outcome.state.into(),
            detail: outcome.detail.clone(),
        };
        let values = METRICS.into_iter().zip(outcome.values).collect();
        let sampled = std::mem::take(&mut self.fresh);
        Some(EngineSample { info, groups: vec![Group { period, sampled, values }] })
    }
}

/// The wire's limit for a detail.
fn clip(mut text: String) -> String {
    const BYTES_MAX: usize = 512;
    if text.len() > BYTES_MAX {
        let end = (0..=BYTES_MAX - 3).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push_str("...");
    }
    text
}
