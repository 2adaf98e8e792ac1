//! The observer proves itself first: do we reach enough of the fleet to accuse anybody, and do others agree?

use std::collections::BTreeMap;
use std::time::Duration;

use super::fact::{Replica, ZoneReach};
use super::judge::Sign;
use super::zone::Zone;
use crate::id::ZoneId;
use crate::time::Time;

/// How long another replica counts as alive after it said what it reaches.
const REPLICA_FRESH: Duration = Duration::from_secs(5);

/// How long one that is new remembers how many nodes another replica reached, once none is heard any more. Whoever is cut
/// off hears nobody, and must not take for the whole fleet the few nodes that reached it first. Later it knows them itself,
/// and which of them have left.
const NEW_HERE: Duration = Duration::from_secs(600);

/// Replicas followed; more than any deployment runs.
const REPLICAS_MAX: usize = 16;

/// How long a leader may reach less than half of what another replica does.
const OUTREACHED: Duration = Duration::from_secs(5);

/// How long a coordinator that is new, or just led astray, learns at most. The usual 15 s would alone spend the 8 s
/// in which a node that died with the leader is to be found; since silence is followed by probes, and not by a verdict,
/// it can be short.
const LEARNING: Duration = Duration::from_secs(3);

/// Nodes that a zone must have for its loss to say something about us.
const ZONE_MIN: u32 = 3;

/// What we know of ourselves and of other replicas.
#[derive(Clone, Debug, Default)]
pub(super) struct Observer {
    /// Whether our election key was ours when last read; none when it is never read.
    pub(super) key_held: Option<bool>,
    pub(super) leading: bool,
    /// When the first fact came.
    began: Option<Time>,
    /// Until when we learn at most; none when we know enough.
    pub(super) learning_until: Option<Time>,
    /// Since when another replica has reached more than twice as much.
    outreached_since: Option<Time>,
    replicas: BTreeMap<Box<str>, Known>,
}

/// What another replica said.
#[derive(Clone, Debug)]
struct Known {
    at: Time,
    reach: BTreeMap<ZoneId, ZoneReach>,
}

/// Why we do not trust what we see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Our election key is not ours, or cannot be read.
    KeyMissing,
    /// We reach too little of the fleet, and nobody confirms that it is gone.
    Reach {
        /// All nodes but those of zones that others confirm as lost.
        nodes: ZoneReach,
        /// Zones of which at least half is reached.
        zones_reached: u32,
        /// Zones looked at.
        zones: u32,
    },
}

/// Why a leader should step down.
#[derive(Clone, Debug, PartialEq)]
pub enum Resignation {
    /// Another replica has reached more than twice as much of the fleet for five seconds.
    Outreached {
        /// Its name.
        replica: Box<str>,
        /// Share of the fleet that it reaches, 0-1.
        theirs: f64,
        /// Share that we reach, 0-1.
        ours: f64,
    },
    /// Our local health is so bad that others do better.
    Unwell {
        /// 0-8.
        score: u8,
    },
}

impl Observer {
    pub(super) fn learn(&mut self, now: Time) {
        self.began.get_or_insert(now);
        self.learning_until = Some(now + LEARNING);
    }

    pub(super) fn began(&self) -> Option<Time> {
        self.began
    }

    pub(super) fn learning(&self) -> bool {
        self.learning_until.is_some()
    }

    pub(super) fn note_replica(&mut self, replica: Replica<'_>, now: Time) {
        self.replicas.retain(|_, known| now.since(known.at) <= NEW_HERE);
        let reach = replica.reach.iter().cloned().collect();
        self.replicas.insert(Box::from(replica.name), Known { at: now, reach });
        if self.replicas.len() > REPLICAS_MAX {
            let oldest = self.replicas.iter().min_by_key(|(_, known)| known.at);
            let oldest = oldest.map(|(name, _)| name.clone()).expect("there are some");
            self.replicas.remove(&oldest);
        }
    }

    /// Whether any other replica is alive.
    pub(super) fn accompanied(&self, now: Time) -> bool {
        self.fresh(now).next().is_some()
    }

    /// Whether other replicas reach what we do not reach of a zone: at least half of it is good, and bad is that all of them
    /// have lost most of the zone as well. That they reach the same part as we do says nothing of the rest.
    pub(super) fn others_reach(&self, zone: &ZoneId, ours: ZoneReach, now: Time) -> Sign {
        let mut sign = Sign::Unknown;
        let mut in_between = false;
        for theirs in self.fresh(now).filter_map(|(_, known)| known.reach.get(zone)) {
            let missed = theirs.nodes.saturating_sub(ours.reached);
            if theirs.reached.saturating_sub(ours.reached) * 2 >= missed.max(1) {
                return Sign::Good;
            }
            in_between |= !theirs.is_lost();
            sign = Sign::Bad;
        }
        if in_between { Sign::Unknown } else { sign }
    }

    /// Nodes of each zone that other replicas know of: the most that any of them says. When none is heard and we are new
    /// here, those that they reached then: what had vanished for them has vanished for us.
    fn others_know(&self, now: Time) -> BTreeMap<&ZoneId, u32> {
        let new = self.began.is_none_or(|began| now.since(began) < NEW_HERE);
        let kept = if new && !self.accompanied(now) { NEW_HERE } else { REPLICA_FRESH };
        let said = self.replicas.values().map(|known| (now.since(known.at), &known.reach));
        let mut known = BTreeMap::new();
        for (age, reach) in said.filter(|(age, _)| *age <= kept) {
            for (zone, reach) in reach {
                let nodes = known.entry(zone).or_insert(0);
                *nodes = (if age <= REPLICA_FRESH { reach.nodes } else { reach.reached }).max(*nodes);
            }
        }
        known
    }

    /// Whether we must not trust what we see.
    pub(super) fn isolation(&self, zones: &[Zone], now: Time) -> Option<Isolation> {
        if self.key_held == Some(false) {
            return Some(Isolation::KeyMissing);
        }
        let mut nodes = ZoneReach::default();
        let (mut large, mut large_reached) = (0, 0);
        let others = self.others_know(now);
        let own = zones.iter().map(|zone| (&zone.name, zone.alive(), zone.signs.explained()));
        let unknown = others.keys().filter(|name| zones.iter().all(|zone| zone.name != ***name));
        let unknown = unknown.map(|name| (*name, ZoneReach::default(), false));
        for (zone, mut reach, explained) in own.chain(unknown) {
            // One that has just begun knows few nodes, and all of those it reaches.
            reach.nodes = reach.nodes.max(others.get(zone).copied().unwrap_or_default());
            if reach.is_lost() && (explained || self.others_reach(zone, reach, now) == Sign::Bad) {
                continue;
            }
            nodes = nodes.and(reach);
            if reach.nodes >= ZONE_MIN {
                large += 1;
                large_reached += u32::from(!reach.is_lost());
            }
        }
        let alone = large >= 2 && large_reached < 2;
        (nodes.is_lost() || alone).then_some(Isolation::Reach {
            nodes,
            zones_reached: large_reached,
            zones: large,
        })
    }

    /// Whether a leader should step down. Called at least once a second.
    pub(super) fn outreached(&mut self, own: ZoneReach, now: Time) -> Option<Resignation> {
        let total = |known: &Known| known.reach.values().copied().fold(ZoneReach::default(), ZoneReach::and);
        let all = self.fresh(now).map(|(name, known)| (total(known), name));
        let Some((theirs, replica)) = all.max_by_key(|(theirs, _)| theirs.reached) else {
            self.outreached_since = None;
            return None;
        };
        // Of the same fleet: one that is new reaches all of the few nodes that it knows.
        let nodes = f64::from(own.nodes.max(theirs.nodes).max(1));
        let (theirs, ours) = (f64::from(theirs.reached) / nodes, f64::from(own.reached) / nodes);
        if own.nodes == 0 || ours >= 0.5 * theirs {
            self.outreached_since = None;
            return None;
        }
        let replica = replica.clone();
        let since = *self.outreached_since.get_or_insert(now);
        (now.since(since) >= OUTREACHED).then_some(Resignation::Outreached { replica, theirs, ours })
    }

    fn fresh(&self, now: Time) -> impl Iterator<Item = (&Box<str>, &Known)> {
        self.replicas.iter().filter(move |(_, known)| now.since(known.at) <= REPLICA_FRESH)
    }
}
