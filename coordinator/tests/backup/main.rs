//! Backups of a replica's file: to folders and to a server that speaks S3, and back.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod embedded;
mod s3;
mod server;
mod signature;
mod support;
