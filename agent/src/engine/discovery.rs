//! Finds engines and lets go of those that are gone: one task that starts and stops the tasks that read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future;
use http::Uri;
use tokio::task::AbortHandle;
use tokio::time::{self, Instant, MissedTickBehavior};

use super::adapter::detect;
use super::config::{Config, Kubelet};
use super::pods;
use super::reader::{LIMITS, Reader};
use super::scrape::{Ask, Client};
use super::table::Table;
use super::target::{Origin, Target};
use crate::sample::ENGINES_MAX;

/// Pods with a metric page of unknown nature that are asked in one round.
const UNKNOWN_PODS_MAX: usize = 64;

/// The table, for as long as it takes to look at it. Nobody holds it while waiting, and a panic while holding it leaves
/// at worst one engine's last reading behind.
pub(super) fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Finds engines.
pub(super) struct Discovery {
    config: Arc<Config>,
    table: Arc<Mutex<Table>>,
    client: Client,
    /// The kubelet has an authority of its own, so it has a client of its own.
    kubelet: Option<(Kubelet, Client)>,
    readers: BTreeMap<String, AbortHandle>,
    /// The pods that were last known, for rounds in which the kubelet does not answer.
    pods: Vec<Target>,
}

impl Drop for Discovery {
    fn drop(&mut self) {
        for reader in self.readers.values() {
            reader.abort();
        }
    }
}

impl Discovery {
    pub(super) fn new(config: Arc<Config>, table: Arc<Mutex<Table>>) -> Self {
        let client = Client::new(config.timeout(), config.ca_file.as_deref());
        let kubelet = config.kubelet.clone().map(|kubelet| {
            let timeout = Duration::from_millis(kubelet.timeout_ms);
            let client = Client::new(timeout, kubelet.ca_file.as_deref());
            (kubelet, client)
        });
        Self { config, table, client, kubelet, readers: BTreeMap::new(), pods: Vec::new() }
    }

    /// Looks around for ever.
    pub(super) async fn run(mut self) {
        let mut tick = time::interval(Duration::from_millis(self.config.discovery_interval_ms));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let configured: Vec<Target> = self.config.targets.iter().filter_map(Target::configured).collect();
        self.admit(configured.clone());
        loop {
            tick.tick().await;
            self.round(&configured).await;
        }
    }

    async fn round(&mut self, configured: &[Target]) {
        self.list_pods().await;
        self.forget(configured);
        let (certain, unknown): (Vec<Target>, Vec<Target>) =
            self.pods.iter().cloned().partition(|pod| pod.origin == Origin::Pod);
        let ports = self.ports();
        let unknown =
            unknown.into_iter().filter(|pod| !self.readers.contains_key(&pod.key)).take(UNKNOWN_PODS_MAX);
        let asked = unknown.chain(ports).map(|target| self.recognise(target));
        let recognised = future::join_all(asked).await.into_iter().flatten();
        let mut found = certain;
        found.extend(recognised);
        self.admit(found);
    }

    async fn list_pods(&mut self) {
        let Some((kubelet, client)) = &self.kubelet else { return };
        let listed = pods::list(client, kubelet).await;
        let mut table = lock(&self.table);
        match listed {
            Ok(pods) => {
                table.pods_error = None;
                drop(table);
                self.pods = pods;
            }
            Err(error) => table.pods_error = Some(error.to_string()),
        }
    }

    /// Lets go of pods that are gone and of ports that have been silent for long.
    fn forget(&mut self, configured: &[Target]) {
        let mut table = lock(&self.table);
        let pods: BTreeSet<&str> = self.pods.iter().map(|pod| pod.key.as_str()).collect();
        let configured: BTreeSet<&str> = configured.iter().map(|target| target.key.as_str()).collect();
        let limit = Duration::from_secs(self.config.forget_after_s);
        let silent: BTreeSet<String> = table.silent(Instant::now(), limit).into_iter().collect();
        let gone: Vec<(String, &str)> = table
            .targets()
            .filter(|target| !configured.contains(target.key.as_str()))
            .filter_map(|target| match target.origin {
                Origin::Configured => None,
                Origin::Pod | Origin::ScrapedPod => {
                    (!pods.contains(target.key.as_str())).then(|| (target.key.clone(), "its pod is gone"))
                }
                Origin::Port => {
                    silent.contains(&target.key).then(|| (target.key.clone(), "it has not answered for long"))
                }
            })
            .collect();
        for (key, why) in gone {
            table.remove(&key, why);
            if let Some(reader) = self.readers.remove(&key) {
                reader.abort();
            }
        }
    }

    /// The configured ports on which no engine is known yet.
    fn ports(&self) -> Vec<Target> {
        let known: BTreeSet<u16> = lock(&self.table).targets().filter_map(Target::local_port).collect();
        let unknown = self.config.probe_ports.iter().filter(|port| !known.contains(port));
        let target = |port: &u16| {
            let uri: Uri = format!("http://127.0.0.1:{port}").parse().ok()?;
            Target::at(&uri, None, Origin::Port)
        };
        unknown.filter_map(target).collect()
    }

    /// The target with its page and kind, if there is an engine.
    async fn recognise(&self, target: Target) -> Option<Target> {
        for page in &target.pages {
            let ask = Ask {
                uri: page,
                timeout: self.config.timeout(),
                body_bytes_max: self.config.body_bytes_max,
                body_bytes_expected: 0,
                token: None,
            };
            let text = match self.client.get(&ask).await {
                Ok(text) => text,
                Err(super::scrape::Error::Unreachable(_) | super::scrape::Error::Timeout(_)) => return None,
                Err(_) => continue,
            };
            if let Some(kind) = detect(&text, &LIMITS) {
                let pages = vec![page.clone()];
                return Some(Target { pages, kind: Some(kind), ..target });
            }
        }
        None
    }

    /// Starts to read the targets that are new, as far as there is room.
    fn admit(&mut self, targets: Vec<Target>) {
        let mut left_out = 0;
        for target in targets {
            let mut table = lock(&self.table);
            if table.contains(&target.key) {
                continue;
            }
            if table.len() >= ENGINES_MAX {
                left_out += 1;
                continue;
            }
            table.insert(target.clone(), Instant::now());
            drop(table);
            let key = target.key.clone();
            let reader = Reader::new(target, self.client.clone(), Arc::clone(&self.config));
            let task =
                tokio::spawn(read(reader, key.clone(), Arc::clone(&self.table), self.config.interval()));
            self.readers.insert(key, task.abort_handle());
        }
        lock(&self.table).left_out = left_out;
    }
}

/// Reads an engine at its interval, for as long as the task lives.
async fn read(mut reader: Reader, key: String, table: Arc<Mutex<Table>>, interval: Duration) {
    let mut tick = time::interval(interval);
    // An engine that takes long is read less often, and never twice in a row to catch up.
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tick.tick().await;
        let outcome = reader.read().await;
        lock(&table).update(&key, outcome, Instant::now());
    }
}
