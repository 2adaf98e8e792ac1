//! What every store must do, as one function that each implementation's tests run on an empty store.

use super::{
    Compare, Error, KEY_LENGTH_MAX, OPERATIONS_MAX, Operation, Store, Transaction, VALUE_LENGTH_MAX, Watch,
};

/// Runs all checks; panics at the first that fails.
///
/// # Panics
/// When the store does not behave as [`Store`] says.
pub async fn check<S: Store>(store: &S) {
    revisions_count_transactions_and_stick_to_keys(store).await;
    conditions_decide_over_all_operations(store).await;
    prefixes_list_in_order(store).await;
    limits_are_refused(store).await;
    a_watch_sees_each_change_once_in_order(store).await;
}

fn put(key: &str, value: &str) -> Operation {
    Operation::Put(key.to_owned(), value.as_bytes().to_vec())
}

fn then(operations: Vec<Operation>) -> Transaction {
    Transaction { compares: Vec::new(), operations }
}

async fn commit<S: Store>(store: &S, compares: Vec<Compare>, operations: Vec<Operation>) -> super::Outcome {
    store.commit(Transaction { compares, operations }).await.expect("the transaction is within all limits")
}

async fn revisions_count_transactions_and_stick_to_keys<S: Store>(store: &S) {
    assert_eq!(store.get("a").await.expect("readable"), None);
    let first = commit(store, vec![], vec![put("a", "1"), put("b", "1")]).await;
    let second = commit(store, vec![], vec![put("a", "2")]).await;
    assert!(first.applied && second.applied && second.revision > first.revision);
    let a = store.get("a").await.expect("readable").expect("was put");
    assert_eq!(
        (a.value.as_slice(), a.create_revision, a.mod_revision),
        (&b"2"[..], first.revision, second.revision)
    );
    let third =
        commit(store, vec![], vec![Operation::Delete("a".into()), Operation::Delete("nothing".into())]).await;
    assert_eq!(store.get("a").await.expect("readable"), None);
    let fourth = commit(store, vec![], vec![put("a", "3")]).await;
    assert!(fourth.revision > third.revision);
    let a = store.get("a").await.expect("readable").expect("was put");
    assert_eq!(a.create_revision, fourth.revision, "a key that was deleted begins anew");
}

async fn conditions_decide_over_all_operations<S: Store>(store: &S) {
    let key = || "lock".to_owned();
    let absent = Compare::CreateRevision(key(), 0);
    let taken = commit(store, vec![absent.clone()], vec![put("lock", "me"), put("side", "1")]).await;
    assert!(taken.applied);
    let again = commit(store, vec![absent], vec![put("lock", "you"), put("side", "2")]).await;
    assert!(!again.applied);
    assert_eq!(again.revision, taken.revision, "a refused transaction makes no revision");
    assert_eq!(store.get("side").await.expect("readable").expect("was put").value, b"1");
    let cases = [
        (Compare::ModRevision(key(), taken.revision), true),
        (Compare::ModRevision(key(), taken.revision + 1_000), false),
        (Compare::ModRevision("nothing".into(), 0), true),
        (Compare::Value(key(), b"me".to_vec()), true),
        (Compare::Value(key(), b"you".to_vec()), false),
        (Compare::Value("nothing".into(), Vec::new()), false),
    ];
    for (compare, expected) in cases {
        let outcome = commit(store, vec![compare.clone()], vec![put("side", "3")]).await;
        assert_eq!(outcome.applied, expected, "{compare:?}");
    }
}

async fn prefixes_list_in_order<S: Store>(store: &S) {
    commit(
        store,
        vec![],
        vec![put("p/2", "b"), put("p/1", "a"), put("p", "x"), put("q/1", "y"), put("p/\u{10ffff}", "z")],
    )
    .await;
    let (entries, revision) = store.list("p/").await.expect("readable");
    let keys: Vec<_> = entries.iter().map(|entry| entry.key.as_str()).collect();
    assert_eq!(keys, ["p/1", "p/2", "p/\u{10ffff}"]);
    assert!(entries.iter().all(|entry| entry.mod_revision <= revision));
    assert!(store.list("none/").await.expect("readable").0.is_empty());
}

async fn limits_are_refused<S: Store>(store: &S) {
    let long_key = "k".repeat(KEY_LENGTH_MAX + 1);
    let refused = [
        then(vec![put("", "x")]),
        then(vec![put(&long_key, "x")]),
        then(vec![Operation::Put("k".into(), vec![0; VALUE_LENGTH_MAX + 1])]),
        then((0..=OPERATIONS_MAX).map(|i| put(&format!("many/{i}"), "x")).collect()),
        then(vec![put("twice", "1"), put("twice", "2")]),
    ];
    for transaction in refused {
        assert!(store.commit(transaction).await.is_err());
    }
    let full = then((0..OPERATIONS_MAX).map(|i| put(&format!("many/{i:03}"), "x")).collect());
    assert!(store.commit(full).await.expect("exactly at the limit").applied);
    let largest = then(vec![Operation::Put("k".repeat(KEY_LENGTH_MAX), vec![7; VALUE_LENGTH_MAX])]);
    assert!(store.commit(largest).await.expect("exactly at the limit").applied);
}

async fn a_watch_sees_each_change_once_in_order<S: Store>(store: &S) {
    let start = commit(store, vec![], vec![put("w/1", "old")]).await.revision;
    let second =
        commit(store, vec![], vec![put("w/1", "new"), put("w/2", "x"), put("other", "x")]).await.revision;
    let mut watch = store.watch("w/", start).await.expect("still kept");
    let third = commit(store, vec![], vec![put("unrelated", "x")]).await.revision;
    let fourth = commit(store, vec![], vec![Operation::Delete("w/1".into())]).await.revision;
    assert!(third < fourth);
    let mut seen = Vec::new();
    while seen.len() < 3 {
        seen.extend(watch.next().await.expect("still kept"));
    }
    let seen: Vec<_> = seen.iter().map(|it| (it.revision, it.key.as_str(), it.value.as_deref())).collect();
    assert_eq!(
        seen,
        [(second, "w/1", Some(&b"new"[..])), (second, "w/2", Some(b"x")), (fourth, "w/1", None)]
    );

    let mut live = store.watch("w/", fourth).await.expect("still kept");
    let (changes, fifth) = tokio::join!(live.next(), commit(store, vec![], vec![put("w/3", "y")]));
    let changes = changes.expect("still kept");
    assert_eq!((changes[0].revision, changes[0].key.as_str()), (fifth.revision, "w/3"));
    let ahead = store.watch("w/", fifth.revision + 1_000).await;
    assert!(
        matches!(ahead, Err(Error::Compacted { .. })),
        "a revision that was never made is of another store"
    );
}
