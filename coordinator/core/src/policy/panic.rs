//! Knative's pod autoscaler (KPA): a slow window for the normal day, a fast one for the burst.
//!
//! The intuition: the count follows the mean of a stable window; when the much shorter panic window asks for twice what
//! is there, the pool panics: it follows the larger of the two and does not shrink until a whole stable window has
//! passed without such a burst. It decides as `pkg/autoscaler/scaling/autoscaler.go` of knative.dev/serving v0.51.0 does.
//! The limits of the pool are applied where proposals are merged, as Knative applies them outside too.
//!
//! What is measured comes in with [`Memory::record`], once a second for each source; [`propose`] only looks at it. A
//! memory that begins with more than one ready replica begins in panic, so that losing the windows never shrinks a pool.

mod buckets;
mod config;
mod delay;
#[cfg(test)]
mod tests;

use std::fmt;

pub use config::{Burst, Config, Reach, panic_window};

use self::buckets::Buckets;
use self::delay::DelayWindow;
use super::limits::REPLICAS_MAX;
use super::observation::{Milli, Pool};
use super::proposal::{self, Bounds, Evidence, Proposal};
use crate::time::Time;

/// Kept by the caller between two decisions. Other windows or another delay want a new memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    stable: Buckets,
    panic: Buckets,
    /// When the burst was last seen; none when the pool is calm.
    panicking: Option<Time>,
    /// The most that was wanted in this panic.
    panic_max: u32,
    /// None when nothing is delayed.
    delay: Option<DelayWindow>,
}

impl Memory {
    /// With this many ready replicas. More than one begin in panic.
    pub fn new(config: &Config, ready: u32, now: Time) -> Memory {
        config.check();
        Memory {
            stable: Buckets::new(config.stable_window),
            panic: Buckets::new(config.panic_window),
            panicking: (ready > 1).then_some(now),
            panic_max: ready,
            delay: DelayWindow::new(config.scale_down_delay),
        }
    }

    /// Adds what is in flight, or what came in this second, to the second that runs.
    pub fn record(&mut self, value: Milli, now: Time) {
        self.stable.record(value.as_f64(), now);
        self.panic.record(value.as_f64(), now);
    }
}

/// What the windows say.
#[derive(Clone, Copy, Debug)]
struct Observed {
    stable: f64,
    panic: f64,
}

/// What the pool should have by the two windows.
pub fn propose(pool: &Pool, config: &Config, memory: &mut Memory, now: Time) -> Proposal {
    if memory.stable.is_empty(now) {
        return Proposal {
            replicas: None,
            bounds: Bounds::NONE,
            evidence: Evidence::Lacking,
            reasons: vec![proposal::Reason::Panic(Reason::NoData)],
            conditions: Vec::new(),
        };
    }
    let observed = Observed { stable: memory.stable.average(now), panic: memory.panic.average(now) };
    let silent = memory.panic.is_silent(now);
    let mut reasons = Vec::new();
    let replicas = decide(observed, pool.serving(), config, memory, now, &mut reasons);
    if silent {
        reasons.push(Reason::Silent);
    }
    Proposal {
        replicas: Some(replicas),
        bounds: Bounds::NONE,
        evidence: if silent { Evidence::Lacking } else { Evidence::Enough },
        reasons: reasons.into_iter().map(proposal::Reason::Panic).collect(),
        conditions: Vec::new(),
    }
}

fn decide(
    observed: Observed,
    serving: u32,
    config: &Config,
    memory: &mut Memory,
    now: Time,
    reasons: &mut Vec<Reason>,
) -> u32 {
    let ready = f64::from(serving.max(1));
    let target = config.target_value.as_f64();
    let stable_asks = (observed.stable / target).ceil();
    let panic_asks = (observed.panic / target).ceil();
    let stable = reachable(stable_asks, ready, config);
    let panic = reachable(panic_asks, ready, config);
    reasons.push(Reason::Windows { stable, panic });
    let over = panic_asks / ready >= f64::from(config.panic_threshold_percent) / 100.0;
    turn(over, config, memory, now, reasons);
    let mut replicas = stable;
    if memory.panicking.is_some() {
        memory.panic_max = memory.panic_max.max(stable).max(panic);
        replicas = memory.panic_max;
        reasons.push(Reason::Panicking { replicas });
    }
    if let (Reach::Reachable, Some(delay)) = (config.reach, &mut memory.delay) {
        let delayed = delay.record(replicas, now);
        if delayed != replicas {
            reasons.push(Reason::Delayed { asked: replicas, replicas: delayed });
            replicas = delayed;
        }
    }
    reasons.push(Reason::ExcessBurst { capacity: excess_burst(observed, serving, config) });
    replicas
}

/// What a window asks for, as far as the pool may move at once, and at least what a woken pool begins with.
fn reachable(asked: f64, ready: f64, config: &Config) -> u32 {
    let most = (config.max_scale_up_rate.as_f64() * ready).ceil();
    let least = match config.reach {
        Reach::Reachable => (ready / config.max_scale_down_rate.as_f64()).floor(),
        Reach::Unreachable => 0.0,
    };
    let replicas = (asked.max(least).min(most) as u32).min(REPLICAS_MAX);
    if asked > 0.0 && config.activation_scale > 1 { replicas.max(config.activation_scale) } else { replicas }
}

/// Into panic, on in it, or out of it.
fn turn(over: bool, config: &Config, memory: &mut Memory, now: Time, reasons: &mut Vec<Reason>) {
    match memory.panicking {
        None if over => {
            memory.panicking = Some(now);
            reasons.push(Reason::PanicBegins);
        }
        Some(_) if over => memory.panicking = Some(now),
        Some(since) if since + config.stable_window < now => {
            memory.panicking = None;
            memory.panic_max = 0;
            reasons.push(Reason::PanicEnds);
        }
        None | Some(_) => {}
    }
}

/// How much more than the wanted burst the pool could take at once; negative when it could not.
fn excess_burst(observed: Observed, serving: u32, config: &Config) -> i32 {
    match config.target_burst {
        Burst::Unlimited => -1,
        Burst::None => 0,
        Burst::Capacity(burst) => {
            let total = f64::from(serving) * config.total_value.as_f64();
            (total - burst.as_f64() - observed.panic).floor() as i32
        }
    }
}

/// One step of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing was recorded for a whole stable window.
    NoData,
    /// Nothing was recorded for a whole panic window.
    Silent,
    /// What the two windows ask for, as far as the pool may move at once.
    Windows {
        /// The stable one.
        stable: u32,
        /// The panic one.
        panic: u32,
    },
    /// The panic window asks for far more than there is.
    PanicBegins,
    /// A whole stable window has passed without a burst.
    PanicEnds,
    /// In panic the pool only grows.
    Panicking {
        /// The most that was wanted in it.
        replicas: u32,
    },
    /// More was wanted within the delay of shrinking.
    Delayed {
        /// What is wanted now.
        asked: u32,
        /// The most within the delay.
        replicas: u32,
    },
    /// How much more than the wanted burst the pool could take at once.
    ExcessBurst {
        /// In the unit of the target; negative when it could not.
        capacity: i32,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NoData => f.write_str("nothing was measured for a whole stable window"),
            Reason::Silent => f.write_str("nothing was measured for a whole panic window"),
            Reason::Windows { stable, panic } => {
                write!(f, "the stable window asks for {stable}, the panic window for {panic}")
            }
            Reason::PanicBegins => f.write_str("panic begins: the burst needs far more than there is"),
            Reason::PanicEnds => f.write_str("panic ends: no burst for a whole stable window"),
            Reason::Panicking { replicas } => write!(f, "in panic the pool only grows: {replicas}"),
            Reason::Delayed { asked, replicas } => {
                write!(f, "{replicas} instead of {asked}: more was wanted within the delay")
            }
            Reason::ExcessBurst { capacity } if *capacity < 0 => {
                write!(f, "the pool lacks {} for the wanted burst", capacity.unsigned_abs())
            }
            Reason::ExcessBurst { capacity } => write!(f, "the pool has {capacity} beyond the wanted burst"),
        }
    }
}
