//! The services that read the fleet and, later, order: `Fleet`, `Control` and `Peer`, the same for gRPC and for HTTP.

use std::sync::Arc;

use ostler_proto::v1;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::desk::Papers;
use crate::driver::Driver;
use crate::journal::Past;
use crate::mask::{Fields, Mask};
use crate::summary::Summaries;
use crate::trends::Trends;

pub(crate) mod encoded;
mod entity;
mod explain;
mod list;
mod orders;
mod range;
mod watch;

pub use orders::{Orders, not_available};
pub use watch::Watching;

/// What the read API answers from. Clones are the same.
#[derive(Clone)]
pub struct Api {
    driver: Driver,
    summaries: Summaries,
    trends: Trends,
    past: Arc<Past>,
    papers: Papers,
    watchers: Arc<Semaphore>,
    watchers_max: usize,
    shutdown: CancellationToken,
}

/// What an [`Api`] reads from.
#[derive(Clone)]
pub struct Sources {
    /// The fleet.
    pub driver: Driver,
    /// Zones and pools.
    pub summaries: Summaries,
    /// Their recent past.
    pub trends: Trends,
    /// Events of earlier starts.
    pub past: Arc<Past>,
    /// Decisions, actions and holds.
    pub papers: Papers,
}

impl Api {
    /// Reads from these; at most `watchers_max` watches are open at once, and all end when it is time to stop.
    pub fn new(sources: Sources, watchers_max: usize, shutdown: CancellationToken) -> Api {
        let Sources { driver, summaries, trends, past, papers } = sources;
        let watchers = Arc::new(Semaphore::new(watchers_max));
        Api { driver, summaries, trends, past, papers, watchers, watchers_max, shutdown }
    }

    /// Watches that are open now.
    pub fn watchers(&self) -> usize {
        self.watchers_max - self.watchers.available_permits()
    }

    fn fleet_summary(&self) -> v1::FleetSummary {
        let summary = self.summaries.get();
        let (leader, term, simulated) = self.driver.view(|view| {
            let simulated = view.fleet.nodes_by_key().any(|node| node.hello().simulated);
            (view.report.leader.as_deref().unwrap_or_default().to_owned(), view.report.term.0, simulated)
        });
        v1::FleetSummary {
            replica: self.driver.replica().to_owned(),
            leader,
            term,
            revision: summary.revision,
            zones: summary.zones.values().map(|zone| zone.entry.clone()).collect(),
            pools: summary.pools.values().map(|pool| pool.entry.clone()).collect(),
            counts: Some(crate::convert::signals::counts(&summary.fleet.counts)),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            simulated,
            uptime_s: self.driver.uptime().as_secs(),
        }
    }
}

fn mask_of<M: Fields>(mask: Option<&pbjson_types::FieldMask>) -> Result<Mask, Status> {
    let paths = mask.map_or(&[][..], |mask| &mask.paths);
    Mask::parse::<M>(paths).map_err(|error| Status::invalid_argument(error.to_string()))
}

/// The service, of which most is pairs of RPCs that list and get one kind of entry. The whole is one macro, because what
/// `async_trait` rewrites must be there before it runs.
macro_rules! fleet_service {
    ($($list:ident, $get:ident: $entry:ident in $entries:ident of $response:ident;)*) => {
        #[tonic::async_trait]
        impl v1::fleet_server::Fleet for Api {
            $(
                async fn $list(&self, request: Request<v1::ListRequest>) -> Result<Response<v1::$response>, Status> {
                    let list::Page { entries, next_page_token, total_size } = list::page::<v1::$entry>(self, request.get_ref()).await?;
                    Ok(Response::new(v1::$response { $entries: entries, next_page_token, total_size }))
                }

                async fn $get(&self, request: Request<v1::GetRequest>) -> Result<Response<v1::$entry>, Status> {
                    list::get::<v1::$entry>(self, request.get_ref()).map(Response::new)
                }
            )*

            async fn get_fleet(&self, _request: Request<v1::GetFleetRequest>) -> Result<Response<v1::FleetSummary>, Status> {
                Ok(Response::new(self.fleet_summary()))
            }

            type WatchStream = Watching;

            async fn watch(&self, request: Request<v1::WatchRequest>) -> Result<Response<Watching>, Status> {
                watch::open(self, request.get_ref()).map(Response::new)
            }

            async fn query_range(
                &self,
                request: Request<v1::QueryRangeRequest>,
            ) -> Result<Response<v1::QueryRangeResponse>, Status> {
                range::query(self, request.get_ref()).map(Response::new)
            }

            async fn explain(&self, request: Request<v1::ExplainRequest>) -> Result<Response<v1::Explanation>, Status> {
                explain::explain(self, &request.get_ref().decision).map(Response::new)
            }
        }
    };
}

fleet_service! {
    list_zones, get_zone: Zone in zones of ListZonesResponse;
    list_nodes, get_node: Node in nodes of ListNodesResponse;
    list_gpus, get_gpu: Gpu in gpus of ListGpusResponse;
    list_engines, get_engine: Engine in engines of ListEnginesResponse;
    list_pools, get_pool: Pool in pools of ListPoolsResponse;
    list_events, get_event: Event in events of ListEventsResponse;
    list_decisions, get_decision: Decision in decisions of ListDecisionsResponse;
    list_actions, get_action: Action in actions of ListActionsResponse;
    list_holds, get_hold: Hold in holds of ListHoldsResponse;
}
