//! What changed, put into the shape of an answer.

use std::collections::BTreeSet;

use ostler_core::fleet::{self, Removed};
use ostler_core::id::NodeKey;
use ostler_proto::v1;

use super::query::{Query, Watched};
use crate::api::Api;
use crate::api::entity::Entity;
use crate::convert::outgoing;
use crate::summary::{Of, Summary, Versioned};

/// Nodes converted under one lock: with eight GPUs and an engine each about a quarter of a millisecond.
pub(super) const NODES_AT_ONCE: usize = 32;

/// What changed after a revision, not yet converted.
pub(super) struct Pending {
    pub(super) nodes: Vec<NodeKey>,
    pub(super) removed: Vec<(v1::Kind, String)>,
    pub(super) events: Vec<v1::Event>,
}

/// What changed after a revision, and the revision that it reaches; none when that is not known any more.
pub(super) fn pending(api: &Api, query: &Query, revision: u64) -> Option<(Pending, u64)> {
    let inside_nodes = query.nodes.is_some() || query.gpus.is_some() || query.engines.is_some();
    api.driver.view(|view| {
        let since = view.fleet.since(revision)?;
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
            if inside_nodes { since.nodes.iter().rev().map(|node| node.key()).collect() } else { Vec::new() };
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
    pub(super) fn entry<M: Entity + Watched>(&mut self, mut entry: M) {
        let Some(selection) = M::selection(self.query) else { return };
        if !selection.filter.matches(&entry) {
            let had = (M::KIND, entry.name().to_owned());
            if self.sent.remove(&had) {
                self.push(v1::change::Entry::Removed(v1::Removed { kind: had.0 as i32, name: had.1 }));
            }
            return;
        }
        if !selection.filter.is_all() {
            self.sent.insert((M::KIND, entry.name().to_owned()));
        }
        entry.keep(&selection.keep);
        self.push(entry.entry());
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

    fn versions<'v, M: Entity + Watched>(
        &mut self,
        entries: impl Iterator<Item = &'v Versioned<M>>,
        revision: u64,
    ) {
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
                if let Some(selection) = &query.nodes {
                    nodes.push(outgoing::node(node, view.now, &selection.build));
                }
                if let Some(selection) = &query.gpus {
                    let all = (0u8..).zip(node.gpus()).map(|(position, _)| fleet::Gpu { node, position });
                    let changed = all.filter(|gpu| gpu.revision() > revision);
                    gpus.extend(changed.map(|gpu| outgoing::gpu(gpu, view.now, &selection.build)));
                }
                if let Some(selection) = &query.engines {
                    let all =
                        (0u8..).zip(node.engines()).map(|(position, _)| fleet::Engine { node, position });
                    let changed = all.filter(|engine| engine.revision() > revision);
                    engines
                        .extend(changed.map(|engine| outgoing::engine(engine, view.now, &selection.build)));
                }
            }
        });
        nodes.into_iter().for_each(|node| self.entry(node));
        gpus.into_iter().for_each(|gpu| self.entry(gpu));
        engines.into_iter().for_each(|engine| self.entry(engine));
    }

    fn push(&mut self, entry: v1::change::Entry) {
        self.changes.push(v1::Change { entry: Some(entry) });
    }
}
