//! Other replicas: what they reach, what they know of a node, and what they are told of the same.
//!
//! Each replica asks every other one once a second how much of the fleet it reaches. By the answers it tells whether it is
//! the one that is cut off, and a leader that sees less than half of what another does gives up the lead. Before anything
//! harsher than moving traffic is allowed on a node, the others are asked about it ([`Action::Corroborate`]). Nothing here
//! is for ever: what was said a few seconds ago and not repeated counts for nothing.
//!
//! [`Action::Corroborate`]: ostler_core::detect::Action::Corroborate

mod answers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ostler_core::detect::{Fact, Replica, Testimony, ZoneReach};
use ostler_core::id::{NodeId, NodeKey, ZoneId};
use ostler_proto::v1;
use ostler_proto::v1::peer_client::PeerClient;
use tokio::sync::broadcast;
use tokio::time::{Instant, MissedTickBehavior};
use tonic::Status;
use tonic::transport::{Channel, Uri};

pub use self::answers::Answers;
use crate::driver::{Driver, View};
use crate::lead::Fitness;
use crate::tls::{self, Addresses};

/// How often a replica is asked what it reaches.
const ASK_INTERVAL: Duration = Duration::from_secs(1);

/// How long a replica may take to answer: what is not known by the next question is not known.
const ANSWER_WITHIN: Duration = Duration::from_millis(900);

/// How long a connection may be silent until another one is made. The kernel would go on with that to a host that has
/// vanished for a quarter of an hour.
const ALIVE_WITHIN: Duration = Duration::from_secs(2);

/// How long what another replica reaches counts, as in the detection.
const REACH_FRESH: Duration = Duration::from_secs(5);

/// Questions about nodes that wait for a replica that is slow; older ones are forgotten, and asked again with the next round.
const QUESTIONS_MAX: usize = 16;

/// Bytes of an answer: a thousand nodes of which each takes less than 300.
const ANSWER_BYTES_MAX: usize = 512 << 10;

/// Names of nodes to be asked about; clones reach the same replicas.
#[derive(Clone, Debug)]
pub struct Questions(broadcast::Sender<Arc<Vec<String>>>);

impl Questions {
    /// Has the other replicas asked; their answers reach the engine.
    pub(crate) fn ask(&self, driver: &Driver, nodes: &[NodeKey]) {
        let name =
            |node: &NodeKey, view: &View<'_>| view.fleet.node_by_key(*node).map(|node| node.id().to_string());
        let names = driver.view(|view| nodes.iter().filter_map(|node| name(node, view)).collect());
        // Nobody takes it when there are no other replicas.
        let _ = self.0.send(Arc::new(names));
    }
}

impl Default for Questions {
    fn default() -> Questions {
        Questions(broadcast::Sender::new(QUESTIONS_MAX))
    }
}

/// What replicas are asked with.
#[derive(Clone)]
pub(crate) struct Peers {
    pub(crate) driver: Driver,
    pub(crate) questions: Questions,
    /// Whom to tell how fit this replica is to lead.
    pub(crate) fitness: Fitness,
}

/// What each replica reaches in all, and since when that is known, by name.
type Reached = Arc<Mutex<BTreeMap<String, (Instant, u32)>>>;

impl Peers {
    /// Exchanges with the replicas at these addresses until it is dropped. An address may be this replica's own, so that all
    /// can have the same list.
    pub(crate) async fn run(self, addresses: Addresses) {
        let reached = Reached::default();
        let exchanges =
            addresses.uris().iter().map(|uri| self.clone().exchange(&addresses, uri, Arc::clone(&reached)));
        tokio::join!(futures_util::future::join_all(exchanges), self.compare(Arc::clone(&reached)));
    }

    /// Tells the election each second how well this replica does beside the others.
    async fn compare(&self, reached: Reached) {
        let mut ticks = ticks();
        loop {
            ticks.tick().await;
            let (own, score) = self.driver.view(|view| {
                let detector = view.detector;
                let own = detector.reach().map(|(_, it)| it.reached).fold(0, u32::saturating_add);
                (own, detector.report().local_health.score())
            });
            let now = Instant::now();
            let mut reached = reached.lock().unwrap_or_else(PoisonError::into_inner);
            reached.retain(|_, (at, _)| now - *at <= REACH_FRESH);
            let best = reached.values().map(|(_, reached)| *reached).fold(own, u32::max);
            drop(reached);
            self.fitness.tell(score, own, best);
        }
    }

    async fn exchange(self, addresses: &Addresses, uri: &Uri, reached: Reached) {
        let url = uri.to_string();
        let mut client = client(addresses, uri);
        let mut questions = self.questions.0.subscribe();
        let (mut ticks, mut heard) = (ticks(), None);
        loop {
            let answer = tokio::select! {
                _ = ticks.tick() => self.ask_reach(&mut client).await,
                question = questions.recv() => match question {
                    Ok(nodes) => self.ask_about(&mut client, &nodes).await,
                    Err(broadcast::error::RecvError::Lagged(_)) => continue,
                    Err(broadcast::error::RecvError::Closed) => return,
                },
            };
            if heard != Some(answer.is_ok()) {
                heard = Some(answer.is_ok());
                match &answer {
                    Ok(reach) if reach.replica == self.driver.replica() => {
                        tracing::info!(url, "this address is this replica's own");
                    }
                    Ok(reach) => tracing::info!(url, replica = reach.replica, "hears another replica"),
                    Err(status) => {
                        tracing::warn!(url, error = told(status), "another replica does not answer")
                    }
                }
            }
            match answer {
                Ok(reach) => self.learn_reach(&reach, &reached),
                // Its certificate, or ours, may have been renewed.
                Err(status) if client.is_err() || is_of_transport(&status) => {
                    client = self::client(addresses, uri);
                }
                Err(_) => {}
            }
        }
    }

    async fn ask_reach(&self, client: &mut Client) -> Result<v1::Reach, Status> {
        let client = client.as_mut().map_err(|status| status.clone())?;
        let request = v1::GetReachRequest { replica: self.driver.replica().to_owned() };
        Ok(within(client.get_reach(request)).await?.into_inner())
    }

    async fn ask_about(&self, client: &mut Client, nodes: &[String]) -> Result<v1::Reach, Status> {
        let client = client.as_mut().map_err(|status| status.clone())?;
        let request = v1::CorroborateRequest {
            replica: self.driver.replica().to_owned(),
            term: self.driver.view(|view| view.report.term.0),
            nodes: nodes.to_vec(),
        };
        let response = within(client.corroborate(request)).await?.into_inner();
        let reach = response.reach.ok_or_else(|| Status::data_loss("the answer lacks reach"))?;
        if reach.replica != self.driver.replica() {
            let asked: BTreeSet<&str> = nodes.iter().map(String::as_str).collect();
            let told = response.nodes.iter().take(nodes.len());
            let told: Vec<_> = told.filter(|it| asked.contains(it.node.as_str())).collect();
            self.learn_evidence(&reach.replica, &told);
        }
        Ok(reach)
    }

    fn learn_reach(&self, reach: &v1::Reach, reached: &Reached) {
        if reach.replica.is_empty() || reach.replica == self.driver.replica() {
            return;
        }
        let zone = |it: &v1::ZoneReach| {
            let nodes_reached = it.nodes_reached.min(it.nodes);
            (ZoneId::from(it.zone.as_str()), ZoneReach { nodes: it.nodes, reached: nodes_reached })
        };
        let zones: Vec<(ZoneId, ZoneReach)> = reach.zones.iter().map(zone).collect();
        let all = zones.iter().map(|(_, it)| it.reached).fold(0, u32::saturating_add);
        let mut reached = reached.lock().unwrap_or_else(PoisonError::into_inner);
        reached.insert(reach.replica.clone(), (Instant::now(), all));
        drop(reached);
        self.driver.learn(Fact::Replica(Replica { name: &reach.replica, reach: &zones }));
    }

    fn learn_evidence(&self, replica: &str, told: &[&v1::NodeEvidence]) {
        let known = |evidence: &&v1::NodeEvidence, view: &View<'_>| {
            let node = view.fleet.node(&NodeId::from(evidence.node.as_str()))?;
            Some((node.key(), testimony(evidence, node.hello().interval)?))
        };
        let said: Vec<_> = self.driver.view(|view| told.iter().filter_map(|it| known(it, view)).collect());
        let witness = |(node, testimony)| Fact::Witness { replica, node, testimony };
        self.driver.learn_all(said.into_iter().map(witness));
    }
}

/// What is to be made of another replica's word on a node that should be heard so often. That it has not heard the node
/// for a moment is none: only its own verdict is.
fn testimony(evidence: &v1::NodeEvidence, interval: Duration) -> Option<Testimony> {
    let lost = matches!(evidence.verdict(), v1::Verdict::NodeUnreachable | v1::Verdict::NodeDead);
    let silence = evidence.silence_ms.map(|silence| Duration::from_millis(silence.into()));
    let heard = evidence.connected && silence.is_some_and(|silence| silence < interval * 3 / 2);
    if lost { Some(Testimony::Lost) } else { heard.then_some(Testimony::Alive) }
}

/// What a replica is asked by; or why it cannot be.
type Client = Result<PeerClient<Channel>, Status>;

fn client(addresses: &Addresses, uri: &Uri) -> Client {
    let endpoint = addresses.endpoint(uri).map_err(|error| Status::unavailable(tls::chain(&error)))?;
    let channel = endpoint
        .connect_timeout(ANSWER_WITHIN)
        .http2_keep_alive_interval(ASK_INTERVAL)
        .keep_alive_timeout(ALIVE_WITHIN)
        .keep_alive_while_idle(true)
        .connect_lazy();
    Ok(PeerClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX))
}

/// Whether a connection failed, and not whoever is at its other end: that one says why itself, or is late.
fn is_of_transport(status: &Status) -> bool {
    std::error::Error::source(status).is_some()
}

/// Why there is no answer.
fn told(status: &Status) -> String {
    std::error::Error::source(status).map_or_else(|| status.message().to_owned(), tls::root_cause)
}

async fn within<T>(answer: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let late = |_| Status::deadline_exceeded(format!("no answer within {} ms", ANSWER_WITHIN.as_millis()));
    tokio::time::timeout(ANSWER_WITHIN, answer).await.map_err(late)?
}

/// Each second; a moment that was missed is not made up for.
pub(crate) fn ticks() -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(ASK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_connection_that_fails_is_made_anew() {
        let late = within(std::future::pending::<Result<(), Status>>()).await.unwrap_err();
        let said = Status::unauthenticated("it is not known");
        let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let failed = Status::from_error(Box::new(reset));
        assert_eq!([&late, &said, &failed].map(is_of_transport), [false, false, true]);
        assert_eq!((told(&said), told(&failed)), ("it is not known".into(), "connection reset".into()));
    }

    #[test]
    fn only_a_verdict_speaks_against_a_node_and_only_a_beat_for_it() {
        let said = |verdict: v1::Verdict, connected, silence_ms| {
            let evidence = v1::NodeEvidence {
                verdict: verdict.into(),
                connected,
                silence_ms,
                ..v1::NodeEvidence::default()
            };
            testimony(&evidence, Duration::from_secs(1))
        };
        assert_eq!(said(v1::Verdict::Healthy, true, Some(900)), Some(Testimony::Alive));
        assert_eq!(said(v1::Verdict::Healthy, true, Some(1_500)), None);
        assert_eq!(said(v1::Verdict::Healthy, false, Some(10)), None, "its stream has just ended");
        assert_eq!(said(v1::Verdict::NodeSuspect, true, Some(2_000)), None);
        assert_eq!(said(v1::Verdict::NodeUnreachable, false, Some(4_000)), Some(Testimony::Lost));
        assert_eq!(said(v1::Verdict::Unspecified, false, None), None);
    }
}
