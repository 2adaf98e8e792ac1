//! The fleet as a watch tells it: answers folded into maps.

use std::collections::{BTreeMap, VecDeque};

use ostler_proto::v1;

use crate::kind::{Entry, Kind};

/// Newest events that are kept.
const EVENTS_MAX: usize = 200;

/// Everything known now.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) zones: BTreeMap<String, v1::Zone>,
    pub(crate) nodes: BTreeMap<String, v1::Node>,
    pub(crate) gpus: BTreeMap<String, v1::Gpu>,
    pub(crate) engines: BTreeMap<String, v1::Engine>,
    pub(crate) pools: BTreeMap<String, v1::Pool>,
    /// Oldest first; at most [`EVENTS_MAX`].
    pub(crate) events: VecDeque<v1::Event>,
    /// Whether all that existed at the beginning has been told.
    pub(crate) synced: bool,
}

impl View {
    /// Folds one answer.
    pub(crate) fn apply(&mut self, response: v1::WatchResponse) {
        if response.reset {
            *self = View::default();
        }
        for entry in response.changes.into_iter().filter_map(|change| change.entry) {
            match Entry::from_change(entry) {
                Ok(entry) => self.insert(entry),
                Err(removed) => self.remove(&removed),
            }
        }
        self.synced |= response.synced;
    }

    /// Whether any node is simulated.
    pub(crate) fn simulated(&self) -> bool {
        self.nodes.values().any(|node| node.simulated)
    }

    /// Counts of the whole fleet, as its zones have them: what a silent node had last does not count as well.
    pub(crate) fn counts(&self) -> v1::Counts {
        let zones = self.zones.values().filter_map(|zone| zone.counts.as_ref());
        zones.fold(v1::Counts::default(), |sum, zone| v1::Counts {
            nodes: sum.nodes + zone.nodes,
            nodes_fresh: sum.nodes_fresh + zone.nodes_fresh,
            gpus: sum.gpus + zone.gpus,
            gpus_ok: sum.gpus_ok + zone.gpus_ok,
            engines: sum.engines + zone.engines,
            engines_serving: sum.engines_serving + zone.engines_serving,
        })
    }

    fn insert(&mut self, entry: Entry) {
        match entry {
            Entry::Zone(zone) => drop(self.zones.insert(zone.name.clone(), zone)),
            Entry::Node(node) => drop(self.nodes.insert(node.name.clone(), node)),
            Entry::Gpu(gpu) => drop(self.gpus.insert(gpu.name.clone(), gpu)),
            Entry::Engine(engine) => drop(self.engines.insert(engine.name.clone(), engine)),
            Entry::Pool(pool) => drop(self.pools.insert(pool.name.clone(), pool)),
            Entry::Event(event) => self.insert_event(event),
            Entry::Decision(_) | Entry::Action(_) | Entry::Hold(_) => {}
        }
    }

    /// Names of events increase, so the place of one is known; a repeated one replaces itself.
    fn insert_event(&mut self, event: v1::Event) {
        match self.events.binary_search_by(|known| known.name.cmp(&event.name)) {
            Ok(place) => self.events[place] = event,
            Err(place) => self.events.insert(place, event),
        }
        if self.events.len() > EVENTS_MAX {
            self.events.pop_front();
        }
    }

    fn remove(&mut self, removed: &v1::Removed) {
        match removed.kind() {
            v1::Kind::Zone => drop(self.zones.remove(&removed.name)),
            v1::Kind::Node => drop(self.nodes.remove(&removed.name)),
            v1::Kind::Gpu => drop(self.gpus.remove(&removed.name)),
            v1::Kind::Engine => drop(self.engines.remove(&removed.name)),
            v1::Kind::Pool => drop(self.pools.remove(&removed.name)),
            v1::Kind::Event => self.events.retain(|event| event.name != removed.name),
            v1::Kind::Unspecified => {}
        }
    }
}

/// The kinds that a view holds.
pub(crate) const KINDS: [Kind; 6] =
    [Kind::Zones, Kind::Nodes, Kind::Gpus, Kind::Engines, Kind::Pools, Kind::Events];

#[cfg(test)]
mod tests {
    use super::*;

    fn change(entry: v1::change::Entry) -> v1::Change {
        v1::Change { entry: Some(entry) }
    }

    fn node(name: &str) -> v1::Change {
        change(v1::change::Entry::Node(v1::Node { name: name.to_owned(), ..v1::Node::default() }))
    }

    #[test]
    fn a_reset_forgets_what_was_known_and_a_removal_only_its_entry() {
        let mut view = View::default();
        view.apply(v1::WatchResponse {
            changes: vec![node("a"), node("b")],
            synced: true,
            ..Default::default()
        });
        let removed = v1::Removed { kind: v1::Kind::Node.into(), name: "a".to_owned() };
        let changes = vec![change(v1::change::Entry::Removed(removed))];
        view.apply(v1::WatchResponse { changes, ..Default::default() });
        assert_eq!(view.nodes.keys().collect::<Vec<_>>(), ["b"]);
        assert!(view.synced);
        view.apply(v1::WatchResponse { reset: true, changes: vec![node("c")], ..Default::default() });
        assert_eq!(view.nodes.keys().collect::<Vec<_>>(), ["c"]);
        assert!(!view.synced);
    }

    #[test]
    fn events_are_kept_in_order_once_and_only_the_newest() {
        let mut view = View::default();
        let event = |number: usize| {
            change(v1::change::Entry::Event(v1::Event {
                name: format!("{number:016}"),
                ..v1::Event::default()
            }))
        };
        let changes = (0..300).rev().chain(100..120).map(event).collect();
        view.apply(v1::WatchResponse { changes, ..Default::default() });
        assert_eq!(view.events.len(), EVENTS_MAX);
        assert!(view.events.iter().is_sorted_by_key(|event| &event.name));
        assert_eq!(view.events.back().unwrap().name, format!("{:016}", 299));
    }
}
