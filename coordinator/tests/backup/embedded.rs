//! From a file to folders and back.

use std::num::NonZeroUsize;

use ostler_coordinator::backup::{self, Error, Target, s3};
use ostler_coordinator::config;
use ostler_coordinator::store::embedded::{Embedded, FILE};
use ostler_coordinator::store::whole::{Old, Position, Whole, epoch_key};
use ostler_coordinator::store::{self, Operation, Store, Transaction};

use crate::support::{Place, files, noon_and, state};

fn target(path: &std::path::Path) -> Target {
    path.display().to_string().parse().unwrap()
}

async fn back_up(place: &Place, second: i64, keep: Option<usize>) -> backup::Report {
    let targets = [target(&place.backups())];
    let keep = keep.and_then(NonZeroUsize::new);
    backup::back_up(&place.config(), &targets, keep, &s3::Settings::default(), noon_and(second))
        .await
        .unwrap()
}

async fn restore(from: &Place, to: &config::Store, old: Old, second: i64) -> Result<backup::Restored, Error> {
    let fetched = backup::fetch(&target(&from.backups()), &s3::Settings::default()).await.unwrap();
    backup::restore(&fetched, to, old, noon_and(second)).await
}

#[tokio::test]
async fn what_was_backed_up_is_in_an_empty_store_afterwards_and_terms_go_on_above_the_clock() {
    let (from, to) = (Place::new(), Place::new());
    let entries = [
        ("policies/a", "{}"),
        ("events/1", "e"),
        ("lead/epoch", "\0\0\0\0\0\0\0\u{7}"),
        ("lead/candidates/1", "me"),
    ];
    from.put(&entries).await;
    from.put(&[("policies/a", "{\"max\": 3}")]).await;
    let report = back_up(&from, 0, None).await;
    assert_eq!((report.contents.header.revision, report.contents.header.term), (2, 7));
    assert_eq!(report.contents.entries, 2);
    assert!(report.copies.iter().all(|copy| copy.outcome.is_ok()));
    let restored = restore(&from, &to.config(), Old::Refused, 5).await.unwrap();
    assert_eq!((restored.entries, restored.removed), (2, 0));
    let store = to.open();
    assert_eq!(state(&store).await, state(&from.open()).await);
    let clock = noon_and(5).as_microsecond() as u64;
    assert!(restored.revision > clock && store.revision() == restored.revision);
    let epoch = store.get(&epoch_key()).await.unwrap().unwrap();
    assert_eq!(epoch.value, clock.to_be_bytes());
    let (left, _) = store.list("lead/candidates/").await.unwrap();
    assert!(left.is_empty(), "no candidate is restored");
    let watch = store.watch("", 2).await;
    assert!(matches!(watch, Err(store::Error::Compacted { .. })), "nobody follows changes over a restore");
    assert!(store.watch("", restored.revision).await.is_ok());
}

#[tokio::test]
async fn a_store_that_holds_something_is_left_alone_unless_it_is_to_be_replaced() {
    let (from, to) = (Place::new(), Place::new());
    from.put(&[("policies/a", "new")]).await;
    to.put(&[("policies/a", "old"), ("policies/b", "old")]).await;
    back_up(&from, 0, None).await;
    let before = state(&to.open()).await;
    let error = restore(&from, &to.config(), Old::Refused, 0).await.unwrap_err().to_string();
    assert!(error.contains("2 keys") && error.contains("--replace"), "{error}");
    assert_eq!(state(&to.open()).await, before);
    let restored = restore(&from, &to.config(), Old::Removed, 0).await.unwrap();
    assert_eq!((restored.entries, restored.removed), (1, 2));
    assert_eq!(state(&to.open()).await, state(&from.open()).await);
    let again = restore(&from, &to.config(), Old::Removed, 0).await.unwrap();
    assert!(again.revision > restored.revision, "also when the clock stands still");
}

#[tokio::test]
async fn a_restore_that_breaks_off_changes_nothing() {
    let place = Place::new();
    place.put(&[("policies/a", "old")]).await;
    let store = place.open();
    let before = (state(&store).await, store.revision());
    let broken = [Ok(("policies/b".to_owned(), b"new".to_vec())), Err("the medium is gone".into())];
    let error = store.fill(Box::new(broken.into_iter()), Old::Removed, 1_000).await.unwrap_err();
    assert!(matches!(error, store::Error::Source(_)), "{error}");
    assert_eq!((state(&store).await, store.revision()), before);
}

#[tokio::test]
async fn a_file_that_a_coordinator_uses_can_be_backed_up_but_not_restored_into() {
    let place = Place::new();
    place.put(&[("policies/a", "1")]).await;
    let used = place.open();
    let report = back_up(&place, 0, None).await;
    assert_eq!(report.contents.entries, 1);
    let error = restore(&place, &place.config(), Old::Removed, 0).await.unwrap_err().to_string();
    assert!(error.contains("another process uses it"), "{error}");
    let fetched = backup::fetch(&target(&place.backups()), &s3::Settings::default()).await.unwrap();
    let rehearsed = backup::rehearse(&fetched, &place.config(), Old::Removed, noon_and(0)).await;
    assert_eq!(rehearsed.unwrap_err().to_string(), error, "a rehearsal is refused with the same");
    drop(used);
    let before = place.open().revision();
    let would = backup::rehearse(&fetched, &place.config(), Old::Removed, noon_and(0)).await.unwrap();
    assert_eq!((would.entries, would.removed), (1, 1));
    assert_eq!(place.open().revision(), before, "nothing was changed");
    let early = backup::rehearse(&fetched, &place.config(), Old::Removed, noon_and(-301)).await;
    assert!(matches!(early, Err(Error::Clock { .. })));
    assert!(restore(&place, &place.config(), Old::Removed, 0).await.is_ok());
}

/// Commits a few rounds, each of which gives all keys the same value.
async fn write_rounds(store: &Embedded, rounds: std::ops::Range<u64>) {
    for round in rounds {
        let put = |key: String| Operation::Put(key, round.to_be_bytes().repeat(400));
        let operations = (0..20).map(|at| put(format!("k/{at}"))).collect();
        store.commit(Transaction { compares: Vec::new(), operations }).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_a_file_that_is_written_meanwhile_is_of_one_revision() {
    let place = Place::new();
    let store = place.open();
    write_rounds(&store, 0..50).await;
    let file = place.data().join(FILE);
    for burst in 1..10 {
        let before = store.revision();
        let (copy, ()) =
            tokio::join!(Embedded::open_copy(&file), write_rounds(&store, burst * 50..burst * 50 + 7));
        let copy = copy.unwrap();
        let values: std::collections::BTreeSet<_> = state(&copy).await.into_values().collect();
        assert_eq!(values.len(), 1, "all keys of one round");
        assert!((before..=store.revision()).contains(&copy.revision()));
    }
}

#[tokio::test]
async fn a_missing_or_damaged_file_and_a_missing_folder_are_told_and_nothing_is_made() {
    let place = Place::new();
    let settings = s3::Settings::default();
    let targets = [target(&place.backups())];
    let error = backup::back_up(&place.config(), &targets, None, &settings, noon_and(0)).await.unwrap_err();
    assert!(error.to_string().contains("--data-dir"), "{error}");
    assert!(!place.data().exists());
    place.put(&[("a", "1")]).await;
    let missing = place.backups().join("unmounted");
    let targets = [target(&missing), target(&place.backups())];
    let report = backup::back_up(&place.config(), &targets, None, &settings, noon_and(0)).await.unwrap();
    assert!(
        matches!(report.copies[0].outcome, Err(Error::NoFolder { .. })),
        "the other target gets its copy"
    );
    assert!(report.copies[1].outcome.is_ok() && !missing.exists());
    std::fs::write(place.data().join(FILE), vec![7; 100_000]).unwrap();
    let error = backup::back_up(&place.config(), &targets, None, &settings, noon_and(0)).await.unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[tokio::test]
async fn the_newest_are_kept_and_nothing_that_is_not_ours_is_removed() {
    let place = Place::new();
    place.put(&[("a", "1")]).await;
    let foreign = place.backups().join("before-upgrade.backup");
    std::fs::write(&foreign, "x").unwrap();
    let mut names = Vec::new();
    for second in 0..5 {
        let keep = (second == 4).then_some(2);
        let mut report = back_up(&place, second, keep).await;
        let name = files(&place.backups()).into_iter().rfind(|it| it.starts_with("ostler-")).unwrap();
        let digits = &report.contents.sha256[..8];
        assert_eq!(name, format!("ostler-20261121T12000{second}Z-{digits}.backup"));
        names.push(name);
        let pruned = report.copies.remove(0).outcome.unwrap();
        assert_eq!(pruned.removed, names[..if second == 4 { 3 } else { 0 }]);
    }
    let expected = ["before-upgrade.backup".to_owned(), names[3].clone(), names[4].clone()];
    assert_eq!(files(&place.backups()), expected);
    let fetched = backup::fetch(&target(&place.backups()), &s3::Settings::default()).await.unwrap();
    assert!(fetched.url.ends_with(&names[4]), "of a folder the newest: {}", fetched.url);
}

#[tokio::test]
async fn a_backup_is_never_overwritten_and_a_damaged_one_never_restored() {
    let place = Place::new();
    place.put(&[("a", "1")]).await;
    let file = place.backups().join("one.backup");
    let settings = s3::Settings::default();
    let once = || async {
        let now = noon_and(0);
        backup::back_up(&place.config(), &[target(&file)], None, &settings, now)
            .await
            .unwrap()
            .copies
            .remove(0)
    };
    assert!(once().await.outcome.is_ok());
    assert!(matches!(once().await.outcome, Err(Error::Exists { .. })));
    assert_eq!(files(&place.backups()), ["one.backup"], "no part of it is left");
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&file, &bytes).unwrap();
    let error = backup::fetch(&target(&file), &settings).await.err().unwrap();
    assert!(matches!(error, Error::Format(_)) && error.to_string().contains("use another copy"), "{error}");
}

#[tokio::test]
async fn a_clock_that_is_behind_the_backup_is_told_before_anything_is_touched() {
    let (from, to) = (Place::new(), Place::new());
    from.put(&[("a", "1")]).await;
    back_up(&from, 0, None).await;
    let error = restore(&from, &to.config(), Old::Refused, -301).await.unwrap_err();
    assert!(matches!(error, Error::Clock { .. }), "{error}");
    assert!(!to.data().exists());
    restore(&from, &to.config(), Old::Refused, -299).await.unwrap();
    let position = to.open().position().await.unwrap();
    assert!(position.revision > position.term && position.term > 1_000_000_000);
}

#[tokio::test]
async fn many_large_entries_pass_in_pages_and_come_back_the_same() {
    let (from, to) = (Place::new(), Place::new());
    let store = from.open();
    for batch in 0..5_u8 {
        let put = |at: u8| Operation::Put(format!("k/{batch}/{at:03}"), vec![at; 1_000 * usize::from(at)]);
        let operations = (0..50).map(put).collect();
        store.commit(Transaction { compares: Vec::new(), operations }).await.unwrap();
    }
    let before = state(&store).await;
    drop(store);
    back_up(&from, 0, None).await;
    assert_eq!(restore(&from, &to.config(), Old::Refused, 0).await.unwrap().entries, 250);
    assert_eq!(state(&to.open()).await, before);
    let position: Position = to.open().position().await.unwrap();
    assert_eq!(position.revision, to.open().revision());
}
