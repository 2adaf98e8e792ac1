//! Which numbers a node reports and in which order: the meaning of each slot of its rows.
//!
//! A node names its series once, in groups that are read together; from then on a row is only numbers in slot order.
//! A layout is checked when it is made and never changes afterwards, so whoever holds one need not check again.

mod watched;

use std::fmt;
use std::ops::Range;
use std::time::Duration;

pub(crate) use self::watched::DONE;
use self::watched::Watched;
use crate::metric::{self, Kind, Metric};

/// Metrics of which the fleet keeps a total for each node.
pub(crate) const TOTALLED: [Metric; 6] = [
    Metric::GpuUtilizationPercent,
    Metric::GpuMemoryUsedBytes,
    Metric::GpuMemoryTotalBytes,
    Metric::EngineRequestsRunning,
    Metric::EngineRequestsWaiting,
    Metric::HostCpuUsedPpm,
];

/// GPUs a node can report.
pub const GPUS_MAX: usize = 16;

/// Engines a node can report.
pub const ENGINES_MAX: usize = 64;

/// Values a node can report: 16 GPUs x 49 metrics + 64 engines x 30 + the host's 13 are 2,717; the next power of two.
pub const SLOTS_MAX: usize = 4096;

/// The longest time between two readings of a group: ten minutes, so that "stale" stays within half an hour.
pub const PERIOD_MAX: Duration = Duration::from_secs(600);

/// What a group of series belongs to, by position in the node's own lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// Position in the node's list of GPUs.
    Gpu(u8),
    /// Position in the node's list of engines.
    Engine(u8),
    /// The node itself.
    Host,
}

impl Owner {
    /// What metrics such an owner has.
    pub const fn kind(self) -> metric::Owner {
        match self {
            Owner::Gpu(_) => metric::Owner::Gpu,
            Owner::Engine(_) => metric::Owner::Engine,
            Owner::Host => metric::Owner::Host,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::Gpu(position) => write!(f, "GPU {position}"),
            Owner::Engine(position) => write!(f, "engine {position}"),
            Owner::Host => f.write_str("the host"),
        }
    }
}

/// Series of one owner that are read together, and so share one age.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Whose values they are.
    pub owner: Owner,
    /// How often they are read, 1 ms to [`PERIOD_MAX`].
    pub period: Duration,
    /// Each of `owner`'s kind; none while there is nothing to read of it.
    pub metrics: Vec<Metric>,
}

/// One value's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What the value measures.
    pub metric: Metric,
    /// Position of its group in [`Layout::groups`].
    pub group: u16,
}

/// A slot that goes into a total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Totalled {
    /// Position in [`TOTALLED`].
    pub(crate) total: u8,
    pub(crate) group: u16,
    pub(crate) slot: u16,
}

/// Why a list of groups is no layout. Positions count from zero, as on the wire.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More GPUs than [`GPUS_MAX`].
    #[error("{0} GPUs are more than the {GPUS_MAX} that a node can report")]
    TooManyGpus(usize),
    /// More engines than [`ENGINES_MAX`].
    #[error("{0} engines are more than the {ENGINES_MAX} that a node can report")]
    TooManyEngines(usize),
    /// More values than [`SLOTS_MAX`].
    #[error("the groups name more than {SLOTS_MAX} series, the most that a node can report")]
    TooManySlots,
    /// An owner's position is outside the node's lists.
    #[error("group {group} belongs to {owner}, but the snapshot lists only {listed} of them")]
    UnknownOwner {
        /// Position of the group.
        group: usize,
        /// The owner it names.
        owner: Owner,
        /// Length of the list that the owner should be in.
        listed: usize,
    },
    /// A metric of another kind of owner.
    #[error("group {group} belongs to {owner}, which has no {}", metric.name())]
    WrongOwner {
        /// Position of the group.
        group: usize,
        /// The owner it names.
        owner: Owner,
        /// The metric that does not fit.
        metric: Metric,
    },
    /// The same series twice.
    #[error("{} of {owner} is named twice", metric.name())]
    Duplicate {
        /// Whose metric.
        owner: Owner,
        /// The metric.
        metric: Metric,
    },
    /// More groups than [`SLOTS_MAX`].
    #[error("{0} groups are more than {SLOTS_MAX}, the most series that a node can report")]
    TooManyGroups(usize),
    /// A period outside 1 ms to [`PERIOD_MAX`].
    #[error("group {group} has a period of {} ms; it must be 1 to 600000 ms", period.as_millis())]
    Period {
        /// Position of the group.
        group: usize,
        /// The period it names.
        period: Duration,
    },
}

/// The meaning of a node's rows.
#[derive(Clone, PartialEq, Eq)]
pub struct Layout {
    gpus: u8,
    engines: u8,
    groups: Box<[Group]>,
    slots: Box<[Slot]>,
    /// Lowest and highest value of each slot, looked up once here instead of for each value of each row.
    bounds: Box<[(i64, i64)]>,
    /// Position of each slot's owner among all owners: GPUs, then engines, then the host.
    owners: Box<[u8]>,
    /// Whether each slot's metric is a counter.
    counters: Box<[bool]>,
    /// Slots of the metrics of which a node keeps totals, in the order of slots and so of groups.
    totalled: Box<[Totalled]>,
    /// Slots that the detection looks at.
    watched: Watched,
    /// Metric and slot, ordered by owner, then metric.
    index: Box<[(Metric, u16)]>,
    /// Where each owner's part of `index` begins; one more entry than owners.
    index_starts: Box<[u16]>,
    /// Where each group's slots begin; one more entry than groups.
    group_starts: Box<[u16]>,
    /// Each group's period in milliseconds, the unit that ages are compared in.
    periods_ms: Box<[u32]>,
    /// Each owner's most often read group, if it has any with values.
    fastest: Box<[Option<u16>]>,
}

impl Layout {
    /// Checks the groups and numbers their slots.
    pub fn new(gpus: usize, engines: usize, groups: Vec<Group>) -> Result<Layout, Error> {
        if gpus > GPUS_MAX {
            return Err(Error::TooManyGpus(gpus));
        }
        if engines > ENGINES_MAX {
            return Err(Error::TooManyEngines(engines));
        }
        check_groups(gpus, engines, &groups)?;
        let slots: Box<[Slot]> = (0u16..)
            .zip(&groups)
            .flat_map(|(group, it)| it.metrics.iter().map(move |&metric| Slot { metric, group }))
            .collect();
        let bounds = slots.iter().map(|slot| slot.metric.range().into_inner()).collect();
        let counters = slots.iter().map(|slot| slot.metric.kind() == Kind::Counter).collect();
        let small = |count: usize| u8::try_from(count).expect("at most 64 of a kind");
        let mut layout = Layout {
            gpus: small(gpus),
            engines: small(engines),
            groups: groups.into_boxed_slice(),
            slots,
            bounds,
            counters,
            totalled: Box::default(),
            watched: Watched::default(),
            owners: Box::default(),
            index: Box::default(),
            index_starts: Box::default(),
            group_starts: Box::default(),
            periods_ms: Box::default(),
            fastest: Box::default(),
        };
        layout.owners = layout
            .slots
            .iter()
            .map(|slot| small(layout.owner_position(layout.groups[usize::from(slot.group)].owner)))
            .collect();
        layout.totalled = (0u16..)
            .zip(&layout.slots)
            .filter_map(|(slot, it)| {
                let total = TOTALLED.iter().position(|metric| *metric == it.metric)?;
                Some(Totalled { total: small(total), group: it.group, slot })
            })
            .collect();
        layout.fill_index()?;
        layout.fill_groups();
        layout.watched = Watched::of(&layout);
        Ok(layout)
    }

    /// Length of the node's list of GPUs.
    pub fn gpus(&self) -> usize {
        usize::from(self.gpus)
    }

    /// Length of the node's list of engines.
    pub fn engines(&self) -> usize {
        usize::from(self.engines)
    }

    /// The groups, as given.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Every value's place, in row order.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Whose value a slot holds. Panics when there is no such slot.
    pub fn owner(&self, slot: usize) -> Owner {
        self.groups[usize::from(self.slots[slot].group)].owner
    }

    /// The slot of an owner's metric, if the node reports it.
    pub fn find(&self, owner: Owner, metric: Metric) -> Option<usize> {
        let entries = self.entries(owner);
        let at = entries.binary_search_by_key(&metric, |entry| entry.0).ok()?;
        Some(usize::from(entries[at].1))
    }

    /// An owner's metrics with their slots, ordered by metric; nothing when the owner is not in the node's lists.
    pub fn of(&self, owner: Owner) -> impl ExactSizeIterator<Item = (Metric, usize)> + '_ {
        self.entries(owner).iter().map(|&(metric, slot)| (metric, usize::from(slot)))
    }

    /// Lowest and highest value of each slot.
    pub(crate) fn bounds(&self) -> &[(i64, i64)] {
        &self.bounds
    }

    /// Position of each slot's owner among all owners.
    pub(crate) fn owners(&self) -> &[u8] {
        &self.owners
    }

    /// Whether a slot holds a counter. Panics when there is no such slot.
    pub(crate) fn counts(&self, slot: usize) -> bool {
        self.counters[slot]
    }

    /// Slots of the metrics of which a node keeps totals, group by group.
    pub(crate) fn totalled(&self) -> &[Totalled] {
        &self.totalled
    }

    /// Slots that the detection looks at.
    pub(crate) fn watched(&self) -> &Watched {
        &self.watched
    }

    /// How many owners there are: GPUs, engines and the host.
    pub(crate) fn owner_count(&self) -> usize {
        self.gpus() + self.engines() + 1
    }

    /// Position of an owner among all owners: GPUs, then engines, then the host.
    pub(crate) fn owner_position(&self, owner: Owner) -> usize {
        match owner {
            Owner::Gpu(position) => usize::from(position),
            Owner::Engine(position) => self.gpus() + usize::from(position),
            Owner::Host => self.gpus() + self.engines(),
        }
    }

    /// The period of a group in milliseconds.
    pub(crate) fn period_ms(&self, group: usize) -> u32 {
        self.periods_ms[group]
    }

    /// The slots of a group.
    pub(crate) fn group_slots(&self, group: usize) -> Range<usize> {
        usize::from(self.group_starts[group])..usize::from(self.group_starts[group + 1])
    }

    /// The group of an owner that is read most often; none when it has no group with values.
    pub(crate) fn fastest_group(&self, owner: Owner) -> Option<usize> {
        self.fastest.get(self.owner_position(owner)).copied().flatten().map(usize::from)
    }

    fn entries(&self, owner: Owner) -> &[(Metric, u16)] {
        let listed = match owner {
            Owner::Gpu(position) => position < self.gpus,
            Owner::Engine(position) => position < self.engines,
            Owner::Host => true,
        };
        if !listed {
            return &[];
        }
        let position = self.owner_position(owner);
        let (from, to) = (self.index_starts[position], self.index_starts[position + 1]);
        &self.index[usize::from(from)..usize::from(to)]
    }

    fn fill_index(&mut self) -> Result<(), Error> {
        let mut all: Vec<(u8, Metric, u16)> = (0u16..)
            .zip(self.owners.iter().zip(&self.slots))
            .map(|(position, (&owner, slot))| (owner, slot.metric, position))
            .collect();
        all.sort_unstable();
        let twin = all.windows(2).find(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1));
        if let Some(pair) = twin {
            let owner = self.owner(usize::from(pair[0].2));
            return Err(Error::Duplicate { owner, metric: pair[0].1 });
        }
        self.index_starts = (0..=self.owner_count())
            .map(|owner| all.partition_point(|entry| usize::from(entry.0) < owner))
            .map(|start| u16::try_from(start).expect("at most 4,096 slots"))
            .collect();
        self.index = all.into_iter().map(|(_, metric, slot)| (metric, slot)).collect();
        Ok(())
    }

    fn fill_groups(&mut self) {
        self.group_starts = (0..=self.groups.len())
            .map(|group| self.slots.partition_point(|slot| usize::from(slot.group) < group))
            .map(|start| u16::try_from(start).expect("at most 4,096 slots"))
            .collect();
        self.periods_ms = self
            .groups
            .iter()
            .map(|group| u32::try_from(group.period.as_millis()).expect("at most ten minutes"))
            .collect();
        let mut fastest: Vec<Option<u16>> = vec![None; self.owner_count()];
        for (group, it) in (0u16..).zip(&self.groups).filter(|(_, it)| !it.metrics.is_empty()) {
            let best = &mut fastest[self.owner_position(it.owner)];
            if best.is_none_or(|best| self.groups[usize::from(best)].period > it.period) {
                *best = Some(group);
            }
        }
        self.fastest = fastest.into_boxed_slice();
    }
}

impl Default for Layout {
    /// That of a node that reports nothing.
    fn default() -> Self {
        Layout::new(0, 0, Vec::new()).expect("no groups break no rule")
    }
}

impl fmt::Debug for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Layout")
            .field("gpus", &self.gpus)
            .field("engines", &self.engines)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

fn check_groups(gpus: usize, engines: usize, groups: &[Group]) -> Result<(), Error> {
    if groups.len() > SLOTS_MAX {
        return Err(Error::TooManyGroups(groups.len()));
    }
    let mut slots = 0;
    for (group, it) in groups.iter().enumerate() {
        let (position, listed) = match it.owner {
            Owner::Gpu(position) => (position, gpus),
            Owner::Engine(position) => (position, engines),
            Owner::Host => (0, 1),
        };
        if usize::from(position) >= listed {
            return Err(Error::UnknownOwner { group, owner: it.owner, listed });
        }
        if it.period < Duration::from_millis(1) || it.period > PERIOD_MAX {
            return Err(Error::Period { group, period: it.period });
        }
        if let Some(&metric) = it.metrics.iter().find(|metric| metric.owner() != it.owner.kind()) {
            return Err(Error::WrongOwner { group, owner: it.owner, metric });
        }
        slots += it.metrics.len();
        if slots > SLOTS_MAX {
            return Err(Error::TooManySlots);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(owner: Owner, metrics: &[Metric]) -> Group {
        Group { owner, period: Duration::from_secs(1), metrics: metrics.to_vec() }
    }

    #[test]
    fn every_slot_is_found_by_its_owner_and_metric() {
        let layout = Layout::new(
            2,
            1,
            vec![
                group(Owner::Gpu(1), &[Metric::GpuPowerMilliwatts, Metric::GpuUtilizationPercent]),
                group(Owner::Host, &[Metric::HostCpuUsedPpm]),
                group(Owner::Engine(0), &[Metric::EngineUp]),
                group(Owner::Gpu(1), &[Metric::GpuMemoryUsedBytes]),
            ],
        )
        .unwrap();
        for (position, slot) in layout.slots().iter().enumerate() {
            assert_eq!(layout.find(layout.owner(position), slot.metric), Some(position));
        }
        assert_eq!(layout.find(Owner::Gpu(0), Metric::GpuPowerMilliwatts), None);
        assert_eq!(layout.find(Owner::Gpu(2), Metric::GpuPowerMilliwatts), None);
        assert_eq!(layout.find(Owner::Engine(255), Metric::EngineUp), None);
        assert_eq!(layout.of(Owner::Gpu(1)).map(|(_, slot)| slot).collect::<Vec<_>>(), [1, 4, 0]);
    }

    #[test]
    fn what_is_wrong_with_a_layout_is_named() {
        let cpu = [Metric::HostCpuUsedPpm];
        let power = [Metric::GpuPowerMilliwatts];
        let long = Group { period: Duration::from_millis(600_001), ..group(Owner::Host, &cpu) };
        let never = Group { period: Duration::ZERO, ..group(Owner::Host, &cpu) };
        let cases = [
            (17, 0, vec![], "17 GPUs are more than the 16 that a node can report"),
            (0, 65, vec![], "65 engines are more than the 64 that a node can report"),
            (
                1,
                0,
                vec![group(Owner::Gpu(1), &power)],
                "group 0 belongs to GPU 1, but the snapshot lists only 1 of them",
            ),
            (
                0,
                0,
                vec![group(Owner::Engine(0), &[])],
                "group 0 belongs to engine 0, but the snapshot lists only 0 of them",
            ),
            (
                0,
                0,
                vec![group(Owner::Host, &power)],
                "group 0 belongs to the host, which has no gpu_power_milliwatts",
            ),
            (
                0,
                0,
                vec![group(Owner::Host, &cpu), group(Owner::Host, &cpu)],
                "host_cpu_used_ppm of the host is named twice",
            ),
            (0, 0, vec![long], "group 0 has a period of 600001 ms; it must be 1 to 600000 ms"),
            (0, 0, vec![never], "group 0 has a period of 0 ms; it must be 1 to 600000 ms"),
            (
                1,
                0,
                vec![group(Owner::Gpu(0), &[power[0]; 4097])],
                "the groups name more than 4096 series, the most that a node can report",
            ),
        ];
        for (gpus, engines, groups, text) in cases {
            assert_eq!(Layout::new(gpus, engines, groups).unwrap_err().to_string(), text);
        }
    }
}
