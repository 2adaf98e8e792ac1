//! Sums, means and worst values, built one owner at a time. Integers, so that the order of owners does not matter.

use std::time::Duration;

use super::Signals;
use crate::fleet::{Freshness, Node, Slot};
use crate::layout::Owner;
use crate::metric::Metric;
use crate::time::Time;

/// The values of one owner that signals are made of; each is there only when it is fresh.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample<const COUNT: usize> {
    values: [Option<i64>; COUNT],
    /// Age of the oldest fresh value.
    age_ms: u64,
    /// Fresh when any value is, else stale when any is known, else missing.
    freshness: Freshness,
}

pub(super) type GpuSample = Sample<4>;
pub(super) type EngineSample = Sample<9>;

/// In order of their numbers.
const GPU: [Metric; 4] = [
    Metric::GpuUtilizationPercent,
    Metric::GpuMemoryUsedBytes,
    Metric::GpuMemoryTotalBytes,
    Metric::GpuPowerMilliwatts,
];

/// In order of their numbers.
const ENGINE: [Metric; 9] = [
    Metric::EngineRequestsRunning,
    Metric::EngineRequestsWaiting,
    Metric::EngineKvCacheUsagePpm,
    Metric::EngineTtftP95Microseconds,
    Metric::EngineItlP95Microseconds,
    Metric::EnginePromptTokensMilliPerSecond,
    Metric::EngineGenerationTokensMilliPerSecond,
    Metric::EngineRequestsMilliPerSecond,
    Metric::EngineErrorsMilliPerSecond,
];

impl GpuSample {
    pub(super) fn of(node: &Node, gpu: Owner, now: Time) -> GpuSample {
        Sample::read(node, gpu, &GPU, now)
    }
}

impl EngineSample {
    pub(super) fn of(node: &Node, position: u8, now: Time) -> EngineSample {
        Sample::read(node, Owner::Engine(position), &ENGINE, now)
    }
}

impl<const COUNT: usize> Sample<COUNT> {
    fn read(node: &Node, owner: Owner, metrics: &[Metric; COUNT], now: Time) -> Self {
        let mut sample = Sample { values: [None; COUNT], age_ms: 0, freshness: Freshness::Missing };
        // Both lists are ordered by metric, so one walk finds all.
        let mut reported = node.layout().of(owner).peekable();
        for (value, &metric) in sample.values.iter_mut().zip(metrics) {
            while reported.next_if(|(it, _)| *it < metric).is_some() {}
            let Some((_, slot)) = reported.next_if(|(it, _)| *it == metric) else { continue };
            let Slot { value: read, age_ms, freshness } = node.slot(slot, now);
            match freshness {
                Freshness::Fresh => {
                    *value = Some(read);
                    sample.age_ms = sample.age_ms.max(age_ms);
                    sample.freshness = Freshness::Fresh;
                }
                Freshness::Stale if sample.freshness == Freshness::Missing => {
                    sample.freshness = Freshness::Stale;
                }
                // Of the metrics above none counts up, so none can be reset.
                Freshness::Stale | Freshness::Missing | Freshness::Reset => {}
            }
        }
        sample
    }
}

/// One value over several owners.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    total: i128,
    worst: i64,
    count: u32,
}

impl Part {
    fn add(&mut self, value: Option<i64>) {
        if let Some(value) = value {
            self.worst = if self.count == 0 { value } else { self.worst.max(value) };
            self.total += i128::from(value);
            self.count += 1;
        }
    }

    fn merge(&mut self, other: &Part) {
        if other.count > 0 {
            self.worst = if self.count == 0 { other.worst } else { self.worst.max(other.worst) };
            self.total += other.total;
            self.count += other.count;
        }
    }

    /// The total, in units of which each holds `scale` of the metric's.
    fn total(self, scale: f64) -> Option<f64> {
        (self.count > 0).then(|| self.total as f64 / scale)
    }

    fn mean(self, scale: f64) -> Option<f64> {
        (self.count > 0).then(|| self.total as f64 / f64::from(self.count) / scale)
    }

    fn worst(self, scale: f64) -> Option<f64> {
        (self.count > 0).then(|| self.worst as f64 / scale)
    }
}

/// Signals in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    gpu: [Part; GPU.len()],
    engine: [Part; ENGINE.len()],
    age_ms: u64,
    owners: u32,
    fresh: u32,
    stale: u32,
}

impl Sum {
    pub(super) fn add_gpu(&mut self, sample: &GpuSample) {
        self.gpu.iter_mut().zip(sample.values).for_each(|(part, value)| part.add(value));
        self.note(sample.age_ms, sample.freshness);
    }

    pub(super) fn add_engine(&mut self, sample: &EngineSample) {
        self.engine.iter_mut().zip(sample.values).for_each(|(part, value)| part.add(value));
        self.note(sample.age_ms, sample.freshness);
    }

    pub(super) fn merge(&mut self, other: &Sum) {
        self.gpu.iter_mut().zip(&other.gpu).for_each(|(part, other)| part.merge(other));
        self.engine.iter_mut().zip(&other.engine).for_each(|(part, other)| part.merge(other));
        self.age_ms = self.age_ms.max(other.age_ms);
        self.owners += other.owners;
        self.fresh += other.fresh;
        self.stale += other.stale;
    }

    fn note(&mut self, age_ms: u64, freshness: Freshness) {
        self.owners += 1;
        self.fresh += u32::from(freshness == Freshness::Fresh);
        self.stale += u32::from(freshness == Freshness::Stale);
        self.age_ms = self.age_ms.max(age_ms);
    }

    pub(super) fn signals(&self) -> Signals {
        let [utilization, used, all, power] = self.gpu;
        let [running, waiting, cache, ttft, itl, prompt, generated, requests, errors] = self.engine;
        Signals {
            requests_running: running.total(1.0),
            requests_waiting: waiting.total(1.0),
            kv_cache_usage: cache.mean(1e6),
            ttft_p95_seconds: ttft.worst(1e6),
            itl_p95_seconds: itl.worst(1e6),
            generation_tokens_per_second: generated.total(1e3),
            prompt_tokens_per_second: prompt.total(1e3),
            requests_per_second: requests.total(1e3),
            errors_per_second: errors.total(1e3),
            gpu_utilization_percent: utilization.mean(1.0),
            gpu_memory_used_bytes: used.total(1.0),
            gpu_memory_total_bytes: all.total(1.0),
            gpu_power_watts: power.total(1e3),
            age: Duration::from_millis(self.age_ms),
            coverage: if self.owners == 0 { 0.0 } else { f64::from(self.fresh) / f64::from(self.owners) },
            freshness: match (self.fresh, self.stale) {
                (0, 0) => Freshness::Missing,
                (0, _) => Freshness::Stale,
                (_, _) => Freshness::Fresh,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metrics_are_listed_in_the_order_in_which_a_layout_lists_them() {
        assert!(GPU.is_sorted());
        assert!(ENGINE.is_sorted());
    }
}
