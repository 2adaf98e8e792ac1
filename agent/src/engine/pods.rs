//! Engines among the pods of this node, as the kubelet lists them.
//!
//! A pod says where its metrics are by `prometheus.io/scrape`, `port`, `path` and `scheme`, and that it is an engine by
//! `ostler.dev/engine` (a kind, or `auto`), with `ostler.dev/pool` and `ostler.dev/gpus` (UUIDs, separated by commas).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use http::Uri;
use serde::Deserialize;

use super::config::Kubelet;
use super::kind::Kind;
use super::scrape::{Ask, Client};
use super::target::{Origin, Target};

/// Pods that are looked at. Kubernetes supports 110 a node, and some distributions 250.
const PODS_MAX: usize = 512;

/// GPUs that one pod can name, as many as a node may have.
const GPUS_MAX: usize = crate::sample::GPUS_MAX;

/// Why the pods are not known.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the kubelet's token {0} cannot be read; check engines.kubelet.token_file")]
    Token(String, #[source] std::io::Error),
    #[error("the kubelet did not give its pods ({0}); check engines.kubelet")]
    Answer(String),
    #[error("the kubelet's answer is not a list of pods ({0}); check engines.kubelet.url")]
    Format(String),
}

#[derive(Deserialize)]
struct PodList {
    /// `null` on a node without pods.
    items: Option<Vec<Pod>>,
}

#[derive(Deserialize)]
struct Pod {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    namespace: String,
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    containers: Vec<Container>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Container {
    ports: Option<Vec<Port>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Port {
    container_port: u16,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: String,
    #[serde(rename = "podIP")]
    pod_ip: String,
}

/// Asks the kubelet for the pods that are, or may be, engines.
pub(super) async fn list(client: &Client, kubelet: &Kubelet) -> Result<Vec<Target>, Error> {
    let token = match &kubelet.token_file {
        Some(path) => Some(token(path).await?),
        None => None,
    };
    let uri: Uri = kubelet.url.parse().map_err(|_| Error::Answer(format!("{} is no URL", kubelet.url)))?;
    let ask = Ask {
        uri: &uri,
        timeout: Duration::from_millis(kubelet.timeout_ms),
        body_bytes_max: kubelet.body_bytes_max,
        body_bytes_expected: 0,
        token: token.as_deref(),
    };
    let text = client.get(&ask).await.map_err(|error| Error::Answer(error.to_string()))?;
    let pods: PodList = serde_json::from_slice(&text).map_err(|error| Error::Format(error.to_string()))?;
    let mut targets: Vec<Target> = pods.items.iter().flatten().take(PODS_MAX).filter_map(target).collect();
    targets.sort_by(|a, b| (a.origin, &a.namespace, &a.pod).cmp(&(b.origin, &b.namespace, &b.pod)));
    Ok(targets)
}

async fn token(path: &Path) -> Result<String, Error> {
    let text = tokio::fs::read_to_string(path).await;
    let text = text.map_err(|error| Error::Token(path.display().to_string(), error))?;
    Ok(text.trim().to_owned())
}

/// Where a pod's engine is, when it runs and says that it has one.
fn target(pod: &Pod) -> Option<Target> {
    let annotation = |key: &str| {
        let value = pod.metadata.annotations.as_ref()?.get(key)?.trim();
        (!value.is_empty()).then_some(value)
    };
    let engine = annotation("ostler.dev/engine");
    let scraped = annotation("prometheus.io/scrape").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if (engine.is_none() && !scraped) || pod.status.phase != "Running" || pod.status.pod_ip.is_empty() {
        return None;
    }
    let kind = engine.and_then(Kind::from_name).filter(|kind| *kind != Kind::Generic);
    let port = match annotation("prometheus.io/port") {
        Some(port) => port.parse().ok()?,
        None => {
            pod.spec
                .containers
                .iter()
                .filter_map(|container| container.ports.as_ref())
                .flatten()
                .next()?
                .container_port
        }
    };
    let scheme = annotation("prometheus.io/scheme").unwrap_or("http");
    let ip: std::net::IpAddr = pod.status.pod_ip.parse().ok()?;
    let address = std::net::SocketAddr::new(ip, port);
    let path = annotation("prometheus.io/path").unwrap_or("");
    let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
    let uri = super::config::url(&format!("{scheme}://{address}{slash}{path}")).ok()?;
    let origin = if engine.is_some() { Origin::Pod } else { Origin::ScrapedPod };
    let gpus = annotation("ostler.dev/gpus").unwrap_or("").split(',').map(str::trim);
    Some(Target {
        pool: annotation("ostler.dev/pool").map(str::to_owned),
        gpus: gpus.filter(|gpu| !gpu.is_empty()).take(GPUS_MAX).map(str::to_owned).collect(),
        pod: pod.metadata.name.clone(),
        namespace: pod.metadata.namespace.clone(),
        ..Target::at(&uri, kind, origin)?
    })
}
