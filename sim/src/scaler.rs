//! What decides how many replicas there are: the interface to policies, and the two that prove it.
//!
//! A policy sees what a coordinator would see, late and with holes, and answers how many replicas it wants. The world
//! brings the answer within the pool's limits, starts and drains. A policy of the core is wired by a [`Scaler`] that turns an
//! [`Observation`] into the policy's input and its decision into [`Wanted`], and keeps what the policy has to remember:
//!
//! ```
//! use ostler_sim::profile::Profile;
//! use ostler_sim::scaler::{Observation, Scaler, Wanted};
//! use ostler_sim::{setup::Setup, world};
//!
//! struct HalfFullCache;
//!
//! impl Scaler for HalfFullCache {
//!     fn name(&self) -> &str {
//!         "half-full-cache"
//!     }
//!
//!     fn decide(&mut self, seen: &Observation) -> Wanted {
//!         let Some(usage) = seen.signals.kv_cache_usage else { return seen.wanted };
//!         Wanted::on_demand((f64::from(seen.counts.ready) * usage / 0.5).ceil() as u32)
//!     }
//! }
//!
//! let setup = Setup::new(Profile::llama_8b_h100());
//! let outcome = world::run(&setup, std::iter::empty(), &mut HalfFullCache, &mut |_| ()).unwrap();
//! assert_eq!(outcome.attainment(), 1.0);
//! ```

use std::time::Duration;

use ostler_core::signals::Signals;
use ostler_core::time::Time;

use crate::lifecycle::Phase;
use crate::setup::ZoneIndex;
use crate::telemetry::EngineSeen;

/// What is known when a decision is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The simulated moment on the core's clock.
    pub now: Time,
    /// What the last decision wanted, within the limits.
    pub wanted: Wanted,
    /// Every replica, in order of their numbers, as the orchestrator knows them: at once, but for deaths.
    pub replicas: Vec<ReplicaSeen>,
    /// The same counted.
    pub counts: Counts,
    /// The same counted by zone, in the order of the setup.
    pub zones: Vec<Counts>,
    /// What the engines' fresh samples add up to, as [`ostler_core::signals`] adds them.
    pub signals: Signals,
    /// Requests that wait before any engine because none serves, as of the last sample.
    pub gateway_waiting: u64,
    /// How long the latest starts took from asking to serving, oldest first, at most [`START_TIMES_MAX`].
    pub start_times: Vec<Duration>,
}

/// Start times that an observation holds: enough for a p95.
pub const START_TIMES_MAX: usize = 64;

/// A replica at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReplicaSeen {
    /// Its number, never used twice.
    pub replica: u64,
    /// Where it runs.
    pub zone: ZoneIndex,
    /// Whether it stays.
    pub kind: Kind,
    /// Where it stands; never lost, since who knows that has replaced it.
    pub phase: Phase,
    /// Since when.
    pub since: Time,
    /// When it was asked for.
    pub asked: Time,
    /// The latest sample of its engine that has arrived, if any.
    pub engine: Option<EngineSeen>,
}

/// Whether a replica stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Until we give it back.
    OnDemand,
    /// Until it is taken away.
    Spot,
}

/// Replicas by what they do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// On their way to serving.
    pub starting: u32,
    /// Those that serve, and the dead that are not known to be.
    pub ready: u32,
    /// On their way out.
    pub draining: u32,
}

impl Counts {
    pub(crate) fn add(&mut self, phase: Phase) {
        match phase {
            Phase::PendingNode | Phase::Pull | Phase::Load | Phase::Warm => self.starting += 1,
            Phase::Ready | Phase::Lost => self.ready += 1,
            Phase::Draining => self.draining += 1,
        }
    }
}

/// How many replicas are wanted, those that start included, those that drain not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// That stay until we give them back.
    pub on_demand: u32,
    /// That are cheaper and may be taken away.
    pub spot: u32,
}

impl Wanted {
    /// Only such that stay.
    pub const fn on_demand(replicas: u32) -> Wanted {
        Wanted { on_demand: replicas, spot: 0 }
    }

    /// Of both kinds.
    pub const fn total(self) -> u32 {
        self.on_demand.saturating_add(self.spot)
    }
}

/// A policy in the simulator.
pub trait Scaler {
    /// For people.
    fn name(&self) -> &str;

    /// How many are wanted from now on.
    fn decide(&mut self, seen: &Observation) -> Wanted;
}

/// Always the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Static(pub Wanted);

impl Scaler for Static {
    fn name(&self) -> &str {
        "static"
    }

    fn decide(&mut self, _seen: &Observation) -> Wanted {
        self.0
    }
}

/// As many replicas as bring the requests in the engines to a target for each; fewer only when asked for five minutes long.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueTarget {
    /// Requests for each replica, running and waiting, over 0.
    requests_per_replica: f64,
    /// Since when fewer have been enough, and the most that was needed in that time.
    fewer: Option<(Time, u32)>,
}

/// How long fewer have to be enough: the scale-down stabilization of Kubernetes' HPA.
const FEWER_FOR: Duration = Duration::from_secs(300);

impl QueueTarget {
    /// None unless the target is over 0.
    pub fn new(requests_per_replica: f64) -> Option<QueueTarget> {
        let valid = requests_per_replica.is_finite() && requests_per_replica > 0.0;
        valid.then_some(QueueTarget { requests_per_replica, fewer: None })
    }
}

impl Scaler for QueueTarget {
    fn name(&self) -> &str {
        "queue-target"
    }

    fn decide(&mut self, seen: &Observation) -> Wanted {
        let now = seen.wanted.total();
        let (Some(running), Some(waiting)) = (seen.signals.requests_running, seen.signals.requests_waiting)
        else {
            // Nothing is known of the engines; what waits before them still asks for one.
            return Wanted::on_demand(now.max(u32::from(seen.gateway_waiting > 0)));
        };
        let requests = running + waiting + seen.gateway_waiting as f64;
        let needed = (requests / self.requests_per_replica).ceil().min(f64::from(u32::MAX)) as u32;
        if needed >= now {
            self.fewer = None;
            return Wanted::on_demand(needed);
        }
        let (since, most) = self.fewer.unwrap_or((seen.now, needed));
        let most = most.max(needed);
        if seen.now.since(since) < FEWER_FOR {
            self.fewer = Some((since, most));
            return Wanted::on_demand(now);
        }
        self.fewer = Some((seen.now, needed));
        Wanted::on_demand(most)
    }
}
