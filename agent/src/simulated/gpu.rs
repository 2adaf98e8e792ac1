//! One GPU: power follows load at once, temperature follows power slowly, clocks follow both.

use rand::RngExt;
use rand::rngs::StdRng;

use super::hardware::GpuModel;

/// Time in which the die goes 63 % of the way to its final temperature, in seconds.
const THERMAL_SECONDS: f64 = 18.0;

/// `nvmlClocksEventReasonGpuIdle`.
const REASON_IDLE: i64 = 0x1;

/// `nvmlClocksEventReasonSwPowerCap`.
const REASON_POWER_CAP: i64 = 0x4;

/// What runs on a GPU.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Work {
    /// Share of the time in which a kernel runs, 0-1.
    pub(super) busy: f64,
    /// How hard those kernels work the arithmetic units, 0-1: reading prompts does, decoding a small batch does not.
    pub(super) intensity: f64,
    /// Share of the memory that is allocated, 0-1.
    pub(super) memory: f64,
}

/// One GPU.
#[derive(Clone, Debug)]
pub(super) struct Gpu {
    pub(super) model: &'static GpuModel,
    /// Whether the driver can still reach it.
    pub(super) present: bool,
    pub(super) xid_errors: i64,
    pub(super) work: Work,
    pub(super) power_watts: f64,
    pub(super) temperature_celsius: f64,
    pub(super) energy_joules: f64,
    pub(super) clock_megahertz: f64,
    pub(super) nvlink_kibibytes: f64,
    /// How much warmer than its neighbours it sits, in degrees: the air reaches some slots later.
    slot_celsius: f64,
}

impl Gpu {
    pub(super) fn new(model: &'static GpuModel, random: &mut StdRng) -> Gpu {
        Gpu {
            model,
            present: true,
            xid_errors: 0,
            work: Work::default(),
            power_watts: model.power_idle_watts,
            temperature_celsius: model.temperature_idle_celsius,
            energy_joules: random.random_range(1e6..5e9),
            clock_megahertz: model.sm_clock_idle_megahertz,
            nvlink_kibibytes: 0.0,
            slot_celsius: random.random_range(0.0..5.0),
        }
    }

    /// Works for `seconds`.
    pub(super) fn tick(&mut self, work: Work, seconds: f64, random: &mut StdRng) {
        let model = self.model;
        self.work = work;
        let effort = (work.busy * (0.30 + 0.70 * work.intensity)).clamp(0.0, 1.0);
        let target = model.power_idle_watts + (model.power_limit_watts - model.power_idle_watts) * effort;
        let jitter = 1.0 + random.random_range(-0.015..0.015);
        self.power_watts = (self.power_watts + (target - self.power_watts) * 0.5) * jitter;
        self.power_watts =
            self.power_watts.clamp(model.power_idle_watts * 0.95, model.power_limit_watts * 1.01);
        let span = model.temperature_full_celsius - model.temperature_idle_celsius;
        let heat =
            (self.power_watts - model.power_idle_watts) / (model.power_limit_watts - model.power_idle_watts);
        let settles = model.temperature_idle_celsius + self.slot_celsius + span * heat;
        self.temperature_celsius += (settles - self.temperature_celsius) * seconds / THERMAL_SECONDS;
        self.energy_joules += self.power_watts * seconds;
        self.clock_megahertz = if work.busy < 0.01 {
            model.sm_clock_idle_megahertz
        } else {
            model.sm_clock_max_megahertz * (1.0 - 0.22 * (effort - 0.75).max(0.0))
        };
        self.nvlink_kibibytes += 4e6 * effort * seconds;
    }

    /// Bits of nvmlClocksEventReasons.
    pub(super) fn throttle_reasons(&self) -> i64 {
        if self.work.busy < 0.01 {
            REASON_IDLE
        } else if self.power_watts > 0.97 * self.model.power_limit_watts {
            REASON_POWER_CAP
        } else {
            0
        }
    }

    /// Memory in use, with what the driver itself takes when nothing runs.
    pub(super) fn memory_used_bytes(&self) -> i64 {
        (self.model.memory_bytes as f64 * self.work.memory) as i64 + self.model.memory_reserved_bytes / 2
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::super::hardware;
    use super::*;

    fn heat(work: Work, seconds: usize) -> Gpu {
        let mut random = StdRng::seed_from_u64(1);
        let mut gpu = Gpu::new(&hardware::H100, &mut random);
        (0..seconds * 10).for_each(|_| gpu.tick(work, 0.1, &mut random));
        gpu
    }

    #[test]
    fn power_follows_at_once_and_temperature_slowly() {
        let full = Work { busy: 1.0, intensity: 1.0, memory: 0.9 };
        let (short, long) = (heat(full, 2), heat(full, 120));
        assert!(short.power_watts > 650.0 && short.temperature_celsius < 45.0, "{short:?}");
        assert!((70.0..84.0).contains(&long.temperature_celsius), "{long:?}");
        assert!(long.clock_megahertz < f64::from(1_980) && long.clock_megahertz > 1_700.0, "{long:?}");
    }

    #[test]
    fn an_idle_gpu_stays_cool_and_says_that_it_idles() {
        let idle = heat(Work::default(), 60);
        assert!(idle.temperature_celsius < 36.0 && idle.power_watts < 80.0, "{idle:?}");
        assert_eq!(idle.throttle_reasons(), REASON_IDLE);
    }

    #[test]
    fn energy_is_the_sum_of_power() {
        let full = Work { busy: 1.0, intensity: 1.0, memory: 0.9 };
        let joules = heat(full, 60).energy_joules - heat(full, 50).energy_joules;
        assert!((6_500.0..7_100.0).contains(&joules), "{joules}");
    }
}
