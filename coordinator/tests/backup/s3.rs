//! From a file to a bucket and back, beside a folder.

use std::num::NonZeroUsize;

use ostler_coordinator::backup::s3::{Login, Settings};
use ostler_coordinator::backup::{self, Copy, Error, Fate, Report, Target};
use ostler_coordinator::store::whole::Old;

use crate::server::{BUCKET, Condition, Fault, OTHERS, Server};
use crate::support::{Place, files, noon_and, state};

fn target(prefix: &str) -> Target {
    format!("s3://{BUCKET}/{prefix}").parse().unwrap()
}

async fn place() -> Place {
    let place = Place::new();
    place.put(&[("policies/a", "{}"), ("zones/b", "up")]).await;
    place
}

async fn back_up(place: &Place, targets: &[Target], settings: &Settings, second: i64) -> Report {
    let keep = NonZeroUsize::new(2);
    backup::back_up(&place.config(), targets, keep, settings, noon_and(second)).await.unwrap()
}

/// One copy, made at the same moment as every other.
async fn copy(server: &Server, to: &str) -> Copy {
    back_up(&place().await, &[target(to)], &server.settings(), 0).await.copies.remove(0)
}

/// The key of a copy.
fn key(copy: &Copy) -> &str {
    copy.url.strip_prefix(&format!("s3://{BUCKET}/")).unwrap()
}

#[tokio::test]
async fn a_backup_goes_to_a_folder_and_a_bucket_and_comes_back_from_the_bucket() {
    let (server, from, to) = (Server::start().await, place().await, Place::new());
    let folder = from.backups().display().to_string().parse().unwrap();
    let report = back_up(&from, &[folder, target("fleet one/ü+&=")], &server.settings(), 0).await;
    assert!(report.copies.iter().all(|copy| copy.outcome.is_ok()), "{report:?}");
    let digits = &report.contents.sha256[..8];
    let key = format!("fleet one/ü+&=/ostler-20261121T120000Z-{digits}.backup");
    assert_eq!(server.keys(), [key.as_str()]);
    assert_eq!(report.copies[1].url, format!("s3://{BUCKET}/{key}"));
    assert_eq!(files(&from.backups()).len(), 1);
    assert_eq!(
        server.requests(),
        ["HEAD", "PUT", "GET", "GET"],
        "it is read back, then older ones are looked for"
    );
    let fetched = backup::fetch(&target("fleet one/ü+&="), &server.settings()).await.unwrap();
    assert_eq!(fetched.contents, report.contents);
    backup::restore(&fetched, &to.config(), Old::Refused, noon_and(1)).await.unwrap();
    assert_eq!(state(&to.open()).await, state(&from.open()).await);
}

#[tokio::test]
async fn in_a_bucket_the_newest_are_kept_over_all_pages_and_nothing_else_is_removed() {
    let (server, place) = (Server::start().await, place().await);
    let others = [
        "f/a.backup",
        "f/deeper/ostler-20200101T000000Z-00000000.backup",
        "g/ostler-20200101T000000Z-00000000.backup",
    ];
    for other in others {
        server.put(other);
    }
    for minute in 0..5 {
        server.put(&format!("f/ostler-20201121T100{minute}00Z-00000000.backup"));
    }
    let report = back_up(&place, &[target("f")], &server.settings(), 0).await;
    assert_eq!(report.copies[0].outcome.as_ref().unwrap().removed.len(), 4);
    let mut expected = others.map(str::to_owned).to_vec();
    expected.push("f/ostler-20201121T100400Z-00000000.backup".to_owned());
    expected.push(key(&report.copies[0]).to_owned());
    expected.sort();
    assert_eq!(server.keys(), expected);
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_lasts_is_told() {
    let (server, place) = (Server::start().await, place().await);
    for (method, status) in [("HEAD", 503), ("PUT", 500), ("PUT", 429), ("GET", 503), ("GET", 503)] {
        server.fail(method, Fault::Status(status));
    }
    let report = back_up(&place, &[target("f")], &server.settings(), 0).await;
    assert!(report.copies[0].outcome.is_ok(), "{report:?}");
    for _ in 0..4 {
        server.fail("PUT", Fault::Status(503));
    }
    let report = back_up(&place, &[target("f")], &server.settings(), 1).await;
    let error = report.copies[0].outcome.as_ref().unwrap_err().to_string();
    assert!(error.contains("503") && error.contains("SlowDown: Please reduce"), "{error}");
    assert!(!error.contains("Signature"), "no signature is told: {error}");
    assert_eq!(server.keys().len(), 1);
}

#[tokio::test]
async fn a_copy_that_rots_on_its_way_is_found_out_and_removed_and_older_ones_stay() {
    let (server, place) = (Server::start().await, place().await);
    for minute in 0..3 {
        server.put(&format!("f/ostler-20201121T100{minute}00Z-00000000.backup"));
    }
    server.fail("PUT", Fault::Rot);
    let report = back_up(&place, &[target("f")], &server.settings(), 0).await;
    let error = report.copies[0].outcome.as_ref().unwrap_err();
    assert!(matches!(error, Error::Differs { fate: Fate::Removed, .. }), "{error}");
    assert_eq!(server.keys().len(), 3, "{:?}", server.keys());
    server.fail("PUT", Fault::Rot);
    server.fail("DELETE", Fault::Status(403));
    let error = copy(&server, "f").await.outcome.unwrap_err();
    assert!(matches!(error, Error::Differs { fate: Fate::Stuck, .. }), "{error}");
    assert!(error.to_string().contains("removed by hand"), "{error}");
}

#[tokio::test]
async fn a_copy_counts_although_older_ones_cannot_be_removed() {
    let server = Server::start().await;
    for minute in 0..3 {
        server.put(&format!("f/ostler-20201121T100{minute}00Z-00000000.backup"));
    }
    server.fail("DELETE", Fault::Status(503));
    server.fail("DELETE", Fault::Status(403));
    let pruned = copy(&server, "f").await.outcome.unwrap();
    assert!(pruned.problem.unwrap().to_string().contains("403"));
    assert_eq!(pruned.removed.len(), 1, "one that cannot be removed keeps no other");
    assert_eq!(server.keys().len(), 3);
}

#[tokio::test]
async fn what_another_puts_under_the_same_name_at_the_same_time_stays() {
    for before in [None, Some(Fault::Status(503))] {
        let server = Server::start().await;
        if let Some(fault) = before {
            server.fail("PUT", fault);
        }
        server.fail("PUT", Fault::Race);
        let error = copy(&server, "f/one.backup").await.outcome.unwrap_err();
        assert!(error.to_string().contains("is there already"), "after {before:?}: {error}");
        assert_eq!(server.get("f/one.backup"), OTHERS, "after {before:?}");
    }
}

#[tokio::test]
async fn two_hosts_that_make_a_backup_in_one_second_both_have_theirs() {
    let server = Server::start().await;
    server.set_condition(Condition::Ignored);
    let (first, other) = (place().await, Place::new());
    other.put(&[("policies/a", "of another")]).await;
    for place in [&first, &other] {
        let report = back_up(place, &[target("f")], &server.settings(), 0).await;
        assert!(report.copies[0].outcome.is_ok(), "{report:?}");
    }
    assert_eq!(server.keys().len(), 2, "{:?}", server.keys());
}

#[tokio::test]
async fn a_copy_whose_answer_was_lost_is_read_and_counts() {
    let server = Server::start().await;
    server.fail("PUT", Fault::Lost(503));
    let copy = copy(&server, "f/one.backup").await;
    assert!(copy.outcome.is_ok(), "{copy:?}");
    assert_eq!(server.requests(), ["HEAD", "PUT", "PUT", "GET"]);
}

#[tokio::test]
async fn a_copy_that_rotted_and_whose_answer_was_lost_is_removed_unless_it_may_be_anothers() {
    let server = Server::start().await;
    server.fail("PUT", Fault::RotLost(503));
    let error = copy(&server, "f").await.outcome.unwrap_err();
    assert!(matches!(error, Error::Differs { fate: Fate::Removed, .. }), "{error}");
    assert!(server.keys().is_empty());
    server.fail("PUT", Fault::RotLost(503));
    let error = copy(&server, "f/one.backup").await.outcome.unwrap_err();
    assert!(matches!(error, Error::Exists { .. }), "{error}");
    assert_eq!(server.keys(), ["f/one.backup"]);
}

#[tokio::test]
async fn a_server_without_conditions_is_served_and_a_chosen_name_there_never_removed() {
    for condition in [Condition::Ignored, Condition::Unknown] {
        let server = Server::start().await;
        server.set_condition(condition);
        assert!(copy(&server, "f").await.outcome.is_ok(), "{condition:?}");
        assert!(copy(&server, "f/one.backup").await.outcome.is_ok(), "{condition:?}");
    }
    let server = Server::start().await;
    server.fail("PUT", Fault::Rot);
    let error = copy(&server, "f/one.backup").await.outcome.unwrap_err();
    assert!(matches!(error, Error::Differs { fate: Fate::Left, .. }), "{error}");
    assert_eq!(server.keys(), ["f/one.backup"], "it may be another's");
}

#[tokio::test]
async fn more_backups_than_can_be_listed_are_told_and_what_is_not_ours_does_not_count() {
    let server = Server::start().await;
    for number in 0..300 {
        server.put(&format!("f/log-{number}"));
    }
    assert!(copy(&server, "f").await.outcome.unwrap().problem.is_none());
    for number in 0..201 {
        server.put(&format!("g/ostler-20201121T100000Z-{number:08x}.backup"));
    }
    let problem = copy(&server, "g").await.outcome.unwrap().problem.unwrap().to_string();
    assert!(problem.contains("more backups"), "{problem}");
    let error = backup::fetch(&target("g"), &server.settings()).await.err().unwrap();
    assert!(matches!(error, Error::S3(_)), "not any of them is taken for the newest: {error}");
}

#[tokio::test]
async fn who_has_another_key_region_or_bucket_is_refused_with_what_to_look_at() {
    let (server, place) = (Server::start().await, place().await);
    let right = server.settings();
    let login = |secret: &str| Some(Login { secret: secret.to_owned(), ..right.login.clone().unwrap() });
    let wrong = [
        Settings { login: login("guess"), ..right.clone() },
        Settings { login: None, ..right.clone() },
        Settings { region: "us-east-1".to_owned(), ..right.clone() },
    ];
    for settings in wrong {
        let report = back_up(&place, &[target("f")], &settings, 0).await;
        let error = report.copies[0].outcome.as_ref().unwrap_err().to_string();
        assert!(error.contains("403") && error.contains("access key"), "{error}");
    }
    let elsewhere: Target = "s3://another/f".parse().unwrap();
    let report = back_up(&place, &[elsewhere], &right, 0).await;
    let error = report.copies[0].outcome.as_ref().unwrap_err().to_string();
    assert!(error.contains("NoSuchBucket") && error.contains("bucket"), "{error}");
    let nobody = Settings { endpoint: Some("http://127.0.0.1:1".to_owned()), ..right };
    let report = back_up(&place, &[target("f")], &nobody, 0).await;
    assert!(matches!(report.copies[0].outcome, Err(Error::S3(_))));
    assert!(server.keys().is_empty());
}

#[tokio::test]
async fn an_object_is_not_overwritten_and_an_empty_prefix_has_no_newest() {
    let (server, place) = (Server::start().await, place().await);
    server.put("f/one.backup");
    let report = back_up(&place, &[target("f/one.backup")], &server.settings(), 0).await;
    let error = report.copies[0].outcome.as_ref().unwrap_err().to_string();
    assert!(error.contains("is there already"), "{error}");
    let error = backup::fetch(&target("f"), &server.settings()).await.err().unwrap();
    assert!(matches!(error, Error::NoBackup { .. }), "{error}");
    let error = backup::fetch(&target("f/one.backup"), &server.settings()).await.err().unwrap().to_string();
    assert!(error.contains("no backup of Ostler"), "{error}");
}
