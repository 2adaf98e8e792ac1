//! One probe of one agent: a connection, and one call on it.

use std::future;
use std::io::{Error, ErrorKind};
use std::time::{Duration, Instant};

use hyper_util::rt::TokioIo;
use ostler_core::detect::Answer;
use ostler_proto::v1;
use ostler_proto::v1::agent_client::AgentClient;
use tokio::net::TcpStream;
use tokio::time::timeout_at;
use tonic::Status;
use tonic::transport::Endpoint;

/// Asks the agent of the node of this name at an address of the form host:port; the answer and until it came, or none when
/// the host has no known address. An agent that lets us in and does not answer counts as refusing: only a host that lives
/// lets anybody in.
pub(super) async fn probe(node: &str, address: &str, timeout: Duration) -> Option<(Answer, Duration)> {
    let begun = Instant::now();
    let deadline = tokio::time::Instant::now() + timeout;
    let address = timeout_at(deadline, tokio::net::lookup_host(address)).await.ok()?.ok()?.next()?;
    let answer = match timeout_at(deadline, TcpStream::connect(address)).await {
        Err(_) => Answer::TimedOut,
        Ok(Err(error)) => failed(error.kind()),
        Ok(Ok(stream)) => match timeout_at(deadline, call(stream)).await {
            Ok(Ok(response)) if response.node == node => Answer::Ok,
            // The address is another node's by now, which says nothing for this one.
            Ok(Ok(_)) => Answer::NoRoute,
            Ok(Err(_)) | Err(_) => Answer::Refused,
        },
    };
    Some((answer, begun.elapsed()))
}

async fn call(stream: TcpStream) -> Result<v1::ProbeResponse, Status> {
    let mut stream = Some(TokioIo::new(stream));
    let connect = move |_| future::ready(stream.take().ok_or_else(|| Error::from(ErrorKind::NotConnected)));
    let endpoint = Endpoint::from_static("http://agent");
    let channel = endpoint.connect_with_connector(tower::service_fn(connect)).await;
    let channel = channel.map_err(|error| Status::unavailable(error.to_string()))?;
    AgentClient::new(channel).probe(v1::ProbeRequest {}).await.map(tonic::Response::into_inner)
}

fn failed(kind: ErrorKind) -> Answer {
    if matches!(kind, ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset) {
        Answer::Refused
    } else if kind == ErrorKind::TimedOut {
        Answer::TimedOut
    } else {
        Answer::NoRoute
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(300);

    async fn answer(address: &str) -> Option<Answer> {
        probe("n1", address, TIMEOUT).await.map(|(answer, _)| answer)
    }

    #[tokio::test]
    async fn a_host_that_closes_its_port_or_lets_us_in_and_is_mute_lives() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert_eq!(answer(&address).await, Some(Answer::Refused), "mute");
        drop(listener);
        assert_eq!(answer(&address).await, Some(Answer::Refused), "closed");
    }

    #[tokio::test]
    async fn a_name_that_nobody_knows_says_nothing_about_its_host() {
        assert_eq!(answer("no address").await, None);
    }
}
