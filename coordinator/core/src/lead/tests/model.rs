//! The model of etcd does what etcd does where the election relies on it.

use std::cmp::Ordering;

use super::sim_etcd::{Compacted, Compare, ELECTION_TIMEOUT_MS, LeaseNotFound, Op, SimEtcd};

fn put(key: &str, lease: i64) -> Op {
    Op::Put { key: key.to_owned(), value: b"v".to_vec(), lease }
}

#[test]
fn a_key_keeps_its_create_revision_until_it_is_deleted() {
    let mut etcd = SimEtcd::new();
    let first = etcd.txn(&[], &[put("k", 0)], &[]).unwrap().revision;
    let second = etcd.txn(&[], &[put("k", 0)], &[]).unwrap().revision;
    let key = etcd.key("k").unwrap();
    assert_eq!((key.create_revision, key.mod_revision), (first, second));
    etcd.delete(vec!["k".to_owned()]);
    let third = etcd.txn(&[], &[put("k", 0)], &[]).unwrap().revision;
    assert_eq!(etcd.key("k").unwrap().create_revision, third);
}

#[test]
fn a_comparison_with_a_value_that_is_not_there_is_false_whatever_the_order() {
    let mut etcd = SimEtcd::new();
    for order in [Ordering::Less, Ordering::Equal, Ordering::Greater] {
        let compare = Compare::Value("k".to_owned(), order, Vec::new());
        assert!(!etcd.txn(&[compare], &[], &[]).unwrap().succeeded);
    }
}

#[test]
fn an_expired_lease_cannot_be_renewed_and_its_keys_go_with_the_next_scan() {
    let mut etcd = SimEtcd::new();
    let lease = etcd.grant(5_000, 0);
    let made = etcd.txn(&[], &[put("k", lease)], &[]).unwrap().revision;
    assert_eq!(etcd.keep_alive(lease, 4_999), Ok(5_000));
    assert_eq!(etcd.keep_alive(lease, 9_999), Err(LeaseNotFound));
    assert!(etcd.key("k").is_some());
    etcd.expire(9_999);
    assert!(etcd.key("k").is_none());
    assert_eq!(etcd.deletions("k", made), Ok(true));
    assert_eq!(etcd.txn(&[], &[put("k", lease)], &[]), Err(LeaseNotFound));
}

#[test]
fn a_new_leader_of_etcd_lets_leases_live_longer() {
    let mut etcd = SimEtcd::new();
    let lease = etcd.grant(5_000, 0);
    etcd.change_leader(4_000);
    etcd.expire(4_000 + 5_000 + ELECTION_TIMEOUT_MS - 1);
    assert!(etcd.keep_alive(lease, 4_000 + 5_000 + ELECTION_TIMEOUT_MS - 1).is_ok());
}

#[test]
fn a_watch_from_before_a_compaction_is_told_so() {
    let mut etcd = SimEtcd::new();
    let made = etcd.txn(&[], &[put("k", 0)], &[]).unwrap().revision;
    etcd.delete(vec!["k".to_owned()]);
    etcd.compact();
    assert_eq!(etcd.deletions("k", made), Err(Compacted));
    assert_eq!(etcd.deletions("k", made + 1), Ok(false));
}
