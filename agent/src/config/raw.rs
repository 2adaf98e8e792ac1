//! The configuration as it is written: strings and whole numbers, nothing checked but the names of the keys.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::engine;

/// The whole file. The keys are documented in `default.toml`, which a test holds equal to these defaults.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) node: String,
    pub(super) zone: String,
    pub(super) coordinators: Vec<String>,
    pub(super) interval_ms: u64,
    pub(super) listen: String,
    pub(super) probe_address: String,
    pub(super) state_dir: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) log: Log,
    pub(super) tls: Tls,
    pub(super) buffer: Buffer,
    pub(super) backoff: Backoff,
    pub(super) nvml: Nvml,
    pub(super) kmsg: Kmsg,
    pub(super) engines: engine::Config,
    pub(super) host: Host,
    pub(super) cloud: Cloud,
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            node: String::new(),
            zone: "default".to_owned(),
            coordinators: vec!["http://127.0.0.1:7400".to_owned()],
            interval_ms: 1_000,
            listen: "0.0.0.0:7410".to_owned(),
            probe_address: String::new(),
            state_dir: "/var/lib/ostler-agent".to_owned(),
            labels: BTreeMap::new(),
            log: Log::default(),
            tls: Tls::default(),
            buffer: Buffer::default(),
            backoff: Backoff::default(),
            nvml: Nvml::default(),
            kmsg: Kmsg::default(),
            engines: engine::Config::default(),
            host: Host::default(),
            cloud: Cloud::default(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Log {
    pub(super) level: String,
    pub(super) format: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: "text".to_owned() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) ca: String,
    pub(super) certificate: String,
    pub(super) key: String,
    pub(super) server_name: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Buffer {
    pub(super) age_ms: u64,
    pub(super) bytes: u64,
    pub(super) events: u64,
}

impl Default for Buffer {
    fn default() -> Self {
        Self { age_ms: 600_000, bytes: 4 << 20, events: 1_000 }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Backoff {
    pub(super) first_ms: u64,
    pub(super) longest_ms: u64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first_ms: 500, longest_ms: 30_000 }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Nvml {
    pub(super) enabled: bool,
    pub(super) library: String,
    pub(super) slow_period_ms: u64,
    pub(super) bandwidth_period_ms: u64,
    pub(super) call_deadline_ms: u64,
    pub(super) init_deadline_ms: u64,
    pub(super) events: bool,
}

impl Default for Nvml {
    fn default() -> Self {
        Self {
            enabled: true,
            library: String::new(),
            slow_period_ms: 10_000,
            bandwidth_period_ms: 30_000,
            call_deadline_ms: 1_500,
            init_deadline_ms: 30_000,
            events: true,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Kmsg {
    pub(super) enabled: bool,
    pub(super) path: String,
}

impl Default for Kmsg {
    fn default() -> Self {
        Self { enabled: true, path: "/dev/kmsg".to_owned() }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Host {
    pub(super) enabled: bool,
    pub(super) disk: String,
}

impl Default for Host {
    fn default() -> Self {
        Self { enabled: true, disk: "/".to_owned() }
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Cloud {
    pub(super) provider: String,
    pub(super) period_ms: u64,
    pub(super) timeout_ms: u64,
    pub(super) url: String,
}

impl Default for Cloud {
    fn default() -> Self {
        Self { provider: "auto".to_owned(), period_ms: 5_000, timeout_ms: 2_000, url: String::new() }
    }
}
