//! A webhook that keeps its contract: knows ids and terms, does each action once, and can be told to be slow or silent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// The key of all tests.
pub(crate) const KEY: &str = "a key that is long enough";

/// How it answers calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Does it and says so.
    Prompt,
    /// Does it and never answers the call.
    Mute,
    /// Does not even hear the call.
    Deaf,
    /// Says that it works on it, until it is told to be prompt.
    Busy,
}

/// What it has heard and done.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// By action: how often its effect was brought about.
    pub(crate) effects: BTreeMap<String, u32>,
    /// What they were, in order: effect and target.
    pub(crate) orders: Vec<(String, Value)>,
    /// All calls that it heard, with their terms.
    pub(crate) calls: Vec<(String, u64)>,
    working: Vec<Value>,
    term: u64,
    /// Calls and looks refused because a higher term had spoken.
    pub(crate) refused: u32,
    pub(crate) unsigned: u32,
}

/// A webhook on a free port.
#[derive(Clone, Debug)]
pub(crate) struct Sink {
    pub(crate) address: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    done: Arc<Mutex<Done>>,
}

impl Sink {
    pub(crate) async fn start(manner: Manner) -> Sink {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sink = Sink { address, manner: Arc::new(Mutex::new(manner)), done: Arc::default() };
        let router = Router::new()
            .route("/actions", post(call))
            .route("/actions/{id}", get(look))
            .with_state(sink.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        sink
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/actions", self.address)
    }

    /// Answers so from now on; a prompt one brings what it works on to its end.
    pub(crate) fn be(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
        let mut done = self.done.lock().unwrap();
        if manner == Manner::Prompt {
            for order in std::mem::take(&mut done.working) {
                done.bring_about(&order);
            }
        }
    }

    pub(crate) fn read<R>(&self, read: impl FnOnce(&Done) -> R) -> R {
        read(&self.done.lock().unwrap())
    }

    /// Has heard of a leader of this term.
    pub(crate) fn hear_of(&self, term: u64) {
        self.done.lock().unwrap().admits(term);
    }

    /// Effects of a kind.
    pub(crate) fn effects(&self, effect: &str) -> usize {
        self.read(|done| done.orders.iter().filter(|(it, _)| it == effect).count())
    }
}

impl Done {
    fn bring_about(&mut self, order: &Value) {
        let id = order["id"].as_str().unwrap().to_owned();
        *self.effects.entry(id).or_default() += 1;
        self.orders.push((order["effect"].as_str().unwrap().to_owned(), order["target"].clone()));
    }

    /// Whether a term may speak; it is the highest from then on.
    fn admits(&mut self, term: u64) -> bool {
        let old = term < self.term;
        self.term = self.term.max(term);
        self.refused += u32::from(old);
        !old
    }

    fn check(&mut self, headers: &HeaderMap, parts: &[&[u8]]) {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
        parts.iter().for_each(|part| mac.update(part));
        let digest = mac.finalize().into_bytes();
        let expected = digest.iter().fold("sha256=".to_owned(), |text, byte| format!("{text}{byte:02x}"));
        let told = headers.get("x-ostler-signature").and_then(|it| it.to_str().ok());
        self.unsigned += u32::from(told != Some(expected.as_str()));
    }
}

async fn call(State(sink): State<Sink>, headers: HeaderMap, body: Bytes) -> (StatusCode, Json<Value>) {
    let manner = *sink.manner.lock().unwrap();
    if manner == Manner::Deaf {
        std::future::pending::<()>().await;
    }
    let answer = {
        let mut done = sink.done.lock().unwrap();
        done.check(&headers, &[&body]);
        let order: Value = serde_json::from_slice(&body).unwrap();
        let (id, term) = (order["id"].as_str().unwrap().to_owned(), order["term"].as_u64().unwrap());
        done.calls.push((id.clone(), term));
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        if !done.admits(term) {
            (StatusCode::CONFLICT, Json(json!({})))
        } else if u128::from(order["valid_until_ms"].as_u64().unwrap()) <= now_ms {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"state": "failed", "detail": "too late"})))
        } else if done.effects.contains_key(&id) {
            (StatusCode::OK, Json(json!({"state": "done"})))
        } else if manner == Manner::Busy {
            done.working.push(order);
            (StatusCode::ACCEPTED, Json(json!({"state": "accepted"})))
        } else {
            done.bring_about(&order);
            (StatusCode::OK, Json(json!({"state": "done"})))
        }
    };
    if manner == Manner::Mute {
        tokio::time::sleep(Duration::from_secs(3_600)).await;
    }
    answer
}

async fn look(
    State(sink): State<Sink>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> (StatusCode, Json<Value>) {
    let mut done = sink.done.lock().unwrap();
    let term = headers["x-ostler-term"].to_str().unwrap().to_owned();
    done.check(&headers, &[id.as_bytes(), b"\n", term.as_bytes()]);
    if !done.admits(term.parse().unwrap()) {
        return (StatusCode::CONFLICT, Json(json!({})));
    }
    let working = done.working.iter().any(|order| order["id"] == id.as_str());
    match (done.effects.contains_key(&id), working) {
        (true, _) => (StatusCode::OK, Json(json!({"state": "done"}))),
        (false, true) => (StatusCode::OK, Json(json!({"state": "accepted"}))),
        (false, false) => (StatusCode::NOT_FOUND, Json(json!({"state": "absent"}))),
    }
}
