//! Which slots the detection looks at in each row, found once a layout: nearly all rows then need a few bit tests and no
//! look at what they say.

use super::{Layout, Owner};
use crate::metric::Metric;

/// Metrics by which a GPU is judged.
const JUDGED: [Metric; 3] =
    [Metric::GpuRecoveryAction, Metric::GpuRowRemapFailed, Metric::GpuSramEccThresholdExceeded];

/// What an engine has done: each grows when it gets on.
pub(crate) const DONE: [Metric; 3] =
    [Metric::EnginePromptTokensTotal, Metric::EngineGenerationTokensTotal, Metric::EngineRequestsTotal];

/// What an engine has to do.
const HELD: [Metric; 2] = [Metric::EngineRequestsRunning, Metric::EngineRequestsWaiting];

/// No slot: past the end of every bitmap.
const NONE: u16 = u16::MAX;

/// The slots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Watched {
    /// Those that GPUs are judged by.
    judged: Box<[u16]>,
    engines: Box<[Paced]>,
}

/// An engine of which it can be seen whether it gets on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paced {
    /// Position among the node's engines.
    pub(crate) engine: u8,
    /// The group of what it has to do.
    pub(crate) group: u16,
    done: [u16; DONE.len()],
    held: [u16; HELD.len()],
}

impl Watched {
    pub(super) fn of(layout: &Layout) -> Watched {
        let judged = (0u16..).zip(&layout.slots).filter(|(_, slot)| JUDGED.contains(&slot.metric));
        let engines = (0..layout.engines).filter_map(|engine| Paced::of(layout, engine));
        Watched { judged: judged.map(|(slot, _)| slot).collect(), engines: engines.collect() }
    }

    /// Whether a row that changed these slots changed what a GPU is judged by.
    #[inline]
    pub(crate) fn judges_by(&self, changed: &[u8]) -> bool {
        self.judged.iter().any(|slot| bit(changed, *slot))
    }

    /// Engines that did nothing by a row that changed these slots.
    #[inline]
    pub(crate) fn still<'a>(&'a self, changed: &'a [u8]) -> impl Iterator<Item = &'a Paced> {
        self.engines.iter().filter(|engine| !engine.done.iter().any(|slot| bit(changed, *slot)))
    }
}

impl Paced {
    fn of(layout: &Layout, engine: u8) -> Option<Paced> {
        let slot = |metric| layout.find(Owner::Engine(engine), metric);
        let small = |slot: Option<usize>| slot.and_then(|slot| u16::try_from(slot).ok()).unwrap_or(NONE);
        let held = HELD.map(slot);
        let group = layout.slots[held.into_iter().flatten().next()?].group;
        let done = DONE.map(slot).map(small);
        (done != [NONE; DONE.len()]).then_some(Paced { engine, group, done, held: held.map(small) })
    }

    /// Whether it has anything to do, by the values of all slots.
    pub(crate) fn has_work(&self, values: &[i64]) -> bool {
        self.held.iter().filter_map(|slot| values.get(usize::from(*slot))).any(|value| *value > 0)
    }
}

fn bit(bitmap: &[u8], bit: u16) -> bool {
    bitmap.get(usize::from(bit / 8)).is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Group;
    use super::*;

    fn layout(groups: &[(Owner, &[Metric])]) -> Layout {
        let group = |&(owner, metrics): &(Owner, &[Metric])| Group {
            owner,
            period: Duration::from_secs(1),
            metrics: metrics.to_vec(),
        };
        Layout::new(1, 3, groups.iter().map(group).collect()).unwrap()
    }

    #[test]
    fn a_row_matters_to_a_gpu_only_by_what_it_is_judged_by() {
        let layout = layout(&[(Owner::Gpu(0), &[Metric::GpuPowerMilliwatts, Metric::GpuRecoveryAction])]);
        assert!(!layout.watched().judges_by(&[]));
        assert!(!layout.watched().judges_by(&[0b01]));
        assert!(layout.watched().judges_by(&[0b11]));
    }

    #[test]
    fn an_engine_is_still_when_nothing_it_counts_has_moved_and_none_is_that_counts_nothing() {
        let layout = layout(&[
            (Owner::Engine(0), &[Metric::EngineRequestsRunning, Metric::EngineGenerationTokensTotal]),
            (Owner::Engine(1), &[Metric::EngineRequestsRunning, Metric::EngineKvCacheUsagePpm]),
            (Owner::Engine(2), &[Metric::EngineRequestsTotal, Metric::EngineRequestsWaiting]),
        ]);
        let still = |changed: &[u8]| -> Vec<u8> {
            layout.watched().still(changed).map(|engine| engine.engine).collect()
        };
        assert_eq!(still(&[]), [0, 2]);
        assert_eq!(still(&[0b00_1101]), [0, 2], "what it holds is not what it does");
        assert_eq!(still(&[0b00_0010]), [2]);
        assert_eq!(still(&[0b01_0010]), [] as [u8; 0]);
        let working = |values: &[i64]| -> Vec<u8> {
            layout.watched().still(&[]).filter(|it| it.has_work(values)).map(|it| it.engine).collect()
        };
        assert_eq!(working(&[0, 9, 9, 9, 9, 0]), [] as [u8; 0]);
        assert_eq!(working(&[1, 0, 0, 0, 0, 1]), [0, 2]);
    }
}
