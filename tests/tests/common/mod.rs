//! What several test files share.
#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

pub(crate) mod agent;
pub(crate) mod build;
pub(crate) mod coordinator;
pub(crate) mod data;
pub(crate) mod fake;
pub(crate) mod pki;
pub(crate) mod replica;
