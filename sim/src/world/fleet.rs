//! Replicas, the nodes they run on, and how they come and go.

use std::collections::BTreeMap;

use super::World;
use super::queue::Event;
use crate::lifecycle::Phase;
use crate::outcome::Scaling;
use crate::random::{self, Stream};
use crate::replica::Replica;
use crate::scaler::{Kind, ReplicaSeen, START_TIMES_MAX, Wanted};
use crate::setup::{Prices, Setup, ZoneIndex};
use crate::time::{SimTime, Span};

/// A replica.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) kind: Kind,
    pub(super) node: u64,
    pub(super) phase: Phase,
    /// Where those who do not know of its death think it stands, and since when.
    known: (Phase, SimTime),
    /// When it was asked for.
    asked: SimTime,
    /// When it got its node.
    billed_from: Option<SimTime>,
    /// What serves, once it is ready.
    pub(super) engine: Option<Replica>,
    /// Counts what was expected of it, so that an event that something else overtook is known.
    pub(super) version: u32,
    /// When its engine is due, as the queue knows.
    pub(super) due: Option<SimTime>,
    /// Requests it has.
    pub(super) in_flight: u32,
    /// Their work, as the router counts it.
    pub(super) work: Span,
}

#[derive(Debug)]
pub(super) struct Node {
    pub(super) zone: ZoneIndex,
    kind: Kind,
    /// When it is there.
    ready_at: SimTime,
    /// Whether the image is on it.
    pulled: bool,
    members: u32,
    /// When the last one left.
    empty_since: SimTime,
    /// Whether it will be taken away, and gets nothing new.
    pub(super) doomed: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct ZoneState {
    dark: bool,
    members: u32,
}

/// What replicas have come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bill {
    pub(super) used: Span,
    pub(super) cost: f64,
    pub(super) replicas_max: u32,
    pub(super) preemptions: u64,
}

/// All replicas and nodes.
#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) members: BTreeMap<u64, Member>,
    pub(super) nodes: BTreeMap<u64, Node>,
    zones: Vec<ZoneState>,
    /// Numbers given so far.
    numbered: u64,
    starts: Stream,
    pub(super) lives: Stream,
    prices: Prices,
    bill: Bill,
}

impl Member {
    /// Moves it on, for all to know.
    fn set(&mut self, phase: Phase, now: SimTime) {
        self.phase = phase;
        self.known = (phase, now);
    }
}

impl Node {
    /// Whether it can be taken away and that would be felt.
    pub(super) fn is_spot_in_use(&self) -> bool {
        self.kind == Kind::Spot && !self.doomed && self.members > 0
    }
}

impl Fleet {
    pub(super) fn new(setup: &Setup) -> Fleet {
        Fleet {
            members: BTreeMap::new(),
            nodes: BTreeMap::new(),
            zones: vec![ZoneState::default(); setup.zones.len()],
            numbered: 0,
            starts: random::stream(setup.seed, "starts", [0, 0]),
            lives: random::stream(setup.seed, "lives", [0, 0]),
            prices: setup.prices,
            bill: Bill::default(),
        }
    }

    /// Every replica as the orchestrator knows it, without what its engine shows.
    pub(super) fn seen(&self) -> impl Iterator<Item = ReplicaSeen> {
        self.members.iter().map(|(number, member)| ReplicaSeen {
            replica: *number,
            zone: self.nodes[&member.node].zone,
            kind: member.kind,
            phase: member.known.0,
            since: member.known.1.as_core(),
            asked: member.asked.as_core(),
            engine: None,
        })
    }

    pub(super) fn is_starting(&self) -> bool {
        self.members.values().any(|member| member.phase.is_starting())
    }

    pub(super) fn set_dark(&mut self, zone: ZoneIndex, dark: bool) {
        self.zones[zone.0].dark = dark;
    }

    /// Takes a replica out and bills it.
    pub(super) fn remove(&mut self, number: u64, now: SimTime) {
        let Some(member) = self.members.remove(&number) else { return };
        self.charge(&member, now);
        if let Some(node) = self.nodes.get_mut(&member.node) {
            node.members -= 1;
            node.empty_since = now;
            self.zones[node.zone.0].members -= 1;
        }
    }

    /// Bills all that is left.
    pub(super) fn close(&mut self, now: SimTime) -> Bill {
        let left: Vec<u64> = self.members.keys().copied().collect();
        left.into_iter().for_each(|number| self.remove(number, now));
        self.bill
    }

    fn charge(&mut self, member: &Member, now: SimTime) {
        let used = member.billed_from.map_or(Span::ZERO, |from| now.since(from));
        let price = match member.kind {
            Kind::OnDemand => self.prices.on_demand,
            Kind::Spot => self.prices.spot,
        };
        self.bill.used += used;
        self.bill.cost += used.as_seconds() / 3600.0 * price;
        self.bill.preemptions += member.engine.as_ref().map_or(0, Replica::preemptions);
    }

    /// The zone with the fewest replicas that is not dark and has room.
    fn zone(&self, setup: &Setup) -> Option<ZoneIndex> {
        let zones = self.zones.iter().zip(&setup.zones).enumerate();
        zones
            .filter(|(_, (state, zone))| !state.dark && state.members < zone.replicas_max)
            .min_by_key(|(at, (state, _))| (state.members, *at))
            .map(|(at, _)| ZoneIndex(at))
    }

    /// A node in the zone with a free place.
    fn free_node(&self, zone: ZoneIndex, kind: Kind, setup: &Setup) -> Option<u64> {
        let free = |node: &Node| {
            node.zone == zone
                && node.kind == kind
                && !node.doomed
                && node.members < setup.profile.replicas_per_node
        };
        self.nodes.iter().find(|(_, node)| free(node)).map(|(number, _)| *number)
    }

    fn number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }
}

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
            for _ in there.len()..wanted {
                self.start(kind);
            }
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

    fn start(&mut self, kind: Kind) {
        let Some(number) = self.place(kind, self.now) else {
            self.unplaced += 1;
            return;
        };
        let member = &self.fleet.members[&number];
        let node = &self.fleet.nodes[&member.node];
        if node.ready_at > self.now {
            self.enter(number, Phase::PendingNode);
        } else if node.pulled {
            self.enter(number, Phase::Load);
        } else {
            self.enter(number, Phase::Pull);
        }
    }

    /// Gives a replica a place on a node, new if need be; none when there is no room.
    fn place(&mut self, kind: Kind, now: SimTime) -> Option<u64> {
        let kept = self.setup.node_kept;
        self.fleet.nodes.retain(|_, node| node.members > 0 || now.since(node.empty_since) <= kept);
        let zone = self.fleet.zone(self.setup)?;
        let node = match self.fleet.free_node(zone, kind, self.setup) {
            Some(node) => node,
            None => self.new_node(zone, kind, now),
        };
        let number = self.fleet.number();
        self.fleet.nodes.get_mut(&node).expect("it was just found").members += 1;
        self.fleet.zones[zone.0].members += 1;
        let member = Member {
            kind,
            node,
            phase: Phase::PendingNode,
            known: (Phase::PendingNode, now),
            asked: now,
            billed_from: None,
            engine: None,
            version: 0,
            due: None,
            in_flight: 0,
            work: Span::ZERO,
        };
        self.fleet.members.insert(number, member);
        let there = u32::try_from(self.fleet.members.len()).expect("limits are 32 bits");
        self.fleet.bill.replicas_max = self.fleet.bill.replicas_max.max(there);
        Some(number)
    }

    /// Asks for a node. Those of the start are there.
    fn new_node(&mut self, zone: ZoneIndex, kind: Kind, now: SimTime) -> u64 {
        let initial = now == SimTime::ZERO;
        let number = self.fleet.number();
        let wait = self.setup.startup.pending_node.draw(&mut self.fleet.starts);
        let ready_at = if initial { now } else { now + wait };
        let node =
            Node { zone, kind, ready_at, pulled: initial, members: 0, empty_since: now, doomed: false };
        self.fleet.nodes.insert(number, node);
        self.draw_life(number, kind, ready_at);
        number
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
            member.billed_from.get_or_insert(self.now);
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
        member.billed_from.get_or_insert(self.now);
        member.set(Phase::Ready, self.now);
        member.version = member.version.wrapping_add(1);
        member.engine = Some(Replica::new(self.setup.profile.clone()));
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
