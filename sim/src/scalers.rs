//! The policies of the core as scalers: each turns what the simulator shows into the policy's input, keeps its memory,
//! and turns its proposal into a wanted number.
//!
//! - [`target`]: Kubernetes' HPA on processors, GPUs or queues, and KEDA, which is an HPA on a value from outside.
//! - [`mod@panic`]: Knative's KPA on requests in flight.
//! - [`weighted`]: the weighted score.
//! - [`threshold`]: above a limit for a time.
//! - [`fixed`]: a plan of numbers made beforehand.
//!
//! Every adapter may be asked as often as the setup likes and decides at the pace of what it stands for. Its values are
//! means over a window, as a query of Prometheus would give them, of samples as they were when it was asked. What each
//! value is, and what it leaves out, stands at [`view::Gauge`]. None of them learns anything of a request that the
//! telemetry does not show.

pub mod fixed;
pub mod panic;
pub mod target;
pub mod threshold;
pub mod view;
pub mod weighted;

use std::time::Duration;

use ostler_core::policy::proposal::Proposal;
use ostler_core::time::Time;

use crate::scaler::{Observation, Wanted};

/// What a proposal makes of the wanted number: none leaves it.
fn wanted(proposal: &Proposal, seen: &Observation) -> Wanted {
    proposal.replicas.map_or(seen.wanted, Wanted::on_demand)
}

/// Tells when something that has its own pace is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pace {
    every: Duration,
    due: Time,
}

impl Pace {
    /// Due at the first look, then this often.
    fn every(every: Duration) -> Pace {
        Pace { every, due: Time::ZERO }
    }

    /// Whether it is due. Then it is not, until its time has passed.
    fn is_due(&mut self, now: Time) -> bool {
        let due = now >= self.due;
        if due {
            self.due = now + self.every;
        }
        due
    }
}

#[cfg(test)]
pub(crate) mod scene {
    //! Observations for the tests of adapters.

    use std::time::Duration;

    use ostler_core::fleet::Freshness;
    use ostler_core::time::Time;

    use crate::lifecycle::Phase;
    use crate::replica::Rates;
    use crate::scaler::{Counts, Kind, Observation, ReplicaSeen, Wanted};
    use crate::setup::ZoneIndex;
    use crate::telemetry::{self, EngineSeen};

    /// What one engine shows: requests running and waiting, and the share of time in which it works.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct Load(pub(crate) u64, pub(crate) u64, pub(crate) f64);

    /// A pool in which these engines serve and so many replicas start.
    pub(crate) fn seen(at_s: u64, engines: &[Load], starting: u32) -> Observation {
        let now = Time::from_millis(at_s * 1000);
        let mut replicas: Vec<ReplicaSeen> =
            engines.iter().zip(1..).map(|(load, number)| ready(number, *load, now)).collect();
        let ready = replicas.len() as u32;
        let load = |number| replica(u64::from(ready + number), Phase::Load, now);
        replicas.extend((1..=starting).map(load));
        let counts = Counts { starting, ready, draining: 0 };
        let samples: Vec<EngineSeen> = replicas.iter().filter_map(|it| it.engine).collect();
        Observation {
            now,
            wanted: Wanted::on_demand(ready + starting),
            replicas,
            counts,
            zones: vec![counts],
            signals: telemetry::signals(&samples, ready),
            gateway_waiting: 0,
            start_times: Vec::new(),
        }
    }

    fn replica(number: u64, phase: Phase, now: Time) -> ReplicaSeen {
        ReplicaSeen {
            replica: number,
            zone: ZoneIndex(0),
            kind: Kind::OnDemand,
            phase,
            since: now,
            asked: now,
            engine: None,
        }
    }

    fn ready(number: u64, Load(running, waiting, busy_share): Load, now: Time) -> ReplicaSeen {
        let rates = Rates {
            prompt_tokens_per_second: 0.0,
            generation_tokens_per_second: 0.0,
            requests_per_second: 0.0,
            busy_share,
        };
        let engine = EngineSeen {
            replica: number,
            age: Duration::from_millis(100),
            freshness: Freshness::Fresh,
            running: Some(running),
            waiting: Some(waiting),
            kv_share: Some(0.5),
            ttft_p95: Some(Duration::from_millis(200)),
            itl_p95: None,
            rates: Some(rates),
        };
        // Ready for as long as the core's clock has run.
        ReplicaSeen { since: Time::ZERO, engine: Some(engine), ..replica(number, Phase::Ready, now) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_kept_however_often_it_is_asked() {
        let mut pace = Pace::every(Duration::from_secs(15));
        let due: Vec<u64> = (0..60).filter(|second| pace.is_due(Time::from_millis(second * 1000))).collect();
        assert_eq!(due, [0, 15, 30, 45]);
    }
}
