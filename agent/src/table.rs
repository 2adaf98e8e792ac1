//! Turns successive readings of the node into what the wire carries: a whole snapshot first, then only what changed.
//!
//! The intuition: every number of the node has a slot, and while the inventory stays the same only a few slots move
//! from one reading to the next. [`Table::fold`] keeps the slots as the coordinator sees them and says how they moved.
//! A reading whose inventory or series differ from the one before makes a new snapshot. Sequence numbers and ages are
//! left at zero: they belong to the stream that sends the message.
//!
//! A slot without a value holds zero, on both sides, so that any two replicas that follow the same node agree.

use std::time::Duration;

use ostler_proto::v1;

use crate::range;
use crate::sample::{ENGINES_MAX, GPUS_MAX, Group, NodeSample};

/// Longest `SourceStatus.detail`, as the wire's contract says.
const DETAIL_BYTES_MAX: usize = 512;

/// Longest `SeriesGroup.period_ms`, as the wire's contract says.
const PERIOD_MS_MAX: u128 = 600_000;

/// One step of a node: everything anew, or what moved.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The first reading, or one with another inventory than the reading before.
    Key(Box<v1::Snapshot>),
    /// What changed since the step before.
    Row(v1::Row),
}

/// The slots of a node as they were after the last reading.
#[derive(Debug, Default)]
pub struct Table {
    /// The newest state; `None` before the first reading.
    state: Option<v1::Snapshot>,
}

impl Table {
    /// Takes a reading in and says how it differs from the one before.
    pub fn fold(&mut self, sample: &NodeSample) -> Step {
        let Some(state) = &mut self.state else {
            return self.key(sample);
        };
        if !same_layout(state, sample) {
            return self.key(sample);
        }
        Step::Row(row(state, sample))
    }

    /// The newest state, with `seq` and `age_ms` left at zero.
    #[must_use]
    pub fn state(&self) -> Option<&v1::Snapshot> {
        self.state.as_ref()
    }

    fn key(&mut self, sample: &NodeSample) -> Step {
        let snapshot = snapshot(sample);
        self.state = Some(snapshot.clone());
        Step::Key(Box::new(snapshot))
    }
}

/// Folds a row into a state, as a coordinator does. Bits beyond the state's slots are ignored.
pub fn apply(state: &mut v1::Snapshot, row: &v1::Row) {
    let slots = state.values.len();
    for (slot, change) in bits(&row.changed).take_while(|&slot| slot < slots).zip(&row.change) {
        state.values[slot] = state.values[slot].wrapping_add(*change);
    }
    if !row.sampled.is_empty() {
        state.sampled = row.sampled.clone();
    }
    if row.absent_changed {
        state.absent = row.absent.clone();
    }
    for source in &row.sources {
        match state.sources.iter_mut().find(|known| known.name == source.name) {
            Some(known) => known.clone_from(source),
            None => state.sources.push(source.clone()),
        }
    }
}

/// The positions of the set bits of a bitmap, least significant bit first.
fn bits(bitmap: &[u8]) -> impl Iterator<Item = usize> + '_ {
    bitmap
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte != 0)
        .flat_map(|(at, &byte)| (0..8).filter(move |bit| byte & (1 << bit) != 0).map(move |bit| at * 8 + bit))
}

fn set(bitmap: &mut Vec<u8>, at: usize) {
    if bitmap.len() <= at / 8 {
        bitmap.resize(at / 8 + 1, 0);
    }
    bitmap[at / 8] |= 1 << (at % 8);
}

/// The groups of a reading in slot order, with the owner each belongs to.
fn groups(sample: &NodeSample) -> impl Iterator<Item = (v1::series_group::Owner, &Group)> {
    use v1::series_group::Owner;
    let gpus = sample.gpus.iter().take(GPUS_MAX).zip(0_u32..);
    let engines = sample.engines.iter().take(ENGINES_MAX).zip(0_u32..);
    gpus.flat_map(|(gpu, at)| gpu.groups.iter().map(move |group| (Owner::Gpu(at), group)))
        .chain(
            engines
                .flat_map(|(engine, at)| engine.groups.iter().map(move |group| (Owner::Engine(at), group))),
        )
        .chain(sample.host.iter().map(|group| (Owner::Host(true), group)))
}

fn period_ms(period: Duration) -> u32 {
    u32::try_from(period.as_millis().min(PERIOD_MS_MAX)).unwrap_or(0)
}

/// A value that the metric can have; nonsense counts as absent.
fn number((metric, value): &(v1::Metric, Option<i64>)) -> Option<i64> {
    value.filter(|value| range::allowed(*metric).contains(value))
}

fn snapshot(sample: &NodeSample) -> v1::Snapshot {
    let mut snapshot = v1::Snapshot {
        gpus: sample.gpus.iter().take(GPUS_MAX).map(|gpu| gpu.info.clone()).collect(),
        engines: sample.engines.iter().take(ENGINES_MAX).map(|engine| engine.info.clone()).collect(),
        sources: sample.sources.iter().map(bounded).collect(),
        ..v1::Snapshot::default()
    };
    let (mut sampled, mut absent) = (Vec::new(), Vec::new());
    for (at, (owner, group)) in groups(sample).enumerate() {
        if group.sampled {
            set(&mut sampled, at);
        }
        for reading in &group.values {
            let value = number(reading);
            if value.is_none() {
                set(&mut absent, snapshot.values.len());
            }
            snapshot.values.push(value.unwrap_or(0));
        }
        snapshot.groups.push(v1::SeriesGroup {
            owner: Some(owner),
            period_ms: period_ms(group.period),
            metrics: group.values.iter().map(|(metric, _)| *metric as i32).collect(),
        });
    }
    // Full length: an empty bitmap would mean "all of them" here and "as before" in a row.
    sampled.resize(snapshot.groups.len().div_ceil(8), 0);
    snapshot.sampled = sampled.into();
    snapshot.absent = absent.into();
    snapshot
}

fn same_layout(state: &v1::Snapshot, sample: &NodeSample) -> bool {
    let gpus = sample.gpus.iter().take(GPUS_MAX).map(|gpu| &gpu.info);
    let engines = sample.engines.iter().take(ENGINES_MAX).map(|engine| &engine.info);
    state.gpus.iter().eq(gpus)
        && state.engines.iter().eq(engines)
        && state.groups.len() == groups(sample).count()
        && state
            .groups
            .iter()
            .zip(groups(sample))
            .all(|(known, (owner, group))| same_group(known, &owner, group))
        && state.sources.len() == sample.sources.len()
        && state.sources.iter().zip(&sample.sources).all(|(known, now)| known.name == now.name)
}

fn same_group(known: &v1::SeriesGroup, owner: &v1::series_group::Owner, group: &Group) -> bool {
    known.owner.as_ref() == Some(owner)
        && known.period_ms == period_ms(group.period)
        && known.metrics.iter().copied().eq(group.values.iter().map(|(metric, _)| *metric as i32))
}

/// The difference between the state and the reading; the state becomes the reading.
fn row(state: &mut v1::Snapshot, sample: &NodeSample) -> v1::Row {
    let mut row = v1::Row::default();
    let mut changed = Vec::new();
    let mut sampled = Vec::with_capacity(state.sampled.len());
    let mut absent = Vec::with_capacity(state.absent.len());
    let mut slot = 0;
    for (at, (_, group)) in groups(sample).enumerate() {
        if group.sampled {
            set(&mut sampled, at);
        }
        for reading in &group.values {
            let value = number(reading);
            if value.is_none() {
                set(&mut absent, slot);
            }
            let change = value.unwrap_or(0) - state.values[slot];
            if change != 0 {
                set(&mut changed, slot);
                row.change.push(change);
                state.values[slot] += change;
            }
            slot += 1;
        }
    }
    row.changed = changed.into();
    sampled.resize(state.sampled.len(), 0);
    if sampled != state.sampled {
        row.sampled = sampled.into();
        state.sampled = row.sampled.clone();
    }
    if absent != state.absent {
        row.absent = absent.into();
        state.absent = row.absent.clone();
        row.absent_changed = true;
    }
    for (known, now) in state.sources.iter_mut().zip(&sample.sources) {
        let now = bounded(now);
        if *known != now {
            known.clone_from(&now);
            row.sources.push(now);
        }
    }
    row
}

/// The status with its detail cut to what the wire allows, at a character's boundary.
#[must_use]
pub fn bounded(status: &v1::SourceStatus) -> v1::SourceStatus {
    let mut status = status.clone();
    status.detail.truncate(status.detail.floor_char_boundary(DETAIL_BYTES_MAX));
    status
}

#[cfg(test)]
mod tests;
