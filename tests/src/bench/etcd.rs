//! An etcd of one member, and what one says by its JSON gateway: the crate that speaks with it properly belongs to the store.

use std::net::SocketAddr;
use std::process::Command;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::servers::{Server, free_address};

/// Where the highest term is kept.
const EPOCH_KEY: &str = "ostler/lead/epoch";

/// Longest answer.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// One that is ended with this.
#[derive(Debug)]
pub(crate) struct Etcd {
    pub(crate) address: SocketAddr,
    _server: Server,
    _data: TempDir,
}

impl Etcd {
    /// Starts one and waits until it takes connections.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let (address, peer, data) = (free_address()?, free_address()?, tempfile::tempdir()?);
        let (url, peer) = (format!("http://{address}"), format!("http://{peer}"));
        let mut command = Command::new("etcd");
        command
            .arg("--data-dir")
            .arg(data.path().join("etcd"))
            .args(["--listen-client-urls", &url, "--advertise-client-urls", &url])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("default={peer}")]);
        let mut server = Server::start(&mut command).context("install the package etcd-server")?;
        server.wait_for(address)?;
        Ok(Self { address, _server: server, _data: data })
    }

    /// Its address for clients.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Its revision, which each transaction that writes anything raises by one, and the keepalive of a lease does not.
pub(crate) async fn revision(member: SocketAddr) -> anyhow::Result<u64> {
    let answer = post(member, "/v3/kv/range", &json!({ "key": STANDARD.encode(EPOCH_KEY) })).await?;
    let revision = answer["header"]["revision"].as_str().context("an answer tells the revision")?;
    Ok(revision.parse()?)
}

/// The highest term, confirmed by a majority; none before there was one.
pub(crate) async fn highest_term(member: SocketAddr) -> anyhow::Result<Option<u64>> {
    let answer = post(member, "/v3/kv/range", &json!({ "key": STANDARD.encode(EPOCH_KEY) })).await?;
    let Some(value) = answer["kvs"][0]["value"].as_str() else { return Ok(None) };
    let bytes = STANDARD.decode(value)?;
    Ok(Some(u64::from_be_bytes(bytes.as_slice().try_into().context("a term has 8 bytes")?)))
}

/// Whether a member is etcd's own leader, as far as it knows; nobody is in an election.
pub(crate) async fn leads(member: SocketAddr) -> anyhow::Result<bool> {
    let answer = post(member, "/v3/maintenance/status", &json!({})).await?;
    let leader = answer["leader"].as_str();
    Ok(leader.is_some() && answer["header"]["member_id"].as_str() == leader)
}

async fn post(member: SocketAddr, path: &str, body: &Value) -> anyhow::Result<Value> {
    let body = body.to_string();
    let mut stream = TcpStream::connect(member).await?;
    let length = body.len();
    let head = format!("POST {path} HTTP/1.0\r\nhost: {member}\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all((head + &body).as_bytes()).await?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer).await?;
    let (_, body) = answer.split_once("\r\n\r\n").context("an answer has a body")?;
    Ok(serde_json::from_str(body)?)
}
