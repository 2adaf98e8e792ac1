//! What this replica answers when another one asks.

use ostler_core::detect::{Subject, Verdict};
use ostler_core::id::NodeId;
use ostler_proto::v1;
use tonic::{Request, Response, Status};

use crate::convert::outgoing::{millis, verdict};
use crate::driver::{Driver, View};

/// Nodes in one question, as the wire's contract says.
const NODES_MAX: usize = ostler_core::detect::CORROBORATED_MAX;

/// Answers `Peer`.
#[derive(Clone)]
pub struct Answers {
    driver: Driver,
}

impl Answers {
    /// Answers by what this driver's engine holds.
    pub fn new(driver: Driver) -> Answers {
        Answers { driver }
    }

    fn reach(&self, view: &View<'_>) -> v1::Reach {
        let zone = |(zone, reach): (&ostler_core::id::ZoneId, ostler_core::detect::ZoneReach)| {
            v1::ZoneReach { zone: zone.to_string(), nodes: reach.nodes, nodes_reached: reach.reached }
        };
        v1::Reach {
            replica: self.driver.replica().to_owned(),
            zones: view.detector.reach().map(zone).collect(),
            local_health: view.detector.report().local_health.score().into(),
        }
    }
}

#[tonic::async_trait]
impl v1::peer_server::Peer for Answers {
    async fn corroborate(
        &self,
        request: Request<v1::CorroborateRequest>,
    ) -> Result<Response<v1::CorroborateResponse>, Status> {
        let v1::CorroborateRequest { nodes, .. } = request.into_inner();
        if nodes.len() > NODES_MAX {
            let count = nodes.len();
            return Err(Status::invalid_argument(format!(
                "nodes has {count} names; ask about at most {NODES_MAX}"
            )));
        }
        let answer = self.driver.view(|view| {
            let trusted = view.detector.verdict(&Subject::Observer) == Verdict::Healthy;
            let nodes = nodes.iter().filter(|_| trusted).filter_map(|node| evidence(view, node)).collect();
            v1::CorroborateResponse { nodes, reach: Some(self.reach(view)) }
        });
        Ok(Response::new(answer))
    }

    async fn get_reach(&self, _: Request<v1::GetReachRequest>) -> Result<Response<v1::Reach>, Status> {
        Ok(Response::new(self.driver.view(|view| self.reach(view))))
    }
}

/// What is known of a node; none of one that is not.
fn evidence(view: &View<'_>, name: &str) -> Option<v1::NodeEvidence> {
    let node = view.fleet.node(&NodeId::from(name))?;
    Some(v1::NodeEvidence {
        node: name.to_owned(),
        connected: node.connected(),
        silence_ms: Some(millis(view.now.since(node.heard()))),
        incarnation: node.hello().incarnation.0,
        verdict: verdict(view.detector.finding(&Subject::Node(node.key()))),
    })
}
