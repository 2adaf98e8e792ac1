//! What a watch asks for: kinds, and for each kind a filter and a mask.

use ostler_core::fleet;
use ostler_core::id::NodeId;
use ostler_proto::v1;
use tonic::Status;

use crate::api::entity::{Entity, demanded_node};
use crate::filter::{self, Filter};
use crate::mask::{self, Fields, Mask};

/// What is wanted of one kind.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    pub(super) filter: Filter,
    /// What the client gets; always with the name, by which it knows the entry.
    pub(super) keep: Mask,
    /// What must be made for that and for the filter.
    pub(super) build: Mask,
    /// What must be made for the filter alone.
    pub(super) probe: Mask,
    /// Where entries can be that pass the filter.
    pub(super) place: Place,
}

/// The node and the zone that a filter demands. Most of what changes is elsewhere, and need not be looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    node: Option<NodeId>,
    zone: Option<String>,
}

impl Place {
    fn of<M: Watched>(filter: &Filter) -> Place {
        let zone = || {
            M::NODE_FIELD?;
            let position = M::FIELDS.iter().position(|it| it.name == "zone")?;
            filter.demands(position).map(str::to_owned)
        };
        Place { node: demanded_node::<M>(filter), zone: zone() }
    }

    /// The node, if one is demanded.
    pub(super) fn node(&self) -> Option<&NodeId> {
        self.node.as_ref()
    }

    /// Whether an entry of this node can pass.
    pub(super) fn admits(&self, node: &fleet::Node) -> bool {
        self.node.as_ref().is_none_or(|name| node.id() == name)
            && self.zone.as_ref().is_none_or(|zone| node.zone().as_str() == zone)
    }

    /// Whether it excludes anything.
    pub(super) fn is_narrow(&self) -> bool {
        self.node.is_some() || self.zone.is_some()
    }
}

/// What is wanted.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pub(super) zones: Option<Selection>,
    pub(super) nodes: Option<Selection>,
    pub(super) gpus: Option<Selection>,
    pub(super) engines: Option<Selection>,
    pub(super) pools: Option<Selection>,
    pub(super) events: Option<Selection>,
}

/// A message that can be watched.
pub(super) trait Watched: Entity {
    const KIND: v1::Kind;

    /// What is wanted of it, if anything.
    fn selection(query: &Query) -> Option<&Selection>;

    fn selection_mut(query: &mut Query) -> &mut Option<Selection>;

    /// As part of an answer.
    fn entry(self) -> v1::change::Entry;
}

macro_rules! watched {
    ($($message:ident in $field:ident;)*) => {$(
        impl Watched for v1::$message {
            const KIND: v1::Kind = v1::Kind::$message;

            fn selection(query: &Query) -> Option<&Selection> {
                query.$field.as_ref()
            }

            fn selection_mut(query: &mut Query) -> &mut Option<Selection> {
                &mut query.$field
            }

            fn entry(self) -> v1::change::Entry {
                v1::change::Entry::$message(self)
            }
        }
    )*};
}

watched! {
    Zone in zones;
    Node in nodes;
    Gpu in gpus;
    Engine in engines;
    Pool in pools;
    Event in events;
}

/// Kinds that a request can name more than once without harm, and no more often than that.
const KINDS_MAX: usize = 16;

impl Query {
    pub(super) fn parse(request: &v1::WatchRequest) -> Result<Query, Status> {
        if request.kinds.len() > KINDS_MAX {
            return Err(Status::invalid_argument(format!(
                "kinds: {} are named; there are six",
                request.kinds.len()
            )));
        }
        let paths = request.field_mask.as_ref().map_or(&[][..], |mask| &mask.paths);
        let mut parser =
            Parser { filter: &request.filter, paths, query: Query::default(), refused: None, fits: false };
        let default = [v1::Kind::Zone as i32, v1::Kind::Pool as i32, v1::Kind::Node as i32];
        let kinds = if request.kinds.is_empty() { &default[..] } else { &request.kinds };
        for &kind in kinds {
            match v1::Kind::try_from(kind) {
                Ok(v1::Kind::Zone) => parser.add::<v1::Zone>()?,
                Ok(v1::Kind::Node) => parser.add::<v1::Node>()?,
                Ok(v1::Kind::Gpu) => parser.add::<v1::Gpu>()?,
                Ok(v1::Kind::Engine) => parser.add::<v1::Engine>()?,
                Ok(v1::Kind::Pool) => parser.add::<v1::Pool>()?,
                Ok(v1::Kind::Event) => parser.add::<v1::Event>()?,
                Ok(v1::Kind::Unspecified) | Err(_) => {
                    return Err(Status::invalid_argument(format!(
                        "kinds: {kind} is not a kind that can be watched"
                    )));
                }
            }
        }
        parser.finish()
    }

    /// Whether an entry of this node can be wanted.
    pub(super) fn admits(&self, node: &fleet::Node) -> bool {
        self.of_nodes().any(|selection| selection.place.admits(node))
    }

    /// The node that all filters demand, if they do: nothing else need be looked at, however much changes elsewhere.
    pub(super) fn only_node(&self) -> Option<&NodeId> {
        let mut demanded = self.of_nodes().map(|selection| selection.place.node());
        let first = demanded.next()??;
        demanded.all(|node| node == Some(first)).then_some(first)
    }

    /// Whether any filter demands a node or a zone.
    pub(super) fn is_narrow(&self) -> bool {
        self.of_nodes().any(|selection| selection.place.is_narrow())
    }

    /// The selections of what is on nodes.
    fn of_nodes(&self) -> impl Iterator<Item = &Selection> {
        [&self.nodes, &self.gpus, &self.engines].into_iter().flatten()
    }

    /// Whether anything is wanted that comes from the summary of the whole fleet.
    pub(super) fn summarized(&self) -> bool {
        self.zones.is_some() || self.pools.is_some()
    }
}

struct Parser<'a> {
    filter: &'a str,
    paths: &'a [String],
    query: Query,
    /// Why the filter did not fit the first kind that it did not fit.
    refused: Option<filter::Error>,
    /// Whether the filter fits any kind.
    fits: bool,
}

impl Parser<'_> {
    /// A filter that names fields the kind does not have is not applied to it, nor are such paths of the mask.
    fn add<M: Watched>(&mut self) -> Result<(), Status> {
        let filter = match Filter::parse::<M>(self.filter) {
            Ok(filter) => {
                self.fits = true;
                filter
            }
            Err(error) if error.unknown_field => {
                self.refused.get_or_insert(error);
                Filter::all()
            }
            Err(error) => return Err(Status::invalid_argument(error.to_string())),
        };
        let known = |path: &&String| Mask::parse::<M>(std::slice::from_ref(*path)).is_ok();
        let paths: Vec<String> = self.paths.iter().filter(known).cloned().collect();
        let keep = if self.paths.is_empty() {
            Mask::default_of::<M>()
        } else if paths.is_empty() {
            Mask::none()
        } else {
            Mask::parse::<M>(&paths).map_err(|error| Status::invalid_argument(error.to_string()))?
        };
        let keep = keep.with_name();
        let build = keep.with_bits(filter.fields());
        let probe = Mask::none().with_name().with_bits(filter.fields());
        let place = Place::of::<M>(&filter);
        *M::selection_mut(&mut self.query) = Some(Selection { filter, keep, build, probe, place });
        Ok(())
    }

    fn finish(self) -> Result<Query, Status> {
        if let Some(error) = self.refused.as_ref().filter(|_| !self.fits) {
            return Err(Status::invalid_argument(error.to_string()));
        }
        let query = &self.query;
        for path in self.paths {
            let path = std::slice::from_ref(path);
            let fits = (query.zones.is_some() && Mask::parse::<v1::Zone>(path).is_ok())
                || (query.nodes.is_some() && Mask::parse::<v1::Node>(path).is_ok())
                || (query.gpus.is_some() && Mask::parse::<v1::Gpu>(path).is_ok())
                || (query.engines.is_some() && Mask::parse::<v1::Engine>(path).is_ok())
                || (query.pools.is_some() && Mask::parse::<v1::Pool>(path).is_ok())
                || (query.events.is_some() && Mask::parse::<v1::Event>(path).is_ok());
            if !fits {
                let problem =
                    mask::Error::Unknown { path: path[0].chars().take(64).collect(), fields: self.fields() };
                return Err(Status::invalid_argument(problem.to_string()));
            }
        }
        Ok(self.query)
    }

    fn fields(&self) -> String {
        let query = &self.query;
        let kinds = [
            (query.zones.is_some(), v1::Zone::FIELDS),
            (query.nodes.is_some(), v1::Node::FIELDS),
            (query.gpus.is_some(), v1::Gpu::FIELDS),
            (query.engines.is_some(), v1::Engine::FIELDS),
            (query.pools.is_some(), v1::Pool::FIELDS),
            (query.events.is_some(), v1::Event::FIELDS),
        ];
        let wanted = kinds.into_iter().filter(|(wanted, _)| *wanted);
        let names: std::collections::BTreeSet<_> =
            wanted.flat_map(|(_, fields)| fields).map(|field| field.name).collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    }
}
