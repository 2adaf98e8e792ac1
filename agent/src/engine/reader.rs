//! One engine, read again and again: what its page says, and what state that means.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use ostler_proto::v1::EngineState;
use tokio::time::Instant;

use super::adapter::{Adapter, detect};
use super::canonical::{self, Values};
use super::config::{Config, Metric};
use super::kind::Kind;
use super::page::Page;
use super::scrape::{Ask, Client, Error};
use super::target::Target;
use super::window::Window;
use crate::exposition::Limits;

/// For one page of an engine. The largest real one has about 1,300 samples.
pub(super) const LIMITS: Limits = Limits { line_bytes: 64 * 1024, labels: 64, samples: 50_000, rejected: 1 };

/// Least time to ask for the health of an engine, however long its page took.
const HEALTH_TIMEOUT_MIN: Duration = Duration::from_millis(50);

/// Longest list of models that is read, in bytes.
const MODELS_BYTES_MAX: usize = 64 * 1024;

/// For a person, while an engine is not ready.
const LOADING: &str = "its health page says 503: it is loading";

/// What one reading gave.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) state: EngineState,
    pub(super) detail: String,
    pub(super) kind: Option<Kind>,
    /// As the engine says; empty when it does not.
    pub(super) model: String,
    /// The page that was read.
    pub(super) url: String,
    pub(super) values: Values,
}

/// Reads one engine.
pub(super) struct Reader {
    target: Target,
    client: Client,
    config: Arc<Config>,
    adapter: Option<Adapter>,
    window: Window,
    /// What pages' times are counted from.
    epoch: Instant,
    /// Which of the target's pages is read.
    page: usize,
    /// Whether it was serving at the last reading: then its health need not be asked for.
    serving: bool,
    model: String,
    /// Whether the engine was asked for its models by name, which is done once each time it begins to serve.
    asked_model: bool,
    bytes_expected: usize,
}

impl Reader {
    pub(super) fn new(target: Target, client: Client, config: Arc<Config>) -> Self {
        let adapter = target.kind.map(|kind| adapter(kind, &target.metrics));
        Self {
            adapter,
            window: Window::new(config.spans()),
            epoch: Instant::now(),
            page: 0,
            serving: false,
            model: String::new(),
            asked_model: false,
            bytes_expected: 0,
            target,
            client,
            config,
        }
    }

    /// Reads the engine once. Takes at most about the configured timeout.
    pub(super) async fn read(&mut self) -> Outcome {
        let begun = Instant::now();
        let Some(uri) = self.target.pages.get(self.page).or(self.target.pages.first()).cloned() else {
            return self.outcome(EngineState::Unreadable, "it has no URL".to_owned(), begun, None);
        };
        let answer = self
            .client
            .get(&Ask {
                uri: &uri,
                timeout: self.config.timeout(),
                body_bytes_max: self.config.body_bytes_max,
                body_bytes_expected: self.bytes_expected,
                token: None,
            })
            .await;
        let outcome = match answer {
            Ok(text) => self.understand(&text, begun).await,
            Err(error) => self.explain(error, begun).await,
        };
        self.serving = outcome.state == EngineState::Serving;
        if outcome.state == EngineState::Unreadable && self.target.pages.len() > 1 {
            self.page = (self.page + 1) % self.target.pages.len();
        }
        outcome
    }

    async fn understand(&mut self, text: &[u8], begun: Instant) -> Outcome {
        // A little more than last time, so that a page that grows does not grow the buffer.
        self.bytes_expected = text.len() + text.len() / 8;
        if self.adapter.is_none() {
            self.adapter = detect(text, &LIMITS).map(|kind| adapter(kind, &self.target.metrics));
        }
        let page = self.adapter.as_ref().map(|adapter| adapter.read(text, &LIMITS));
        let Some(page) = page.filter(|page| page.matched > 0) else {
            // Another engine may have taken the port.
            self.adapter = self.target.kind.map(|kind| adapter(kind, &self.target.metrics));
            return self.foreign(text, begun).await;
        };
        let elapsed = begun.elapsed();
        let lately = self.window.fold(&page, begun.saturating_duration_since(self.epoch));
        let state = if !self.serving && self.is_loading(begun).await {
            EngineState::Loading
        } else {
            EngineState::Serving
        };
        self.learn_model(&page, state, begun).await;
        let detail = if state == EngineState::Loading { LOADING } else { "" };
        let detail = detail.to_owned();
        let values = canonical::up(&page, &lately, microseconds(elapsed));
        Outcome { values, ..self.outcome(state, detail, begun, None) }
    }

    /// A page without any of the engine's metrics.
    async fn foreign(&mut self, text: &[u8], begun: Instant) -> Outcome {
        if self.is_loading(begun).await {
            return self.outcome(EngineState::Loading, LOADING.to_owned(), begun, None);
        }
        let mut samples = 0_u32;
        let rejections = crate::exposition::scan(text, &LIMITS, |item| {
            samples += u32::from(matches!(item, crate::exposition::Item::Sample(_)));
        });
        let whose = self.target.kind.map_or("a known engine's", Kind::as_str);
        let detail = match rejections.first.first() {
            Some(rejected) if samples == 0 => format!("not a page of metrics: {rejected}"),
            _ => format!("none of its {samples} samples is {whose}; are the engine's metrics switched on?"),
        };
        self.outcome(EngineState::Unreadable, detail, begun, Some(rejections.total))
    }

    async fn explain(&mut self, error: Error, begun: Instant) -> Outcome {
        let state = match &error {
            Error::Timeout(_) => EngineState::Timeout,
            Error::Unreachable(_) => EngineState::Down,
            Error::Status(StatusCode::SERVICE_UNAVAILABLE, _) => EngineState::Loading,
            Error::Status(..) if self.is_loading(begun).await => EngineState::Loading,
            Error::Status(..) | Error::Redirect(_) | Error::TooLong(_) | Error::Broken(_) | Error::Tls(_) => {
                EngineState::Unreadable
            }
        };
        if state != EngineState::Timeout {
            // The next answer may be a new process's, with another model.
            self.asked_model = false;
        }
        self.outcome(state, error.to_string(), begun, None)
    }

    fn outcome(&self, state: EngineState, detail: String, begun: Instant, rejected: Option<u32>) -> Outcome {
        let url = self.target.pages.get(self.page).or(self.target.pages.first());
        Outcome {
            state,
            detail,
            kind: self.target.kind.or(self.adapter.as_ref().map(|adapter| adapter.kind)),
            model: self.model.clone(),
            url: url.map(ToString::to_string).unwrap_or_default(),
            values: canonical::down(microseconds(begun.elapsed()), self.window.resets(), rejected),
        }
    }

    /// Whether the engine says that it is not ready yet. No answer is no reason to think so.
    async fn is_loading(&self, begun: Instant) -> bool {
        let answer = self.ask(&self.target.health, begun).await;
        matches!(answer, Err(Error::Status(StatusCode::SERVICE_UNAVAILABLE, _)))
    }

    async fn ask(&self, uri: &http::Uri, begun: Instant) -> Result<Vec<u8>, Error> {
        let timeout = self.config.timeout().saturating_sub(begun.elapsed()).max(HEALTH_TIMEOUT_MIN);
        let ask = Ask { uri, timeout, body_bytes_max: MODELS_BYTES_MAX, body_bytes_expected: 0, token: None };
        self.client.get(&ask).await
    }

    /// Takes the model's name from the page, or else from where OpenAI's interface has it.
    async fn learn_model(&mut self, page: &Page, state: EngineState, begun: Instant) {
        if let Some(model) = &self.target.model {
            self.model.clone_from(model);
        } else if !page.models.is_empty() {
            let model = page.model();
            if model != self.model {
                self.model = model;
            }
        } else if state == EngineState::Serving && !self.asked_model && self.target.metrics.is_empty() {
            self.asked_model = true;
            let mut parts = self.target.health.clone().into_parts();
            parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/v1/models"));
            let Ok(uri) = http::Uri::from_parts(parts) else { return };
            if let Some(model) = self.ask(&uri, begun).await.ok().and_then(|text| first_model(&text)) {
                self.model = model;
            }
        }
    }
}

/// The name of the first model in an answer of `/v1/models`.
fn first_model(text: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Models {
        data: Vec<Model>,
    }
    #[derive(serde::Deserialize)]
    struct Model {
        id: String,
    }
    let models: Models = serde_json::from_slice(text).ok()?;
    models.data.into_iter().next().map(|model| model.id).filter(|id| id.len() <= 256)
}

fn adapter(kind: Kind, metrics: &[Metric]) -> Adapter {
    Adapter::with(kind, metrics.iter().map(Metric::rule))
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
