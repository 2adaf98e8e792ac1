//! What the agent is told: one TOML file, `OSTLER_*` variables and flags, checked into a type that cannot be wrong.
//!
//! Every key is documented with its unit in [`DEFAULT`]; a key that is not there is an error that shows its line.

mod layers;
mod raw;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{backoff, buffer, engine, host, kmsg, notice, nvml, stream};

pub use layers::{Override, from_environment};

/// The configuration file with every key, its documentation and its default.
pub const DEFAULT: &str = layers::DEFAULT;

/// Where the file is looked for when none is named.
pub const PATH: &str = "/etc/ostler/agent.toml";

/// Replicas of a coordinator: five survive two failures, and more only cost; sixteen leave room for a migration.
const COORDINATORS_MAX: usize = 16;

/// Labels of a node, as the wire's contract says.
const LABELS_MAX: usize = 32;

/// Length of a label's key or value, as the wire's contract says.
const LABEL_CHARACTERS_MAX: usize = 63;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What to log and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A filter of tracing-subscriber's `EnvFilter`.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

/// Which sources to read, and how; `None` switches one off.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// GPUs.
    pub nvml: Option<nvml::Config>,
    /// The kernel's log.
    pub kmsg: Option<kmsg::Config>,
    /// Inference servers.
    pub engines: Option<engine::Config>,
    /// The machine.
    pub host: Option<host::Config>,
    /// The cloud's notices.
    pub cloud: Option<notice::Config>,
}

/// A configuration that has been checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the node.
    pub node: String,
    /// Failure domain.
    pub zone: String,
    /// Labels of the node.
    pub labels: BTreeMap<String, String>,
    /// Every coordinator to report to.
    pub coordinators: Vec<stream::Target>,
    /// How often to report until a coordinator asks for another interval.
    pub interval: Duration,
    /// Where to serve metrics and probes; `None`: nowhere.
    pub listen: Option<SocketAddr>,
    /// Where others reach that address; empty when it is not served.
    pub probe_address: String,
    /// Where to remember things; `None`: nowhere (the demo's agents).
    pub state_directory: Option<PathBuf>,
    /// What to keep for a coordinator that cannot be reached.
    pub buffer: buffer::Limits,
    /// What to log.
    pub log: Log,
    /// What to read.
    pub sources: Sources,
}

/// Why a configuration cannot be used. Every message names the place and says what to write instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}; name another with --config", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The file is not a configuration; the source shows the line.
    #[error("{} is not a configuration of ostler-agent; `ostler-agent config print-default` shows all keys", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The line and what is wrong with it.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A variable or flag does not fit its key.
    #[error("{origin} sets {key} to {value:?}, which does not fit")]
    Override {
        /// Who said it.
        origin: String,
        /// The key.
        key: String,
        /// The value.
        value: String,
        /// Why not.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A value is out of its range or contradicts another.
    #[error("{key} is {value}; {wanted}")]
    Value {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What to write instead.
        wanted: String,
    },
    /// The delays make no sense.
    #[error("the delays in [backoff] cannot be used")]
    Backoff(#[source] backoff::Error),
    /// The section on engines cannot be used.
    #[error("the section [engines] cannot be used")]
    Engines(#[source] engine::Error),
}

impl Config {
    /// The file (or, when it is not named and does not exist, the defaults) with the overrides on top.
    ///
    /// # Errors
    /// When something cannot be read or used; the message says what to write instead.
    pub fn load(path: Option<&Path>, overrides: &[Override]) -> Result<Self, Error> {
        let (path, named) = (path.unwrap_or(Path::new(PATH)), path.is_some());
        let text = match std::fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => None,
            Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
        };
        Self::from_text(text.as_deref().map(|text| (path, text)), overrides)
    }

    /// An agent that reads nothing of this machine and listens nowhere: for sources of another kind, as the demo's.
    ///
    /// # Errors
    /// When a name or address cannot be used.
    pub fn bare(node: &str, zone: &str, coordinators: &[&str]) -> Result<Self, Error> {
        let raw = raw::Raw {
            node: node.to_owned(),
            zone: zone.to_owned(),
            coordinators: coordinators.iter().map(ToString::to_string).collect(),
            listen: String::new(),
            state_dir: String::new(),
            ..raw::Raw::default()
        };
        let config = validate(raw)?;
        Ok(Self { sources: Sources::default(), ..config })
    }

    /// As [`Config::load`], from the text of a file.
    ///
    /// # Errors
    /// As for [`Config::load`].
    pub fn from_text(file: Option<(&Path, &str)>, overrides: &[Override]) -> Result<Self, Error> {
        validate(layers::combine(file, overrides)?)
    }
}

fn wrong(key: &'static str, value: impl ToString, wanted: impl ToString) -> Error {
    Error::Value { key, value: value.to_string(), wanted: wanted.to_string() }
}

fn within(key: &'static str, value: u64, range: RangeInclusive<u64>) -> Result<u64, Error> {
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(wrong(key, value, format!("use {} to {}", range.start(), range.end())))
    }
}

fn time(key: &'static str, ms: u64, range: RangeInclusive<u64>) -> Result<Duration, Error> {
    within(key, ms, range).map(Duration::from_millis)
}

fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
}

fn validate(raw: raw::Raw) -> Result<Config, Error> {
    let raw::Raw {
        node,
        zone,
        coordinators,
        interval_ms,
        listen,
        probe_address,
        state_dir,
        labels,
        log,
        tls,
        buffer,
        backoff,
        nvml,
        kmsg,
        engines,
        host,
        cloud,
    } = raw;
    let node = if node.is_empty() { host::name() } else { node };
    let node = name("node", node, 253)?;
    let interval = time("interval_ms", interval_ms, 100..=60_000)?;
    let state_directory = path(&state_dir);
    let listen = match listen.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| {
            wrong("listen", format!("{text:?}"), "use address:port, for example \"0.0.0.0:7410\"")
        })?),
    };
    Ok(Config {
        probe_address: match (listen, probe_address.is_empty()) {
            (None, _) => String::new(),
            (Some(listen), true) => format!("{node}:{}", SocketAddr::port(&listen)),
            (Some(_), false) => probe_address,
        },
        coordinators: targets(&coordinators, &tls, &backoff)?,
        zone: name("zone", zone, 63)?,
        labels: checked_labels(labels)?,
        buffer: limits(&buffer)?,
        log: checked_log(log)?,
        sources: Sources {
            nvml: checked_nvml(nvml, interval)?,
            kmsg: checked_kmsg(kmsg, state_directory.as_deref()),
            engines: checked_engines(engines)?,
            host: host.enabled.then(|| host::Config { disk: host.disk.into() }),
            cloud: checked_cloud(cloud)?,
        },
        node,
        interval,
        listen,
        state_directory,
    })
}

fn name(key: &'static str, text: String, characters_max: usize) -> Result<String, Error> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if (1..=characters_max).contains(&text.len()) && text.chars().all(allowed) {
        Ok(text)
    } else {
        let wanted = format!("use 1 to {characters_max} characters of [A-Za-z0-9._-]");
        Err(wrong(key, format!("{text:?}"), wanted))
    }
}

fn checked_labels(labels: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Error> {
    let too_long = |text: &String| text.chars().count() > LABEL_CHARACTERS_MAX;
    if labels.len() > LABELS_MAX {
        return Err(wrong("labels", format!("{} labels", labels.len()), format!("use at most {LABELS_MAX}")));
    }
    match labels.iter().find(|(key, value)| key.is_empty() || too_long(key) || too_long(value)) {
        Some((key, value)) => {
            let wanted = format!("use 1 to {LABEL_CHARACTERS_MAX} characters a key, as many a value");
            Err(wrong("labels", format!("{key:?} = {value:?}"), wanted))
        }
        None => Ok(labels),
    }
}

fn targets(urls: &[String], tls: &raw::Tls, delays: &raw::Backoff) -> Result<Vec<stream::Target>, Error> {
    let wanted = "use http://host:port or https://host:port";
    if urls.len() > COORDINATORS_MAX {
        let count = format!("{} addresses", urls.len());
        return Err(wrong("coordinators", count, format!("use at most {COORDINATORS_MAX}")));
    }
    let identity = match (path(&tls.certificate), path(&tls.key)) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => return Err(wrong("tls.certificate", format!("{:?}", tls.certificate), "set tls.key with it")),
    };
    let server_name = Some(tls.server_name.clone()).filter(|name| !name.is_empty());
    let tls = stream::Tls { ca: path(&tls.ca), identity, server_name };
    within("backoff.longest_ms", delays.longest_ms, 50..=600_000)?;
    let delays = backoff::Backoff::try_new(
        Duration::from_millis(delays.first_ms),
        Duration::from_millis(delays.longest_ms),
    )
    .map_err(Error::Backoff)?;
    let mut targets = Vec::with_capacity(urls.len());
    for (stream, url) in urls.iter().enumerate() {
        let uri: http::Uri = url.parse().map_err(|_| wrong("coordinators", format!("{url:?}"), wanted))?;
        let whole = uri.host().is_some_and(|host| !host.is_empty()) && uri.port_u16().is_some();
        if !whole || !matches!(uri.scheme_str(), Some("http" | "https")) || uri.path() != "/" {
            return Err(wrong("coordinators", format!("{url:?}"), wanted));
        }
        if urls[..stream].contains(url) {
            return Err(wrong("coordinators", format!("{url:?} twice"), "name each replica once"));
        }
        if uri.scheme_str() == Some("https") && tls.ca.is_none() {
            return Err(wrong(
                "tls.ca",
                "empty",
                "an https:// coordinator needs the authority's certificate",
            ));
        }
        let (url, tls, backoff) = (url.clone(), tls.clone(), delays.clone());
        targets.push(stream::Target { stream, url, tls, backoff });
    }
    Ok(targets)
}

fn limits(raw: &raw::Buffer) -> Result<buffer::Limits, Error> {
    let bytes = within("buffer.bytes", raw.bytes, 65_536..=268_435_456)?;
    let events = within("buffer.events", raw.events, 1..=100_000)?;
    Ok(buffer::Limits {
        age_max: time("buffer.age_ms", raw.age_ms, 0..=3_600_000)?,
        bytes_max: usize::try_from(bytes).unwrap_or(usize::MAX),
        events_max: usize::try_from(events).unwrap_or(usize::MAX),
    })
}

fn checked_log(raw: raw::Log) -> Result<Log, Error> {
    let format = match raw.format.as_str() {
        "text" => LogFormat::Text,
        "json" => LogFormat::Json,
        other => return Err(wrong("log.format", format!("{other:?}"), "use \"text\" or \"json\"")),
    };
    if raw.level.parse::<tracing_subscriber::EnvFilter>().is_err() {
        return Err(wrong("log.level", format!("{:?}", raw.level), "use error, warn, info, debug or trace"));
    }
    Ok(Log { level: raw.level, format })
}

fn checked_nvml(raw: raw::Nvml, interval: Duration) -> Result<Option<nvml::Config>, Error> {
    let bandwidth = time("nvml.bandwidth_period_ms", raw.bandwidth_period_ms, 0..=600_000)?;
    let config = nvml::Config {
        library: path(&raw.library),
        interval,
        slow_period: time("nvml.slow_period_ms", raw.slow_period_ms, 1_000..=600_000)?.max(interval),
        bandwidth_period: (!bandwidth.is_zero()).then_some(bandwidth),
        call_deadline: time("nvml.call_deadline_ms", raw.call_deadline_ms, 100..=60_000)?,
        init_deadline: time("nvml.init_deadline_ms", raw.init_deadline_ms, 1_000..=600_000)?,
        events: raw.events,
        ..nvml::Config::default()
    };
    Ok(raw.enabled.then_some(config))
}

fn checked_cloud(raw: raw::Cloud) -> Result<Option<notice::Config>, Error> {
    let provider = match raw.provider.as_str() {
        "off" => None,
        "auto" => Some(notice::Choice::Auto),
        other => Some(notice::Choice::Only(notice::Provider::by_name(other).ok_or_else(|| {
            let wanted = "use \"auto\", \"aws\", \"gcp\", \"azure\", \"huaweicloud\" or \"off\"";
            wrong("cloud.provider", format!("{other:?}"), wanted)
        })?)),
    };
    let url = Some(raw.url.trim_end_matches('/').to_owned()).filter(|url| !url.is_empty());
    if url.as_deref().is_some_and(|url| !url.starts_with("http://") || url.parse::<http::Uri>().is_err()) {
        return Err(wrong("cloud.url", format!("{:?}", raw.url), "use http://host or http://host:port"));
    }
    let period = time("cloud.period_ms", raw.period_ms, 1_000..=600_000)?;
    let timeout = time("cloud.timeout_ms", raw.timeout_ms, 100..=60_000)?;
    Ok(provider.map(|provider| notice::Config { provider, period, timeout, url }))
}

fn checked_kmsg(raw: raw::Kmsg, state: Option<&Path>) -> Option<kmsg::Config> {
    let state = state.map(|directory| directory.join("kmsg"));
    raw.enabled.then(|| kmsg::Config { path: raw.path.into(), state, ..kmsg::Config::default() })
}

fn checked_engines(config: engine::Config) -> Result<Option<engine::Config>, Error> {
    config.validate().map_err(Error::Engines)?;
    Ok(config.enabled.then_some(config))
}

#[cfg(test)]
mod tests;
