//! Asks other agents whether they live, on behalf of a coordinator that has lost sight of them.
//!
//! The four answers tell a dead process from a dead machine and from a broken network: a reset comes from a living
//! kernel, and so does a connection to a process that then says nothing; silence comes from no kernel at all.

use std::{
    io::ErrorKind,
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use ostler_proto::v1::{self, ProbeAnswer, agent_client::AgentClient};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout_at,
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
    let outcomes = join_all(request.addresses.iter().map(|address| probe(address, patience))).await;
    Ok(v1::ProbePeerResult { request_id: request.request_id.clone(), outcomes })
}

/// Probes one address.
pub async fn probe(address: &str, patience: Duration) -> v1::ProbeOutcome {
    let begun = Instant::now();
    let deadline = tokio::time::Instant::now() + patience;
    // The name first: that it is unknown here says nothing about the peer. Then a bare connection: its error tells a reset
    // from an unreachable network, which gRPC's would not.
    let answer = match timeout_at(deadline, lookup_host(address)).await {
        Ok(Ok(mut found)) => match found.next() {
            Some(found) => match timeout_at(deadline, TcpStream::connect(found)).await {
                Ok(Ok(_)) => timeout_at(deadline, ask(found)).await.unwrap_or(ProbeAnswer::Refused),
                Ok(Err(error)) => refusal(error.kind()),
                Err(_) => ProbeAnswer::Timeout,
            },
            None => ProbeAnswer::Unspecified,
        },
        Ok(Err(_)) | Err(_) => ProbeAnswer::Unspecified,
    };
    v1::ProbeOutcome {
        address: address.to_owned(),
        answer: answer.into(),
        round_trip_us: u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX),
    }
}

async fn ask(address: SocketAddr) -> ProbeAnswer {
    let Ok(endpoint) = Endpoint::from_shared(format!("http://{address}")) else {
        return ProbeAnswer::Unspecified;
    };
    let Ok(channel) = endpoint.connect().await else { return ProbeAnswer::Refused };
    match AgentClient::new(channel).probe(v1::ProbeRequest {}).await {
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
    } else {
        ProbeAnswer::Unreachable
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
        assert_eq!(probe(&address, PATIENCE).await.answer(), ProbeAnswer::Refused);
    }

    #[tokio::test]
    async fn a_process_that_accepts_and_says_nothing_is_down_on_a_living_host() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert_eq!(probe(&address, PATIENCE).await.answer(), ProbeAnswer::Refused);
    }

    #[tokio::test]
    async fn a_name_that_nobody_knows_says_nothing_about_the_peer() {
        assert_eq!(probe("no address", PATIENCE).await.answer(), ProbeAnswer::Unspecified);
    }

    #[tokio::test]
    async fn more_addresses_than_the_wire_allows_are_refused() {
        let request =
            v1::ProbePeers { addresses: vec!["127.0.0.1:1".to_owned(); 17], ..v1::ProbePeers::default() };
        assert!(probe_all(&request).await.unwrap_err().contains("at most 16"));
    }
}
