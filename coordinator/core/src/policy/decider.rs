//! Any policy together with what it remembers.
//!
//! Policies differ in what they keep between two looks and in what they have to be told. Here they are one thing that is
//! shown a pool again and again, so that whoever decides by one (a command over stored input, a replay) need not know
//! which it is. Shown the same pools at the same times, a decider proposes the same.

use std::time::Duration;

use super::observation::{MetricName, Pool};
use super::proposal::Proposal;
use super::{panic, schedule, target, threshold, weighted};
use crate::time::Time;

/// A policy and how it is set.
#[derive(Clone, Debug, PartialEq)]
pub enum Policy {
    /// Kubernetes' autoscaler.
    Target {
        /// How it is set.
        config: target::Config,
        /// What it remembers at first.
        beginning: Beginning,
    },
    /// Knative's.
    Panic {
        /// How it is set.
        config: panic::Config,
        /// The reading of the pool that it follows.
        metric: MetricName,
        /// What a reading says of the seconds before it.
        between: Between,
    },
    /// The weighted score.
    Weighted(weighted::Config),
    /// Above a limit for a time.
    Threshold(threshold::Config),
    /// By the hour of the week.
    Schedule(schedule::Config),
}

impl Policy {
    /// What it is called.
    pub fn kind(&self) -> Kind {
        match self {
            Policy::Target { .. } => Kind::Target,
            Policy::Panic { .. } => Kind::Panic,
            Policy::Weighted(_) => Kind::Weighted,
            Policy::Threshold(_) => Kind::Threshold,
            Policy::Schedule(_) => Kind::Schedule,
        }
    }
}

/// Which policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// [`target`].
    Target,
    /// [`mod@panic`].
    Panic,
    /// [`weighted`].
    Weighted,
    /// [`threshold`].
    Threshold,
    /// [`schedule`].
    Schedule,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 5] = [Kind::Target, Kind::Panic, Kind::Weighted, Kind::Threshold, Kind::Schedule];

    /// Its name, for example "target".
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Target => "target",
            Kind::Panic => "panic",
            Kind::Weighted => "weighted",
            Kind::Threshold => "threshold",
            Kind::Schedule => "schedule",
        }
    }
}

/// What an autoscaler of Kubernetes remembers before its first look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// The first count, as its controller does.
    FirstCount,
    /// Nothing, as its calculation alone does.
    Nothing,
    /// That it put the pool to sleep.
    Asleep,
}

/// What a reading says of the time since the reading before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// That it held in each second of it. Of several readings in a second the first counts.
    Held,
    /// Nothing: a second without a reading counts as one without load, and readings of one second add up, as in Knative.
    Nothing,
}

/// A policy and what it remembers.
#[derive(Clone, Debug, PartialEq)]
pub struct Decider {
    policy: Policy,
    memory: Memory,
    /// The last proposal that had a count, and when it was made.
    proposed: Option<(u32, Time)>,
    /// The pool's count when it was last shown; none before.
    count: Option<u32>,
}

/// What a policy remembers; none before the first look where it begins with what that shows.
#[derive(Clone, Debug, PartialEq)]
enum Memory {
    Target(Option<target::Memory>),
    Panic {
        windows: Option<panic::Memory>,
        /// When a reading was last added; none before.
        recorded: Option<Time>,
    },
    Weighted(weighted::Memory),
    Threshold(threshold::Memory),
    Schedule,
}

impl Decider {
    /// Before its first look.
    pub fn new(policy: Policy) -> Decider {
        let memory = match policy.kind() {
            Kind::Target => Memory::Target(None),
            Kind::Panic => Memory::Panic { windows: None, recorded: None },
            Kind::Weighted => Memory::Weighted(weighted::Memory::default()),
            Kind::Threshold => Memory::Threshold(threshold::Memory::default()),
            Kind::Schedule => Memory::Schedule,
        };
        Decider { policy, memory, proposed: None, count: None }
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Takes a look at the pool and decides nothing. A count that is not that of the look before was changed meanwhile: by
    /// this policy, when it is what it last proposed, and otherwise by somebody else.
    pub fn look(&mut self, pool: &Pool, now: Time) {
        let count = pool.replicas_wanted;
        if let Some(before) = self.count.replace(count).filter(|before| *before != count) {
            let own = self.proposed.filter(|(replicas, _)| *replicas == count).map(|(_, at)| at);
            self.scaled(before, count, own, now);
        }
        self.remember(pool, now);
    }

    /// Takes a look at the pool and decides.
    pub fn decide(&mut self, pool: &Pool, now: Time) -> Proposal {
        self.look(pool, now);
        let proposal = match (&self.policy, &mut self.memory) {
            (Policy::Target { config, .. }, Memory::Target(Some(memory))) => {
                target::propose(pool, config, memory, now)
            }
            (Policy::Panic { config, .. }, Memory::Panic { windows: Some(windows), .. }) => {
                panic::propose(pool, config, windows, now)
            }
            (Policy::Weighted(config), Memory::Weighted(memory)) => {
                weighted::propose(pool, config, memory, now)
            }
            (Policy::Threshold(config), Memory::Threshold(memory)) => {
                threshold::propose(pool, config, memory, now)
            }
            (Policy::Schedule(config), Memory::Schedule) => schedule::propose(config, now),
            (_, _) => unreachable!("a look begins the memory of its policy"),
        };
        self.proposed = proposal.replicas.map(|replicas| (replicas, now));
        proposal
    }

    /// Begins the memory at the first look, and adds to it what a policy follows between two decisions.
    fn remember(&mut self, pool: &Pool, now: Time) {
        match (&self.policy, &mut self.memory) {
            (Policy::Target { beginning, .. }, Memory::Target(memory)) => {
                memory.get_or_insert_with(|| match beginning {
                    Beginning::FirstCount => target::Memory::beginning(pool.replicas_wanted, now),
                    Beginning::Nothing => target::Memory::empty(),
                    Beginning::Asleep => target::Memory::asleep(now),
                });
            }
            (Policy::Panic { config, metric, between }, Memory::Panic { windows, recorded }) => {
                let windows = windows.get_or_insert_with(|| panic::Memory::new(config, pool.serving(), now));
                if let Some(sample) = pool.readings.of(metric).fresh() {
                    for at in seconds(*between, *recorded, config.stable_window, now) {
                        windows.record(sample.value, at);
                    }
                    *recorded = Some(now);
                }
            }
            (Policy::Weighted(_) | Policy::Threshold(_) | Policy::Schedule(_), _) => {}
            (Policy::Target { .. } | Policy::Panic { .. }, _) => {
                unreachable!("a decider has the memory of its policy")
            }
        }
    }

    /// Notes a change, by this policy at `own` or by somebody else.
    fn scaled(&mut self, from: u32, to: u32, own: Option<Time>, now: Time) {
        match (&self.policy, &mut self.memory) {
            (Policy::Target { config, .. }, Memory::Target(Some(memory))) => {
                if let Some(at) = own {
                    memory.scaled(config, from, to, at);
                }
            }
            (_, Memory::Weighted(memory)) => memory.scaled(own.unwrap_or(now)),
            (_, Memory::Threshold(memory)) => memory.scaled(own.unwrap_or(now)),
            (_, Memory::Target(_) | Memory::Panic { .. } | Memory::Schedule) => {}
        }
    }
}

/// The times at which a reading of now counts, each in another second, as far as a window reaches back.
fn seconds(
    between: Between,
    recorded: Option<Time>,
    window: Duration,
    now: Time,
) -> impl Iterator<Item = Time> {
    let second = |time: Time| time.as_millis() / 1000;
    let last = second(now);
    let first = match (between, recorded) {
        (Between::Held, Some(recorded)) => (second(recorded) + 1).max(second(now - window)),
        (Between::Held, None) | (Between::Nothing, _) => last,
    };
    (first..=last).map(|second| Time::from_millis(second * 1000))
}

#[cfg(test)]
mod tests;
