use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::lane::{Delays, drip_bytes};
use super::*;

const ANY: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// A proxy in front of a listener of the test's.
async fn road() -> (Proxy, TcpListener) {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let proxy = Proxy::start(ANY.into(), listener.local_addr().unwrap()).unwrap();
    (proxy, listener)
}

/// Both ends of a new connection through it.
async fn pair(proxy: &Proxy, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let near = TcpStream::connect(proxy.address()).await.unwrap();
    (near, listener.accept().await.unwrap().0)
}

async fn passes(from: &mut TcpStream, to: &mut TcpStream, text: &[u8]) {
    from.write_all(text).await.unwrap();
    let mut heard = vec![0; text.len()];
    to.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard, text);
}

/// The faults of an order.
fn faults(order: &str) -> Faults {
    match order.parse().unwrap() {
        Order::Set(faults) => faults,
        Order::Reset => panic!("{order} sets nothing"),
    }
}

#[tokio::test]
async fn bytes_pass_both_ways_and_so_does_the_end() {
    let (proxy, listener) = road().await;
    let (mut near, mut far) = pair(&proxy, &listener).await;
    passes(&mut near, &mut far, b"question").await;
    passes(&mut far, &mut near, b"answer").await;
    near.shutdown().await.unwrap();
    assert_eq!(far.read(&mut [0; 1]).await.unwrap(), 0, "the end arrives");
    passes(&mut far, &mut near, b"the other way is open").await;
}

#[tokio::test]
async fn what_is_held_one_way_arrives_in_order_once_it_may_pass() {
    let (proxy, listener) = road().await;
    let (mut near, mut far) = pair(&proxy, &listener).await;
    proxy.set(faults("hold up"));
    near.write_all(b"held ").await.unwrap();
    passes(&mut far, &mut near, b"the other way is open").await;
    near.write_all(b"and more").await.unwrap();
    assert_eq!(far.try_read(&mut [0; 1]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    proxy.set(Faults::default());
    let mut heard = [0; 13];
    far.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"held and more");
}

#[tokio::test]
async fn a_sender_waits_when_the_held_bytes_are_many() {
    let (proxy, listener) = road().await;
    let (mut near, mut far) = pair(&proxy, &listener).await;
    proxy.set(faults("hold up"));
    // More than sockets and proxy hold together.
    let all = vec![7; 64 << 20];
    let sending = tokio::spawn(async move { near.write_all(&all).await.map(|()| near) });
    passes_nothing(&mut far, &sending).await;
    proxy.set(Faults::default());
    let mut heard = vec![0; 64 << 20];
    far.read_exact(&mut heard).await.unwrap();
    assert!(heard == vec![7; 64 << 20], "nothing is lost or changed");
    sending.await.unwrap().unwrap();
}

/// Gives the sender a thousand turns, after which it must still wait.
async fn passes_nothing<T>(far: &mut TcpStream, sending: &tokio::task::JoinHandle<T>) {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    assert!(!sending.is_finished(), "64 MiB fit nowhere");
    assert_eq!(far.try_read(&mut [0; 1]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn what_was_swallowed_is_gone_and_the_connection_with_it() {
    let (proxy, listener) = road().await;
    let (mut near, mut far) = pair(&proxy, &listener).await;
    proxy.set(faults("swallow up"));
    near.write_all(b"lost").await.unwrap();
    passes(&mut far, &mut near, b"the other way is open").await;
    near.write_all(b"lost too").await.unwrap();
    // The proxy has read it once it answers on a lane that it serves in the same turn.
    passes(&mut far, &mut near, b"still").await;
    proxy.set(Faults::default());
    assert!(far.read(&mut [0; 1]).await.is_err(), "nothing of it arrives, and the peer is told");
    let (mut near, mut far) = pair(&proxy, &listener).await;
    passes(&mut near, &mut far, b"a new one is well").await;
}

#[tokio::test]
async fn a_silent_door_takes_whoever_comes_and_leads_nowhere() {
    let (proxy, listener) = road().await;
    proxy.set(faults("silent"));
    let mut near = TcpStream::connect(proxy.address()).await.unwrap();
    // So much fits nowhere: somebody has taken it, and nobody has heard it.
    near.write_all(&vec![7; 64 << 20]).await.unwrap();
    proxy.set(Faults::default());
    let (mut other, mut far) = pair(&proxy, &listener).await;
    passes(&mut other, &mut far, b"the first that arrives is the second").await;
    assert_eq!(near.try_read(&mut [0; 1]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    proxy.reset();
    assert!(near.read(&mut [0; 1]).await.is_err());
}

#[tokio::test]
async fn a_refusing_door_opens_again_on_the_same_port() {
    let (proxy, listener) = road().await;
    let (mut near, mut far) = pair(&proxy, &listener).await;
    proxy.set(faults("refuse"));
    let refused = async {
        while TcpStream::connect(proxy.address()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), refused).await.expect("the door closes");
    passes(&mut near, &mut far, b"who was in stays in").await;
    proxy.set(Faults::default());
    let connected = async {
        while TcpStream::connect(proxy.address()).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), connected).await.expect("the door opens");
}

#[tokio::test]
async fn a_reset_reaches_both_ends() {
    let (proxy, listener) = road().await;
    let (mut near, mut far) = pair(&proxy, &listener).await;
    passes(&mut near, &mut far, b"open").await;
    proxy.reset();
    assert!(near.read(&mut [0; 1]).await.is_err());
    assert!(far.read(&mut [0; 1]).await.is_err());
}

#[tokio::test]
async fn a_slow_and_jittery_lane_changes_nothing_but_the_time() {
    let (proxy, listener) = road().await;
    let (mut near, mut far) = pair(&proxy, &listener).await;
    proxy.set(faults("delay 1 2 9"));
    let text: Vec<u8> = (0..=255).cycle().take(20_000).collect();
    passes(&mut near, &mut far, &text).await;
    proxy.set(faults("drip 200000"));
    passes(&mut far, &mut near, &text).await;
}

#[test]
fn delays_have_their_bounds_and_parts_do_not_overtake_each_other() {
    let pace = Pace {
        latency: Duration::from_millis(100),
        jitter: Duration::from_millis(50),
        seed: 3,
        bytes_per_s: None,
    };
    let start = Instant::now();
    let run = || {
        let mut delays = Delays::new(3);
        (0..200).map(|ms| delays.due(&pace, start + Duration::from_millis(ms))).collect::<Vec<_>>()
    };
    let due = run();
    assert_eq!(due, run(), "a seed gives the same delays");
    assert!(due.is_sorted());
    for (ms, due) in (0..200).zip(due) {
        let late = due - (start + Duration::from_millis(ms));
        assert!((100..=150).contains(&late.as_millis()), "{late:?}");
    }
}

#[test]
fn the_narrowest_lane_still_lets_a_byte_through() {
    assert_eq!([1, 20, 1_000_000].map(|width| drip_bytes(width.try_into().unwrap())), [1, 1, 50_000]);
}
