//! What etcd says, by its JSON gateway: the crate that speaks with it properly belongs to the store.

use std::net::SocketAddr;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Where the highest term is kept.
const EPOCH_KEY: &str = "ostler/lead/epoch";

/// Longest answer.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

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
