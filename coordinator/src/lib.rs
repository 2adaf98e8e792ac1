//! One replica of the coordinator: agents stream into it, the pure engine of `ostler-core` folds what they say, and
//! anyone may ask it what the fleet looks like.
//!
//! [`start`] runs all of it in one process: gRPC on threads of its own ([`server`]), HTTP on another ([`http`]), and what
//! happens by the clock on a third, probes of silent nodes and the exchange with other replicas ([`peers`]) on a fourth, and what the leader decides and does ([`desk`]) on a fifth; the store is a file ([`store`]).

pub mod api;
pub mod backup;
pub mod config;
pub mod convert;
pub mod dashboard;
pub mod desk;
pub mod driver;
pub mod filter;
pub mod history;
pub mod http;
pub mod ingest;
pub mod journal;
pub mod lead;
pub mod mask;
pub mod metrics;
pub mod peers;
pub mod request_log;
pub mod server;
pub mod store;
pub mod summary;
pub mod telemetry;
pub mod tls;
pub mod trends;

mod look;
mod probe;
mod running;
mod sys;

pub use config::Config;
pub use running::{Error, Running, start};
