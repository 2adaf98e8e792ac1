//! What the policy sees, and what follows from its answer.

use super::World;
use super::queue::Event;
use crate::lifecycle::Phase;
use crate::scaler::{Counts, Observation, ReplicaSeen, Scaler};
use crate::telemetry;

impl World<'_> {
    /// Samples every engine.
    pub(super) fn sample(&mut self) {
        for (number, member) in &mut self.fleet.members {
            if !matches!(member.phase, Phase::Ready | Phase::Draining) {
                continue;
            }
            let Some(engine) = member.engine.as_mut() else { continue };
            if self.channel.resets() {
                engine.reset_counters();
            }
            self.channel.send(*number, engine.read(self.now));
        }
        self.gateway_seen = self.flights.at_gateway();
        self.queue.push(self.now + self.setup.telemetry.period, Event::Sample);
    }

    pub(super) fn decide(&mut self, scaler: &mut dyn Scaler) {
        let engines = self.channel.seen(self.now);
        let mut counts = Counts::default();
        let mut zones = vec![Counts::default(); self.setup.zones.len()];
        let mut replicas: Vec<ReplicaSeen> = self.fleet.seen().collect();
        for replica in &mut replicas {
            counts.add(replica.phase);
            zones[replica.zone.0].add(replica.phase);
            let sampled = engines.binary_search_by_key(&replica.replica, |engine| engine.replica);
            replica.engine = sampled.ok().map(|at| engines[at]);
        }
        let observation = Observation {
            now: self.now.as_core(),
            wanted: self.wanted,
            replicas,
            counts,
            zones,
            signals: telemetry::signals(&engines, counts.ready + counts.draining),
            gateway_waiting: self.gateway_seen,
            start_times: self.start_times.iter().copied().collect(),
        };
        let wanted = scaler.decide(&observation);
        self.want(wanted);
        self.queue.push(self.now + self.setup.decide_every, Event::Decide);
    }
}
