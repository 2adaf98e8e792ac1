//! Everything a run is made of, apart from its requests and its policy.

mod spot;

pub use self::spot::read_removals;
use crate::lifecycle::Startup;
use crate::outcome::Objective;
use crate::profile::Profile;
use crate::router::Routing;
use crate::scaler::Wanted;
use crate::telemetry::Telemetry;
use crate::time::{SimTime, Span};

/// A zone by its place in [`Setup::zones`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ZoneIndex(pub usize);

/// A failure domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// For people.
    pub name: String,
    /// Replicas it has room for.
    pub replicas_max: u32,
}

/// Something that breaks at a given time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The replica with the lowest number that serves crashes.
    ReplicaCrash,
    /// The node with the lowest number dies with all that runs on it.
    NodeDown,
    /// So many nodes of the spot kind, lowest numbers first, are taken away after the notice.
    SpotNotice {
        /// How many.
        nodes: u32,
    },
    /// A zone goes dark and comes back empty.
    ZoneDown {
        /// Which.
        zone: ZoneIndex,
        /// For how long.
        lasts: Span,
    },
}

/// What breaks.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// At given times.
    pub scripted: Vec<(SimTime, Fault)>,
    /// Nodes that die by themselves, out of a thousand in a day, at any age alike; InfiniteHBD counts 4.2
    /// (data/README.md).
    pub node_deaths_per_1000_days: f64,
    /// How often a spot node is taken away, a day, at any age alike.
    pub spot_removals_per_day: f64,
    /// From the notice until a spot node is gone: 120 s at AWS, 30 s at GCP.
    pub spot_notice: Span,
    /// From a death until it is noticed, when the replica is asked for again. Requests are lost, and sent elsewhere, at once.
    pub noticed_after: Span,
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            scripted: Vec::new(),
            node_deaths_per_1000_days: 0.0,
            spot_removals_per_day: 0.0,
            spot_notice: Span::from_seconds(120),
            noticed_after: Span::from_seconds(3),
        }
    }
}

/// Money for a replica for an hour, in any unit, from when it has its node until it is gone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// Of one that stays.
    pub on_demand: f64,
    /// Of one that may be taken away.
    pub spot: f64,
}

/// A pool and what happens to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// The engine of every replica.
    pub profile: Profile,
    /// Fewest replicas, whatever the policy wants.
    pub replicas_min: u32,
    /// Most replicas, both kinds together.
    pub replicas_max: u32,
    /// What serves at the start.
    pub initial: Wanted,
    /// At least one.
    pub zones: Vec<Zone>,
    /// How long starts take.
    pub startup: Startup,
    /// How long an empty node is kept: cluster-autoscaler's 10 minutes.
    pub node_kept: Span,
    /// How long a replica may take to end what it has.
    pub drain_max: Span,
    /// Which replica gets a request.
    pub routing: Routing,
    /// Times a request may begin anew after its replica was lost.
    pub retries_max: u32,
    /// Requests in the system, all others are rejected: a bound on memory, some 100 bytes each.
    pub in_flight_max: u32,
    /// How the policy sees.
    pub telemetry: Telemetry,
    /// Between two decisions: the 15 s of Kubernetes' HPA.
    pub decide_every: Span,
    /// What breaks.
    pub faults: Faults,
    /// What it costs.
    pub prices: Prices,
    /// What users are promised.
    pub objective: Objective,
    /// How long after the last arrival the run waits for answers.
    pub settle_max: Span,
    /// Of all that is random but the requests, which have their own.
    pub seed: u64,
}

/// Why a setup cannot run.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SetupError {
    /// No zone.
    #[error("a pool needs a zone; name at least one")]
    NoZone,
    /// Limits the wrong way round.
    #[error("at least {min} and at most {max} replicas is no range; raise the maximum")]
    Limits {
        /// Fewest.
        min: u32,
        /// Most.
        max: u32,
    },
    /// A span that has to be over zero.
    #[error("{0} is zero; give a time over zero")]
    Zero(&'static str),
    /// A share that is none.
    #[error("{0} is {1}; give a share from 0 to 1")]
    Share(&'static str, f64),
    /// A price or a rate that is none.
    #[error("{0} is {1}; give a number from 0 up")]
    Negative(&'static str, f64),
    /// An engine that cannot work.
    #[error("the profile has {0}; correct it")]
    Profile(&'static str),
    /// A fault in a zone that is not there.
    #[error("a fault names zone {0}, and there are {1}; count zones from 0")]
    Zone(usize, usize),
    /// More at the start than there is room for.
    #[error("{0} replicas at the start do not fit the limits or the zones; lower them or raise those")]
    Initial(u32),
}

impl Setup {
    /// Three zones, two replicas at the start, and defaults that each field tells.
    pub fn new(profile: Profile) -> Setup {
        let zone = |name: &str| Zone { name: name.to_owned(), replicas_max: 1000 };
        Setup {
            startup: Startup::of(&profile),
            profile,
            replicas_min: 1,
            replicas_max: 100,
            initial: Wanted::on_demand(2),
            zones: vec![zone("a"), zone("b"), zone("c")],
            node_kept: Span::from_seconds(600),
            drain_max: Span::from_seconds(300),
            routing: Routing::LeastWork,
            retries_max: 1,
            in_flight_max: 1_000_000,
            telemetry: Telemetry::default(),
            decide_every: Span::from_seconds(15),
            faults: Faults::default(),
            prices: Prices { on_demand: 1.0, spot: 0.4 },
            objective: Objective::default(),
            settle_max: Span::from_seconds(600),
            seed: 1,
        }
    }

    /// Most replicas that both the limit and the zones allow.
    pub fn room(&self) -> u32 {
        let room: u64 = self.zones.iter().map(|zone| u64::from(zone.replicas_max)).sum();
        u32::try_from(room).map_or(self.replicas_max, |room| room.min(self.replicas_max))
    }

    /// So many replicas, brought to what there may be: at least one and the minimum, and at most what there is room for.
    pub(crate) fn clamped(&self, replicas: u32) -> u32 {
        replicas.max(self.replicas_min).max(1).min(self.room())
    }

    pub(crate) fn check(&self) -> Result<(), SetupError> {
        if self.zones.is_empty() {
            return Err(SetupError::NoZone);
        }
        if self.replicas_min > self.replicas_max {
            return Err(SetupError::Limits { min: self.replicas_min, max: self.replicas_max });
        }
        let initial = self.initial.total();
        if initial > self.room() {
            return Err(SetupError::Initial(initial));
        }
        let over_zero = [
            ("the sampling period", self.telemetry.period),
            ("the decision period", self.decide_every),
            ("the time until a death is noticed", self.faults.noticed_after),
        ];
        if let Some((name, _)) = over_zero.iter().find(|(_, span)| *span == Span::ZERO) {
            return Err(SetupError::Zero(name));
        }
        let Telemetry { period: _, lag: _, loss, nan, reset } = self.telemetry;
        let shares = [("loss", loss), ("nan", nan), ("reset", reset)];
        if let Some((name, share)) = shares.iter().find(|(_, share)| !(0.0..=1.0).contains(share)) {
            return Err(SetupError::Share(name, *share));
        }
        let amounts = [
            ("the on-demand price", self.prices.on_demand),
            ("the spot price", self.prices.spot),
            ("the rate of node deaths", self.faults.node_deaths_per_1000_days),
            ("the rate of spot removals", self.faults.spot_removals_per_day),
        ];
        if let Some((name, wrong)) = amounts.iter().find(|(_, it)| !(it.is_finite() && *it >= 0.0)) {
            return Err(SetupError::Negative(name, *wrong));
        }
        self.profile.check().map_err(SetupError::Profile)?;
        self.faults.scripted.iter().try_for_each(|(_, fault)| self.check_fault(*fault))
    }

    fn check_fault(&self, fault: Fault) -> Result<(), SetupError> {
        match fault {
            Fault::ZoneDown { zone, .. } if zone.0 >= self.zones.len() => {
                Err(SetupError::Zone(zone.0, self.zones.len()))
            }
            Fault::ZoneDown { .. } | Fault::ReplicaCrash | Fault::NodeDown | Fault::SpotNotice { .. } => {
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setup_that_cannot_run_says_why() {
        let with = |change: fn(&mut Setup)| {
            let mut setup = Setup::new(Profile::llama_8b_h100());
            change(&mut setup);
            setup.check().map_err(|error| error.to_string())
        };
        assert_eq!(with(|_| ()), Ok(()));
        for (change, part) in [
            ((|it| it.zones.clear()) as fn(&mut Setup), "needs a zone"),
            (|it| it.replicas_min = 101, "raise the maximum"),
            (|it| it.initial = Wanted::on_demand(101), "do not fit"),
            (|it| it.decide_every = Span::ZERO, "the decision period is zero"),
            (|it| it.telemetry.loss = f64::NAN, "loss is NaN"),
            (|it| it.prices.spot = -1.0, "the spot price is -1"),
            (|it| it.profile.seqs_max = 4096, "no room for prompts"),
        ] {
            let error = with(change).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
