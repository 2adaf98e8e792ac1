//! etcd: the model that the election's own tests use, with the documents of the coordinator in it.

mod cluster;

pub(crate) use ostler_core::lead::{Answer, LeaseId, Request};

pub(crate) use self::cluster::{Cluster, SCAN_MS, Verdict};
