//! Replicas asked for, started, and given up.

use super::World;
use super::queue::Event;
use crate::lifecycle::Phase;
use crate::outcome::Scaling;
use crate::replica::Replica;
use crate::scaler::{Kind, START_TIMES_MAX, Wanted};
use crate::time::SimTime;

impl World<'_> {
    pub(super) fn place_initial(&mut self) {
        let Wanted { on_demand, spot } = self.setup.initial;
        let kinds = [(Kind::OnDemand, on_demand), (Kind::Spot, spot)];
        for (kind, count) in kinds {
            for _ in 0..count {
                let number = self.place(kind, SimTime::ZERO).expect("the setup was checked");
                self.serve(number);
            }
        }
    }

    /// Brings the number of replicas to what is wanted, within the limits.
    pub(super) fn want(&mut self, wanted: Wanted) {
        let wanted = self.limited(wanted);
        if wanted != self.wanted {
            self.tally.scaled(Scaling { at: self.now, from: self.wanted, to: wanted });
            self.wanted = wanted;
        }
        self.reconcile();
    }

    fn limited(&self, wanted: Wanted) -> Wanted {
        let (min, max) = (self.setup.replicas_min, self.setup.replicas_max);
        let spot = wanted.spot.min(max);
        let on_demand = wanted.on_demand.min(max - spot).max(min.saturating_sub(spot));
        Wanted { on_demand, spot }
    }

    /// Starts what is missing and drains what is too much.
    pub(super) fn reconcile(&mut self) {
        for (kind, wanted) in [(Kind::OnDemand, self.wanted.on_demand), (Kind::Spot, self.wanted.spot)] {
            let mut there: Vec<u64> = self
                .fleet
                .members
                .iter()
                .filter(|(_, member)| member.kind == kind && member.phase != Phase::Draining)
                .map(|(number, _)| *number)
                .collect();
            let wanted = wanted as usize;
            let missing = wanted.saturating_sub(there.len());
            let started = (0..missing).take_while(|_| self.start(kind)).count();
            self.unplaced += (missing - started) as u64;
            if there.len() > wanted {
                there.sort_by_key(|number| self.dispensable(*number));
                there.truncate(there.len() - wanted);
                there.into_iter().for_each(|number| self.retire(number));
            }
        }
    }

    /// Order in which replicas are given up: the dead, those that start, latest first, then by requests in flight.
    fn dispensable(&self, number: u64) -> (u8, u64, u64) {
        let member = &self.fleet.members[&number];
        match member.phase {
            Phase::Lost => (0, 0, number),
            Phase::PendingNode | Phase::Pull | Phase::Load | Phase::Warm => (1, u64::MAX - number, 0),
            Phase::Ready | Phase::Draining => (2, u64::from(member.in_flight), number),
        }
    }

    /// Starts a replica, if there is a place for it.
    fn start(&mut self, kind: Kind) -> bool {
        let Some(number) = self.place(kind, self.now) else { return false };
        let member = &self.fleet.members[&number];
        let node = &self.fleet.nodes[&member.node];
        if node.ready_at > self.now {
            self.enter(number, Phase::PendingNode);
        } else if node.pulled {
            self.enter(number, Phase::Load);
        } else {
            self.enter(number, Phase::Pull);
        }
        true
    }

    /// Gives a replica a place; none when there is no room.
    fn place(&mut self, kind: Kind, now: SimTime) -> Option<u64> {
        let placed = self.fleet.place(kind, now, self.setup)?;
        if placed.node_is_new {
            self.draw_life(placed.node, kind, self.fleet.nodes[&placed.node].ready_at);
        }
        Some(placed.member)
    }

    /// Begins a phase.
    fn enter(&mut self, number: u64, phase: Phase) {
        let startup = &self.setup.startup;
        let law = match phase {
            Phase::PendingNode => None,
            Phase::Pull => Some(&startup.pull),
            Phase::Load => Some(&startup.load),
            Phase::Warm => Some(&startup.warm),
            Phase::Ready => return self.serve(number),
            Phase::Draining | Phase::Lost => return,
        };
        let took = law.map(|law| law.draw(&mut self.fleet.starts));
        let Some(member) = self.fleet.members.get_mut(&number) else { return };
        let node = self.fleet.nodes.get_mut(&member.node).expect("a replica has a node");
        let ends = took.map_or(node.ready_at, |took| self.now + took);
        if phase == Phase::Load {
            node.pulled = true;
        }
        if phase != Phase::PendingNode {
            member.bill_from(self.now);
        }
        member.set(phase, self.now);
        member.version = member.version.wrapping_add(1);
        self.queue.push(ends, Event::Phase { member: number, version: member.version });
    }

    pub(super) fn next_phase(&mut self, number: u64, version: u32) {
        let Some(member) = self.fleet.members.get(&number).filter(|it| it.version == version) else { return };
        if let Some(next) = member.phase.next() {
            self.enter(number, next);
        }
    }

    /// Lets a replica serve.
    fn serve(&mut self, number: u64) {
        let member = self.fleet.members.get_mut(&number).expect("it was just placed");
        member.bill_from(self.now);
        member.set(Phase::Ready, self.now);
        member.version = member.version.wrapping_add(1);
        member.engine = Some(Box::new(Replica::new(self.setup.profile.clone())));
        let took = self.now.since(member.asked);
        if self.now > SimTime::ZERO {
            self.tally.started(took);
            if self.start_times.len() == START_TIMES_MAX {
                self.start_times.pop_front();
            }
            self.start_times.push_back(took.as_duration());
        }
        self.flush_gateway();
    }

    /// Gives a replica up: at once when it does not serve, else when its requests have ended.
    fn retire(&mut self, number: u64) {
        let Some(member) = self.fleet.members.get_mut(&number) else { return };
        if member.phase == Phase::Ready && member.in_flight > 0 {
            member.set(Phase::Draining, self.now);
            self.queue.push(self.now + self.setup.drain_max, Event::DrainEnds { member: number });
        } else {
            self.dismiss(number);
        }
    }

    /// Lets a replica of a node that will be taken away end what it has.
    pub(super) fn drain_until(&mut self, number: u64, until: SimTime) {
        let Some(member) = self.fleet.members.get_mut(&number) else { return };
        match member.phase {
            Phase::Ready if member.in_flight > 0 => {
                member.set(Phase::Draining, self.now);
                self.queue.push(until, Event::DrainEnds { member: number });
            }
            Phase::Draining => self.queue.push(until, Event::DrainEnds { member: number }),
            Phase::PendingNode | Phase::Pull | Phase::Load | Phase::Warm | Phase::Ready | Phase::Lost => {
                self.dismiss(number);
            }
        }
    }

    /// Takes out a replica that has no requests.
    pub(super) fn dismiss(&mut self, number: u64) {
        self.fleet.remove(number, self.now);
        self.channel.forget(number);
    }
}
