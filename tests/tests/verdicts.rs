//! Real agents and a real coordinator: what `ostler get` says of a node whose agent is killed or stopped, of one that nobody
//! reaches any more, and of a GPU that is lost.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::{
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use common::{
    agent::{self, Agent},
    coordinator::Coordinator,
    fake::FakeNvml,
};
use serde_json::Value;

/// A coordinator and three agents that are well.
struct Yard {
    coordinator: Coordinator,
    agents: Vec<Agent>,
    fake: FakeNvml,
}

impl Yard {
    /// `address` is where the first node's agent is to be probed, when it is not where it listens.
    fn start(address: Option<SocketAddr>) -> Self {
        let fake = FakeNvml::new("count = 2");
        let coordinator = Coordinator::start();
        let start = |number: usize| {
            let name = format!("node-{number}");
            let probed = address.filter(|_| number == 1).map(|address| address.to_string());
            let mut variables = vec![("OSTLER_NODE", name.as_str())];
            variables.extend(probed.as_deref().map(|address| ("OSTLER_PROBE_ADDRESS", address)));
            Agent::start_at(coordinator.url(), Some(&fake).filter(|_| number == 1), &variables)
        };
        let agents = (1..=3).map(start).collect();
        let yard = Self { coordinator, agents, fake };
        for number in 1..=3 {
            yard.node(&format!("node-{number}"), "VERDICT_HEALTHY");
        }
        yard.coordinator.wait("gpus", |gpu| is(gpu, "node", "node-1"));
        yard
    }

    /// Waits until the node has a verdict; why it has it.
    fn node(&self, name: &str, verdict: &str) -> String {
        let found = |node: &Value| {
            is(node, "name", name) && is(node, "state", state(verdict)) && is(node, "verdict", verdict)
        };
        why(&self.coordinator.wait("nodes", found))
    }
}

/// The state to wait for: a node is not well before its first snapshot.
fn state(verdict: &str) -> &str {
    if verdict == "VERDICT_HEALTHY" { "NODE_STATE_FRESH" } else { "" }
}

/// Whether a field has this text; any has the empty one.
fn is(entry: &Value, field: &str, text: &str) -> bool {
    text.is_empty() || entry[field] == text
}

fn why(entry: &Value) -> String {
    entry["verdict_reason"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn an_agent_that_is_killed_is_down_on_a_host_that_lives() {
    let yard = Yard::start(None);
    agent::signal(yard.agents[0].pid(), "KILL");
    let why = yard.node("node-1", "VERDICT_AGENT_DOWN");
    assert!(why.contains("refused"), "{why}");
    yard.node("node-2", "VERDICT_HEALTHY");
}

#[test]
fn an_agent_that_is_stopped_is_down_on_a_host_that_lives_until_it_goes_on() {
    let yard = Yard::start(None);
    agent::signal(yard.agents[0].pid(), "STOP");
    let why = yard.node("node-1", "VERDICT_AGENT_DOWN");
    assert!(why.contains("connected and silent"), "{why}");
    agent::signal(yard.agents[0].pid(), "CONT");
    assert_eq!(yard.node("node-1", "VERDICT_HEALTHY"), "");
}

#[test]
fn a_node_that_is_silent_and_answers_nobody_is_unreachable() {
    let deaf = Deaf::listen();
    let yard = Yard::start(Some(deaf.address));
    agent::signal(yard.agents[0].pid(), "STOP");
    let why = yard.node("node-1", "VERDICT_NODE_UNREACHABLE");
    assert!(why.contains("timed out"), "{why}");
    yard.node("node-3", "VERDICT_HEALTHY");
    would_take_it_out(&yard.coordinator);
}

/// The leader says of the node what it would do, and why it does not, also while a person holds it.
fn would_take_it_out(coordinator: &Coordinator) {
    let waits_for = |decision: &Value, what: &str| {
        is(decision, "node", "node-1")
            && decision["vetoes"].as_array().is_some_and(|it| is(&it[0], "brake", what))
    };
    let decision = coordinator.wait("decisions", |it| waits_for(it, "dry_run"));
    assert!(is(&decision, "verdict", "VERDICT_NODE_UNREACHABLE"), "{decision:#}");
    assert_eq!(coordinator.get("actions"), Vec::<Value>::new(), "nothing is done in a dry run");
    let name = decision["name"].as_str().unwrap();
    for asked in [name, "node-1"] {
        let text = coordinator.run(&["explain", asked]);
        for part in [name, "NODE_UNREACHABLE", "timed out", "take out of traffic node node-1", "dry_run"] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
    }
    coordinator.run(&["hold", "node/node-1", "--reason", "being debugged", "--operator", "ann"]);
    coordinator.wait("holds", |hold| is(hold, "scope", "node/node-1") && is(hold, "operator", "ann"));
    coordinator.wait("decisions", |it| waits_for(it, "held"));
    let answer = coordinator.run(&["release", "node/node-1", "--reason", "done", "--operator", "ann"]);
    assert!(answer.contains("1 holds"), "{answer}");
    coordinator.wait("decisions", |it| waits_for(it, "dry_run"));
    assert_eq!(coordinator.get("holds"), Vec::<Value>::new());
}

#[test]
fn a_gpu_that_falls_off_the_bus_is_lost_and_its_neighbour_is_not() {
    let yard = Yard::start(None);
    yard.fake.set("count = 2\n[gpu.1]\nlost = true\n[[xid]]\nid = 1\ngpu = 1\ncode = 79\nonly_live = true");
    let lost = |gpu: &Value| is(gpu, "verdict", "VERDICT_GPU_LOST");
    let gpu = yard.coordinator.wait("gpus", lost);
    assert_eq!((&gpu["node"], &gpu["index"]), (&Value::from("node-1"), &Value::from(1)));
    assert!(!why(&gpu).is_empty());
    let others = yard.coordinator.get("gpus");
    assert_eq!(others.iter().filter(|gpu| lost(gpu)).count(), 1, "{others:#?}");
    yard.node("node-1", "VERDICT_HEALTHY");
}

/// An address that lets nobody in and turns nobody away, as that of a machine that is gone: its queue of connections is full.
struct Deaf {
    address: SocketAddr,
    _listener: tokio::net::TcpListener,
    _queue: Vec<TcpStream>,
    _runtime: tokio::runtime::Runtime,
}

impl Deaf {
    fn listen() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(async {
            let socket = tokio::net::TcpSocket::new_v4().unwrap();
            socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            socket.listen(1).unwrap()
        });
        let address = listener.local_addr().unwrap();
        let connect = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).ok();
        let queue: Vec<TcpStream> = std::iter::from_fn(connect).take(16).collect();
        assert!(connect().is_none(), "{address} lets everybody in");
        Self { address, _listener: listener, _queue: queue, _runtime: runtime }
    }
}
