//! Whole replicas as processes over a real etcd, which are killed, stopped and ended.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::server::{PATIENCE, Server, free_port, signal};

struct Replica {
    child: Child,
    name: &'static str,
    http: u16,
    _folder: tempfile::TempDir,
}

/// Who leads, as `GET /api/v1/fleet` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Fleet {
    leader: String,
    term: u64,
}

impl Replica {
    fn start(server: &Server, name: &'static str) -> Replica {
        let folder = tempfile::tempdir().unwrap();
        let http = free_port();
        let child = Command::new(env!("CARGO_BIN_EXE_ostler-coordinator"))
            .args(["--replica", name, "--store", "etcd", "--etcd-endpoints", &server.endpoint()])
            .args(["--lead-ttl-s", "3", "--grpc-listen", "127.0.0.1:0", "--ingest-threads", "1"])
            .args(["--http-listen", &format!("127.0.0.1:{http}"), "--log", "warn"])
            .arg("--data-dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Replica { child, name, http, _folder: folder }
    }

    fn fleet(&self) -> Option<Fleet> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
        stream.write_all(b"GET /api/v1/fleet HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let (_, body) = text.split_once("\r\n\r\n")?;
        let body: serde_json::Value =
            serde_json::from_str(body.get(body.find('{')?..=body.rfind('}')?)?).ok()?;
        // Numbers of 64 bits are texts in the JSON form of messages, and zero and empty are left out.
        let term = body.get("term").and_then(|it| it.as_str()).map_or(Some(0), |it| it.parse().ok())?;
        let leader = body.get("leader").and_then(|it| it.as_str()).unwrap_or_default().to_owned();
        Some(Fleet { leader, term })
    }

    /// Waits until it says that one of these leads, in a later term than this.
    fn told(&self, names: &[&str], after: u64) -> Fleet {
        let started = Instant::now();
        loop {
            match self.fleet() {
                Some(fleet) if fleet.term > after && names.contains(&fleet.leader.as_str()) => return fleet,
                seen => assert!(started.elapsed() < PATIENCE, "{}: {seen:?} after {PATIENCE:?}", self.name),
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_leader_that_is_killed_is_replaced_and_so_is_one_that_ends() {
    let server = Server::start().await;
    let mut replicas: Vec<_> = ["a", "b", "c"].iter().map(|name| Replica::start(&server, name)).collect();
    let mut term = 0;
    let mut names: Vec<&str> = replicas.iter().map(|it| it.name).collect();
    for end in ["-KILL", "-TERM"] {
        let fleet = replicas[0].told(&names, term);
        for replica in &replicas {
            assert_eq!(replica.told(&names, term), fleet, "{} sees the same leader", replica.name);
        }
        term = fleet.term;
        let at = replicas.iter().position(|it| it.name == fleet.leader).expect("one of them leads");
        let mut gone = replicas.remove(at);
        signal(&gone.child, end);
        let status = gone.child.wait().unwrap();
        assert_eq!(status.success(), end == "-TERM", "{end}: {status}");
        names.retain(|name| *name != gone.name);
    }
    let last = replicas[0].told(&names, term);
    assert_eq!(last.leader, replicas[0].name);
}

#[tokio::test]
async fn a_leader_that_was_stopped_beyond_its_lease_finds_itself_replaced() {
    let server = Server::start().await;
    let first = Replica::start(&server, "first");
    let before = first.told(&["first"], 0);
    let second = Replica::start(&server, "second");
    second.told(&["first"], 0);
    signal(&first.child, "-STOP");
    let after = second.told(&["second"], before.term);
    signal(&first.child, "-CONT");
    assert_eq!(first.told(&["second"], before.term), after);
}
