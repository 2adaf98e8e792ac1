//! The edge between the election and etcd: which RPC a request is, and which answer its outcome. A shell does the same
//! over a real client.

use std::cmp::Ordering;
use std::time::Duration;

use super::super::{Answer, LeaseId, Request};
use super::sim_etcd::{Compare, KeyValue, Op, SimEtcd};

/// Carries a request out.
pub(super) fn serve(etcd: &mut SimEtcd, request: &Request, now_ms: u64) -> Answer {
    match request {
        Request::Grant { ttl } => {
            let ttl_ms = u64::try_from(ttl.as_millis()).expect("a short time");
            Answer::Granted { lease: LeaseId(etcd.grant(ttl_ms, now_ms)), ttl: *ttl }
        }
        Request::KeepAlive { lease } => match etcd.keep_alive(lease.0, now_ms) {
            Ok(ttl_ms) => Answer::Kept { ttl: Duration::from_millis(ttl_ms) },
            Err(_) => Answer::Kept { ttl: Duration::ZERO },
        },
        Request::Revoke { lease } => match etcd.revoke(lease.0) {
            Ok(()) => Answer::Kept { ttl: Duration::ZERO },
            Err(_) => Answer::LeaseNotFound,
        },
        Request::PutIfAbsent { key, value, lease } => put_if_absent(etcd, key, value, *lease),
        Request::ReadKey { key } => match etcd.key(key) {
            Some(it) => Answer::Key { create_revision: it.create_revision },
            None => Answer::KeyGone,
        },
        Request::ReadQueue { key, create_revision, candidates } => {
            read_queue(etcd, key, *create_revision, candidates)
        }
        Request::Claim { key, create_revision, epoch_key, epoch } => {
            claim(etcd, key, *create_revision, epoch_key, epoch)
        }
        Request::ReadEpoch { key, create_revision, epoch_key } => {
            let mine = Compare::CreateRevision(key.to_string(), *create_revision);
            let read = Op::Get { key: epoch_key.to_string() };
            let outcome = etcd.txn(&[mine], &[read], &[]).expect("no lease is named");
            if outcome.succeeded { epoch_of(&outcome.found[0]) } else { Answer::KeyGone }
        }
        Request::SeedEpoch { epoch_key, epoch } => {
            let absent = Compare::CreateRevision(epoch_key.to_string(), 0);
            let put = Op::Put { key: epoch_key.to_string(), value: epoch.to_vec(), lease: 0 };
            etcd.txn(&[absent], &[put], &[]).expect("no lease is named");
            Answer::Seeded
        }
    }
}

fn put_if_absent(etcd: &mut SimEtcd, key: &str, value: &str, lease: LeaseId) -> Answer {
    let absent = Compare::CreateRevision(key.to_owned(), 0);
    let put = Op::Put { key: key.to_owned(), value: value.as_bytes().to_vec(), lease: lease.0 };
    let read = Op::Get { key: key.to_owned() };
    match etcd.txn(&[absent], &[put], &[read]) {
        Err(_) => Answer::LeaseNotFound,
        Ok(outcome) if outcome.succeeded => Answer::Key { create_revision: outcome.revision },
        Ok(outcome) => Answer::Key { create_revision: outcome.found[0][0].create_revision },
    }
}

fn read_queue(etcd: &mut SimEtcd, key: &str, create_revision: u64, candidates: &str) -> Answer {
    let mine = Compare::CreateRevision(key.to_owned(), create_revision);
    let range = Op::Newest { prefix: candidates.to_owned(), max_create_revision: create_revision, limit: 2 };
    let outcome = etcd.txn(&[mine], &[range], &[]).expect("no lease is named");
    if !outcome.succeeded {
        return Answer::KeyGone;
    }
    assert_eq!(outcome.found[0][0].key, key, "the newest that is not newer than the key is the key");
    let ahead = outcome.found[0].get(1).map(|it| it.key.as_str().into());
    Answer::Queue { ahead, revision: outcome.revision }
}

fn claim(etcd: &mut SimEtcd, key: &str, create_revision: u64, epoch_key: &str, epoch: &[u8; 8]) -> Answer {
    let mine = Compare::CreateRevision(key.to_owned(), create_revision);
    let lower = Compare::Value(epoch_key.to_owned(), Ordering::Less, epoch.to_vec());
    let put = Op::Put { key: epoch_key.to_owned(), value: epoch.to_vec(), lease: 0 };
    let reads = [Op::Get { key: key.to_owned() }, Op::Get { key: epoch_key.to_owned() }];
    let outcome = etcd.txn(&[mine, lower], &[put], &reads).expect("no lease is named");
    if outcome.succeeded {
        return Answer::Claimed;
    }
    match outcome.found[0].first() {
        Some(it) if it.create_revision == create_revision => epoch_of(&outcome.found[1]),
        Some(_) | None => Answer::KeyGone,
    }
}

fn epoch_of(found: &[KeyValue]) -> Answer {
    Answer::Epoch { value: found.first().map(|it| it.value.as_slice().into()) }
}
