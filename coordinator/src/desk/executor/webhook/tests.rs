use std::io::Write as _;

use super::*;

fn ok(state: &str) -> Vec<u8> {
    format!(r#"{{"state": "{state}", "detail": "why"}}"#).into_bytes()
}

#[test]
fn an_answer_to_a_call_tells_what_is_agreed_and_nothing_else() {
    let told = |status, body: &[u8]| told_of_call(3, status, body);
    assert_eq!(told(StatusCode::OK, &ok("done")), Some(Told::Done));
    assert_eq!(told(StatusCode::ACCEPTED, &ok("accepted")), Some(Told::Acked { attempt: 3 }));
    let refused = Told::Refused { attempt: 3, detail: "why".into() };
    assert_eq!(told(StatusCode::OK, &ok("failed")), Some(refused));
    let detail = "the webhook refuses it: why".into();
    assert_eq!(
        told(StatusCode::UNPROCESSABLE_ENTITY, &ok("failed")),
        Some(Told::Refused { attempt: 3, detail })
    );
    for status in [StatusCode::CONFLICT, StatusCode::UNAUTHORIZED, StatusCode::INTERNAL_SERVER_ERROR] {
        assert_eq!(told(status, &ok("done")), None, "{status}");
    }
    assert_eq!(told(StatusCode::OK, b"<html>"), None);
    assert_eq!(told(StatusCode::OK, &ok("absent")), None);
}

#[test]
fn only_a_404_with_the_promise_says_that_an_action_was_never_done() {
    let told = |status, body: &[u8]| told_of_look(status, body);
    let absent = Some(Told::Observed(Observed::NotThere));
    assert_eq!(told(StatusCode::NOT_FOUND, &ok("absent")), absent);
    assert_eq!(told(StatusCode::OK, &ok("absent")), absent);
    for body in [&b""[..], b"404 page not found", &ok("done")] {
        assert_eq!(told(StatusCode::NOT_FOUND, body), None);
    }
    assert_eq!(told(StatusCode::OK, &ok("done")), Some(Told::Observed(Observed::There)));
    assert_eq!(told(StatusCode::OK, &ok("accepted")), Some(Told::Working));
    for status in [StatusCode::CONFLICT, StatusCode::METHOD_NOT_ALLOWED, StatusCode::BAD_GATEWAY] {
        assert_eq!(told(status, &ok("absent")), None, "{status}");
    }
}

fn webhook(address: std::net::SocketAddr) -> Webhook {
    let mut key = tempfile::NamedTempFile::new().unwrap();
    key.write_all(b"a key that is long enough\n").unwrap();
    let url = format!("http://{address}/actions").parse().unwrap();
    Webhook::open(&Settings { url, key_file: key.path().to_owned() }).unwrap()
}

/// A service that answers one request with these bytes.
async fn service(answer: Vec<u8>) -> std::net::SocketAddr {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream.write_all(&answer).await.unwrap();
        let _ = stream.read(&mut [0; 1]).await;
    });
    address
}

fn id() -> ActionId {
    ActionId::from_hex(&"ab".repeat(32)).unwrap()
}

fn page(bytes: usize) -> Vec<u8> {
    let body = format!("{{\"state\": \"done\"{}}}", " ".repeat(bytes - 17));
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[tokio::test]
async fn an_answer_of_sixteen_kibibytes_is_read_and_a_longer_one_is_not() {
    let fits = webhook(service(page(ANSWER_BYTES_MAX)).await);
    assert_eq!(fits.look(id(), Term(1)).await, Some(Told::Observed(Observed::There)));
    let long = webhook(service(page(ANSWER_BYTES_MAX + 1)).await);
    assert_eq!(long.look(id(), Term(1)).await, None);
    assert_eq!(*long.health.lock().unwrap(), Health::Silent);
}

#[tokio::test]
async fn a_service_that_says_nothing_is_given_up_in_time_and_told_of_once() {
    let webhook = webhook(service(Vec::new()).await);
    let request = Request::builder().uri(webhook.url.clone()).body(Full::default()).unwrap();
    assert!(webhook.send(request, Duration::from_millis(50)).await.is_none());
    assert!(!webhook.is_news(Health::Silent));
    assert!(webhook.is_news(Health::Good));
}

#[tokio::test]
async fn an_error_names_its_causes() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = webhook(closed).client.get(format!("http://{closed}/").parse().unwrap()).await.unwrap_err();
    assert!(chain(&error).contains("refused"), "{}", chain(&error));
}

#[tokio::test]
async fn nothing_is_called_without_the_lead() {
    use ostler_core::action::{Cause, Effect, Intent};
    use ostler_core::id::Incarnation;
    use ostler_core::time::Time;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let webhook = webhook(listener.local_addr().unwrap());
    let intent = Intent {
        effect: Effect::RemoveEndpoint,
        target: Target::Node("n".into()),
        uid: "n".into(),
        incarnation: Incarnation(1),
        cause: Cause { generation: 1, at: Time::ZERO, evidence_revision: 1 },
        valid_until: Time::from_millis(60_000),
        reason: "because".into(),
    };
    let call = Call { id: id(), term: Term(1), attempt: 1, intent };
    assert_eq!(webhook.call(&call, &Leadership::default()).await, None);
    let accepted = std::pin::pin!(listener.accept());
    assert!(futures_util::FutureExt::now_or_never(accepted).is_none(), "it was called");
}
