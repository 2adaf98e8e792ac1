//! The store and the election against a real etcd, which each test starts for itself.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod act;
mod election;
mod members;
mod model;
mod peers;
mod replicas;
mod restore;
mod security;
mod server;
mod sink;
mod store;

// The model of etcd is of another crate's tests and looks for these two levels above it.
use ostler_core::lead::{Answer, LeaseId, Request};
