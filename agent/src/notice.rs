//! What the cloud says it will do to this machine: take it back, restart it, move it.
//!
//! Every provider answers on a link-local address with the notices that stand now; a [`fold::Standing`] turns successive
//! answers into news, once each, and into withdrawals. An answer that does not come or cannot be understood changes
//! nothing: a notice stands until the provider itself stops saying so.
//!
//! What the providers document and what we found: AWS, Google and Azure describe these paths in their manuals. Huawei
//! Cloud documents the OpenStack-compatible service; that it announces the end of a spot server at
//! `/openstack/latest/spot/instance-action` we know only from software that uses it, so any answer there counts.

mod aws;
mod azure;
pub mod fold;
mod gcp;
mod http;
mod huaweicloud;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use ostler_proto::v1::{self, SourceState, agent_event};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{debug, info};

use crate::hub::lock;
use fold::{Notice, Standing};
use http::{Client, Error};

/// The address that all four providers use; it never leaves the machine's own host.
const URL: &str = "http://169.254.169.254";

/// News that wait for the next reading: a provider announces a handful in a machine's life.
const NEWS_MAX: usize = 64;

/// Whose metadata service to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// Amazon Web Services.
    Aws,
    /// Google Cloud.
    Gcp,
    /// Microsoft Azure.
    Azure,
    /// Huawei Cloud.
    HuaweiCloud,
}

/// In the order in which an answer is believed: the last would answer some requests of the first.
const PROVIDERS: [Provider; 4] = [Provider::Gcp, Provider::Azure, Provider::HuaweiCloud, Provider::Aws];

impl Provider {
    /// The provider of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        PROVIDERS.into_iter().find(|provider| provider.name() == name)
    }

    /// The name, as in `MaintenanceNotice.provider`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Azure => "azure",
            Self::HuaweiCloud => "huaweicloud",
        }
    }
}

/// Which provider to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Ask each once at start, and go on with the one that answers.
    Auto,
    /// This one.
    Only(Provider),
}

/// How to ask for notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whom.
    pub provider: Choice,
    /// How often.
    pub period: Duration,
    /// How long to wait for each answer.
    pub timeout: Duration,
    /// Base URL without a slash at the end; `None`: the provider's own.
    pub url: Option<String>,
}

#[derive(Debug)]
struct Shared {
    news: Vec<v1::MaintenanceNotice>,
    status: v1::SourceStatus,
}

/// Asks in the background for as long as it lives.
#[derive(Debug)]
pub struct Monitor {
    shared: Arc<Mutex<Shared>>,
    _stop: DropGuard,
}

impl Monitor {
    /// Starts a task on the current runtime; returns at once.
    #[must_use]
    pub fn start(config: Config) -> Self {
        let status = status(SourceState::Degraded, "the cloud has not been asked yet".to_owned());
        let shared = Arc::new(Mutex::new(Shared { news: Vec::new(), status }));
        let stop = CancellationToken::new();
        let (stopped, told) = (stop.clone(), Arc::clone(&shared));
        tokio::spawn(async move { stopped.run_until_cancelled_owned(watch(config, told)).await });
        Self { shared, _stop: stop.drop_guard() }
    }

    /// What is new since the last call, and how the asking goes.
    pub fn latest(&mut self) -> (Vec<agent_event::Kind>, v1::SourceStatus) {
        let mut shared = lock(&self.shared);
        let news = std::mem::take(&mut shared.news);
        (news.into_iter().map(agent_event::Kind::Maintenance).collect(), shared.status.clone())
    }
}

fn status(state: SourceState, detail: String) -> v1::SourceStatus {
    v1::SourceStatus { name: "cloud".to_owned(), state: state.into(), detail }
}

async fn watch(config: Config, shared: Arc<Mutex<Shared>>) {
    let client = Client::new(config.url.clone().unwrap_or_else(|| URL.to_owned()), config.timeout);
    let provider = match config.provider {
        Choice::Only(provider) => provider,
        Choice::Auto => match detect(&client).await {
            Some(provider) => provider,
            None => {
                let detail = "no cloud's metadata service answers here; set cloud.provider if there is one";
                lock(&shared).status = status(SourceState::Absent, detail.to_owned());
                return;
            }
        },
    };
    info!(provider = provider.name(), "asking for spot and maintenance notices");
    let mut asker = Asker::new(provider, client);
    let mut standing = Standing::new(provider.name());
    loop {
        let answer = asker.ask().await;
        publish(&shared, &mut standing, answer);
        tokio::time::sleep(config.period).await;
    }
}

fn publish(shared: &Mutex<Shared>, standing: &mut Standing, answer: Result<Vec<Notice>, Error>) {
    let mut shared = lock(shared);
    match answer {
        Ok(notices) => {
            let room = NEWS_MAX.saturating_sub(shared.news.len());
            shared.news.extend(standing.fold(notices, Timestamp::now()).into_iter().take(room));
            shared.status = status(SourceState::Ok, String::new());
        }
        Err(error) => {
            let reason = crate::describe(&error);
            debug!(reason, "the cloud's metadata service gives no notices");
            shared.status = status(SourceState::Degraded, reason);
        }
    }
}

/// The provider whose service answers. All are asked at once, so this takes one timeout at most.
async fn detect(client: &Client) -> Option<Provider> {
    let (gcp, azure, huaweicloud, aws) = tokio::join!(
        gcp::is_here(client),
        azure::is_here(client),
        huaweicloud::is_here(client),
        aws::is_here(client)
    );
    let answers = [gcp, azure, huaweicloud, aws];
    PROVIDERS.into_iter().zip(answers).find_map(|(provider, here)| here.then_some(provider))
}

/// One provider and what must be remembered between two requests to it.
#[derive(Debug)]
enum Asker {
    Aws(aws::Asker),
    Gcp(Client),
    Azure(azure::Asker),
    HuaweiCloud(huaweicloud::Asker),
}

impl Asker {
    fn new(provider: Provider, client: Client) -> Self {
        match provider {
            Provider::Aws => Self::Aws(aws::Asker::new(client)),
            Provider::Gcp => Self::Gcp(client),
            Provider::Azure => Self::Azure(azure::Asker::new(client)),
            Provider::HuaweiCloud => Self::HuaweiCloud(huaweicloud::Asker::new(client)),
        }
    }

    /// The notices that stand now.
    async fn ask(&mut self) -> Result<Vec<Notice>, Error> {
        match self {
            Self::Aws(asker) => asker.ask().await,
            Self::Gcp(client) => gcp::ask(client).await,
            Self::Azure(asker) => asker.ask().await,
            Self::HuaweiCloud(asker) => asker.ask().await,
        }
    }
}

#[cfg(test)]
mod tests;
