//! Configuration of one replica: a TOML file, overridden by `OSTLER_*` variables, overridden by flags.
//!
//! What is read is raw and optional; [`Config`] is what remains when it is known to be usable.

mod actions;
mod peers;
mod reach;
mod tls;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use serde::Deserialize;
use tonic::transport::Uri;

pub use self::actions::Actions;
pub use self::reach::Reach;
use crate::store::{self, etcd};
use crate::telemetry;
use crate::tls::Files;

/// Threads that serve gRPC, at most: beyond four the lock around the engine is what waits.
const INGEST_THREADS_MAX: usize = 64;

/// Where etcd listens by default.
const ETCD_ENDPOINT: &str = "http://127.0.0.1:2379";

/// The documented default file, which `--print-config` shows.
pub const EXAMPLE: &str = include_str!("../coordinator.toml");

/// A usable configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Name of this replica; the host's by default.
    pub replica: String,
    /// Where agents and gRPC clients connect; port 0 takes a free one.
    pub grpc_listen: SocketAddr,
    /// Where HTTP clients connect; port 0 takes a free one.
    pub http_listen: SocketAddr,
    /// Threads that serve gRPC, 1 to 64.
    pub ingest_threads: usize,
    /// What outlives the process, and where.
    pub store: Store,
    /// Length of the leader's lease, 2 s to 60 s: a leader that dies is replaced within so long and a second.
    pub lead_ttl: Duration,
    /// Where the other replicas are asked what they see; with etcd only, at most 15 besides this one.
    pub peers: Vec<Uri>,
    /// Files of TLS; none, and the gRPC port speaks none.
    pub tls: Option<Files>,
    /// How often agents are told to send a row, 100 ms to 60 s; none lets each keep its own interval.
    pub report_interval: Option<Duration>,
    /// How long a node that left or fell silent is still shown, 10 s to 30 days.
    pub node_retention: Duration,
    /// Watches open at once over gRPC and HTTP, 1 to 100,000.
    pub watchers_max: usize,
    /// What may be done, how much at a time, and by whom.
    pub actions: Actions,
    /// Logs and traces.
    pub telemetry: telemetry::Config,
}

/// What outlives the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// Nothing.
    Memory,
    /// The file `ostler.redb` in this folder.
    Folder(PathBuf),
    /// What replicas share is in etcd, and this replica's own events are in the file.
    Etcd {
        /// The file's folder.
        folder: PathBuf,
        /// How etcd is reached.
        etcd: etcd::Config,
    },
}

impl Default for Config {
    fn default() -> Config {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Config {
            replica: host_name(),
            grpc_listen: SocketAddr::from(([0, 0, 0, 0], 7400)),
            http_listen: SocketAddr::from(([0, 0, 0, 0], 7480)),
            ingest_threads: (cores / 2).clamp(1, 4),
            store: Store::Folder(default_folder()),
            lead_ttl: Duration::from_secs(3),
            peers: Vec::new(),
            tls: None,
            report_interval: None,
            node_retention: Duration::from_secs(3600),
            watchers_max: 1_000,
            actions: Actions::default(),
            telemetry: telemetry::Config::default(),
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what it should be; the text names line and key.
    #[error("the configuration {} cannot be used: {text}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and why.
        text: String,
    },
    /// The settings of etcd do not fit together.
    #[error(transparent)]
    Etcd(#[from] store::Error),
    /// A value is outside its range.
    #[error("{key} is {value}; it must be {range}")]
    Range {
        /// As in the file.
        key: &'static str,
        /// What it is.
        value: String,
        /// What it may be.
        range: &'static str,
    },
}

/// Flags of `ostler-coordinator`.
#[derive(Debug, Default, Parser)]
#[command(name = "ostler-coordinator", version, about = "One replica of the Ostler coordinator")]
pub struct Arguments {
    /// Configuration file (TOML).
    #[arg(long, env = "OSTLER_COORDINATOR_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print the documented default configuration and exit.
    #[arg(long)]
    pub print_config: bool,
    #[command(flatten)]
    raw: Raw,
}

/// Every key, as in the file, the variables and the flags.
#[derive(Clone, Debug, Default, Deserialize, clap::Args)]
#[serde(deny_unknown_fields)]
struct Raw {
    /// Name of this replica [default: the host's name].
    #[arg(long, env = "OSTLER_REPLICA", value_name = "NAME")]
    replica: Option<String>,
    /// IP address and port for agents and gRPC clients [default: 0.0.0.0:7400].
    #[arg(long, env = "OSTLER_GRPC_LISTEN", value_name = "IP:PORT")]
    grpc_listen: Option<SocketAddr>,
    /// IP address and port for HTTP: dashboard, JSON, metrics [default: 0.0.0.0:7480].
    #[arg(long, env = "OSTLER_HTTP_LISTEN", value_name = "IP:PORT")]
    http_listen: Option<SocketAddr>,
    /// Threads that serve gRPC [default: half the cores, 1 to 4].
    #[arg(long, env = "OSTLER_INGEST_THREADS", value_name = "COUNT")]
    ingest_threads: Option<usize>,
    /// "embedded" for one replica with a file, "etcd" for several, "memory" to forget all at exit [default: embedded].
    #[arg(long, env = "OSTLER_STORE", value_name = "KIND")]
    store: Option<StoreKind>,
    /// Folder of the file, with "embedded" and "etcd" [default: $XDG_STATE_HOME/ostler or ~/.local/state/ostler].
    #[arg(long, env = "OSTLER_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Seconds of the leader's lease [default: 3].
    #[arg(long, env = "OSTLER_LEAD_TTL_S", value_name = "SECONDS")]
    lead_ttl_s: Option<u64>,
    /// Members of etcd, http:// or https://, separated by commas [default: http://127.0.0.1:2379].
    #[arg(long, env = "OSTLER_ETCD_ENDPOINTS", value_name = "URL", value_delimiter = ',')]
    etcd_endpoints: Option<Vec<String>>,
    /// Begin of all keys in etcd, the same for all replicas of a fleet [default: ostler/].
    #[arg(long, env = "OSTLER_ETCD_PREFIX", value_name = "PREFIX")]
    etcd_prefix: Option<String>,
    /// Authorities that may have signed etcd's certificates (PEM) [default: none].
    #[arg(long, env = "OSTLER_ETCD_CA", value_name = "FILE")]
    etcd_ca: Option<PathBuf>,
    /// Certificate that this replica shows to etcd (PEM) [default: none].
    #[arg(long, env = "OSTLER_ETCD_CERTIFICATE", value_name = "FILE")]
    etcd_certificate: Option<PathBuf>,
    /// Its key (PEM) [default: none].
    #[arg(long, env = "OSTLER_ETCD_KEY", value_name = "FILE")]
    etcd_key: Option<PathBuf>,
    /// User that logs in to etcd [default: none].
    #[arg(long, env = "OSTLER_ETCD_USER", value_name = "NAME")]
    etcd_user: Option<String>,
    /// Its password; a variable or the file keeps it out of the list of processes [default: none].
    #[arg(long, env = "OSTLER_ETCD_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    etcd_password: Option<String>,
    /// Milliseconds that one operation on etcd may take [default: 1000].
    #[arg(long, env = "OSTLER_ETCD_TIMEOUT_MS", value_name = "MILLISECONDS")]
    etcd_timeout_ms: Option<u64>,
    /// gRPC addresses of all replicas, http://host:port or https://host:port, separated by commas; this one's may be among them [default: none].
    #[arg(long, env = "OSTLER_PEERS", value_name = "URL", value_delimiter = ',')]
    peers: Option<Vec<String>>,
    /// Milliseconds between rows that agents are told to keep [default: each agent's own].
    #[arg(long, env = "OSTLER_REPORT_INTERVAL_MS", value_name = "MILLISECONDS")]
    report_interval_ms: Option<u64>,
    /// Seconds that a node which left or fell silent is still shown [default: 3600].
    #[arg(long, env = "OSTLER_NODE_RETENTION_S", value_name = "SECONDS")]
    node_retention_s: Option<u64>,
    /// Watches open at once [default: 1000].
    #[arg(long, env = "OSTLER_WATCHERS_MAX", value_name = "COUNT")]
    watchers_max: Option<usize>,
    /// What to log, for example "info" or "info,ostler_coordinator=debug" [default: info].
    #[arg(long, env = "OSTLER_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// "json", "text", or "auto" for text on a terminal and JSON elsewhere [default: auto].
    #[arg(long, env = "OSTLER_LOG_FORMAT", value_name = "FORMAT")]
    log_format: Option<telemetry::Format>,
    /// URL of an OTLP collector (gRPC) that traces are sent to, for example "http://127.0.0.1:4317" [default: none].
    #[arg(long, env = "OSTLER_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// The table of TLS.
    #[serde(default)]
    #[command(flatten)]
    tls: tls::RawTls,
    /// The table of what may be done.
    #[serde(default)]
    #[command(flatten)]
    actions: actions::RawActions,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
enum StoreKind {
    Embedded,
    Etcd,
    Memory,
}

impl Arguments {
    /// The file, if one is named, under what variables and flags say.
    pub fn load(self) -> Result<Config, Error> {
        let file = self.config.as_deref().map_or_else(|| Ok(Raw::default()), read)?;
        self.raw.over(file).check()
    }
}

impl Config {
    /// What a file says, without variables and flags.
    pub fn read(path: &Path) -> Result<Config, Error> {
        read(path)?.check()
    }
}

fn read(path: &Path) -> Result<Raw, Error> {
    let text =
        std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|error| Error::Parse { path: path.to_owned(), text: error.to_string() })
}

impl Raw {
    /// These values where there are any, else the others.
    fn over(self, other: Raw) -> Raw {
        Raw {
            replica: self.replica.or(other.replica),
            grpc_listen: self.grpc_listen.or(other.grpc_listen),
            http_listen: self.http_listen.or(other.http_listen),
            ingest_threads: self.ingest_threads.or(other.ingest_threads),
            store: self.store.or(other.store),
            data_dir: self.data_dir.or(other.data_dir),
            lead_ttl_s: self.lead_ttl_s.or(other.lead_ttl_s),
            etcd_endpoints: self.etcd_endpoints.or(other.etcd_endpoints),
            etcd_prefix: self.etcd_prefix.or(other.etcd_prefix),
            etcd_ca: self.etcd_ca.or(other.etcd_ca),
            etcd_certificate: self.etcd_certificate.or(other.etcd_certificate),
            etcd_key: self.etcd_key.or(other.etcd_key),
            etcd_user: self.etcd_user.or(other.etcd_user),
            etcd_password: self.etcd_password.or(other.etcd_password),
            etcd_timeout_ms: self.etcd_timeout_ms.or(other.etcd_timeout_ms),
            peers: self.peers.or(other.peers),
            report_interval_ms: self.report_interval_ms.or(other.report_interval_ms),
            node_retention_s: self.node_retention_s.or(other.node_retention_s),
            watchers_max: self.watchers_max.or(other.watchers_max),
            log: self.log.or(other.log),
            log_format: self.log_format.or(other.log_format),
            otlp_endpoint: self.otlp_endpoint.or(other.otlp_endpoint),
            tls: self.tls.over(other.tls),
            actions: self.actions.over(other.actions),
        }
    }

    fn check(self) -> Result<Config, Error> {
        let default = Config::default();
        let store = self.store()?;
        let tls = self.tls.clone().check()?;
        let peers = self.checked_peers(&store, tls.as_ref())?;
        let replica = self.replica.unwrap_or(default.replica);
        let named = !replica.is_empty()
            && replica.len() <= 253
            && !replica.chars().any(|c| c.is_control() || c.is_whitespace());
        within(named, "replica", &replica, "1 to 253 characters without spaces")?;
        let threads = self.ingest_threads.unwrap_or(default.ingest_threads);
        within((1..=INGEST_THREADS_MAX).contains(&threads), "ingest_threads", threads, "1 to 64")?;
        if let Some(interval) = self.report_interval_ms {
            within((100..=60_000).contains(&interval), "report_interval_ms", interval, "100 to 60000")?;
        }
        let retention = self.node_retention_s.unwrap_or(default.node_retention.as_secs());
        within(
            (10..=2_592_000).contains(&retention),
            "node_retention_s",
            retention,
            "10 to 2592000 (30 days)",
        )?;
        let watchers = self.watchers_max.unwrap_or(default.watchers_max);
        within((1..=100_000).contains(&watchers), "watchers_max", watchers, "1 to 100000")?;
        let lead_ttl = self.lead_ttl_s.unwrap_or(default.lead_ttl.as_secs());
        within((2..=60).contains(&lead_ttl), "lead_ttl_s", lead_ttl, "2 to 60")?;
        Ok(Config {
            replica,
            grpc_listen: self.grpc_listen.unwrap_or(default.grpc_listen),
            http_listen: self.http_listen.unwrap_or(default.http_listen),
            ingest_threads: threads,
            store,
            lead_ttl: Duration::from_secs(lead_ttl),
            peers,
            tls,
            report_interval: self.report_interval_ms.map(Duration::from_millis),
            node_retention: Duration::from_secs(retention),
            watchers_max: watchers,
            actions: self.actions.check()?,
            telemetry: telemetry::Config {
                filter: self.log.unwrap_or(default.telemetry.filter),
                format: self.log_format.unwrap_or(default.telemetry.format),
                otlp_endpoint: self.otlp_endpoint.filter(|url| !url.is_empty()),
            },
        })
    }
}

impl Raw {
    fn store(&self) -> Result<Store, Error> {
        let folder = || self.data_dir.clone().unwrap_or_else(default_folder);
        Ok(match self.store.unwrap_or(StoreKind::Embedded) {
            StoreKind::Memory => Store::Memory,
            StoreKind::Embedded => Store::Folder(folder()),
            StoreKind::Etcd => Store::Etcd { folder: folder(), etcd: self.etcd()? },
        })
    }

    fn etcd(&self) -> Result<etcd::Config, Error> {
        let endpoints = self.etcd_endpoints.clone().unwrap_or_else(|| vec![ETCD_ENDPOINT.to_owned()]);
        let mut config = etcd::Config::new(endpoints);
        if let Some(prefix) = &self.etcd_prefix {
            config.prefix.clone_from(prefix);
        }
        if let Some(millis) = self.etcd_timeout_ms {
            config.timeout = Duration::from_millis(millis);
        }
        config.tls.ca.clone_from(&self.etcd_ca);
        config.tls.identity = match (&self.etcd_certificate, &self.etcd_key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
            (Some(_), None) | (None, Some(_)) => {
                let (key, value, range) = ("etcd_certificate", "given alone", "given together with etcd_key");
                return Err(Error::Range { key, value: value.to_owned(), range });
            }
        };
        if self.etcd_user.is_some() || self.etcd_password.is_some() {
            let name = self.etcd_user.clone().unwrap_or_default();
            config.user = Some(etcd::User { name, password: self.etcd_password.clone().unwrap_or_default() });
        }
        config.check()?;
        Ok(config)
    }
}

fn within(ok: bool, key: &'static str, value: impl ToString, range: &'static str) -> Result<(), Error> {
    if ok { Ok(()) } else { Err(Error::Range { key, value: value.to_string(), range }) }
}

/// The folder that the platform has for what a program keeps; the temporary one where there is no home.
pub fn default_folder() -> PathBuf {
    let state = std::env::var_os("XDG_STATE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || {
        std::env::var_os("HOME")
            .filter(|path| !path.is_empty())
            .map(|home| PathBuf::from(home).join(".local/state"))
    };
    state.or_else(home).unwrap_or_else(std::env::temp_dir).join("ostler")
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "coordinator".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("coordinator.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path)
    }

    #[test]
    fn the_documented_file_means_the_defaults_and_names_every_key() {
        assert_eq!(parse(EXAMPLE).unwrap(), Config::default());
        let uncommented: String = EXAMPLE
            .lines()
            .map(|line| line.strip_prefix("#= ").unwrap_or(line))
            .fold(String::new(), |all, line| all + line + "\n");
        let raw: Raw = toml::from_str(&uncommented).unwrap();
        let debug = format!("{raw:?}");
        assert!(!debug.contains("None"), "a key is not documented: {debug}");
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        let error = parse("replica = \"a\"\n\ngrcp_listen = \"0.0.0.0:1\"\n").unwrap_err().to_string();
        assert!(error.contains("line 3") && error.contains("grcp_listen"), "{error}");
    }

    #[test]
    fn a_value_outside_its_range_is_refused_with_the_range() {
        let cases = [
            ("ingest_threads = 0", "ingest_threads is 0; it must be 1 to 64"),
            ("report_interval_ms = 10", "report_interval_ms is 10; it must be 100 to 60000"),
            ("replica = \"\"", "replica is ; it must be 1 to 253"),
            ("node_retention_s = 1", "node_retention_s is 1"),
            ("grpc_listen = \"nonsense\"", "line 1"),
            ("store = \"zookeeper\"", "line 1"),
            ("lead_ttl_s = 1", "lead_ttl_s is 1; it must be 2 to 60"),
            ("store = \"etcd\"\netcd_endpoints = [\"localhost:2379\"]", "http://host:port"),
            ("store = \"etcd\"\netcd_key = \"key.pem\"", "together with etcd_key"),
            ("peers = [\"http://a:7400\"]", "left out unless store is \"etcd\""),
            ("store = \"etcd\"\npeers = [\"a:7400\"]", "peers is a:7400; it must be http://host:port"),
            ("store = \"etcd\"\npeers = [\"http://a\"]", "peers is http://a; it must be http://host:port"),
            ("store = \"etcd\"\npeers = [\"https://a:7400\"]", "with tls.certificate and tls.client_ca"),
            ("[tls]\nkey = \"k\"", "tls.key is given alone; it must be given together with tls.certificate"),
            ("[tls]\nclient_ca = \"c\"", "tls.client_ca is given alone"),
            ("[tls]\ncertificate = \"c\"\nkey = \"k\"\nclient_crl = \"l\"", "tls.client_crl is given alone"),
            ("[tls]\ncertificate = \"c\"\nkey = \"k\"\nnode_names = true", "tls.node_names is given alone"),
            ("store = \"etcd\"\netcd_user = \"ostler\"", "etcd_password"),
            ("[actions]\ntraffic = \"maybe\"", "line 2"),
            ("[actions]\n\ntrafic = \"act\"", "line 3"),
            ("[actions.pools.p]\nfloor = 1", "line 2"),
            ("[actions]\nremoved_percent_max = 0", "actions.removed_percent_max is 0; it must be 1 to 100"),
            ("[actions]\nwebhook_url = \"http://a:1\"", "together with actions.webhook_key_file"),
            (
                "[actions]\nwebhook_url = \"ftp://a\"\nwebhook_key_file = \"k\"",
                "actions.webhook_url is ftp://a",
            ),
        ];
        for (text, expected) in cases {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn everything_about_etcd_can_be_said_in_the_file() {
        let text = "store = \"etcd\"\ndata_dir = \"/d\"\netcd_endpoints = [\"https://a:1\", \"https://b:2\"]\n\
                    etcd_prefix = \"fleet/\"\netcd_ca = \"ca\"\netcd_certificate = \"cert\"\netcd_key = \"key\"\n\
                    etcd_user = \"u\"\netcd_password = \"p\"\netcd_timeout_ms = 500";
        let expected = etcd::Config {
            endpoints: vec!["https://a:1".to_owned(), "https://b:2".to_owned()],
            prefix: "fleet/".to_owned(),
            tls: etcd::Tls { ca: Some("ca".into()), identity: Some(("cert".into(), "key".into())) },
            user: Some(etcd::User { name: "u".to_owned(), password: "p".to_owned() }),
            timeout: Duration::from_millis(500),
        };
        assert_eq!(parse(text).unwrap().store, Store::Etcd { folder: "/d".into(), etcd: expected });
    }

    #[test]
    fn flags_win_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        std::fs::write(&path, "replica = \"file\"\nwatchers_max = 7\nstore = \"memory\"").unwrap();
        let path = path.to_str().unwrap();
        let arguments = Arguments::parse_from(["ostler-coordinator", "--config", path, "--replica", "flag"]);
        let config = arguments.load().unwrap();
        assert_eq!((config.replica.as_str(), config.watchers_max, config.store), ("flag", 7, Store::Memory));
    }
}
