//! Replicas, the nodes they run on, and how they come and go.

use std::collections::BTreeMap;

use crate::lifecycle::Phase;
use crate::random::{self, Stream};
use crate::replica::Replica;
use crate::scaler::{Kind, ReplicaSeen};
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
    pub(super) asked: SimTime,
    /// When it got its node.
    billed_from: Option<SimTime>,
    /// What serves, once it is ready. Boxed, since routing looks at every member and seldom at its engine.
    pub(super) engine: Option<Box<Replica>>,
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
    pub(super) ready_at: SimTime,
    /// Whether the image is on it.
    pub(super) pulled: bool,
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

/// A replica that has just got its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) member: u64,
    pub(super) node: u64,
    /// Whether the node was made for it.
    pub(super) node_is_new: bool,
}

/// What replicas have come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bill {
    /// By all replicas together: in a span, 5,124 hours would be the most.
    pub(super) used_seconds: f64,
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
    pub(super) starts: Stream,
    pub(super) lives: Stream,
    prices: Prices,
    bill: Bill,
}

impl Member {
    fn new(kind: Kind, node: u64, now: SimTime) -> Member {
        Member {
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
        }
    }

    /// Bills it from now on, if it is not billed yet.
    pub(super) fn bill_from(&mut self, now: SimTime) {
        self.billed_from.get_or_insert(now);
    }

    /// Moves it on, for all to know.
    pub(super) fn set(&mut self, phase: Phase, now: SimTime) {
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

    /// Gives a replica a place on a node, new if need be; none when there is no room.
    pub(super) fn place(&mut self, kind: Kind, now: SimTime, setup: &Setup) -> Option<Placed> {
        self.nodes.retain(|_, node| node.members > 0 || now.since(node.empty_since) <= setup.node_kept);
        let zone = self.zone(setup)?;
        let free = self.free_node(zone, kind, setup);
        let node = free.unwrap_or_else(|| self.new_node(zone, kind, now, setup));
        self.nodes.get_mut(&node).expect("it is there").members += 1;
        self.zones[zone.0].members += 1;
        let member = self.number();
        self.members.insert(member, Member::new(kind, node, now));
        let there = u32::try_from(self.members.len()).expect("limits are 32 bits");
        self.bill.replicas_max = self.bill.replicas_max.max(there);
        Some(Placed { member, node, node_is_new: free.is_none() })
    }

    /// Asks for a node. Those of the start are there, with the image on them.
    fn new_node(&mut self, zone: ZoneIndex, kind: Kind, now: SimTime, setup: &Setup) -> u64 {
        let initial = now == SimTime::ZERO;
        let wait = setup.startup.pending_node.draw(&mut self.starts);
        let node = Node {
            zone,
            kind,
            ready_at: if initial { now } else { now + wait },
            pulled: initial,
            members: 0,
            empty_since: now,
            doomed: false,
        };
        let number = self.number();
        self.nodes.insert(number, node);
        number
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
        let used_seconds = member.billed_from.map_or(0.0, |from| now.since(from).as_seconds());
        let price = match member.kind {
            Kind::OnDemand => self.prices.on_demand,
            Kind::Spot => self.prices.spot,
        };
        self.bill.used_seconds += used_seconds;
        self.bill.cost += used_seconds / 3600.0 * price;
        self.bill.preemptions += member.engine.as_ref().map_or(0, |engine| engine.preemptions());
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
