//! Inference servers on this node, read by their own metric pages.
//!
//! Each engine is read by a task of its own with a deadline of its own, so that a slow one never delays another, and none
//! ever delays whoever asks for the latest reading. What engines call their metrics is a table of rules ([`tables`]);
//! what happened lately is worked out from their counters by differencing ([`window`]); an unknown value is absent and
//! never zero.

pub mod canonical;
pub mod config;
pub mod kind;

mod adapter;
mod discovery;
mod histogram;
mod page;
mod pods;
mod reader;
mod rule;
mod scrape;
mod signal;
mod table;
mod tables;
mod target;
mod window;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ostler_proto::v1;
use tokio::task::AbortHandle;

pub use self::config::{Config, Error};
pub use self::kind::Kind;

use self::discovery::{Discovery, lock};
use self::table::Table;
use crate::sample::EngineSample;

/// What is known of the node's engines at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// In name order, at most [`ENGINES_MAX`](crate::sample::ENGINES_MAX).
    pub engines: Vec<EngineSample>,
    /// The source "engines".
    pub status: v1::SourceStatus,
    /// What happened since the reading before.
    pub events: Vec<v1::agent_event::Kind>,
}

/// Finds and reads engines in the background, until it is dropped.
pub struct Monitor {
    /// Absent when engines are switched off.
    running: Option<Running>,
}

struct Running {
    table: Arc<Mutex<Table>>,
    discovery: AbortHandle,
    period: Duration,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.discovery.abort();
    }
}

impl Monitor {
    /// Starts on the tokio runtime of the caller, and returns at once. The configuration must have been validated: what
    /// cannot work in it is left out.
    pub fn start(config: Config) -> Self {
        if !config.enabled {
            return Self { running: None };
        }
        let config = Arc::new(config);
        let table = Arc::new(Mutex::new(Table::default()));
        let period = config.interval();
        let discovery = Discovery::new(config, Arc::clone(&table));
        let discovery = tokio::spawn(discovery.run()).abort_handle();
        Self { running: Some(Running { table, discovery, period }) }
    }

    /// The newest reading of every engine. Never blocks.
    pub fn latest(&mut self) -> Reading {
        let Some(running) = &self.running else {
            let status = v1::SourceStatus {
                name: "engines".to_owned(),
                state: v1::SourceState::Absent.into(),
                detail: "switched off by engines.enabled".to_owned(),
            };
            return Reading { status, ..Reading::default() };
        };
        let mut table = lock(&running.table);
        Reading {
            engines: table.samples(running.period),
            status: table.status(),
            events: table.take_events(),
        }
    }
}
