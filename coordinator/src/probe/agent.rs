//! One probe of one agent: a connection, and one call on it.

use std::future;
use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use ostler_core::detect::Answer;
use ostler_proto::v1;
use ostler_proto::v1::agent_client::AgentClient;
use tokio::net::TcpStream;
use tokio::time;
use tonic::Status;
use tonic::transport::Endpoint;

/// Asks the agent of the node of this name at an address of the form host:port. The host has the timeout to let us in,
/// which is told at once, and as long again for the agent's answer: an agent that lets us in and does not answer counts
/// as refusing, for only a host that lives lets anybody in. The place is held until nothing of it is left, also of the
/// look-up of the name, which nothing can break off.
pub(super) async fn probe(
    node: &str,
    address: &str,
    timeout: Duration,
    place: impl Send + Sync + 'static,
    let_in: impl FnOnce(),
) -> Answer {
    let (address, place) = (address.to_owned(), Arc::new(place));
    let held = Arc::clone(&place);
    let found = tokio::spawn(async move {
        let found = tokio::net::lookup_host(address).await.map(Vec::from_iter);
        drop(held);
        found
    });
    let until = time::Instant::now() + timeout;
    let Ok(Ok(Ok(addresses))) = time::timeout_at(until, found).await else { return Answer::Unasked };
    if addresses.is_empty() {
        return Answer::Unasked;
    }
    let stream = match time::timeout_at(until, TcpStream::connect(addresses.as_slice())).await {
        Err(_) => return Answer::TimedOut,
        Ok(Err(error)) => return failed(error.kind()),
        Ok(Ok(stream)) => stream,
    };
    let_in();
    let answered = time::timeout(timeout, call(stream)).await;
    drop(place);
    match answered {
        Ok(Ok(response)) if response.node == node => Answer::Ok,
        // The address is another node's by now, which says nothing for this one.
        Ok(Ok(_)) => Answer::NoRoute,
        Ok(Err(_)) | Err(_) => Answer::Refused,
    }
}

async fn call(stream: TcpStream) -> Result<v1::ProbeResponse, Status> {
    let mut stream = Some(TokioIo::new(stream));
    let connect = move |_| future::ready(stream.take().ok_or_else(|| Error::from(ErrorKind::NotConnected)));
    let endpoint = Endpoint::from_static("http://agent");
    let channel = endpoint.connect_with_connector(tower::service_fn(connect)).await;
    let channel = channel.map_err(|error| Status::unavailable(error.to_string()))?;
    AgentClient::new(channel).probe(v1::ProbeRequest {}).await.map(tonic::Response::into_inner)
}

/// What is not the network's answer is our own trouble, for example too many open files.
fn failed(kind: ErrorKind) -> Answer {
    if matches!(kind, ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset) {
        Answer::Refused
    } else if kind == ErrorKind::TimedOut {
        Answer::TimedOut
    } else if matches!(kind, ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) {
        Answer::NoRoute
    } else {
        Answer::Unasked
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(300);

    async fn answer(address: &str) -> (Answer, bool) {
        let mut let_in = false;
        let answer = probe("n1", address, TIMEOUT, (), || let_in = true).await;
        (answer, let_in)
    }

    #[tokio::test]
    async fn a_host_that_closes_its_port_or_lets_us_in_and_is_mute_lives() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert_eq!(answer(&address).await, (Answer::Refused, true), "mute");
        drop(listener);
        assert_eq!(answer(&address).await, (Answer::Refused, false), "closed");
    }

    #[tokio::test]
    async fn a_name_that_nobody_knows_says_nothing_about_its_host() {
        assert_eq!(answer("no address").await, (Answer::Unasked, false));
    }
}
