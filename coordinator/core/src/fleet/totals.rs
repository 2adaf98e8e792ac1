//! What a node's GPUs and engines come to together, added up while its values are at hand.
//!
//! A list of ten thousand nodes asks each for the sums of some thirty values that lie far apart in memory. Adding them up
//! with each row costs a hundredth of folding it; adding them up for the list would cost most of the list.

use super::bits;
use super::node::{Freshness, Node, PATIENCE};
use crate::inventory::GpuState;
use crate::layout::TOTALLED;
use crate::time::Time;

/// A sum over owners whose value is fresh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// In the unit of the metric; at most the largest number there is.
    pub total: i64,
    /// How many owners it is made of.
    pub count: u8,
}

impl Sum {
    /// The sum; none of nothing.
    pub fn sum(self) -> Option<f64> {
        (self.count > 0).then_some(self.total as f64)
    }

    /// The mean; none of nothing.
    pub fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.total as f64 / f64::from(self.count))
    }
}

/// Sums of one node, in the order of [`TOTALLED`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    sums: [Sum; TOTALLED.len()],
}

impl Totals {
    /// Over GPUs, 0-100 each.
    pub fn gpu_utilization_percent(&self) -> Sum {
        self.sums[0]
    }

    /// Over GPUs.
    pub fn gpu_memory_used_bytes(&self) -> Sum {
        self.sums[1]
    }

    /// Over GPUs.
    pub fn gpu_memory_total_bytes(&self) -> Sum {
        self.sums[2]
    }

    /// Over engines.
    pub fn requests_running(&self) -> Sum {
        self.sums[3]
    }

    /// Over engines: requests that wait for capacity.
    pub fn requests_waiting(&self) -> Sum {
        self.sums[4]
    }

    /// Of the host: its processors' busy share in millionths.
    pub fn cpu_used_ppm(&self) -> Sum {
        self.sums[5]
    }
}

/// Totals and until when they hold if nothing is read meanwhile.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kept {
    totals: Totals,
    until: Time,
    pub(super) gpus_ok: u8,
}

impl Node {
    /// What its GPUs and engines come to, over what is fresh.
    pub fn totals(&self, now: Time) -> Totals {
        if now <= self.kept.until { self.kept.totals } else { self.add_up(now).0 }
    }

    /// GPUs that are well by what the agent says, whether or not it still says anything.
    pub fn gpus_ok(&self) -> usize {
        usize::from(self.kept.gpus_ok)
    }

    /// To be called after values changed.
    pub(super) fn keep_totals(&mut self, now: Time) {
        (self.kept.totals, self.kept.until) = self.add_up(now);
    }

    /// To be called after states of GPUs changed.
    pub(super) fn count_gpus(&mut self) {
        let ok = self.gpus.iter().filter(|gpu| gpu.state == GpuState::Ok).count();
        self.kept.gpus_ok = u8::try_from(ok).expect("at most 16 GPUs");
    }

    /// The sums, and until when they hold. Freshness is a matter of groups, of which there are fewer than slots.
    fn add_up(&self, now: Time) -> (Totals, Time) {
        let mut totals = Totals::default();
        let mut until_ms = u64::MAX;
        for slots in self.layout.totalled().chunk_by(|a, b| a.group == b.group) {
            let group = usize::from(slots[0].group);
            if self.group_age(group, now).1 != Freshness::Fresh {
                continue;
            }
            let patience_ms = u64::from(self.layout.period_ms(group)) * u64::from(PATIENCE);
            until_ms = until_ms.min(self.sampled_at[group].as_millis() + patience_ms);
            for it in slots {
                let slot = usize::from(it.slot);
                if !bits::get(&self.absent, slot) {
                    let sum = &mut totals.sums[usize::from(it.total)];
                    sum.total = sum.total.saturating_add(self.values[slot]);
                    sum.count += 1;
                }
            }
        }
        (totals, Time::from_millis(until_ms))
    }
}
