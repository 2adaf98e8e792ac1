//! Asks other agents whether they live, on behalf of a coordinator that has lost sight of them.
//!
//! The four answers tell a dead process from a dead machine and from a broken network: a reset comes from a living
//! kernel, and so does a connection to a process that then says nothing; silence comes from no kernel at all.

use std::{
    future::ready,
    io::{self, ErrorKind},
    time::Duration,
};

use futures_util::future::join_all;
use hyper_util::rt::TokioIo;
use ostler_proto::v1::{self, ProbeAnswer, agent_client::AgentClient};
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout, timeout_at},
};
use tonic::transport::Endpoint;

/// Peers in one request, as the wire's contract says.
const ADDRESSES_MAX: usize = 16;

/// Patience with a peer; a coordinator that waits longer than 5 s has other evidence by then.
const TIMEOUT_MS: std::ops::RangeInclusive<u32> = 50..=5_000;

/// Probes all addresses at once.
///
/// # Errors
/// When there are more addresses than the wire allows.
pub async fn probe_all(request: &v1::ProbePeers) -> Result<v1::ProbePeerResult, String> {
    if request.addresses.len() > ADDRESSES_MAX {
        let count = request.addresses.len();
        return Err(format!("probe_peers.addresses has {count} entries; send at most {ADDRESSES_MAX}"));
    }
    let patience =
        Duration::from_millis(request.timeout_ms.clamp(*TIMEOUT_MS.start(), *TIMEOUT_MS.end()).into());
    let peers = request.addresses.iter().enumerate();
    let peers = peers.map(|(at, address)| (address, request.nodes.get(at).map(String::as_str)));
    let outcomes = join_all(peers.map(|(address, node)| probe(address, node, patience))).await;
    Ok(v1::ProbePeerResult { request_id: request.request_id.clone(), outcomes })
}

/// Probes one address, where the agent of this node is expected, or of any. The host has `patience` to let us in, and the
/// agent as long again to answer.
pub async fn probe(address: &str, node: Option<&str>, patience: Duration) -> v1::ProbeOutcome {
    let begun = Instant::now();
    // The name first: that it is unknown here says nothing about the peer. Then a bare connection: its error tells a reset
    // from an unreachable network, which gRPC's would not.
    let until = Instant::now() + patience;
    let found = timeout_at(until, lookup_host(address)).await;
    let found = found.ok().and_then(Result::ok).map(Vec::from_iter).unwrap_or_default();
    let answer = if found.is_empty() {
        ProbeAnswer::Unspecified
    } else {
        match timeout_at(until, TcpStream::connect(found.as_slice())).await {
            Ok(Ok(stream)) => timeout(patience, ask(stream, node)).await.unwrap_or(ProbeAnswer::Refused),
            Ok(Err(error)) => refusal(error.kind()),
            Err(_) => ProbeAnswer::Timeout,
        }
    };
    v1::ProbeOutcome {
        address: address.to_owned(),
        answer: answer.into(),
        round_trip_us: u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX),
    }
}

async fn ask(stream: TcpStream, node: Option<&str>) -> ProbeAnswer {
    let mut stream = Some(TokioIo::new(stream));
    let connect = move |_| ready(stream.take().ok_or_else(|| io::Error::from(ErrorKind::NotConnected)));
    let endpoint = Endpoint::from_static("http://agent");
    let Ok(channel) = endpoint.connect_with_connector(tower::service_fn(connect)).await else {
        return ProbeAnswer::Refused;
    };
    match AgentClient::new(channel).probe(v1::ProbeRequest {}).await {
        Ok(response) if node.is_some_and(|node| response.get_ref().node != node) => ProbeAnswer::Unreachable,
        Ok(_) => ProbeAnswer::Ok,
        // Something listens there that is not an agent, or an agent that died while it answered.
        Err(_) => ProbeAnswer::Refused,
    }
}

fn refusal(kind: ErrorKind) -> ProbeAnswer {
    if matches!(kind, ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset) {
        ProbeAnswer::Refused
    } else if kind == ErrorKind::TimedOut {
        ProbeAnswer::Timeout
    } else if matches!(kind, ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) {
        ProbeAnswer::Unreachable
    } else {
        // Our own trouble, for example too many open files.
        ProbeAnswer::Unspecified
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn a_closed_port_on_a_living_host_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        assert_eq!(probe(&address, None, PATIENCE).await.answer(), ProbeAnswer::Refused);
    }

    #[tokio::test]
    async fn a_process_that_accepts_and_says_nothing_is_down_on_a_living_host() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert_eq!(probe(&address, None, PATIENCE).await.answer(), ProbeAnswer::Refused);
    }

    #[tokio::test]
    async fn a_name_that_nobody_knows_says_nothing_about_the_peer() {
        assert_eq!(probe("no address", None, PATIENCE).await.answer(), ProbeAnswer::Unspecified);
    }

    #[tokio::test]
    async fn more_addresses_than_the_wire_allows_are_refused() {
        let request =
            v1::ProbePeers { addresses: vec!["127.0.0.1:1".to_owned(); 17], ..v1::ProbePeers::default() };
        assert!(probe_all(&request).await.unwrap_err().contains("at most 16"));
    }
}
