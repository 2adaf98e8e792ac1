use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::super::{Store, Watch as _, conformance};
use super::*;

/// Names the file that a child process writes to until it is killed.
const CHILD_FILE: &str = "OSTLER_TEST_STORE_FILE";

fn put(key: &str, value: &[u8]) -> Transaction {
    Transaction { compares: Vec::new(), operations: vec![Operation::Put(key.to_owned(), value.to_vec())] }
}

#[tokio::test]
async fn the_store_in_memory_conforms() {
    conformance::check(&Embedded::in_memory().unwrap()).await;
}

#[tokio::test]
async fn the_store_in_a_file_conforms_and_keeps_everything_when_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/ostler.redb");
    let store = Embedded::open(&path).unwrap();
    conformance::check(&store).await;
    let before = store.list("").await.unwrap();
    drop(store);
    let store = Embedded::open(&path).unwrap();
    assert_eq!(store.list("").await.unwrap(), before);
    assert_eq!(store.revision(), before.1);
}

#[tokio::test]
async fn what_was_acknowledged_before_a_kill_is_there_afterwards() {
    if let Ok(path) = std::env::var(CHILD_FILE) {
        return write_until_killed(Path::new(&path)).await;
    }
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let path = folder.path().join("ostler.redb");
        let test = "store::embedded::tests::what_was_acknowledged_before_a_kill_is_there_afterwards";
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(CHILD_FILE, &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let acknowledged =
            lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok()).take(40).last();
        child.kill().unwrap();
        child.wait().unwrap();
        let store = Embedded::open(&path).unwrap();
        let (entries, revision) = store.list("k/").await.unwrap();
        let acknowledged = acknowledged.expect("the child acknowledged something");
        assert!(revision >= acknowledged, "round {round}: {revision} < {acknowledged}");
        assert!(entries.len() as u64 >= acknowledged);
    }
}

async fn write_until_killed(path: &Path) {
    let store = Embedded::open(path).unwrap();
    loop {
        let key = format!("k/{:08}", store.revision() + 1);
        let outcome = store.commit(put(&key, &[7; 3_000])).await.unwrap();
        let line = format!("acknowledged {}\n", outcome.revision);
        std::io::stdout().write_all(line.as_bytes()).unwrap();
    }
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ostler.redb");
    let store = Embedded::open(&path).unwrap();
    let write = store.inner.database.begin_write().unwrap();
    write.open_table(META).unwrap().insert(META_FORMAT, FORMAT + 1).unwrap();
    write.commit().unwrap();
    drop(store);
    let error = Embedded::open(&path).err().unwrap().to_string();
    assert!(error.contains("newer version") && error.contains("ostler.redb"), "{error}");
}

#[tokio::test]
async fn a_file_that_is_no_store_or_in_use_is_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ostler.redb");
    std::fs::write(&path, b"this is not a store, but it is long enough to be read as one").unwrap();
    let error = Embedded::open(&path).err().unwrap().to_string();
    assert!(error.contains("cannot open the store"), "{error}");
    let used = folder.path().join("used.redb");
    let _first = Embedded::open(&used).unwrap();
    let error = Embedded::open(&used).err().unwrap().to_string();
    assert!(error.contains("another process uses it"), "{error}");
}

#[tokio::test]
async fn old_changes_are_dropped_and_a_watch_that_needs_them_is_told() {
    let store = Embedded::in_memory().unwrap();
    let mut slow = store.watch("k", 0).await.unwrap();
    let value = vec![1; 1 << 20];
    for _ in 0..CHANGE_BYTES_MAX / (1 << 20) + 2 {
        store.commit(put("k", &value)).await.unwrap();
    }
    assert!(matches!(slow.next().await, Err(Error::Compacted { .. })));
    assert!(matches!(store.watch("k", 0).await, Err(Error::Compacted { .. })));
    let newest = store.revision();
    let mut watch = store.watch("k", newest - 1).await.unwrap();
    assert_eq!(watch.next().await.unwrap()[0].revision, newest);
    assert_eq!(store.entry_bytes().unwrap(), (1 << 20) + 1);
}
