//! All nodes that are watched, and how many of each zone are silent. Counts change with the node and are never recounted.

use std::collections::BTreeMap;

use super::fact::{Identity, ZoneReach};
use super::judge::Signs;
use super::probe;
use super::verdict::Verdict;
use super::watch::{Context, Standing, Watch};
use super::zone::Zone;
use crate::id::{NodeKey, ZoneId};
use crate::time::Time;

/// Nodes and zones.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    /// By node key. They lie side by side, because each beat touches one.
    watches: Vec<Option<Watch>>,
    /// A zone without members keeps its place until another needs it and nothing is held against it.
    zones: Vec<Zone>,
    names: BTreeMap<ZoneId, usize>,
}

impl Roster {
    pub(super) fn get(&self, node: NodeKey) -> Option<&Watch> {
        self.watches.get(node.0 as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, node: NodeKey) -> Option<&mut Watch> {
        self.watches.get_mut(node.0 as usize)?.as_mut()
    }

    /// Reads a little of these nodes. Their memory is then waited for all at once, and not node by node.
    pub(super) fn read_ahead(&self, nodes: &[NodeKey]) {
        let heard = |node: &NodeKey| self.get(*node).map_or(0, |watch| watch.heard.as_millis());
        std::hint::black_box(nodes.iter().map(heard).fold(0, |all, heard| all ^ heard));
    }

    pub(super) fn zones(&self) -> &[Zone] {
        &self.zones
    }

    pub(super) fn zones_mut(&mut self) -> &mut [Zone] {
        &mut self.zones
    }

    pub(super) fn zone(&self, name: &ZoneId) -> Option<&Zone> {
        self.names.get(name).map(|&at| &self.zones[at])
    }

    pub(super) fn watches(&self) -> impl Iterator<Item = &Watch> {
        self.watches.iter().flatten()
    }

    /// Whether a node can be asked to make probes.
    pub(super) fn fit(&self, node: NodeKey) -> bool {
        self.get(node).is_some_and(Watch::fit)
    }

    /// Adds a node, or moves it when its zone is another one.
    pub(super) fn put(&mut self, identity: &Identity, now: Time) -> &mut Watch {
        let key = identity.node;
        let moved = self.get(key).is_some_and(|known| {
            known.identity.zone != identity.zone || known.identity.name != identity.name
        });
        if moved {
            self.remove(key);
        }
        let at = key.0 as usize;
        if at >= self.watches.len() {
            self.watches.resize_with(at + 1, || None);
        }
        if self.watches[at].is_none() {
            let zone = self.zone_index(&identity.zone);
            self.zones[zone].members.push(key);
            self.watches[at] = Some(Watch::new(identity.clone(), zone, now));
        }
        self.watches[at].as_mut().expect("it was just put there")
    }

    /// Takes a node away.
    pub(super) fn remove(&mut self, node: NodeKey) -> Option<Watch> {
        let watch = self.watches.get_mut(node.0 as usize)?.take()?;
        let zone = &mut self.zones[watch.zone];
        zone.count(node, watch.standing, Standing::default(), watch.since);
        zone.members.retain(|member| *member != node);
        Some(watch)
    }

    fn zone_index(&mut self, name: &ZoneId) -> usize {
        if let Some(&at) = self.names.get(name) {
            return at;
        }
        let zone = Zone::new(name.clone());
        let free = |zone: &Zone| zone.members.is_empty() && zone.verdict == Verdict::Healthy;
        let at = match self.zones.iter().position(free) {
            Some(at) => {
                self.names.remove(&self.zones[at].name);
                self.zones[at] = zone;
                at
            }
            None => {
                self.zones.push(zone);
                self.zones.len() - 1
            }
        };
        self.names.insert(name.clone(), at);
        at
    }

    /// Counts a node as it stands now.
    pub(super) fn recount(&mut self, node: NodeKey, context: Context) {
        let Some(watch) = self.watches.get_mut(node.0 as usize).and_then(|watch| watch.as_mut()) else {
            return;
        };
        let standing = watch.stand(context);
        if standing != watch.standing {
            self.zones[watch.zone].count(node, watch.standing, standing, context.now);
            watch.standing = standing;
        }
    }

    /// Everything that speaks for or against a node.
    pub(super) fn signs(&self, node: NodeKey, context: Context) -> Signs {
        let Some(watch) = self.get(node) else { return Signs::default() };
        let mut signs = watch.signs(context);
        if let Some(question) = &watch.question {
            signs.in_zone = question.peers(true, |by| self.fit(by));
            signs.out_of_zone = question.peers(false, |by| self.fit(by));
        }
        let zone = &self.zones[watch.zone];
        signs.crowd = zone.shaken() || signs.in_zone.asked == 0 && zone.members.len() > 1;
        signs
    }

    /// Who is to be asked about a node.
    pub(super) fn probers(&self, node: NodeKey, round: u32) -> Vec<probe::Peer> {
        probe::choose(self, node, round)
    }

    /// How much of each zone is reached.
    pub(super) fn reach(&self) -> impl Iterator<Item = (&ZoneId, ZoneReach)> {
        self.zones.iter().filter(|zone| !zone.members.is_empty()).map(|zone| (&zone.name, zone.reach()))
    }
}
