//! The values of one synthetic node: eight GPUs that serve a language model together, and the engine on them.
//!
//! Each second the load of the engine takes a step of a bounded random walk. GPU utilization, memory utilization and
//! power follow it with their own noise (power to the milliwatt, as NVML gives it), energy is the sum of power with a
//! measuring error, the clock leaves its maximum now and then, temperatures follow power slowly. Every tenth second the
//! slow group (PCIe, limits) is read. The engine's queue, rates and quantiles change nearly every second. About 55 of
//! the 172 values change each second, most of them by noise that no compression can foresee.

use ostler_proto::v1::Metric;

/// GPUs of a node.
pub const GPUS: usize = 8;

/// Seconds between readings of a GPU's slow group.
pub(super) const SLOW_PERIOD: u64 = 10;

/// Values of a GPU that are read each second.
pub(super) const GPU_FAST: usize = 10;

/// What is measured on each GPU, the fast group first.
pub const GPU_METRICS: [Metric; 19] = [
    Metric::GpuUtilizationPercent,
    Metric::GpuMemoryUtilizationPercent,
    Metric::GpuMemoryUsedBytes,
    Metric::GpuTemperatureCelsius,
    Metric::GpuMemoryTemperatureCelsius,
    Metric::GpuPowerMilliwatts,
    Metric::GpuEnergyMillijoulesTotal,
    Metric::GpuSmClockMegahertz,
    Metric::GpuMemoryClockMegahertz,
    Metric::GpuThrottleReasons,
    Metric::GpuMemoryTotalBytes,
    Metric::GpuMemoryReservedBytes,
    Metric::GpuPowerLimitMilliwatts,
    Metric::GpuPcieLinkGeneration,
    Metric::GpuPcieLinkWidth,
    Metric::GpuPcieTxKibibytesPerSecond,
    Metric::GpuPcieRxKibibytesPerSecond,
    Metric::GpuPcieReplayTotal,
    Metric::GpuEccCorrectedVolatileTotal,
];

/// What is measured on the engine.
pub const ENGINE_METRICS: [Metric; 20] = [
    Metric::EngineUp,
    Metric::EngineRequestsRunning,
    Metric::EngineRequestsWaiting,
    Metric::EngineKvCacheUsagePpm,
    Metric::EngineTtftP50Microseconds,
    Metric::EngineTtftP95Microseconds,
    Metric::EngineTtftP99Microseconds,
    Metric::EngineItlP50Microseconds,
    Metric::EngineItlP95Microseconds,
    Metric::EngineItlP99Microseconds,
    Metric::EngineQueueTimeP50Microseconds,
    Metric::EngineQueueTimeP95Microseconds,
    Metric::EngineQueueTimeP99Microseconds,
    Metric::EnginePromptTokensMilliPerSecond,
    Metric::EngineGenerationTokensMilliPerSecond,
    Metric::EngineRequestsMilliPerSecond,
    Metric::EngineErrorsMilliPerSecond,
    Metric::EnginePromptTokensTotal,
    Metric::EngineGenerationTokensTotal,
    Metric::EngineRequestsTotal,
];

/// Values of a node: `8 * 19 + 20`.
pub(super) const VALUES: usize = GPUS * GPU_METRICS.len() + ENGINE_METRICS.len();

const GIBIBYTE: i64 = 1 << 30;
const MEBIBYTE: i64 = 1 << 20;

/// A node whose values move on by one second with each [`Node::step`].
#[derive(Clone, Debug)]
pub struct Node {
    noise: Noise,
    /// Share of the engine's capacity in use, 0 to 1.
    load: f64,
    second: u64,
    gpus: [[i64; GPU_METRICS.len()]; GPUS],
    engine: [i64; ENGINE_METRICS.len()],
}

impl Node {
    /// A node whose whole future follows from `seed`.
    pub fn new(seed: u64) -> Self {
        let mut noise = Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let load = 0.3 + 0.6 * noise.unit();
        let mut node = Self {
            noise,
            load,
            second: 0,
            gpus: [[0; GPU_METRICS.len()]; GPUS],
            engine: [0; ENGINE_METRICS.len()],
        };
        for gpu in 0..GPUS {
            node.start_gpu(gpu);
        }
        node.engine[0] = 1;
        node.engine[17] = node.noise.below(1 << 32);
        node.engine[18] = node.noise.below(1 << 31);
        node.engine[19] = node.noise.below(1 << 22);
        node.step();
        node
    }

    /// All values in slot order: GPU by GPU, then the engine.
    pub fn values(&self) -> Vec<i64> {
        self.gpus.iter().flatten().chain(&self.engine).copied().collect()
    }

    /// True when the slow group was read in this second.
    pub fn slow_sampled(&self) -> bool {
        self.second.is_multiple_of(SLOW_PERIOD)
    }

    /// One second passes.
    pub fn step(&mut self) {
        self.second += 1;
        self.load = (self.load + 0.02 * self.noise.normal()).clamp(0.05, 1.0);
        for gpu in 0..GPUS {
            self.step_gpu(gpu);
        }
        self.step_engine();
    }

    fn start_gpu(&mut self, gpu: usize) {
        let used = 120 * GIBIBYTE + self.noise.below(2048) * MEBIBYTE;
        let energy = self.noise.below(1 << 40);
        let values = &mut self.gpus[gpu];
        values[2] = used;
        values[3] = 45;
        values[4] = 52;
        values[6] = energy;
        values[8] = 3201;
        values[10] = 141 * GIBIBYTE;
        values[11] = 640 * MEBIBYTE;
        values[12] = 700_000;
        values[13] = 5;
        values[14] = 16;
    }

    fn step_gpu(&mut self, gpu: usize) {
        let noise = &mut self.noise;
        let values = &mut self.gpus[gpu];
        let used = (100.0 * self.load + 4.0 * noise.normal()).clamp(0.0, 100.0);
        values[0] = used as i64;
        values[1] = (0.6 * used + 2.0 * noise.normal()).clamp(0.0, 100.0) as i64;
        if noise.chance(0.01) {
            values[2] += (noise.below(64) - 32) * 2 * MEBIBYTE;
        }
        let watts = 110.0 + 5.2 * used + 6.0 * noise.normal();
        values[5] = (1000.0 * watts) as i64;
        values[6] += (1000.0 * (watts + 2.0 * noise.normal())) as i64;
        let warm = 32 + (watts / 16.0) as i64;
        if noise.chance(0.2) {
            values[3] += (warm - values[3]).signum();
            values[4] = values[3] + 7;
        }
        values[7] = if noise.chance(0.1) { 1980 - 15 * noise.below(8) } else { 1980 };
        values[9] = if watts > 600.0 { 4 } else { 0 };
        if self.second.is_multiple_of(SLOW_PERIOD) {
            values[15] = (self.load * 800_000.0 * (1.0 + 0.1 * noise.normal())) as i64;
            values[16] = (self.load * 500_000.0 * (1.0 + 0.1 * noise.normal())) as i64;
        }
    }

    fn step_engine(&mut self) {
        let load = self.load;
        let noise = &mut self.noise;
        let values = &mut self.engine;
        let mut around =
            |center: f64, spread: f64| (center * (1.0 + spread * noise.normal())).max(0.0) as i64;
        values[1] = around(240.0 * load, 0.03);
        values[2] = around(if load > 0.85 { 400.0 * (load - 0.85) } else { 0.0 }, 0.2);
        values[3] = around(900_000.0 * load, 0.01).min(1_000_000);
        let crowd = 1.0 / (1.1 - load);
        for (slot, center) in [
            (4, 80_000.0),
            (5, 210_000.0),
            (6, 390_000.0),
            (7, 18_000.0),
            (8, 24_000.0),
            (9, 41_000.0),
            (10, 2_000.0),
            (11, 9_000.0),
            (12, 22_000.0),
        ] {
            values[slot] = around(center * crowd, 0.02);
        }
        let prompt = around(24_000.0 * load, 0.05);
        let generation = around(9_000.0 * load, 0.02);
        let requests = around(14.0 * load, 0.15);
        values[13] = 1000 * prompt;
        values[14] = 1000 * generation;
        values[15] = 1000 * requests;
        values[17] += prompt;
        values[18] += generation;
        values[19] += requests;
    }
}

/// A small deterministic source of noise (xorshift64*), so that every run sends the same bytes.
#[derive(Clone, Debug)]
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Uniform in 0 to 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `0..limit`.
    fn below(&mut self, limit: i64) -> i64 {
        (self.unit() * limit as f64) as i64
    }

    fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// About normal with variance one: the sum of twelve uniforms less six.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_a_third_of_the_values_change_each_second() {
        let mut node = Node::new(7);
        let mut changed = 0;
        for _ in 0..100 {
            let before = node.values();
            node.step();
            changed += before.iter().zip(node.values()).filter(|(a, b)| **a != *b).count();
        }
        assert_eq!(node.values().len(), VALUES);
        assert!((40..75).contains(&(changed / 100)), "{} of {VALUES} values change", changed / 100);
    }
}
