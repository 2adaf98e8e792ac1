//! A webhook: one POST an action, signed, and a GET to see what became of it.
//!
//! The contract is in `docs/guide/operate.md`: the service knows an action by its id and does it once, refuses terms below
//! the highest it has heard and calls after `valid_until_ms`, and tells by GET what became of an id. What does not answer in
//! time, or not as agreed, tells nothing: it is asked again.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use ostler_core::action::{ActionId, Observed, Target};
use ostler_core::desk::{Call, Told};
use ostler_core::id::Term;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::Executor;
use crate::desk::stored::{effect_value, effect_verb};
use crate::lead::Leadership;

/// How long a call or a look may take, connection included. A call may not take longer than the lease can be relied on.
const TIME_MAX: Duration = Duration::from_secs(2);

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 16 << 10;

/// Bytes of a key: a block of SHA-256 is 64, and longer ones are hashed to 32.
const KEY_BYTES_MIN: usize = 16;

/// The header with the signature: "sha256=" and HMAC-SHA256 of the body (of the id and the term for a GET) in hexadecimal.
const SIGNATURE: &str = "x-ostler-signature";

/// The header with the term, which a GET has no body for.
const TERM: &str = "x-ostler-term";

/// Where the service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its URL, to which "/ID" is added for a look.
    pub url: Uri,
    /// The file with the key that calls are signed with, without the white space around it.
    pub key_file: PathBuf,
}

/// Why it cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The key cannot be read.
    #[error("cannot read the key of the webhook {}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The key is too short to keep anybody out.
    #[error("the key of the webhook {} has {length} bytes; it must have {KEY_BYTES_MIN} at least", path.display())]
    ShortKey {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        length: usize,
    },
    /// The system's certificates cannot be read.
    #[error("cannot load the certificates of this system")]
    Certificates(#[source] std::io::Error),
}

/// The service. Clones share connections.
#[derive(Clone)]
pub(crate) struct Webhook {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Uri,
    key: Arc<[u8]>,
    health: Arc<Mutex<Health>>,
}

/// How the service was last, so that what is wrong is logged once and not for each call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Health {
    /// It answers as agreed.
    #[default]
    Good,
    /// It does not answer.
    Silent,
    /// It answers what tells nothing.
    Senseless,
}

/// What is posted.
#[derive(Debug, Serialize)]
struct Order<'a> {
    id: String,
    term: u64,
    attempt: u32,
    effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<u32>,
    target: TargetForm<'a>,
    uid: &'a str,
    incarnation: u64,
    valid_until_ms: u64,
    reason: &'a str,
}

/// A target: what kind of thing, and the names that lead to it.
#[derive(Debug, Default, Serialize)]
struct TargetForm<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gpu: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    engine: Option<&'a str>,
}

/// What is answered.
#[derive(Debug, Deserialize)]
struct Report {
    state: ReportState,
    #[serde(default)]
    detail: String,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum ReportState {
    /// It works on it.
    Accepted,
    /// The effect is there.
    Done,
    /// It did not work and will not.
    Failed,
    /// It never heard of it, or has not done it, and no call is on its way there.
    Absent,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Webhook {
    /// The service at this place.
    pub(crate) fn open(settings: &Settings) -> Result<Webhook, Error> {
        let Settings { url, key_file } = settings;
        let text = std::fs::read(key_file).map_err(|source| Error::Key { path: key_file.clone(), source })?;
        let key = text.trim_ascii();
        if key.len() < KEY_BYTES_MIN {
            return Err(Error::ShortKey { path: key_file.clone(), length: key.len() });
        }
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(TIME_MAX));
        let https = HttpsConnectorBuilder::new().with_tls_config(tls(url)?);
        let connector = https.https_or_http().enable_http1().wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Webhook { client, url: url.clone(), key: key.into(), health: Arc::default() })
    }

    fn sign(&self, parts: &[&[u8]]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        parts.iter().for_each(|part| mac.update(part));
        let digest = mac.finalize().into_bytes();
        digest.iter().fold(String::from("sha256="), |text, byte| format!("{text}{byte:02x}"))
    }

    /// Where an action is asked about.
    fn url_of(&self, id: ActionId) -> Option<Uri> {
        format!("{}/{id}", self.url.to_string().trim_end_matches('/')).parse().ok()
    }

    /// Sends a request and reads the answer, all within a time.
    async fn send(&self, request: Request<Full<Bytes>>, within: Duration) -> Option<(StatusCode, Bytes)> {
        let answer = async {
            let response = self.client.request(request).await.map_err(|error| chain(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            Ok::<_, String>((status, body.map_err(|error| chain(&*error))?.to_bytes()))
        };
        let error = match tokio::time::timeout(within, answer).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => error,
            Err(_) => format!("no answer in {within:?}"),
        };
        if self.is_news(Health::Silent) {
            tracing::warn!(url = %self.url, error, "the webhook does not answer; more is told when that changes");
        }
        None
    }

    /// Logs what an answer says of the service, when it said another thing before.
    fn note(&self, status: StatusCode, told: Option<Told>) -> Option<Told> {
        let health = if told.is_some() { Health::Good } else { Health::Senseless };
        if self.is_news(health) {
            if told.is_some() {
                tracing::info!(url = %self.url, "the webhook answers again");
            } else {
                tracing::warn!(url = %self.url, %status, "the webhook's answer tells nothing: see the guide for what is agreed");
            }
        }
        told
    }

    fn is_news(&self, health: Health) -> bool {
        let mut known = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *known, health) != health
    }
}

impl Executor for Webhook {
    async fn call(&self, call: &Call, leadership: &Leadership) -> Option<Told> {
        let body = serde_json::to_vec(&Order::of(call)).expect("texts and numbers have a JSON form");
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(TERM, call.term.0)
            .header(SIGNATURE, self.sign(&[&body]))
            .body(Full::new(Bytes::from(body)))
            .ok()?;
        // The name is looked up and a connection made within this time too, so that nothing leaves after the lease.
        let left = leadership.time_left(call.term)?;
        let (status, body) = self.send(request, left.min(TIME_MAX)).await?;
        self.note(status, told_of_call(call.attempt, status, &body))
    }

    async fn look(&self, id: ActionId, term: Term) -> Option<Told> {
        let signature = self.sign(&[id.to_string().as_bytes(), b"\n", term.0.to_string().as_bytes()]);
        let request = Request::builder()
            .uri(self.url_of(id)?)
            .header(TERM, term.0)
            .header(SIGNATURE, signature)
            .body(Full::default())
            .ok()?;
        let (status, body) = self.send(request, TIME_MAX).await?;
        self.note(status, told_of_look(status, &body))
    }
}

/// An error with its causes in one line: the outermost says no more than "client error (Connect)".
fn chain(error: &(dyn StdError + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |cause| StdError::source(*cause));
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Those that the system trusts are trusted; without TLS nobody's certificate is looked at, and none need be there.
fn tls(url: &Uri) -> Result<rustls::ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the versions that are the default");
    if url.scheme_str() == Some("https") {
        let trusting = builder.with_native_roots().map_err(Error::Certificates)?;
        return Ok(trusting.with_no_client_auth());
    }
    Ok(builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

/// What the answer to a call says. A refusal is for ever only where the contract says so: all else is asked about again.
fn told_of_call(attempt: u32, status: StatusCode, body: &[u8]) -> Option<Told> {
    let report: Option<Report> = serde_json::from_slice(body).ok();
    match (status, report) {
        (status, Some(Report { state, detail })) if status.is_success() => match state {
            ReportState::Accepted => Some(Told::Acked { attempt }),
            ReportState::Done => Some(Told::Done),
            ReportState::Failed => Some(Told::Refused { attempt, detail: detail.into() }),
            ReportState::Absent => None,
        },
        (StatusCode::UNPROCESSABLE_ENTITY, report) => {
            let detail = report.map(|report| report.detail).unwrap_or_default();
            Some(Told::Refused { attempt, detail: format!("the webhook refuses it: {detail}").into() })
        }
        (_, _) => None,
    }
}

/// What the answer to a look says. A 404 counts only with the promise in its body: a proxy on the way answers so too.
fn told_of_look(status: StatusCode, body: &[u8]) -> Option<Told> {
    let report: Report = serde_json::from_slice(body).ok()?;
    match report.state {
        ReportState::Absent if status.is_success() || status == StatusCode::NOT_FOUND => {
            Some(Told::Observed(Observed::NotThere))
        }
        ReportState::Done if status.is_success() => Some(Told::Observed(Observed::There)),
        ReportState::Accepted if status.is_success() => Some(Told::Working),
        ReportState::Failed if status.is_success() => Some(Told::Failed { detail: report.detail.into() }),
        ReportState::Absent | ReportState::Done | ReportState::Accepted | ReportState::Failed => None,
    }
}

impl<'a> Order<'a> {
    fn of(call: &'a Call) -> Order<'a> {
        let intent = &call.intent;
        Order {
            id: call.id.to_string(),
            term: call.term.0,
            attempt: call.attempt,
            effect: effect_verb(intent.effect),
            value: effect_value(intent.effect),
            target: TargetForm::of(&intent.target),
            uid: &intent.uid,
            incarnation: intent.incarnation.0,
            valid_until_ms: intent.valid_until.as_millis(),
            reason: &intent.reason,
        }
    }
}

impl<'a> TargetForm<'a> {
    fn of(target: &'a Target) -> TargetForm<'a> {
        let none = TargetForm::default();
        match target {
            Target::Zone(zone) => TargetForm { kind: "zone", zone: Some(zone.as_str()), ..none },
            Target::Pool(pool) => TargetForm { kind: "pool", pool: Some(pool.as_str()), ..none },
            Target::PoolInZone(pool, zone) => TargetForm {
                kind: "pool_in_zone",
                pool: Some(pool.as_str()),
                zone: Some(zone.as_str()),
                ..none
            },
            Target::Node(node) => TargetForm { kind: "node", node: Some(node.as_str()), ..none },
            Target::Gpu(node, gpu) => {
                TargetForm { kind: "gpu", node: Some(node.as_str()), gpu: Some(gpu.as_str()), ..none }
            }
            Target::Engine(node, engine) => TargetForm {
                kind: "engine",
                node: Some(node.as_str()),
                engine: Some(engine.as_str()),
                ..none
            },
        }
    }
}

#[cfg(test)]
mod tests;
