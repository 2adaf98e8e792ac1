use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::faultproxy::{Faults, Flow, Lane, Proxy};
use crate::history::{Fact, Places, Rules, Violation, violations};

const KEY: &[u8] = b"a key of some length";

async fn sink(fence: Fence) -> (Sink, Recorder) {
    let recorder = Recorder::default();
    let sink = Sink::start(([127, 0, 0, 1], 0).into(), KEY, fence, recorder.clone()).await.unwrap();
    (sink, recorder)
}

fn signature(parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().iter().fold(String::from("sha256="), |text, byte| format!("{text}{byte:02x}"))
}

/// A call as a leader sends it.
fn call(id: &str, term: u64, valid_until_ms: u64) -> String {
    let body = format!(
        r#"{{"id":"{id}","term":{term},"attempt":1,"valid_until_ms":{valid_until_ms},"effect":"x"}}"#
    );
    let (signature, length) = (signature(&[body.as_bytes()]), body.len());
    format!(
        "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-ostler-term: {term}\r\nx-ostler-signature: {signature}\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}

fn look(id: &str, term: u64) -> String {
    let signature = signature(&[id.as_bytes(), b"\n", term.to_string().as_bytes()]);
    format!(
        "GET /{id} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-ostler-term: {term}\r\nx-ostler-signature: {signature}\r\n\r\n"
    )
}

/// What the sink did with a call, if a fact is one.
fn response(fact: &Fact) -> Option<Response> {
    match fact {
        Fact::Heard(heard) => Some(heard.response),
        Fact::Claimed { .. } | Fact::Stored { .. } | Fact::Accused { .. } => None,
        Fact::Hurt(_) | Fact::Healed(_) => None,
    }
}

async fn answer(mut stream: TcpStream) -> (u16, String) {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let code = text.split(' ').nth(1).unwrap().parse().unwrap();
    (code, text.split_once("\r\n\r\n").unwrap().1.to_owned())
}

async fn send(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    stream
}

async fn ask(address: SocketAddr, text: &str) -> (u16, String) {
    answer(send(address, text).await).await
}

#[tokio::test]
async fn an_action_is_done_once_and_told_of_whenever_asked() {
    let (sink, recorder) = sink(Fence::On).await;
    assert_eq!(ask(sink.address(), &look("a", 5)).await.0, 404);
    for _ in 0..2 {
        assert_eq!(
            ask(sink.address(), &call("a", 5, u64::MAX)).await,
            (200, r#"{"state":"done"}"#.to_owned())
        );
    }
    assert_eq!(ask(sink.address(), &look("a", 5)).await.0, 200);
    let responses: Vec<_> = recorder.entries().iter().filter_map(|entry| response(&entry.fact)).collect();
    assert_eq!(responses, [Response::Looked, Response::Applied, Response::Repeated, Response::Looked]);
}

#[tokio::test]
async fn old_terms_late_calls_and_foreign_ones_are_refused() {
    let (sink, recorder) = sink(Fence::On).await;
    assert_eq!(ask(sink.address(), &look("a", 7)).await.0, 404);
    assert_eq!(ask(sink.address(), &call("a", 5, u64::MAX)).await.0, 409);
    assert_eq!(ask(sink.address(), &look("a", 5)).await.0, 409);
    assert_eq!(ask(sink.address(), &call("a", 7, 1)).await.0, 410);
    let forged = call("a", 7, u64::MAX).replace("sha256=", "sha256=0");
    assert_eq!(ask(sink.address(), &forged).await.0, 401);
    assert_eq!(ask(sink.address(), &look("a", 7)).await.0, 404, "nothing of it had an effect");
    assert_eq!(violations(&recorder.entries(), &Places::default(), &Rules::default()), []);
}

/// A leader's call is under way when it is replaced, and arrives when its successor has acted: no lease can prevent that,
/// only the sink can.
async fn a_call_arrives_after_the_next_leader_acted(fence: Fence) -> Vec<Violation> {
    let (sink, recorder) = sink(fence).await;
    let way = Proxy::start(([127, 0, 0, 1], 0).into(), sink.address()).unwrap();
    let up = Lane { flow: Flow::Hold, ..Lane::default() };
    way.set(Faults { up, ..Faults::default() });
    // Who calls gives up waiting and goes away.
    let mut late = send(way.address(), &call("drain-n1", 5, u64::MAX)).await;
    late.shutdown().await.unwrap();
    assert_eq!(ask(sink.address(), &call("drain-n2", 7, u64::MAX)).await.0, 200);
    way.set(Faults::default());
    answer(late).await;
    violations(&recorder.entries(), &Places::default(), &Rules::default())
}

#[tokio::test]
async fn a_call_that_was_held_up_beyond_its_term_has_no_effect() {
    assert_eq!(a_call_arrives_after_the_next_leader_acted(Fence::On).await, []);
}

#[tokio::test]
async fn the_check_finds_what_happens_when_the_fence_is_off() {
    let found = a_call_arrives_after_the_next_leader_acted(Fence::Off).await;
    assert!(found.iter().any(|it| matches!(it, Violation::OldTerm { term: 5, heard: 7, .. })), "{found:?}");
}
