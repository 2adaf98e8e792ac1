//! What the panic policy is told, with Knative's defaults (`pkg/autoscaler/config/config.go`).

use std::time::Duration;

use crate::policy::observation::Milli;

/// One pool's panic policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// What one replica should have; positive.
    pub target_value: Milli,
    /// What one replica can have at most; at least the target.
    pub total_value: Milli,
    /// What the pool should be able to take on top at once.
    pub target_burst: Burst,
    /// Replicas of a pool that has anything to do; 0 or 1 for no rule.
    pub activation_scale: u32,
    /// Panic begins when the panic window asks for this share of what is there, in percent; above 100.
    pub panic_threshold_percent: u16,
    /// The pool at most grows to this multiple at once; above 1.
    pub max_scale_up_rate: Milli,
    /// The pool at most shrinks to one part in so many at once; above 1.
    pub max_scale_down_rate: Milli,
    /// The window of the normal day, whole seconds, at most 1 h.
    pub stable_window: Duration,
    /// The window of the burst, whole seconds, at most the stable one.
    pub panic_window: Duration,
    /// For how long the largest count holds; zero for no delay, at most 1 h.
    pub scale_down_delay: Duration,
    /// Whether requests can reach the pool.
    pub reach: Reach,
}

/// What a pool should be able to take on top at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Burst {
    /// Nothing.
    None,
    /// This much, in the unit of the target.
    Capacity(Milli),
    /// No pool is ever enough.
    Unlimited,
}

/// Whether requests can reach a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// They can.
    Reachable,
    /// They cannot: it may go at once.
    Unreachable,
}

impl Config {
    /// By requests in flight: 100 a replica, of which 70 % are wanted.
    pub fn concurrency() -> Config {
        Config::of(Milli::from_units(100))
    }

    /// By requests a second: 200 a replica, of which 70 % are wanted.
    pub fn requests_per_second() -> Config {
        Config::of(Milli::from_units(200))
    }

    /// Stops at a config that nobody may write.
    pub(super) fn check(&self) {
        let Config { target_value, total_value, max_scale_up_rate, max_scale_down_rate, .. } = self;
        assert!(0 < target_value.0 && target_value <= total_value, "0 < target <= total");
        assert!(1000 < max_scale_up_rate.0.min(max_scale_down_rate.0), "rates are above 1");
        assert!(self.panic_window <= self.stable_window, "the panic window is within the stable one");
    }

    /// With Knative's defaults and this much at most a replica.
    fn of(total_value: Milli) -> Config {
        let stable_window = Duration::from_secs(60);
        Config {
            target_value: Milli(total_value.0 / 10 * 7),
            total_value,
            target_burst: Burst::Capacity(Milli::from_units(211)),
            activation_scale: 1,
            panic_threshold_percent: 200,
            max_scale_up_rate: Milli::from_units(1000),
            max_scale_down_rate: Milli::from_units(2),
            stable_window,
            panic_window: panic_window(stable_window, 10),
            scale_down_delay: Duration::ZERO,
            reach: Reach::Reachable,
        }
    }
}

/// The panic window as a share of the stable one, in whole seconds and at least one.
pub fn panic_window(stable_window: Duration, percent: u32) -> Duration {
    let millis = stable_window.as_millis() * u128::from(percent) / 100;
    let seconds = u64::try_from((millis + 500) / 1000).unwrap_or(u64::MAX);
    Duration::from_secs(seconds.max(1))
}
