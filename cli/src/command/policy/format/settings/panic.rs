//! Settings of `panic`, with Knative's defaults and words.

use std::time::Duration;

use ostler_core::policy::decider::{Between, Policy};
use ostler_core::policy::observation::{MetricName, Milli};
use ostler_core::policy::panic::{Burst, Config, Reach, panic_window};
use serde::{Deserialize, Serialize};

use super::positive;
use crate::command::policy::format::Wrong;
use crate::command::policy::format::amount::{Amount, Seconds};

/// Longest window, as Knative allows.
const WINDOW_MAX: Duration = Duration::from_secs(3_600);

/// The panic window, as a share of the stable one.
const PANIC_WINDOW_PERCENT: u32 = 10;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Panic {
    /// Which defaults: by requests in flight, or by requests a second.
    #[serde(default)]
    kind: Measure,
    /// The reading of the pool that is followed: `requests_in_flight` or `requests_per_second`.
    #[serde(skip_serializing_if = "Option::is_none")]
    metric: Option<String>,
    /// What one replica should have: 70, or 140 a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_value: Option<Amount>,
    /// What one replica can have at most: 100, or 200 a second, or the target where that is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_value: Option<Amount>,
    /// 211; 0 for none, -1 for a pool that is never enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    target_burst_capacity: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_scale: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    panic_threshold_percent: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_scale_up_rate: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_scale_down_rate: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stable_window_s: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    panic_window_s: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale_down_delay_s: Option<Seconds>,
    /// Requests can reach the pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    reachable: Option<bool>,
    /// What a reading says of the seconds since the one before.
    #[serde(default)]
    between: BetweenSpec,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Measure {
    #[default]
    Concurrency,
    RequestsPerSecond,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BetweenSpec {
    /// It held.
    #[default]
    Held,
    /// Nothing, as in Knative, which reads every second.
    Nothing,
}

impl Panic {
    pub(crate) fn policy(&self) -> Result<Policy, Wrong> {
        let metric = self.metric.as_deref().unwrap_or(match self.kind {
            Measure::Concurrency => "requests_in_flight",
            Measure::RequestsPerSecond => "requests_per_second",
        });
        let between = match self.between {
            BetweenSpec::Held => Between::Held,
            BetweenSpec::Nothing => Between::Nothing,
        };
        Ok(Policy::Panic { config: self.config()?, metric: MetricName::from(metric), between })
    }

    fn config(&self) -> Result<Config, Wrong> {
        let defaults = match self.kind {
            Measure::Concurrency => Config::concurrency(),
            Measure::RequestsPerSecond => Config::requests_per_second(),
        };
        let target_value = match self.target_value {
            Some(target) => positive("target_value", target)?.0,
            None => defaults.target_value,
        };
        let total_value = match self.total_value {
            Some(total) if total.0 < target_value => {
                return Err(Wrong::new(
                    "total_value",
                    format!("must be at least the target of {target_value}"),
                ));
            }
            Some(total) => total.0,
            None => defaults.total_value.max(target_value),
        };
        let stable_window =
            window("stable_window_s", self.stable_window_s, WINDOW_MAX)?.unwrap_or(defaults.stable_window);
        let own = panic_window(stable_window, PANIC_WINDOW_PERCENT);
        Ok(Config {
            target_value,
            total_value,
            target_burst: self.burst()?,
            activation_scale: self.activation_scale.unwrap_or(defaults.activation_scale),
            panic_threshold_percent: match self.panic_threshold_percent {
                Some(percent) if percent <= 100 => {
                    return Err(Wrong::new("panic_threshold_percent", "must be over 100"));
                }
                Some(percent) => percent,
                None => defaults.panic_threshold_percent,
            },
            max_scale_up_rate: rate("max_scale_up_rate", self.max_scale_up_rate, defaults.max_scale_up_rate)?,
            max_scale_down_rate: rate(
                "max_scale_down_rate",
                self.max_scale_down_rate,
                defaults.max_scale_down_rate,
            )?,
            stable_window,
            panic_window: window("panic_window_s", self.panic_window_s, stable_window)?.unwrap_or(own),
            scale_down_delay: match self.scale_down_delay_s {
                Some(Seconds(delay)) if delay > WINDOW_MAX => {
                    return Err(Wrong::new("scale_down_delay_s", "must be at most 3600"));
                }
                Some(Seconds(delay)) => delay,
                None => defaults.scale_down_delay,
            },
            reach: match self.reachable {
                None | Some(true) => Reach::Reachable,
                Some(false) => Reach::Unreachable,
            },
        })
    }

    fn burst(&self) -> Result<Burst, Wrong> {
        match self.target_burst_capacity.map(|burst| burst.0) {
            None => Ok(Config::concurrency().target_burst),
            Some(Milli(0)) => Ok(Burst::None),
            Some(Milli(-1000)) => Ok(Burst::Unlimited),
            Some(burst) if burst.0 > 0 => Ok(Burst::Capacity(burst)),
            Some(_) => Err(Wrong::new("target_burst_capacity", "must be 0 or more, or -1")),
        }
    }
}

fn window(key: &str, window: Option<Seconds>, most: Duration) -> Result<Option<Duration>, Wrong> {
    match window {
        Some(Seconds(window))
            if window < Duration::from_secs(1) || window > most || window.subsec_nanos() > 0 =>
        {
            Err(Wrong::new(key, format!("must be whole seconds from 1 to {}", most.as_secs())))
        }
        Some(Seconds(window)) => Ok(Some(window)),
        None => Ok(None),
    }
}

fn rate(key: &str, rate: Option<Amount>, default: Milli) -> Result<Milli, Wrong> {
    match rate {
        Some(rate) if rate.0.0 <= 1000 => Err(Wrong::new(key, "must be over 1")),
        Some(rate) => Ok(rate.0),
        None => Ok(default),
    }
}
