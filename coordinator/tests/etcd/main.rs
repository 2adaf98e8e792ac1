//! The store and the election against a real etcd, which each test starts for itself.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod election;
mod replicas;
mod server;
mod store;
