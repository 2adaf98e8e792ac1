//! A replica, started with its ports and asked over the network.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod lists;
mod mirror;
mod peers;
mod restart;
mod services;
mod support;
mod tls;
mod verdicts;
mod watches;
