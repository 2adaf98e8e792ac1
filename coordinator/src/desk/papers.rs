//! What is in the store of decisions, actions and the brake's memory, for who reads: the same on every replica, whoever
//! leads. It follows the store, and is as old as the store's watch makes it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ostler_core::action::{ActionId, Record};
use ostler_core::brake::Memory;
use ostler_core::desk::{Decision, DecisionId, Item, Key, Phase};
use ostler_core::time::Time;
use tokio_util::sync::CancellationToken;

use super::stored;
use crate::store::{Error, Store, Watch};

/// How long to wait before following again after a failure.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// Where it is in the store. The audit log is not among it: nobody lists it here.
pub(super) const PREFIXES: [&str; 3] = ["actions/", "decisions/", "desk/"];

/// What is stored. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Papers(Arc<Mutex<Sheets>>);

/// What is stored, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Sheets {
    /// Decisions by number.
    pub decisions: BTreeMap<DecisionId, Arc<Decision>>,
    /// Actions by number.
    pub actions: BTreeMap<ActionId, Arc<Record>>,
    /// What the brake remembers, holds and latches among it.
    pub memory: Memory,
    /// What was listed once since this replica started.
    listed: BTreeSet<&'static str>,
}

/// What is stored, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Actions by the name of their state.
    pub actions: BTreeMap<&'static str, usize>,
    /// Decisions that have not ended.
    pub open: usize,
    /// Holds that have not run out.
    pub holds: usize,
    /// Latches that are not closed.
    pub latches: usize,
}

impl Papers {
    /// Counts what there is.
    pub fn figures(&self, now: Time) -> Figures {
        self.read(|sheets| {
            let mut figures = Figures::default();
            for record in sheets.actions.values() {
                *figures.actions.entry(record.state.name()).or_default() += 1;
            }
            figures.open = sheets.decisions.values().filter(|it| it.phase != Phase::Ended).count();
            figures.holds = sheets.memory.holds.values().filter(|hold| hold.is_live(now)).count();
            let zones = sheets.memory.zones.values().filter(|zone| zone.latch.is_some()).count();
            figures.latches = zones + usize::from(sheets.memory.irreversible_latched.is_some());
            figures
        })
    }

    /// Whether all was listed once: before that, what is not there says nothing.
    pub fn are_there(&self) -> bool {
        self.read(|sheets| sheets.listed.len() == PREFIXES.len())
    }

    /// Reads them. Nothing is stored meanwhile that others could see here, so copy out.
    pub fn read<R>(&self, read: impl FnOnce(&Sheets) -> R) -> R {
        read(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Follows the store until shut down.
    pub(super) async fn follow(self, store: &impl Store, shutdown: CancellationToken) {
        let follow = |prefix: &'static str| {
            let papers = self.clone();
            async move {
                let mut broken = false;
                loop {
                    let Err(error) = papers.follow_prefix(store, prefix, &mut broken).await;
                    tell_break(prefix, &error, std::mem::replace(&mut broken, true));
                    tokio::time::sleep(RETRY_AFTER).await;
                }
            }
        };
        let all = futures_util::future::join_all(PREFIXES.map(follow));
        let _: Option<Vec<()>> = shutdown.run_until_cancelled(all).await;
    }

    async fn follow_prefix(
        &self,
        store: &impl Store,
        prefix: &'static str,
        broken: &mut bool,
    ) -> Result<std::convert::Infallible, Error> {
        let (entries, revision) = store.list(prefix).await?;
        self.replace(prefix, entries.iter().map(|entry| (entry.key.as_str(), entry.value.as_slice())));
        let mut watch = store.watch(prefix, revision).await?;
        *broken = false;
        loop {
            for change in watch.next().await? {
                self.change(&change.key, change.value.as_deref());
            }
        }
    }

    /// All that begins with a prefix is this, and nothing else.
    fn replace<'a>(&self, prefix: &'static str, entries: impl Iterator<Item = (&'a str, &'a [u8])>) {
        let items: Vec<(Key, Item)> = entries.filter_map(|(key, value)| readable(key, value)).collect();
        let mut sheets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match prefix {
            "actions/" => sheets.actions.clear(),
            "decisions/" => sheets.decisions.clear(),
            _ => sheets.memory = Memory::default(),
        }
        sheets.listed.insert(prefix);
        items.into_iter().for_each(|(_, item)| sheets.put(item));
    }

    fn change(&self, key: &str, value: Option<&[u8]>) {
        let item = value.and_then(|value| readable(key, value));
        let mut sheets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match item {
            Some((_, item)) => sheets.put(item),
            None => sheets.remove(key),
        }
    }
}

impl Sheets {
    fn put(&mut self, item: Item) {
        match item {
            Item::Action(record) => drop(self.actions.insert(record.id(), Arc::from(record))),
            Item::Decision(decision) => drop(self.decisions.insert(decision.id, Arc::from(decision))),
            Item::Memory(memory) => self.memory = memory,
            Item::Audit(_) | Item::AuditHead(_) | Item::Watermark(_) | Item::Orders(_) => {}
        }
    }

    fn remove(&mut self, key: &str) {
        if let Some(id) = key.strip_prefix("actions/").and_then(ActionId::from_hex) {
            self.actions.remove(&id);
        } else if let Some(id) = key.strip_prefix("decisions/").and_then(DecisionId::parse) {
            self.decisions.remove(&id);
        }
    }
}

/// Says once that the store cannot be followed.
fn tell_break(prefix: &str, error: &Error, told: bool) {
    let error = error as &dyn std::error::Error;
    if told {
        tracing::debug!(prefix, error, "still cannot follow the store");
    } else {
        tracing::warn!(prefix, error, "cannot follow the store: what is shown of it may be old");
    }
}

/// A value as far as it can be read here: who only shows may pass over what a newer version wrote.
fn readable(key: &str, value: &[u8]) -> Option<(Key, Item)> {
    match stored::decode(key, value) {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "something stored cannot be shown");
            None
        }
    }
}
