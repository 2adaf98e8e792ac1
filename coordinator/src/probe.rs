//! Does what the engine asks for: asks a silent node's agent whether it lives, and has the agents of other nodes ask it too.
//!
//! Our own probe is a connection to the agent's port and one call on it. The others are orders over the streams of the
//! nodes that the engine chose; their answers come back by those streams ([`probed`]) and carry all that is needed to hand
//! them in, so nothing is remembered here. A probe that cannot be made, because the node tells no address, its name is
//! unknown or an agent declines, is handed in as [`Answer::Unasked`]: that says nothing about the node, nor about us.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ostler_core::detect::{Action, Answer, Ask, Fact, Probed, Prober};
use ostler_core::id::NodeKey;
use ostler_proto::v1;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::convert::outgoing::millis;
use crate::driver::Driver;
use crate::ingest;
use crate::peers::Questions;

mod agent;

/// Own probes at once, each a socket: one for each round of probes that the engine awaits at most.
const PROBES_MAX: usize = 1024;

/// What the ids of our orders begin with.
const ACTION: &str = "probe-";

/// Where to ask a node, and under which term others are told to.
struct Target {
    name: String,
    address: String,
    term: u64,
}

/// Does what the engine asks for until shut down.
pub(crate) async fn run(
    driver: Driver,
    ingest: ingest::Service,
    mut actions: mpsc::Receiver<Action>,
    questions: Questions,
    shutdown: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(PROBES_MAX));
    while let Some(Some(action)) = shutdown.run_until_cancelled(actions.recv()).await {
        match action {
            Action::Probe(ask) => probe(&driver, &ingest, &places, &ask),
            Action::Corroborate(nodes) => questions.ask(&driver, &nodes),
            // The election of several replicas goes by the same figures, of which it is told each second.
            Action::Resign(reason) => tracing::debug!(?reason, "should not lead"),
        }
    }
}

fn probe(driver: &Driver, ingest: &ingest::Service, places: &Arc<Semaphore>, ask: &Ask) {
    let (node, round, timeout) = (ask.node, ask.round, ask.timeout);
    let Some(target) = target(driver, node) else {
        let all = ask.peers.iter().map(|&by| Prober::Node(by)).chain([Prober::Own]);
        driver.learn_all(all.map(|by| Fact::Probed(unasked(node, round, by))));
        return;
    };
    for &peer in &ask.peers {
        // A stream that takes no more does not answer, and the engine counts it so.
        ingest.order(peer, order(ask, &target));
    }
    let Ok(place) = Arc::clone(places).try_acquire_owned() else { return };
    let driver = driver.clone();
    tokio::spawn(async move {
        let begun = Instant::now();
        let learn = |answer| {
            let round_trip = begun.elapsed();
            driver.learn(Fact::Probed(Probed { node, round, by: Prober::Own, answer, round_trip }));
        };
        let let_in = || learn(Answer::LetIn);
        learn(agent::probe(&target.name, &target.address, timeout, place, let_in).await);
    });
}

fn unasked(node: NodeKey, round: u32, by: Prober) -> Probed {
    Probed { node, round, by, answer: Answer::Unasked, round_trip: Duration::ZERO }
}

fn target(driver: &Driver, node: NodeKey) -> Option<Target> {
    driver.view(|view| {
        let node = view.fleet.node_by_key(node)?;
        let address = node.hello().probe_address.to_string();
        let target = Target { name: node.id().to_string(), address, term: view.report.term.0 };
        (!target.address.is_empty()).then_some(target)
    })
}

/// The order to probe a node. It names node and round, and the answer repeats that.
fn order(ask: &Ask, target: &Target) -> v1::Command {
    let request_id = format!("{}.{}", ask.node.0, ask.round);
    let timeout_ms = millis(ask.peer_timeout);
    let (addresses, nodes) = (vec![target.address.clone()], vec![target.name.clone()]);
    v1::Command {
        term: target.term,
        action_id: format!("{ACTION}{request_id}"),
        valid_for_ms: timeout_ms,
        order: Some(v1::command::Order::ProbePeers(v1::ProbePeers {
            request_id,
            addresses,
            timeout_ms,
            nodes,
        })),
    }
}

/// What an agent found, in the engine's words; none when it did not say, or answers what nobody asked.
pub(crate) fn probed(by: NodeKey, result: &v1::ProbePeerResult) -> Option<Probed> {
    let (node, round) = asked(&result.request_id)?;
    let [outcome] = result.outcomes.as_slice() else { return None };
    let answer = match outcome.answer() {
        v1::ProbeAnswer::Ok => Answer::Ok,
        v1::ProbeAnswer::Refused => Answer::Refused,
        v1::ProbeAnswer::Timeout => Answer::TimedOut,
        v1::ProbeAnswer::Unreachable => Answer::NoRoute,
        v1::ProbeAnswer::Unspecified => Answer::Unasked,
    };
    let round_trip = Duration::from_micros(outcome.round_trip_us.into());
    Some(Probed { node, round, by: Prober::Node(by), answer, round_trip })
}

/// What an agent's answer to an order means if the order was a probe: it did not make it.
pub(crate) fn declined(by: NodeKey, result: &v1::CommandResult) -> Option<Probed> {
    let (node, round) = asked(result.action_id.strip_prefix(ACTION)?)?;
    Some(unasked(node, round, Prober::Node(by)))
}

/// The node and the round that a request was for.
fn asked(request_id: &str) -> Option<(NodeKey, u32)> {
    let (node, round) = request_id.split_once('.')?;
    Some((NodeKey(node.parse().ok()?), round.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(request_id: &str, answers: &[v1::ProbeAnswer]) -> v1::ProbePeerResult {
        let outcome = |answer: &v1::ProbeAnswer| v1::ProbeOutcome {
            address: "n1:7410".into(),
            answer: *answer as i32,
            round_trip_us: 1500,
        };
        v1::ProbePeerResult { request_id: request_id.into(), outcomes: answers.iter().map(outcome).collect() }
    }

    #[test]
    fn the_answer_to_an_order_leads_back_to_the_round_that_asked() {
        let ask = Ask {
            node: NodeKey(7),
            round: 3,
            timeout: Duration::from_millis(650),
            peers: vec![NodeKey(9)],
            peer_timeout: Duration::from_millis(500),
        };
        let target = Target { name: "n7".into(), address: "n7:7410".into(), term: 4 };
        let command = order(&ask, &target);
        assert_eq!((command.term, command.valid_for_ms), (4, 500));
        let Some(v1::command::Order::ProbePeers(asked)) = command.order else { panic!("no probe") };
        let answer = probed(NodeKey(9), &result(&asked.request_id, &[v1::ProbeAnswer::Refused])).unwrap();
        assert_eq!((answer.node, answer.round, answer.by), (NodeKey(7), 3, Prober::Node(NodeKey(9))));
        assert_eq!((answer.answer, answer.round_trip), (Answer::Refused, Duration::from_micros(1500)));
        assert_eq!(asked.nodes, ["n7"], "an agent that answers there for another node is not it");

        let refusal = v1::CommandResult { action_id: command.action_id, ok: false, detail: "busy".into() };
        let declined = declined(NodeKey(9), &refusal).unwrap();
        assert_eq!((declined.node, declined.round, declined.by), (answer.node, 3, answer.by));
        assert_eq!(declined.answer, Answer::Unasked);
    }

    #[test]
    fn what_is_no_answer_is_passed_over() {
        use v1::ProbeAnswer::{Ok, Timeout, Unspecified};
        let unknown = probed(NodeKey(9), &result("7.3", &[Unspecified])).unwrap();
        assert_eq!(unknown.answer, Answer::Unasked);
        for (request_id, answers) in
            [("7.3", &[][..]), ("7.3", &[Ok, Timeout]), ("7", &[Ok]), ("x.3", &[Ok]), ("", &[Ok])]
        {
            assert_eq!(probed(NodeKey(9), &result(request_id, answers)), None, "{request_id} {answers:?}");
        }
    }
}
