//! Pools and policies for the tests.

use std::collections::BTreeMap;
use std::time::Duration;

use ostler_core::policy::limits::Limits;
use ostler_core::policy::observation::{
    MetricName, Milli, Phase, Pool, Readiness, Reading, Readings, Replica, Sample,
};
use ostler_core::policy::proposal::Proposal;
use ostler_core::policy::{panic, target, threshold, weighted};
use ostler_core::time::Time;
use proptest::prelude::*;

/// Far enough from the epoch for every window.
pub(crate) const START: Time = Time::from_millis(1_700_000_000_000);

/// The readings that the policies of these tests look at.
pub(crate) const NAMES: [&str; 4] = ["cpu_percent", "memory_percent", "response_ms", "queue_requests"];

pub(crate) fn after(seconds: u64) -> Time {
    START + Duration::from_secs(seconds)
}

pub(crate) fn limits() -> Limits {
    Limits::new(1, 50).expect("limits do not cross")
}

pub(crate) fn fresh(value: Milli, now: Time) -> Reading {
    Reading::Fresh(Sample { value, at: now, window: Duration::ZERO })
}

/// Replicas that serve, and readings of the pool in the order of [`NAMES`].
pub(crate) fn pool(replicas: u32, readings: [Reading; 4]) -> Pool {
    let replica = Replica {
        phase: Phase::Running,
        readiness: Readiness::Ready(START),
        leaving: false,
        started: Some(START),
        readings: Readings::default(),
        requests: BTreeMap::new(),
    };
    Pool {
        replicas_wanted: replicas,
        replicas_existing: replicas,
        replicas: vec![replica; replicas as usize],
        readings: NAMES.map(MetricName::from).into_iter().zip(readings).collect(),
    }
}

/// What is no fresh number.
pub(crate) fn absent() -> impl Strategy<Value = Reading> {
    let stale = Sample { value: Milli(0), at: START, window: Duration::ZERO };
    prop_oneof![
        Just(Reading::Stale(stale)),
        Just(Reading::Missing),
        Just(Reading::Failed),
        Just(Reading::NotFinite),
        Just(Reading::Reset),
    ]
}

/// Every policy that reads the pool, with its memory.
pub(crate) struct Policies {
    pub(crate) target: (target::Config, target::Memory),
    pub(crate) panic: (panic::Config, panic::Memory),
    pub(crate) weighted: (weighted::Config, weighted::Memory),
    pub(crate) threshold: (threshold::Config, threshold::Memory),
}

impl Policies {
    /// As they begin with so many replicas; thresholds that act at once, so that nothing but the data holds them back.
    pub(crate) fn new(replicas: u32) -> Policies {
        let metrics = NAMES.map(|name| target::Metric {
            name: name.into(),
            source: target::Source::External(target::PoolTarget::AverageValue(Milli(10_000))),
        });
        let mut target = target::Config::new(limits(), metrics.into());
        target.downscale_stabilization = Duration::ZERO;
        let panic = panic::Config::concurrency();
        let rules = NAMES.map(|name| threshold::Rule {
            above_lasting: Duration::ZERO,
            below_lasting: Duration::ZERO,
            ..threshold::Rule::source(name.into())
        });
        let threshold = threshold::Config { limits: limits(), rules: rules.into(), cooldown: Duration::ZERO };
        Policies {
            target: (target, target::Memory::empty()),
            panic: (panic, panic::Memory::new(&panic, replicas, START)),
            weighted: (weighted::Config::source(limits()).immediate(), weighted::Memory::default()),
            threshold: (threshold, threshold::Memory::default()),
        }
    }

    /// What each of them wants, by its name.
    pub(crate) fn propose(&mut self, pool: &Pool, now: Time) -> [(&'static str, Proposal); 4] {
        let Policies { target, panic, weighted, threshold } = self;
        [
            ("target", target::propose(pool, &target.0, &mut target.1, now)),
            ("panic", panic::propose(pool, &panic.0, &mut panic.1, now)),
            ("weighted", weighted::propose(pool, &weighted.0, &mut weighted.1, now)),
            ("threshold", threshold::propose(pool, &threshold.0, &mut threshold.1, now)),
        ]
    }
}
