//! What changed, put into the shape of an answer.

use std::collections::BTreeSet;

use ostler_core::fleet::{self, Removed};
use ostler_core::id::{GpuId, NodeId, NodeKey};
use ostler_proto::v1;

use super::query::{Query, Selection, Watched};
use crate::api::Api;
use crate::api::entity::{Entity, find_engine};
use crate::convert::outgoing::{self, At};
use crate::mask::Mask;
use crate::summary::{Of, Summary, Versioned};

/// Nodes converted under one lock: with eight GPUs and an engine each about a quarter of a millisecond.
pub(super) const NODES_AT_ONCE: usize = 32;

/// Names looked up under one lock.
const CHECKED_AT_ONCE: usize = 512;

/// What changed after a revision, not yet converted.
pub(super) struct Pending {
    pub(super) nodes: Vec<NodeKey>,
    pub(super) removed: Vec<(v1::Kind, String)>,
    pub(super) events: Vec<v1::Event>,
}

/// What changed after a revision, and the revision that it reaches; none when that is not known any more.
pub(super) fn pending(api: &Api, query: &Query, revision: u64) -> Option<(Pending, u64)> {
    api.driver.view(|view| {
        let since = match query.only_node() {
            Some(node) => view.fleet.since_of(node, revision)?,
            None => view.fleet.since(revision)?,
        };
        let removed = since.removed.into_iter().filter_map(|removed| match removed {
            Removed::Node(node) if query.nodes.is_some() => Some((v1::Kind::Node, node.to_string())),
            Removed::Gpu(gpu) if query.gpus.is_some() => Some((v1::Kind::Gpu, gpu.to_string())),
            Removed::Engine(node, engine) if query.engines.is_some() => {
                Some((v1::Kind::Engine, format!("{node}/{engine}")))
            }
            Removed::Node(_) | Removed::Gpu(_) | Removed::Engine(..) => None,
        });
        let removed = removed.collect();
        let nodes =
            since.nodes.iter().rev().filter(|node| query.admits(node)).map(|node| node.key()).collect();
        let events = if query.events.is_some() {
            let new = view.fleet.journal().since(revision);
            new.map(|entry| outgoing::event(entry, api.past.last(), view.now)).collect()
        } else {
            Vec::new()
        };
        Some((Pending { nodes, removed, events }, view.fleet.revision()))
    })
}

/// Collects the changes of an answer.
pub(super) struct Round<'a> {
    query: &'a Query,
    sent: &'a mut BTreeSet<(v1::Kind, String)>,
    pub(super) changes: Vec<v1::Change>,
}

impl<'a> Round<'a> {
    pub(super) fn new(query: &'a Query, sent: &'a mut BTreeSet<(v1::Kind, String)>) -> Round<'a> {
        Round { query, sent, changes: Vec::new() }
    }

    /// An entry as it is now: sent if it passes the filter, removed if it did before and does not any more.
    pub(super) fn entry<M: Watched>(&mut self, entry: M) {
        let Some(selection) = M::selection(self.query) else { return };
        if selection.filter.matches(&entry) {
            self.passing(entry, selection);
        } else {
            self.failing::<M>(entry.name().to_owned());
        }
    }

    fn passing<M: Watched>(&mut self, mut entry: M, selection: &Selection) {
        if !selection.filter.is_all() {
            self.sent.insert((M::KIND, entry.name().to_owned()));
        }
        entry.keep(&selection.keep);
        self.push(entry.entry());
    }

    fn failing<M: Watched>(&mut self, name: String) {
        let had = (M::KIND, name);
        if self.sent.remove(&had) {
            self.push(v1::change::Entry::Removed(v1::Removed { kind: had.0 as i32, name: had.1 }));
        }
    }

    /// Something is gone. Without a record of what the client has, it is told of all that is gone.
    pub(super) fn removed(&mut self, kind: v1::Kind, name: String) {
        self.sent.remove(&(kind, name.clone()));
        self.push(v1::change::Entry::Removed(v1::Removed { kind: kind as i32, name }));
    }

    /// Zones and pools that changed after a revision.
    pub(super) fn summary(&mut self, summary: &Summary, revision: u64) {
        for ((of, name), _) in summary.removed.iter().filter(|(_, at)| **at > revision) {
            let (kind, wanted) = match of {
                Of::Zone => (v1::Kind::Zone, self.query.zones.is_some()),
                Of::Pool => (v1::Kind::Pool, self.query.pools.is_some()),
            };
            if wanted {
                self.removed(kind, name.clone());
            }
        }
        self.versions(summary.zones.values(), revision);
        self.versions(summary.pools.values(), revision);
    }

    fn versions<'v, M: Watched>(&mut self, entries: impl Iterator<Item = &'v Versioned<M>>, revision: u64) {
        if M::selection(self.query).is_some() {
            entries.filter(|it| it.revision > revision).for_each(|it| self.entry(it.entry.clone()));
        }
    }

    /// What changed after a revision of these nodes.
    pub(super) fn nodes(&mut self, api: &Api, keys: &[NodeKey], revision: u64) {
        let query = self.query;
        let (mut nodes, mut gpus, mut engines) = (Vec::new(), Vec::new(), Vec::new());
        api.driver.view(|view| {
            for node in keys.iter().filter_map(|key| view.fleet.node_by_key(*key)) {
                if let Some(selection) = admitting(&query.nodes, node) {
                    nodes.push(look(selection, |mask| outgoing::node(node, At::of(view), mask)));
                }
                if let Some(selection) = admitting(&query.gpus, node) {
                    let all = (0u8..).zip(node.gpus()).map(|(position, _)| fleet::Gpu { node, position });
                    let changed = all.filter(|gpu| gpu.revision() > revision);
                    gpus.extend(
                        changed.map(|gpu| look(selection, |mask| outgoing::gpu(gpu, At::of(view), mask))),
                    );
                }
                if let Some(selection) = admitting(&query.engines, node) {
                    let all =
                        (0u8..).zip(node.engines()).map(|(position, _)| fleet::Engine { node, position });
                    let changed = all.filter(|engine| engine.revision() > revision);
                    let one = |engine| look(selection, |mask| outgoing::engine(engine, At::of(view), mask));
                    engines.extend(changed.map(one));
                }
            }
        });
        self.looked(query.nodes.as_ref(), nodes);
        self.looked(query.gpus.as_ref(), gpus);
        self.looked(query.engines.as_ref(), engines);
    }

    fn looked<M: Watched>(&mut self, selection: Option<&Selection>, all: Vec<Looked<M>>) {
        let Some(selection) = selection else { return };
        for looked in all {
            match looked {
                Looked::Passing(entry) => self.passing(entry, selection),
                Looked::Failing(name) => self.failing::<M>(name),
            }
        }
    }

    fn push(&mut self, entry: v1::change::Entry) {
        self.changes.push(v1::Change { entry: Some(entry) });
    }
}

/// An entry that passes the filter, or only the name of one that does not.
enum Looked<M> {
    Passing(M),
    Failing(String),
}

/// Makes no more of an entry than the filter needs, and the rest only if it passes.
fn look<M: Entity>(selection: &Selection, make: impl Fn(&Mask) -> M) -> Looked<M> {
    if selection.filter.is_all() {
        return Looked::Passing(make(&selection.build));
    }
    let probe = make(&selection.probe);
    if selection.filter.matches(&probe) {
        Looked::Passing(make(&selection.build))
    } else {
        Looked::Failing(probe.name().to_owned())
    }
}

fn admitting<'a>(selection: &'a Option<Selection>, node: &fleet::Node) -> Option<&'a Selection> {
    selection.as_ref().filter(|selection| selection.place.admits(node))
}

/// Entries that the client has and that have moved to a node or zone where they are not looked at any more.
pub(super) fn strayed(
    api: &Api,
    query: &Query,
    sent: &BTreeSet<(v1::Kind, String)>,
) -> Vec<(v1::Kind, String)> {
    let all: Vec<_> = sent.iter().collect();
    let mut strayed = Vec::new();
    for chunk in all.chunks(CHECKED_AT_ONCE) {
        api.driver.view(|view| {
            let stays = |(kind, name): &(v1::Kind, String)| {
                let (selection, node) = match kind {
                    v1::Kind::Node => (&query.nodes, view.fleet.node(&NodeId::from(name.as_str()))),
                    v1::Kind::Gpu => {
                        (&query.gpus, view.fleet.gpu(&GpuId::from(name.as_str())).map(|gpu| gpu.node))
                    }
                    v1::Kind::Engine => {
                        (&query.engines, find_engine(view.fleet, name).map(|engine| engine.node))
                    }
                    v1::Kind::Unspecified | v1::Kind::Zone | v1::Kind::Pool | v1::Kind::Event => return true,
                };
                node.is_none_or(|node| admitting(selection, node).is_some())
            };
            strayed.extend(chunk.iter().filter(|it| !stays(it)).map(|it| (*it).clone()));
        });
    }
    strayed
}
