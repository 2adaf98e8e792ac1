//! Orders of operators. Holds and releases are carried out by the leader; another replica passes them on to it. The rest is
//! not served in this version, and said so plainly.

use std::time::Duration;

use ostler_core::desk::{Order, OrderRefusal, Wanted};
use ostler_proto::v1;
use ostler_proto::v1::control_client::ControlClient;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, Uri};
use tonic::{Code, Request, Response, Status};

use crate::convert::decisions::scope;
use crate::desk::{Counter, Earnest, Refusal};
use crate::driver::Driver;
use crate::tls::{self, Addresses};

/// The header of an order that was passed on, which is not passed on again.
const PASSED_ON: &str = "x-ostler-passed-on";

/// How long another replica may take to take an order that is passed on.
const PASS_TIME_MAX: Duration = Duration::from_millis(2_500);

/// How long it may take to be reached.
const REACH_TIME_MAX: Duration = Duration::from_secs(1);

/// Longest hold that ends by itself: what an order's field can hold is 49 days.
const HOLD_MAX: Duration = Duration::from_millis(u32::MAX as u64);

/// Answers `Control`. Clones are the same.
#[derive(Clone)]
pub struct Orders {
    counter: Counter,
    driver: Driver,
    /// All replicas that are known.
    peers: Addresses,
}

/// The answer to an order that this version cannot carry out.
pub fn not_available(order: &str) -> Status {
    Status::unimplemented(format!(
        "{order} is not available in this version: it takes traffic off what fails and can be held, and does not drain or fail over by order yet; {order} comes with the release that adds drain and failover. Until then use your own tools, for example kubectl"
    ))
}

impl Orders {
    /// Orders that are handed in here, or passed on to these replicas.
    pub fn new(counter: Counter, driver: Driver, peers: Addresses) -> Orders {
        Orders { counter, driver, peers }
    }

    async fn hold_here(&self, request: &v1::HoldRequest) -> Result<v1::ControlResponse, Status> {
        let lasts = Some(request.expires_in_ms).filter(|millis| *millis > 0);
        let lasts = lasts.map(|millis| Duration::from_millis(millis.into()).min(HOLD_MAX));
        let scope = parse_scope(&request.scope)?;
        self.give(request.order.as_ref(), Wanted::Hold { scope, lasts }).await
    }

    async fn release_here(&self, request: &v1::ReleaseRequest) -> Result<v1::ControlResponse, Status> {
        self.give(request.order.as_ref(), Wanted::Release(parse_scope(&request.scope)?)).await
    }

    async fn give(&self, order: Option<&v1::Order>, wanted: Wanted) -> Result<v1::ControlResponse, Status> {
        let order = order.ok_or_else(|| Status::invalid_argument("order: is missing"))?;
        let earnest = if order.dry_run { Earnest::DryRun } else { Earnest::Real };
        let order = Order {
            request_id: order.request_id.as_str().into(),
            by: order.operator.as_str().into(),
            reason: order.reason.as_str().into(),
            wanted,
        };
        let message = self.counter.give(order, earnest).await.map_err(|refusal| self.status(&refusal))?;
        Ok(v1::ControlResponse { actions: Vec::new(), message: message.into_string() })
    }

    fn status(&self, refusal: &Refusal) -> Status {
        let text = refusal.to_string();
        match refusal {
            Refusal::NotLeading => {
                let leader = self.driver.view(|view| view.report.leader.clone());
                Status::failed_precondition(match leader {
                    Some(leader) => format!("{text}: ask the leader, {leader}"),
                    None => format!("{text}, and no leader is known; try again in some seconds"),
                })
            }
            Refusal::Order(OrderRefusal::NotReady)
            | Refusal::Unread(_)
            | Refusal::Unknown
            | Refusal::Ended => Status::unavailable(text),
            Refusal::Order(
                OrderRefusal::Hold(ostler_core::brake::HoldRefusal::Full) | OrderRefusal::Busy,
            )
            | Refusal::Busy => Status::resource_exhausted(text),
            Refusal::Order(_) => Status::invalid_argument(text),
        }
    }

    /// A connection to a replica, when there is one to be had.
    async fn reach(&self, uri: &Uri) -> Option<Channel> {
        let unreached = |error: &dyn std::error::Error| {
            tracing::warn!(%uri, error = tls::chain(error), "an order cannot be passed on to a replica");
        };
        let endpoint = self.peers.endpoint(uri).inspect_err(|error| unreached(error)).ok()?;
        let endpoint = endpoint.connect_timeout(REACH_TIME_MAX).timeout(PASS_TIME_MAX);
        endpoint.connect().await.inspect_err(|error| unreached(error)).ok()
    }

    /// Passes an order on to whichever replica leads, when this one does not. One that is stuck, old or gone does not end
    /// the search: what it may have done is not done twice, because the order keeps its name.
    async fn pass_on(&self, refused: Status, order: Passed) -> Result<v1::ControlResponse, Status> {
        let mut answer = refused;
        for uri in self.peers.uris() {
            let Some(channel) = self.reach(uri).await else { continue };
            let mut client = ControlClient::new(channel);
            let told = match &order {
                Passed::Hold(order) => client.hold(passed_on(order.clone())).await,
                Passed::Release(order) => client.release(passed_on(order.clone())).await,
            };
            match told {
                Ok(response) => return Ok(response.into_inner()),
                Err(status) => match status.code() {
                    Code::FailedPrecondition | Code::Unimplemented => {}
                    Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                        answer = Status::unavailable(Refusal::Unknown.to_string());
                    }
                    Code::Ok
                    | Code::InvalidArgument
                    | Code::NotFound
                    | Code::AlreadyExists
                    | Code::PermissionDenied
                    | Code::ResourceExhausted
                    | Code::Aborted
                    | Code::OutOfRange
                    | Code::Internal
                    | Code::DataLoss
                    | Code::Unauthenticated => return Err(status),
                },
            }
        }
        Err(answer)
    }

    /// An order that was refused here is passed on, when it comes from an operator and this replica does not lead.
    async fn or_pass_on(
        &self,
        answer: Result<v1::ControlResponse, Status>,
        order: Option<Passed>,
    ) -> Result<Response<v1::ControlResponse>, Status> {
        let answer = match (answer, order) {
            (Err(status), Some(order)) if status.code() == Code::FailedPrecondition => {
                self.pass_on(status, order).await
            }
            (answer, _) => answer,
        };
        answer.map(Response::new)
    }
}

/// An order that other replicas may be asked to take.
enum Passed {
    Hold(v1::HoldRequest),
    Release(v1::ReleaseRequest),
}

fn passed_on<T>(order: T) -> Request<T> {
    let mut request = Request::new(order);
    request.metadata_mut().insert(PASSED_ON, MetadataValue::from_static("1"));
    request
}

/// Whether an order comes from an operator, and not from another replica.
fn is_first<T>(request: &Request<T>) -> bool {
    request.metadata().get(PASSED_ON).is_none()
}

fn parse_scope(text: &str) -> Result<ostler_core::brake::Scope, Status> {
    scope(text).ok_or_else(|| {
        let text: String = text.chars().take(253).collect();
        let forms = "\"fleet\", \"zone/NAME\", \"pool/NAME\" or \"node/NAME\"";
        Status::invalid_argument(format!("scope: is {text:?}; it must be {forms}"))
    })
}

macro_rules! control {
    ($($name:ident: $request:ident,)*) => {
        #[tonic::async_trait]
        impl v1::control_server::Control for Orders {
            $(
                async fn $name(&self, _request: Request<v1::$request>) -> Result<Response<v1::ControlResponse>, Status> {
                    Err(not_available(stringify!($name)))
                }
            )*

            async fn hold(&self, request: Request<v1::HoldRequest>) -> Result<Response<v1::ControlResponse>, Status> {
                let first = is_first(&request);
                let order = request.into_inner();
                let answer = self.hold_here(&order).await;
                self.or_pass_on(answer, first.then_some(Passed::Hold(order))).await
            }

            async fn release(&self, request: Request<v1::ReleaseRequest>) -> Result<Response<v1::ControlResponse>, Status> {
                let first = is_first(&request);
                let order = request.into_inner();
                let answer = self.release_here(&order).await;
                self.or_pass_on(answer, first.then_some(Passed::Release(order))).await
            }
        }
    };
}

control! {
    drain: DrainRequest,
    undrain: UndrainRequest,
    failover: FailoverRequest,
    failback: FailbackRequest,
    apply_policy: ApplyPolicyRequest,
    approve: ApproveRequest,
    start_drill: StartDrillRequest,
}

#[cfg(test)]
mod tests {
    use ostler_core::engine::Policy;

    use super::*;

    fn replica(peers: &[std::net::SocketAddr]) -> Orders {
        let peers = peers.iter().map(|address| format!("http://{address}").parse().unwrap()).collect();
        let (counter, _) = Counter::open();
        Orders::new(counter, Driver::new(Policy::default(), "r"), Addresses::new(peers, None))
    }

    #[tokio::test]
    async fn a_replica_that_is_stuck_does_not_keep_an_order_from_the_next() {
        let listen = async || tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (stuck, next) = (listen().await, listen().await);
        let peers = [stuck.local_addr().unwrap(), next.local_addr().unwrap()];
        // The next one is heard of, and goes away: nobody knows what became of the order.
        let heard = tokio::spawn(async move { next.accept().await.map(drop) });
        let order = Passed::Release(v1::ReleaseRequest::default());
        let refused = Status::failed_precondition("this replica does not lead");
        let status = replica(&peers).pass_on(refused, order).await.unwrap_err();
        heard.await.unwrap().unwrap();
        assert_eq!((status.code(), status.message()), (Code::Unavailable, &*Refusal::Unknown.to_string()));
    }

    #[tokio::test]
    async fn where_nobody_is_reached_it_is_told_that_this_replica_does_not_lead() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let order = Passed::Hold(v1::HoldRequest::default());
        let refused = Status::failed_precondition("this replica does not lead");
        let status = replica(&[closed]).pass_on(refused, order).await.unwrap_err();
        assert_eq!(status.code(), Code::FailedPrecondition);
    }
}
