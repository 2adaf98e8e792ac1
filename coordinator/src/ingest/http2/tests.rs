use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use http::HeaderMap;
use ostler_core::engine::Policy;
use ostler_core::id::NodeId;
use ostler_proto::v1;
use ostler_proto::v1::agent_message::Body;
use proptest::prelude::*;
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::connection::Connection;
use super::frame::{self, Head};
use super::opening::{Found, Opened, Settings, first_request, open};
use super::serve::{LINGER_MAX, Serve};
use crate::driver::Driver;
use crate::ingest::exchange::Exchange;
use crate::ingest::line::Lines;
use crate::ingest::{Limits, Nodes, Shared};

const REPORT: &[u8] = b"\x83\x86\x04\x17/ostler.v1.Agent/Report\x0f\x10\x10application/grpc";

/// A connection whose stream 1 was accepted.
struct Peer {
    driver: Driver,
    connection: Connection,
}

impl Peer {
    fn new() -> Peer {
        let driver = Driver::new(Policy::default(), "replica-1");
        let lines = Lines::default();
        let permit = lines.admit(1).unwrap();
        let shared = Arc::new(Shared { driver: driver.clone(), limits: Limits::default(), lines });
        let exchange = Exchange::new(shared, permit, Nodes::default());
        let mut peer =
            Peer { driver, connection: Connection::new(exchange, 1, &HeaderMap::new(), Instant::now()) };
        let opening: Vec<u8> = peer.told().iter().map(|it| it.0.kind).collect();
        assert_eq!(opening, [frame::HEADERS, frame::GOAWAY]);
        peer
    }

    fn send(&mut self, bytes: &[u8]) {
        self.connection.receive(bytes, Instant::now());
    }

    fn send_frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut bytes = Vec::new();
        frame::write(kind, flags, stream, payload, &mut bytes);
        self.send(&bytes);
    }

    /// The frames that wait to be written.
    fn told(&mut self) -> Vec<(Head, Vec<u8>)> {
        let bytes = std::mem::take(self.connection.outgoing());
        let mut rest = bytes.as_slice();
        let mut frames = Vec::new();
        while let Some(head) = Head::read(rest) {
            let (one, after) = rest.split_at(frame::HEADER_BYTES + head.length);
            frames.push((head, one[frame::HEADER_BYTES..].to_vec()));
            rest = after;
        }
        assert_eq!(rest, [] as [u8; 0]);
        frames
    }

    /// Code and text of the GOAWAY that is the last thing told.
    fn gone(&mut self) -> (u32, String) {
        let (head, payload) = self.told().pop().expect("something was told");
        assert_eq!(head.kind, frame::GOAWAY);
        assert!(self.connection.is_closed());
        (frame::word(&payload[4..]).unwrap(), String::from_utf8(payload[8..].to_vec()).unwrap())
    }

    fn knows(&self, node: &str) -> bool {
        self.driver.view(|view| view.fleet.node(&NodeId::from(node)).is_some())
    }
}

/// A runtime whose clock moves only when nothing else does.
fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// A frame's kind, flags, stream and payload, and the code and text that answer it.
type Wrong = (u8, u8, u32, &'static [u8], u32, &'static str);

/// A Hello of this node, as gRPC sends it.
fn hello(node: &str) -> Vec<u8> {
    let hello = v1::Hello {
        node: node.to_owned(),
        zone: "zone-1".to_owned(),
        boot_id: "boot".to_owned(),
        incarnation: 1,
        interval_ms: 1000,
        ..v1::Hello::default()
    };
    let encoded = v1::AgentMessage { body: Some(Body::Hello(hello)) }.encode_to_vec();
    [&[0][..], &(encoded.len() as u32).to_be_bytes(), &encoded].concat()
}

#[test]
fn a_message_is_taken_however_frames_and_reads_cut_it() {
    let message = hello("a");
    let mut bytes = Vec::new();
    for part in message.chunks(7) {
        frame::write(frame::DATA, 0, 1, part, &mut bytes);
    }
    let padded = [&[3][..], b"", &[0; 3]].concat();
    frame::write(frame::DATA, frame::PADDED, 1, &padded, &mut bytes);
    for size in 1..bytes.len() {
        let mut peer = Peer::new();
        for read in bytes.chunks(size) {
            peer.send(read);
        }
        assert!(peer.knows("a"), "reads of {size}");
        let kinds: Vec<u8> = peer.told().iter().map(|it| it.0.kind).collect();
        assert_eq!(kinds, [frame::DATA], "Welcome is the answer");
    }
}

#[test]
fn settings_and_pings_are_answered() {
    let mut peer = Peer::new();
    peer.send_frame(frame::SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]);
    peer.send_frame(frame::SETTINGS, frame::ACK, 0, &[]);
    peer.send_frame(frame::PING, 0, 0, b"12345678");
    peer.send_frame(frame::PING, frame::ACK, 0, b"12345678");
    peer.send_frame(77, 0, 0, b"unknown frames are passed over");
    let told: Vec<_> =
        peer.told().into_iter().map(|(head, payload)| (head.kind, head.flags, payload)).collect();
    let expected =
        [(frame::SETTINGS, frame::ACK, Vec::new()), (frame::PING, frame::ACK, b"12345678".to_vec())];
    assert_eq!(told, expected);
}

#[test]
fn what_was_taken_in_may_be_sent_again() {
    let mut peer = Peer::new();
    peer.send_frame(frame::DATA, 0, 1, &hello("a"));
    peer.told();
    let mut given = [0; 2];
    let rounds = 20;
    for _ in 0..rounds {
        peer.send_frame(frame::DATA, frame::PADDED, 1, &[255; 256]);
        peer.send_frame(frame::DATA, frame::PADDED, 3, &[[255].as_slice(), &[0; 9_999]].concat());
        for (head, payload) in peer.told() {
            assert_eq!(head.kind, frame::WINDOW_UPDATE);
            given[usize::from(head.stream == 1)] += frame::word(&payload).unwrap();
        }
    }
    assert!(given[0] >= rounds * 10_256 - frame::WINDOW_BYTES / 2, "{given:?}");
    assert_eq!(given[1], 0, "so little need not be given back yet");
    assert!(peer.connection.is_open());
}

#[test]
fn answers_wait_until_the_agent_lets_them_be_sent() {
    let mut peer = Peer::new();
    peer.send_frame(frame::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 3]);
    peer.send_frame(frame::DATA, 0, 1, &hello("a"));
    let sent: Vec<_> = peer.told().into_iter().filter(|it| it.0.kind == frame::DATA).collect();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].1.len(), 3, "the window has room for no more");
    peer.send_frame(frame::DATA, frame::END_STREAM, 1, &[]);
    assert_eq!(peer.told(), [], "the end comes after the answer");
    peer.send_frame(frame::WINDOW_UPDATE, 0, 1, &60_000u32.to_be_bytes());
    let kinds: Vec<u8> = peer.told().iter().map(|it| it.0.kind).collect();
    assert_eq!(kinds, [frame::DATA, frame::HEADERS, frame::GOAWAY]);
    assert!(peer.connection.is_closed());
}

#[test]
fn another_stream_is_refused_and_the_first_goes_on() {
    let mut peer = Peer::new();
    peer.send_frame(frame::HEADERS, 0, 3, REPORT);
    peer.send_frame(frame::CONTINUATION, frame::END_HEADERS, 3, b"\x82");
    let told = peer.told();
    assert_eq!((told[0].0.kind, told[0].0.stream), (frame::RST_STREAM, 3));
    assert_eq!(frame::word(&told[0].1), Some(frame::REFUSED_STREAM));
    peer.send_frame(frame::DATA, 0, 1, &hello("a"));
    assert!(peer.knows("a"));
}

#[test]
fn the_agent_may_end_its_stream_in_three_ways() {
    let ways: [(u8, u8, &[u8], &[u8]); 3] = [
        (frame::DATA, frame::END_STREAM, &[], &[frame::HEADERS, frame::GOAWAY]),
        (frame::HEADERS, frame::END_STREAM | frame::END_HEADERS, &[], &[frame::HEADERS, frame::GOAWAY]),
        (frame::RST_STREAM, 0, &[0, 0, 0, 8], &[frame::GOAWAY]),
    ];
    for (kind, flags, payload, expected) in ways {
        let mut peer = Peer::new();
        peer.send_frame(frame::DATA, 0, 1, &hello("a"));
        peer.told();
        peer.send_frame(kind, flags, 1, payload);
        let kinds: Vec<u8> = peer.told().iter().map(|it| it.0.kind).collect();
        assert_eq!(kinds, expected);
        let connected =
            peer.driver.view(|view| view.fleet.node(&NodeId::from("a")).is_some_and(|node| node.connected()));
        assert!(!connected);
    }
}

#[test]
fn a_stream_that_is_refused_midway_ends_with_its_status_and_the_client_closes() {
    paused().block_on(async {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let Peer { connection, driver: _driver } = Peer::new();
        let serving = tokio::spawn(Serve::new(server, connection, b""));
        let mut bytes = Vec::new();
        frame::write(frame::DATA, 0, 1, b"\xff\xff\xff\xff\xff", &mut bytes);
        client.write_all(&bytes).await.unwrap();
        let mut kinds = Vec::new();
        for _ in 0..3 {
            let mut head = [0; frame::HEADER_BYTES];
            client.read_exact(&mut head).await.unwrap();
            let head = Head::read(&head).unwrap();
            client.read_exact(&mut vec![0; head.length]).await.unwrap();
            kinds.push(head.kind);
        }
        assert_eq!(kinds, [frame::HEADERS, frame::RST_STREAM, frame::GOAWAY]);
        let more = client.read_u8();
        assert!(tokio::time::timeout(LINGER_MAX / 2, more).await.is_err(), "it is not closed at once");
        client.write_all(&bytes).await.unwrap();
        assert!(!serving.is_finished());
        drop(client);
        serving.await.unwrap();
    });
}

#[test]
fn one_who_sends_on_after_the_end_is_cut_off() {
    paused().block_on(async {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let Peer { connection, driver: _driver } = Peer::new();
        let serving = tokio::spawn(Serve::new(server, connection, b""));
        let start = tokio::time::Instant::now();
        while client.write_all(&[255; 1 << 10]).await.is_ok() {
            assert!(start.elapsed() <= LINGER_MAX * 2, "it is let on for ever");
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        serving.await.unwrap();
    });
}

#[test]
fn what_is_against_the_protocol_closes_the_connection_with_the_reason() {
    let protocol = frame::PROTOCOL_ERROR;
    let cases: [Wrong; 10] = [
        (frame::DATA, 0, 0, b"x", protocol, "data came on a stream that is none"),
        (frame::DATA, frame::PADDED, 1, &[9, 0], protocol, "there is more padding than payload"),
        (frame::HEADERS, frame::END_HEADERS, 2, &[], protocol, "a number that is taken"),
        (frame::PUSH_PROMISE, 0, 1, &[], protocol, "a client does not send here"),
        (frame::CONTINUATION, 0, 1, &[], protocol, "a client does not send here"),
        (frame::SETTINGS, 0, 1, &[], protocol, "settings came on a stream"),
        (frame::SETTINGS, 0, 0, &[0; 5], frame::FRAME_SIZE_ERROR, "settings are cut off"),
        (frame::SETTINGS, 0, 0, &[0, 4, 255, 0, 0, 0], frame::FLOW_CONTROL_ERROR, "a window is set to more"),
        (frame::PING, 0, 0, &[0; 7], frame::FRAME_SIZE_ERROR, "a ping is not eight bytes"),
        (frame::WINDOW_UPDATE, 0, 1, &[0; 4], protocol, "a window update adds nothing"),
    ];
    for (kind, flags, stream, payload, code, text) in cases {
        let mut peer = Peer::new();
        peer.send_frame(kind, flags, stream, payload);
        let gone = peer.gone();
        assert_eq!(gone.0, code, "{}", gone.1);
        assert!(gone.1.contains(text), "{:?} does not say {text:?}", gone.1);
        peer.send_frame(frame::DATA, 0, 1, &hello("a"));
        assert!(!peer.knows("a"), "nothing is taken after that");
    }
}

#[test]
fn limits_of_length_windows_and_idle_frames_hold() {
    let mut long = Peer::new();
    long.send(&[0, 0x40, 1, frame::DATA, 0, 0, 0, 0, 1]);
    assert_eq!(long.gone().0, frame::FRAME_SIZE_ERROR);

    let mut idle = Peer::new();
    for _ in 0..200 {
        idle.send_frame(frame::DATA, 0, 1, &[]);
    }
    assert_eq!(idle.gone(), (frame::ENHANCE_YOUR_CALM, "too many frames that carry nothing".to_owned()));

    let mut block = Peer::new();
    block.send_frame(frame::HEADERS, 0, 3, REPORT);
    block.send_frame(frame::DATA, 0, 1, &hello("a"));
    assert_eq!(block.gone().1, "a header block was interrupted");

    let mut window = Peer::new();
    window.send_frame(frame::WINDOW_UPDATE, 0, 0, &frame::WINDOW_BYTES_MAX.to_be_bytes());
    assert_eq!(window.gone().0, frame::FLOW_CONTROL_ERROR);
}

#[test]
fn silence_after_the_first_bytes_is_not_waited_for_without_end() {
    paused().block_on(async {
        let mut peer = Peer::new();
        let context = &mut Context::from_waker(Waker::noop());
        assert_eq!(peer.connection.poll_deadline(context), Poll::Pending);
        tokio::time::advance(Limits::default().message_within * 2).await;
        assert_eq!(peer.connection.poll_deadline(context), Poll::Ready(()));
        assert!(!peer.connection.is_open());
    });
}

#[test]
fn the_first_request_tells_whose_a_connection_is() {
    let opening = |payload: &[u8], flags| {
        let mut bytes = frame::PREFACE.to_vec();
        frame::write(frame::SETTINGS, 0, 0, &[], &mut bytes);
        frame::write(frame::WINDOW_UPDATE, 0, 0, &[0, 0, 1, 0], &mut bytes);
        frame::write(frame::HEADERS, flags, 1, payload, &mut bytes);
        bytes
    };
    let report = opening(REPORT, frame::END_HEADERS);
    assert!(matches!(first_request(&report), Found::Report(1, _)));
    for length in 0..report.len() {
        assert!(matches!(first_request(&report[..length]), Found::Nothing), "{length} bytes tell nothing");
    }
    let prioritized = [&[0, 0, 0, 0, 16][..], REPORT].concat();
    let flags = frame::END_HEADERS | frame::PRIORITIZED;
    assert!(matches!(first_request(&opening(&prioritized, flags)), Found::Report(1, _)));
    let others = [
        opening(b"\x83\x86\x04\x05/Other", frame::END_HEADERS),
        opening(REPORT, 0),
        opening(REPORT, frame::END_HEADERS | frame::END_STREAM),
        opening(b"\xff\xff\xff", frame::END_HEADERS),
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
    ];
    for other in others {
        assert!(matches!(first_request(&other), Found::Other));
    }
}

#[test]
fn a_client_that_connects_ahead_is_kept_and_one_that_says_nothing_is_not() {
    paused().block_on(async {
        let builder = hyper::server::conn::http2::Builder::new(hyper_util::rt::TokioExecutor::new());
        let settings = Settings::of(&builder).await.unwrap();
        let limit = Limits::default().message_within;
        for (said, kept) in [(frame::PREFACE, true), (b"PRI", false), (b"", false)] {
            let (mut client, server) = tokio::io::duplex(1024);
            client.write_all(said).await.unwrap();
            let opened = open(server, &settings, limit).await;
            assert_eq!(matches!(opened, Ok(Opened::Other(_))), kept, "{said:?}");
            let mut greeting = [0; frame::HEADER_BYTES];
            client.read_exact(&mut greeting).await.unwrap();
            assert_eq!(Head::read(&greeting).unwrap().kind, frame::SETTINGS, "everyone is greeted");
        }
    });
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_or_answer_without_end(
        frames in proptest::collection::vec(
            (0u8..12, any::<u8>(), 0u32..4, proptest::collection::vec(any::<u8>(), 0..40)),
            0..60,
        ),
        tail in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut peer = Peer::new();
        for (kind, flags, stream, payload) in &frames {
            peer.send_frame(*kind, *flags, *stream, payload);
        }
        peer.send(&tail);
        let answered: usize = peer.told().iter().map(|(head, _)| head.length + frame::HEADER_BYTES).sum();
        let sent: usize = frames.iter().map(|it| it.3.len() + frame::HEADER_BYTES).sum();
        prop_assert!(answered <= 4 * sent + 200, "{answered} bytes answer {sent}");
        prop_assert!(matches!(first_request(&tail), Found::Nothing | Found::Other));
    }
}
