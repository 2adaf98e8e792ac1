//! Orders of operators: not served in this version, and said so plainly.

use ostler_proto::v1;
use tonic::{Request, Response, Status};

/// Answers `Control`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Orders;

/// The answer to an order that this version cannot carry out.
pub fn not_available(order: &str) -> Status {
    Status::unimplemented(format!(
        "{order} is not available in this version: it observes the fleet and does not act on it yet; {order} comes with the release that adds drain and failover. Until then use your own tools, for example kubectl"
    ))
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
        }
    };
}

control! {
    drain: DrainRequest,
    undrain: UndrainRequest,
    failover: FailoverRequest,
    failback: FailbackRequest,
    hold: HoldRequest,
    release: ReleaseRequest,
    apply_policy: ApplyPolicyRequest,
    approve: ApproveRequest,
    start_drill: StartDrillRequest,
}
