//! The kinds of entries that can be listed: where each is found, in order of names.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use ostler_core::action::ActionId;
use ostler_core::desk::DecisionId;
use ostler_core::fleet::{self, Fleet};
use ostler_core::id::{EngineId, GpuId, NodeId};
use ostler_proto::v1;
use prost::Message;
use prost::encoding::{self, WireType};

use super::Api;
use crate::convert::decisions;
use crate::convert::outgoing::{self, At};
use crate::driver::View;
use crate::filter::Filter;
use crate::mask::{Fields, Mask};

/// A kind of entry.
pub(super) trait Entity: Fields + Message + Clone + Send + Sync + 'static {
    /// What it is called, in the plural, as `ostler get` has it.
    const PLURAL: &'static str;

    /// The field that names the node it is on, if it is on one.
    const NODE_FIELD: Option<&'static str> = None;

    /// Whether it is kept in the store that replicas share.
    const FROM_STORE: bool = false;

    /// Its name, by which it is ordered.
    fn name(&self) -> &str;

    /// Up to `limit` entries whose names follow this one, or from the first, in order.
    fn after(api: &Api, after: Option<&str>, limit: usize, mask: &Mask) -> Vec<Self>;

    /// Those on one node, in order, or none where that would be no shorter than looking at all.
    fn on_node(_api: &Api, _node: &NodeId, _mask: &Mask) -> Option<Vec<Self>> {
        None
    }

    /// What [`Entity::after`] gives with the fields that are shown unless a mask says otherwise, appended in the form that
    /// the wire has in a list. Returns how many there are and the name of the last.
    fn encode_after(api: &Api, after: Option<&str>, limit: usize, bytes: &mut Vec<u8>) -> (usize, String) {
        let entries = Self::after(api, after, limit, &Mask::default_of::<Self>());
        entries.iter().for_each(|entry| encode_entry(entry, &[], bytes));
        (entries.len(), entries.last().map(|last| last.name().to_owned()).unwrap_or_default())
    }

    /// The one of this name.
    fn get(api: &Api, name: &str, mask: &Mask) -> Option<Self>;

    /// How many there are.
    fn total(api: &Api) -> usize;
}

/// The node that an entry must be on to pass a filter, if the filter demands one.
pub(super) fn demanded_node<M: Entity>(filter: &Filter) -> Option<NodeId> {
    let field = M::NODE_FIELD?;
    let position = M::FIELDS.iter().position(|it| it.name == field)?;
    filter.demands(position).map(NodeId::from)
}

/// What [`Entity::after`] gives; where all that is wanted is on one node, nothing else is looked at.
pub(super) fn after<M: Entity>(
    api: &Api,
    node: Option<&NodeId>,
    after: Option<&str>,
    limit: usize,
    mask: &Mask,
) -> Vec<M> {
    match node.and_then(|node| M::on_node(api, node, mask)) {
        Some(all) => {
            let rest = all.into_iter().filter(|entry| after.is_none_or(|after| entry.name() > after));
            rest.take(limit).collect()
        }
        None => M::after(api, after, limit, mask),
    }
}

/// Digits of an action's id that stand for it while no other one begins so; lists show twelve.
const ID_DIGITS_MIN: usize = 8;

/// Number of the entries' field, which is the same in all lists.
const ENTRIES: u32 = 1;

/// Appends an entry to an encoded list; `encoded` are some of its fields in the form of the wire already.
pub(super) fn encode_entry(entry: &impl Message, encoded: &[u8], bytes: &mut Vec<u8>) {
    encoding::encode_key(ENTRIES, WireType::LengthDelimited, bytes);
    encoding::encode_varint((encoded.len() + entry.encoded_len()) as u64, bytes);
    bytes.extend_from_slice(encoded);
    entry.encode(bytes).expect("a vector grows");
}

/// Nodes that follow this one in order of names, or the first.
fn nodes_after<'a>(fleet: &'a Fleet, after: Option<&str>, limit: usize) -> Vec<&'a fleet::Node> {
    let nodes: Vec<&fleet::Node> = match after {
        Some(after) => fleet.nodes_after(&NodeId::from(after)).take(limit).collect(),
        None => fleet.nodes().take(limit).collect(),
    };
    fleet::Node::read_ahead(&nodes);
    nodes
}

impl Entity for v1::Node {
    const PLURAL: &'static str = "nodes";
    const NODE_FIELD: Option<&'static str> = Some("name");

    fn name(&self) -> &str {
        &self.name
    }

    fn after(api: &Api, after: Option<&str>, limit: usize, mask: &Mask) -> Vec<v1::Node> {
        let convert = |view: &View<'_>| {
            let nodes = nodes_after(view.fleet, after, limit).into_iter();
            nodes.map(|node| outgoing::node(node, At::of(view), mask)).collect()
        };
        api.driver.view(convert)
    }

    fn on_node(api: &Api, node: &NodeId, mask: &Mask) -> Option<Vec<v1::Node>> {
        Some(v1::Node::get(api, node.as_str(), mask).into_iter().collect())
    }

    /// What the agent said at the beginning is encoded since then.
    fn encode_after(api: &Api, after: Option<&str>, limit: usize, bytes: &mut Vec<u8>) -> (usize, String) {
        let mask = Mask::default_of::<v1::Node>();
        api.driver.view(|view| {
            let nodes = nodes_after(view.fleet, after, limit);
            for node in &nodes {
                let now = outgoing::node_now(v1::Node::default(), node, At::of(view), &mask);
                encode_entry(&now, &node.hello().encoded, bytes);
            }
            (nodes.len(), nodes.last().map(|last| last.id().to_string()).unwrap_or_default())
        })
    }

    fn get(api: &Api, name: &str, mask: &Mask) -> Option<v1::Node> {
        api.driver.view(|view| {
            view.fleet.node(&NodeId::from(name)).map(|node| outgoing::node(node, At::of(view), mask))
        })
    }

    fn total(api: &Api) -> usize {
        api.driver.view(|view| view.fleet.len())
    }
}

impl Entity for v1::Gpu {
    const PLURAL: &'static str = "gpus";
    const NODE_FIELD: Option<&'static str> = Some("node");

    fn name(&self) -> &str {
        &self.name
    }

    fn after(api: &Api, after: Option<&str>, limit: usize, mask: &Mask) -> Vec<v1::Gpu> {
        let convert = |view: &View<'_>| {
            let one = |gpu| outgoing::gpu(gpu, At::of(view), mask);
            match after {
                Some(after) => view.fleet.gpus_after(&GpuId::from(after)).take(limit).map(one).collect(),
                None => view.fleet.gpus().take(limit).map(one).collect(),
            }
        };
        api.driver.view(convert)
    }

    fn on_node(api: &Api, node: &NodeId, mask: &Mask) -> Option<Vec<v1::Gpu>> {
        Some(api.driver.view(|view| {
            let gpus = view.fleet.node(node).map(gpus_of).unwrap_or_default();
            gpus.into_iter().map(|gpu| outgoing::gpu(gpu, At::of(view), mask)).collect()
        }))
    }

    fn get(api: &Api, name: &str, mask: &Mask) -> Option<v1::Gpu> {
        api.driver
            .view(|view| view.fleet.gpu(&GpuId::from(name)).map(|gpu| outgoing::gpu(gpu, At::of(view), mask)))
    }

    fn total(api: &Api) -> usize {
        api.driver.view(|view| view.fleet.gpu_count())
    }
}

/// The engine of a name as the API has it, "NODE/ENGINE".
pub(super) fn find_engine<'a>(fleet: &'a Fleet, name: &str) -> Option<fleet::Engine<'a>> {
    let (node, engine) = name.split_once('/')?;
    fleet.engine(&NodeId::from(node), &EngineId::from(engine))
}

/// A node's GPUs in order of their names.
fn gpus_of(node: &fleet::Node) -> Vec<fleet::Gpu<'_>> {
    let mut gpus: Vec<_> =
        (0u8..).zip(node.gpus()).map(|(position, _)| fleet::Gpu { node, position }).collect();
    gpus.sort_by(|a, b| a.info().id.cmp(&b.info().id));
    gpus
}

/// A node's engines in order of their names.
pub(super) fn engines_of(node: &fleet::Node) -> Vec<fleet::Engine<'_>> {
    let mut engines: Vec<_> =
        (0u8..).zip(node.engines()).map(|(position, _)| fleet::Engine { node, position }).collect();
    engines.sort_by(|a, b| a.info().id.cmp(&b.info().id));
    engines
}

/// Engines are ordered by node, then by their own name.
impl Entity for v1::Engine {
    const PLURAL: &'static str = "engines";
    const NODE_FIELD: Option<&'static str> = Some("node");

    fn name(&self) -> &str {
        &self.name
    }

    fn after(api: &Api, after: Option<&str>, limit: usize, mask: &Mask) -> Vec<v1::Engine> {
        let convert = |view: &View<'_>| {
            let (fleet, at) = (view.fleet, At::of(view));
            let (node, engine) =
                after.and_then(|after| after.split_once('/')).unwrap_or((after.unwrap_or(""), ""));
            let node = NodeId::from(node);
            let rest = |it: &fleet::Engine<'_>| it.info().id.as_str() > engine;
            let first = fleet.node(&node).map(engines_of).unwrap_or_default().into_iter().filter(rest);
            let others = fleet.nodes_after(&node).flat_map(engines_of);
            first.chain(others).take(limit).map(|engine| outgoing::engine(engine, at, mask)).collect()
        };
        api.driver.view(convert)
    }

    fn on_node(api: &Api, node: &NodeId, mask: &Mask) -> Option<Vec<v1::Engine>> {
        Some(api.driver.view(|view| {
            let engines = view.fleet.node(node).map(engines_of).unwrap_or_default();
            engines.into_iter().map(|engine| outgoing::engine(engine, At::of(view), mask)).collect()
        }))
    }

    fn get(api: &Api, name: &str, mask: &Mask) -> Option<v1::Engine> {
        api.driver.view(|view| {
            find_engine(view.fleet, name).map(|engine| outgoing::engine(engine, At::of(view), mask))
        })
    }

    fn total(api: &Api) -> usize {
        api.driver.view(|view| view.fleet.nodes_by_key().map(|node| node.engines().len()).sum())
    }
}

/// Entries that come whole from the shared summary.
macro_rules! summarized {
    ($entry:ty, $plural:ident) => {
        impl Entity for $entry {
            const PLURAL: &'static str = stringify!($plural);

            fn name(&self) -> &str {
                &self.name
            }

            fn after(api: &Api, after: Option<&str>, limit: usize, _mask: &Mask) -> Vec<$entry> {
                let summary = api.summaries.get();
                let all = summary
                    .$plural
                    .iter()
                    .filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
                all.take(limit).map(|(_, it)| it.entry.clone()).collect()
            }

            fn get(api: &Api, name: &str, _mask: &Mask) -> Option<$entry> {
                api.summaries.get().$plural.get(name).map(|it| it.entry.clone())
            }

            fn total(api: &Api) -> usize {
                api.summaries.get().$plural.len()
            }
        }
    };
}

summarized!(v1::Zone, zones);
summarized!(v1::Pool, pools);

impl Entity for v1::Event {
    const PLURAL: &'static str = "events";
    const NODE_FIELD: Option<&'static str> = Some("node");

    fn name(&self) -> &str {
        &self.name
    }

    fn after(api: &Api, after: Option<&str>, limit: usize, _mask: &Mask) -> Vec<v1::Event> {
        // A name that is no number comes before all or after all, as text does.
        let after = after.map_or(0, |after| after.parse().unwrap_or(u64::MAX));
        let before = api.past.last();
        api.driver.view(|view| {
            let new = view.fleet.journal().after(after.saturating_sub(before));
            let new = new.map(|entry| outgoing::event(entry, before, view.now));
            api.past.after(after, view.now).chain(new).take(limit).collect()
        })
    }

    fn get(api: &Api, name: &str, mask: &Mask) -> Option<v1::Event> {
        let number: u64 = name.parse().ok().filter(|number| *number > 0)?;
        let found = v1::Event::after(api, Some(&outgoing::event_name(number - 1)), 1, mask).pop();
        found.filter(|event| event.name == outgoing::event_name(number))
    }

    fn total(api: &Api) -> usize {
        api.past.len() + api.driver.view(|view| view.fleet.journal().entries().len())
    }
}

/// Decisions come in the order in which they were made.
impl Entity for v1::Decision {
    const PLURAL: &'static str = "decisions";
    const FROM_STORE: bool = true;

    fn name(&self) -> &str {
        &self.name
    }

    fn after(api: &Api, after: Option<&str>, limit: usize, _mask: &Mask) -> Vec<v1::Decision> {
        let now = api.driver.view(|view| view.now);
        // A name that is none comes before all or after all, as text does.
        let from = match after {
            None => Bound::Unbounded,
            Some(after) => match DecisionId::parse(after) {
                Some(id) => Bound::Excluded(id),
                None if after < "d" => Bound::Unbounded,
                None => return Vec::new(),
            },
        };
        let found = api.papers.read(|sheets| {
            let found = sheets.decisions.range((from, Bound::Unbounded)).take(limit);
            found.map(|(_, it)| Arc::clone(it)).collect::<Vec<_>>()
        });
        found.iter().map(|it| decisions::decision(it, now)).collect()
    }

    fn get(api: &Api, name: &str, _mask: &Mask) -> Option<v1::Decision> {
        let now = api.driver.view(|view| view.now);
        let id = decision_id(name)?;
        let found = api.papers.read(|sheets| sheets.decisions.get(&id).map(Arc::clone))?;
        Some(decisions::decision(&found, now))
    }

    fn total(api: &Api) -> usize {
        api.papers.read(|sheets| sheets.decisions.len())
    }
}

/// Actions are ordered by their ids, which say nothing: who wants them by time sorts them.
impl Entity for v1::Action {
    const PLURAL: &'static str = "actions";
    const FROM_STORE: bool = true;

    fn name(&self) -> &str {
        &self.name
    }

    fn after(api: &Api, after: Option<&str>, limit: usize, _mask: &Mask) -> Vec<v1::Action> {
        let now = api.driver.view(|view| view.now);
        let from = match after {
            None => Bound::Unbounded,
            Some(after) => match ActionId::from_hex(after) {
                Some(id) => Bound::Excluded(id),
                None => return Vec::new(),
            },
        };
        let found = api.papers.read(|sheets| {
            let found = sheets.actions.range((from, Bound::Unbounded)).take(limit);
            found.map(|(_, it)| Arc::clone(it)).collect::<Vec<_>>()
        });
        found.iter().map(|it| decisions::action(it, now)).collect()
    }

    fn get(api: &Api, name: &str, _mask: &Mask) -> Option<v1::Action> {
        let now = api.driver.view(|view| view.now);
        let found = api.papers.read(|sheets| only(&sheets.actions, name).map(Arc::clone))?;
        Some(decisions::action(&found, now))
    }

    fn total(api: &Api) -> usize {
        api.papers.read(|sheets| sheets.actions.len())
    }
}

/// The number of a decision, written as it is shown: a node may be called "d7".
pub(super) fn decision_id(name: &str) -> Option<DecisionId> {
    DecisionId::parse(name).filter(|id| id.to_string() == name)
}

/// The action of this id, or the only one whose id begins so.
fn only<'a, T>(actions: &'a BTreeMap<ActionId, T>, name: &str) -> Option<&'a T> {
    if name.len() < ID_DIGITS_MIN {
        return None;
    }
    let from = ActionId::from_hex(&format!("{name:0<64}"))?;
    let mut found = actions.range(from..).take_while(|(id, _)| id.to_string().starts_with(name));
    let (_, first) = found.next()?;
    found.next().is_none().then_some(first)
}

fn holds_of(api: &Api) -> BTreeMap<String, v1::Hold> {
    let now = api.driver.view(|view| view.now);
    api.papers.read(|sheets| decisions::holds(&sheets.memory, now))
}

impl Entity for v1::Hold {
    const PLURAL: &'static str = "holds";
    const FROM_STORE: bool = true;

    fn name(&self) -> &str {
        &self.name
    }

    fn after(api: &Api, after: Option<&str>, limit: usize, _mask: &Mask) -> Vec<v1::Hold> {
        let follows = |hold: &v1::Hold| after.is_none_or(|after| hold.name.as_str() > after);
        holds_of(api).into_values().filter(follows).take(limit).collect()
    }

    fn get(api: &Api, name: &str, _mask: &Mask) -> Option<v1::Hold> {
        holds_of(api).remove(name)
    }

    fn total(api: &Api) -> usize {
        holds_of(api).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_goes_by_the_beginning_of_its_id_while_that_is_its_alone() {
        let id = |text: &str| ActionId::from_hex(&format!("{text:0<64}")).unwrap();
        let actions = BTreeMap::from([(id("aaaaaaaa1"), 1), (id("aaaaaaaa2"), 2), (id("bbbbbbbb"), 3)]);
        assert_eq!(only(&actions, "aaaaaaaa1"), Some(&1));
        assert_eq!(only(&actions, &id("aaaaaaaa2").to_string()), Some(&2));
        assert_eq!(only(&actions, "bbbbbbbb"), Some(&3));
        for none in ["aaaaaaaa", "bbbbbbb", "cccccccc", "bbbbbbbb1", "no hexadecimal", ""] {
            assert_eq!(only(&actions, none), None, "{none}");
        }
    }

    #[test]
    fn a_node_may_have_a_name_that_begins_like_a_decision() {
        let name = DecisionId(7).to_string();
        assert_eq!(decision_id(&name), Some(DecisionId(7)));
        assert_eq!(decision_id("d7"), None);
    }
}
