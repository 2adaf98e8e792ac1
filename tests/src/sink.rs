//! Where actions have their effect: the service behind the coordinator's webhook, as a test needs it.
//!
//! It does each action once however often it is told, refuses terms below the highest it has heard and calls that come too
//! late, and writes everything that it hears into a history. [`Fence::Off`] leaves the terms unlooked at: a check of a
//! history that never fails proves nothing.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request, Response as Reply, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Deserialize;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use crate::history::{Heard, Recorder, Response};

/// Longest body of a call.
const BODY_BYTES_MAX: usize = 64 << 10;

/// Connections at once; each replica has one or two.
const CONNECTIONS_MAX: usize = 64;

/// How long a connection may take to say what it wants: longer than anything holds a call up.
const HEADER_MAX: Duration = Duration::from_secs(120);

/// Whether the sink looks at terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    /// It does, as everything that a leader acts on must.
    On,
    /// It does not, which is wrong on purpose.
    Off,
}

/// A sink, which ends when dropped.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Sink {
    /// Starts one whose callers sign with a key.
    pub async fn start(listen: SocketAddr, key: &[u8], fence: Fence, recorder: Recorder) -> io::Result<Sink> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let counter = Counter { key: key.into(), fence, recorder, state: Arc::default() };
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((socket, _)) = listener.accept(), if connections.len() < CONNECTIONS_MAX => {
                        let counter = counter.clone();
                        connections.spawn(async move {
                            let answer = service_fn(|request| counter.clone().answer(request));
                            let mut server = hyper::server::conn::http1::Builder::new();
                            // Who has called and gone away has called.
                            server.timer(TokioTimer::new()).header_read_timeout(HEADER_MAX).half_close(true);
                            let _ = server.serve_connection(TokioIo::new(socket), answer).await;
                        });
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Sink { address, task })
    }

    /// Where to call.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a sink has heard.
#[derive(Debug, Default)]
struct State {
    /// The highest term.
    term: u64,
    /// Actions that had their effect.
    done: BTreeSet<String>,
}

/// Answers calls. Clones share what was heard.
#[derive(Clone, Debug)]
struct Counter {
    key: Arc<[u8]>,
    fence: Fence,
    recorder: Recorder,
    state: Arc<Mutex<State>>,
}

/// What of a call matters to the sink.
#[derive(Debug, Deserialize)]
struct Order {
    id: String,
    term: u64,
    attempt: u32,
    valid_until_ms: u64,
}

impl Counter {
    async fn answer(self, request: Request<Incoming>) -> Result<Reply<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let header = |name: &str| Some(head.headers.get(name)?.to_str().ok()?.to_owned());
        let signature = header("x-ostler-signature").unwrap_or_default();
        let term: Option<u64> = header("x-ostler-term").and_then(|term| term.parse().ok());
        let (status, state) = match (head.method == Method::POST, term) {
            (true, _) => match Limited::new(body, BODY_BYTES_MAX).collect().await {
                Ok(body) => self.call(&body.to_bytes(), &signature),
                Err(_) => (StatusCode::PAYLOAD_TOO_LARGE, "failed"),
            },
            (false, Some(term)) => {
                self.look(head.uri.path().rsplit('/').next().unwrap_or_default(), term, &signature)
            }
            (false, None) => (StatusCode::BAD_REQUEST, "failed"),
        };
        let mut reply = Reply::new(Full::from(format!("{{\"state\":\"{state}\"}}")));
        *reply.status_mut() = status;
        Ok(reply)
    }

    fn call(&self, body: &[u8], signature: &str) -> (StatusCode, &'static str) {
        if !self.signed(&[body], signature) {
            return (StatusCode::UNAUTHORIZED, "failed");
        }
        let Ok(order) = serde_json::from_slice::<Order>(body) else {
            return (StatusCode::BAD_REQUEST, "failed");
        };
        let Order { id, term, attempt, valid_until_ms } = order;
        let heard = self.recorder.decide(|| {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let response = match () {
                () if self.fence == Fence::On && term < state.term => Response::Fenced,
                () if wall_ms() > valid_until_ms => Response::Expired,
                () if state.done.insert(id.clone()) => Response::Applied,
                () => Response::Repeated,
            };
            state.term = state.term.max(term);
            Heard { id, term, attempt, response }
        });
        reply(heard.response)
    }

    fn look(&self, id: &str, term: u64, signature: &str) -> (StatusCode, &'static str) {
        if !self.signed(&[id.as_bytes(), b"\n", term.to_string().as_bytes()], signature) {
            return (StatusCode::UNAUTHORIZED, "failed");
        }
        let mut is_done = false;
        let heard = self.recorder.decide(|| {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let fenced = self.fence == Fence::On && term < state.term;
            is_done = state.done.contains(id);
            state.term = state.term.max(term);
            let response = if fenced { Response::Fenced } else { Response::Looked };
            Heard { id: id.to_owned(), term, attempt: 0, response }
        });
        match (heard.response, is_done) {
            (Response::Looked, false) => (StatusCode::NOT_FOUND, "absent"),
            (response, _) => reply(response),
        }
    }

    fn signed(&self, parts: &[&[u8]], signature: &str) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        parts.iter().for_each(|part| mac.update(part));
        let digest = mac.finalize().into_bytes();
        let wanted = digest.iter().fold(String::from("sha256="), |text, byte| format!("{text}{byte:02x}"));
        wanted == signature
    }
}

const fn reply(response: Response) -> (StatusCode, &'static str) {
    match response {
        Response::Applied | Response::Repeated | Response::Looked => (StatusCode::OK, "done"),
        Response::Fenced => (StatusCode::CONFLICT, "failed"),
        Response::Expired => (StatusCode::GONE, "failed"),
    }
}

fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
