//! Real agents, coordinators and clients under mutual TLS: who is let in, and what becomes of open connections when
//! certificates are renewed, expire, are revoked, or are not what they should be.
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod common;

use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

use common::{
    agent::Agent,
    coordinator::Coordinator,
    pki::{Authority, Folder},
    replica::PATIENCE,
};
use ostler_proto::v1;
use ostler_proto::v1::agent_client::AgentClient;
use ostler_proto::v1::fleet_client::FleetClient;
use serde_json::Value;
use tokio_stream::StreamExt;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

/// In which a connection ends whose certificate was revoked.
const CLOSED_WITHIN: Duration = Duration::from_secs(5);

/// How long certificates last that expire in a test: time to start everything while the machine is busy.
const SHORT: Duration = Duration::from_secs(12);

/// A coordinator with the files `coordinator.pem`, `ca.pem` and `crl.pem` of a folder, and with `operator.pem` for `ostler`.
fn coordinator(folder: &Folder, coordinator: &str, more: &[&str]) -> Coordinator {
    let (certificate, key) =
        (folder.text(&format!("{coordinator}.pem")), folder.text(&format!("{coordinator}-key.pem")));
    let ca = folder.text("ca.pem");
    let mut arguments = vec!["--tls-certificate", &certificate, "--tls-key", &key, "--tls-client-ca", &ca];
    arguments.extend(more);
    let flags = operator(folder);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    Coordinator::start_with("https", &arguments, &flags)
}

/// What `ostler` is told to be an operator.
fn operator(folder: &Folder) -> Vec<String> {
    let files = [("--ca", "ca.pem"), ("--cert", "operator.pem"), ("--key", "operator-key.pem")];
    files.iter().flat_map(|(flag, file)| [(*flag).to_owned(), folder.text(file)]).collect()
}

/// A folder whose authority is made here, with all that a fleet needs.
fn folder(authority: &Authority) -> Folder {
    let folder = Folder::new();
    folder.put("ca.pem", &authority.pem);
    for name in ["coordinator", "operator", "node-1"] {
        folder.put_pair(name, &authority.lasting(name));
    }
    folder
}

/// The agent of a node with the files `NODE.pem` and `NODE-key.pem`.
fn agent(coordinator: &Coordinator, folder: &Folder, node: &str, files: &str) -> Agent {
    let (ca, certificate, key) = (
        folder.text("ca.pem"),
        folder.text(&format!("{files}.pem")),
        folder.text(&format!("{files}-key.pem")),
    );
    let variables = [
        ("OSTLER_NODE", node),
        ("OSTLER_TLS_CA", &ca),
        ("OSTLER_TLS_CERTIFICATE", &certificate),
        ("OSTLER_TLS_KEY", &key),
    ];
    Agent::start_at(coordinator.url(), None, &variables)
}

fn healthy(coordinator: &Coordinator, node: &str) {
    coordinator.wait("nodes", |it| {
        it["name"] == node && it["state"] == "NODE_STATE_FRESH" && it["verdict"] == "VERDICT_HEALTHY"
    });
}

/// Waits until a text is in a log so often; how long that took.
fn until(what: &str, times: usize, log: impl Fn() -> String) -> Duration {
    let began = Instant::now();
    loop {
        let text = log();
        if text.matches(what).count() >= times {
            return began.elapsed();
        }
        assert!(began.elapsed() < 2 * PATIENCE, "{what:?} is not {times} times in\n{text}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Any client of gRPC, as an operator.
async fn channel(coordinator: &Coordinator, folder: &Folder) -> Channel {
    let read = |name| fs::read(folder.path(name)).unwrap();
    let tls = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(read("ca.pem")))
        .identity(Identity::from_pem(read("operator.pem"), read("operator-key.pem")));
    let endpoint = Endpoint::from_shared(coordinator.url().to_owned()).unwrap();
    endpoint.tls_config(tls).unwrap().connect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_with_certificates_of_ostler_certs_is_seen_and_strangers_are_turned_away() {
    let folder = Folder::with_authority();
    folder.certs(&["issue"], &["--node", "node-1"]);
    folder.certs(&["issue"], &["--operator", "ann"]);
    for end in [".pem", "-key.pem"] {
        fs::rename(folder.path(&format!("operator-ann{end}")), folder.path(&format!("operator{end}")))
            .unwrap();
    }
    let coordinator = coordinator(&folder, "coordinator-127.0.0.1", &["--tls-node-names", "true"]);
    let _agent = agent(&coordinator, &folder, "node-1", "node-node-1");
    healthy(&coordinator, "node-1");
    let mut client = FleetClient::new(channel(&coordinator, &folder).await);
    let nodes = client.list_nodes(v1::ListRequest::default()).await.unwrap().into_inner();
    assert_eq!(nodes.total_size, 1);

    let refused = |url: &str, flags: &[String], told: &str| {
        let output = coordinator.ask(url, &["get", "nodes"], flags);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(text.contains(told), "{text}");
    };
    let operator = operator(&folder);
    refused(coordinator.url(), &operator[..2], "give --cert and --key");
    refused(&coordinator.url().replace("https", "http"), &[], "https://");
    until("does not speak TLS", 1, || coordinator.log());
    for name in ["coordinator-127.0.0.1-key.pem", "operator-key.pem", "node-node-1-key.pem"] {
        let key = fs::read_to_string(folder.path(name)).unwrap();
        assert!(!coordinator.log().contains(key.lines().nth(1).unwrap()), "{name} is in the log");
    }
}

#[test]
fn a_client_with_tls_at_a_port_without_is_told_so() {
    let authority = Authority::new("authority");
    let folder = folder(&authority);
    let coordinator = Coordinator::start();
    let url = coordinator.url().replace("http", "https");
    let output = coordinator.ask(&url, &["get", "nodes"], &operator(&folder));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(3) && text.contains("it speaks no TLS"), "{text}");
    until("a client spoke TLS", 1, || coordinator.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_revoked_is_cut_off_within_five_seconds_and_nobody_else() {
    let folder = Folder::with_authority();
    for name in ["node-1", "node-2", "stranger"] {
        folder.certs(&["issue"], &["--node", name]);
    }
    folder.certs(&["issue"], &["--operator", "ann"]);
    for end in [".pem", "-key.pem"] {
        fs::rename(folder.path(&format!("operator-ann{end}")), folder.path(&format!("operator{end}")))
            .unwrap();
    }
    let revoke = |name: &str| folder.certs(&["revoke"], &[&folder.text(name)]);
    revoke("node-stranger.pem");
    let coordinator =
        coordinator(&folder, "coordinator-127.0.0.1", &["--tls-client-crl", &folder.text("crl.pem")]);
    let revoked = agent(&coordinator, &folder, "node-1", "node-node-1");
    let other = agent(&coordinator, &folder, "node-2", "node-node-2");
    let stranger = agent(&coordinator, &folder, "node-3", "node-stranger");
    healthy(&coordinator, "node-1");
    healthy(&coordinator, "node-2");
    until("CertificateRevoked", 1, || stranger.log());

    revoke("node-node-1.pem");
    let took = until("counts no more", 1, || revoked.log());
    assert!(took < CLOSED_WITHIN, "{took:?}");
    until("CertificateRevoked", 1, || revoked.log());
    assert!(!other.log().contains("stream is down"), "{}", other.log());
    // A client that only watches has no say in how it ends, but its stream does end.
    let mut client = FleetClient::new(channel(&coordinator, &folder).await);
    let mut watch = client.watch(v1::WatchRequest::default()).await.unwrap().into_inner();
    watch.message().await.unwrap();
    revoke("operator.pem");
    let began = Instant::now();
    let ended = async { while watch.message().await.is_ok_and(|message| message.is_some()) {} };
    tokio::time::timeout(2 * PATIENCE, ended).await.unwrap();
    assert!(began.elapsed() < CLOSED_WITHIN, "{:?}", began.elapsed());
    assert!(!other.log().contains("stream is down"), "{}", other.log());
    // With a good certificate the node is back.
    folder.certs(&["issue", "--force"], &["--node", "node-1"]);
    until("stream is up", 2, || revoked.log());
}

#[test]
fn a_certificate_that_expires_under_a_stream_costs_a_reconnect_and_no_verdict() {
    let authority = Authority::new("authority");
    let folder = folder(&authority);
    folder.put_pair("node-1", &authority.issue("node-1", SHORT));
    let coordinator = coordinator(&folder, "coordinator", &[]);
    let agent = agent(&coordinator, &folder, "node-1", "node-1");
    healthy(&coordinator, "node-1");
    folder.put_pair("node-1", &authority.lasting("node-1"));
    // Renewing something else before makes nobody forget that it expires.
    folder.put_pair("coordinator", &authority.lasting("coordinator"));
    until("certificates were renewed", 1, || coordinator.log());
    assert!(!agent.log().contains("counts no more"), "{}", agent.log());
    let verdicts = verdicts_until(&coordinator, || agent.log().matches("stream is up").count() == 2);
    assert_eq!(agent.log().matches("counts no more").count(), 1, "{}", agent.log());
    assert_eq!(verdicts, BTreeSet::from(["VERDICT_HEALTHY".to_owned()]), "{}", coordinator.log());
    healthy(&coordinator, "node-1");
}

/// All verdicts that node-1 has until something is so.
fn verdicts_until(coordinator: &Coordinator, done: impl Fn() -> bool) -> BTreeSet<String> {
    let (began, mut verdicts) = (Instant::now(), BTreeSet::new());
    while !done() {
        assert!(began.elapsed() < 2 * PATIENCE, "{verdicts:?}");
        let node = coordinator.get("nodes").into_iter().find(|node| node["name"] == "node-1").unwrap();
        verdicts.insert(node["verdict"].as_str().unwrap().to_owned());
    }
    verdicts
}

#[test]
fn renewing_everything_drops_no_stream_and_an_authority_that_is_taken_away_does() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let folder = folder(&old);
    let coordinator = coordinator(&folder, "coordinator", &[]);
    let agent = agent(&coordinator, &folder, "node-1", "node-1");
    healthy(&coordinator, "node-1");

    folder.put("ca.pem", &format!("{}{}", old.pem, new.pem));
    for name in ["coordinator", "operator", "node-1"] {
        folder.put_pair(name, &new.lasting(name));
    }
    folder.put("new.pem", &new.pem);
    let by_new = ["--ca", &folder.text("new.pem")].map(str::to_owned);
    let flags: Vec<String> = by_new.into_iter().chain(operator(&folder).into_iter().skip(2)).collect();
    let began = Instant::now();
    while !coordinator.ask(coordinator.url(), &["get", "nodes"], &flags).status.success() {
        assert!(began.elapsed() < PATIENCE, "{}", coordinator.log());
    }
    assert!(!agent.log().contains("stream is down"), "{}", agent.log());

    folder.put("ca.pem", &new.pem);
    let took = until("counts no more", 1, || agent.log());
    assert!(took < CLOSED_WITHIN, "{took:?}");
    until("stream is up", 2, || agent.log());
    healthy(&coordinator, "node-1");
}

#[test]
fn what_cannot_be_used_leaves_in_use_what_was_before() {
    let authority = Authority::new("authority");
    let folder = folder(&authority);
    let coordinator = coordinator(&folder, "coordinator", &[]);
    let next = authority.lasting("coordinator");
    let (half, _) = next.certificate.split_at(next.certificate.len() / 2);
    folder.put("coordinator.pem", half);
    until("new certificates cannot be used", 1, || coordinator.log());
    folder.put("coordinator.pem", &next.certificate);
    until("tls.certificate and tls.key cannot be used together", 1, || coordinator.log());
    folder.put("ca.pem", "");
    until("tls.client_ca: ", 1, || coordinator.log());
    fs::remove_file(folder.path("coordinator-key.pem")).unwrap();
    until("tls.key: cannot read", 1, || coordinator.log());
    folder.put("ca.pem", &authority.pem);
    coordinator.get("nodes");
    folder.put("coordinator-key.pem", &next.key);
    until("certificates were renewed", 1, || coordinator.log());
    coordinator.get("nodes");
    let secret = next.key.lines().nth(1).unwrap();
    assert!(!coordinator.log().contains(secret), "the key is in the log");
}

#[test]
fn an_agent_speaks_only_for_the_node_that_its_certificate_names() {
    let authority = Authority::new("authority");
    let folder = folder(&authority);
    folder.put_pair("node-2", &authority.lasting("node-2"));
    let coordinator = coordinator(&folder, "coordinator", &["--tls-node-names", "true"]);
    let liar = agent(&coordinator, &folder, "node-1", "node-2");
    let honest = agent(&coordinator, &folder, "node-2", "node-2");
    healthy(&coordinator, "node-2");
    until("its certificate names node-2", 1, || liar.log());
    let names: Vec<Value> = coordinator.get("nodes").iter().map(|node| node["name"].clone()).collect();
    assert_eq!(names, [Value::from("node-2")]);
    assert!(!honest.log().contains("stream is down"), "{}", honest.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_beside_other_calls_speaks_only_for_the_node_of_its_certificate() {
    let authority = Authority::new("authority");
    let folder = folder(&authority);
    let coordinator = coordinator(&folder, "coordinator", &["--tls-node-names", "true"]);
    let channel = channel(&coordinator, &folder).await;
    FleetClient::new(channel.clone()).list_nodes(v1::ListRequest::default()).await.unwrap();
    let report = async |node: &str| {
        let hello = v1::Hello {
            node: node.to_owned(),
            zone: "a".to_owned(),
            boot_id: "boot".to_owned(),
            incarnation: 1,
            agent_version: "0.1.0".to_owned(),
            interval_ms: 1_000,
            ..v1::Hello::default()
        };
        let message = v1::AgentMessage { body: Some(v1::agent_message::Body::Hello(hello)) };
        let messages = tokio_stream::iter([message]).chain(tokio_stream::pending());
        let mut answers = AgentClient::new(channel.clone()).report(messages).await?.into_inner();
        answers.message().await
    };
    assert!(report("operator").await.unwrap().is_some(), "the certificate is by that name");
    let refused = report("node-1").await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::PermissionDenied, "{refused:?}");
}
