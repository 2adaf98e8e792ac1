//! What the policy sees, and what follows from its answer.

use super::World;
use super::queue::Event;
use crate::lifecycle::Phase;
use crate::scaler::{Observation, Replicas, Scaler};
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
        let zones = self.fleet.replicas();
        let replicas = Replicas::total(&zones);
        let engines = self.channel.seen(self.now);
        let observation = Observation {
            now: self.now.as_core(),
            wanted: self.wanted,
            replicas,
            zones,
            signals: telemetry::signals(&engines, replicas.ready + replicas.draining),
            engines,
            gateway_waiting: self.gateway_seen,
            start_times: self.start_times.iter().copied().collect(),
        };
        let wanted = scaler.decide(&observation);
        self.want(wanted);
        self.queue.push(self.now + self.setup.decide_every, Event::Decide);
    }
}
