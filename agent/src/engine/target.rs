//! An engine to read: where it is, and what is known of it beforehand.

use http::Uri;
use http::uri::PathAndQuery;

use super::config::{self, Metric};
use super::kind::Kind;

/// Longest name of an engine, in bytes; pods' names have at most 253.
const NAME_BYTES_MAX: usize = 253;

/// Who knew of the engine. Of too many, those of the first kinds are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    Configured,
    /// A pod that says it is an engine.
    Pod,
    /// A pod with a metric page, which turned out to be an engine's.
    ScrapedPod,
    /// A port on which an engine turned out to listen.
    Port,
}

/// An engine to read.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Scheme, host, port and path: two targets of one key are one engine.
    pub(super) key: String,
    /// Where its page may be, likeliest first.
    pub(super) pages: Vec<Uri>,
    /// Where it says that it is loading.
    pub(super) health: Uri,
    pub(super) origin: Origin,
    pub(super) name: Option<String>,
    pub(super) kind: Option<Kind>,
    pub(super) pool: Option<String>,
    pub(super) model: Option<String>,
    pub(super) gpus: Vec<String>,
    pub(super) pod: String,
    pub(super) namespace: String,
    pub(super) metrics: Vec<Metric>,
}

impl Target {
    /// A target of which only the place is known. Without a path, the usual ones are tried.
    pub(super) fn at(uri: &Uri, kind: Option<Kind>, origin: Origin) -> Option<Self> {
        let pages = match (uri.path(), kind) {
            ("" | "/", Some(kind)) => vec![with_path(uri, kind.default_path())?],
            ("" | "/", None) => vec![with_path(uri, "/metrics")?, with_path(uri, "/prometheus/metrics")?],
            _ => vec![uri.clone()],
        };
        let host = if is_loopback(uri) { "127.0.0.1" } else { uri.host()? };
        let scheme = uri.scheme_str()?;
        let path = pages.first()?.path();
        Some(Self {
            key: format!("{scheme}://{host}:{}{path}", port(uri)),
            health: with_path(uri, "/health")?,
            pages,
            origin,
            name: None,
            kind,
            pool: None,
            model: None,
            gpus: Vec::new(),
            pod: String::new(),
            namespace: String::new(),
            metrics: Vec::new(),
        })
    }

    /// One from the configuration, which was validated.
    pub(super) fn configured(target: &config::Target) -> Option<Self> {
        let uri = config::url(&target.url).ok()?;
        Some(Self {
            name: target.name.clone(),
            pool: target.pool.clone(),
            model: target.model.clone(),
            gpus: target.gpus.clone(),
            metrics: target.metrics.clone(),
            ..Self::at(&uri, target.kind, Origin::Configured)?
        })
    }

    /// The name it would like to have, once its kind is known or known to be unknown.
    pub(super) fn preferred_name(&self, kind: Option<Kind>) -> String {
        let first = self.pages.first();
        let mut name = match (&self.name, self.pod.as_str(), first) {
            (Some(name), ..) => name.clone(),
            (None, "", Some(uri)) if is_loopback(uri) => format!("{}-{}", word(kind), port(uri)),
            (None, "", Some(uri)) => format!("{}-{}-{}", word(kind), uri.host().unwrap_or(""), port(uri)),
            (None, "", None) => word(kind).to_owned(),
            (None, pod, _) => pod.to_owned(),
        };
        let end =
            (0..=NAME_BYTES_MAX.min(name.len())).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
        name.truncate(end);
        name
    }

    /// The loopback port it listens on, if that is where it is.
    pub(super) fn local_port(&self) -> Option<u16> {
        self.pages.first().filter(|uri| is_loopback(uri)).map(port)
    }
}

fn word(kind: Option<Kind>) -> &'static str {
    kind.map_or("engine", Kind::as_str)
}

fn is_loopback(uri: &Uri) -> bool {
    matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]" | "::1"))
}

fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 })
}

fn with_path(uri: &Uri, path: &'static str) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::from_static(path));
    Uri::from_parts(parts).ok()
}
