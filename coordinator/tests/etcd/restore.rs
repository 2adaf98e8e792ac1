//! Backups of a real etcd, restored into another one, into a file, and back; and terms, which only rise.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use ostler_coordinator::backup::format::Origin;
use ostler_coordinator::backup::{self, Error, Restored, Target, s3};
use ostler_coordinator::config;
use ostler_coordinator::lead::{Electorate as _, Lead, PREFIX};
use ostler_coordinator::store::embedded::{Embedded, FILE};
use ostler_coordinator::store::etcd::{Config, Electorate, Etcd};
use ostler_coordinator::store::fenced::{Fenced, Verdict};
use ostler_coordinator::store::whole::{Entries, Old, Reading, Whole, is_state};
use ostler_coordinator::store::{self, Operation, Store, Transaction, conformance};
use tokio_util::sync::CancellationToken;

use crate::server::{PATIENCE, Server};
use crate::{Answer, LeaseId, Request};

const TTL: Duration = Duration::from_secs(3);

/// Puts a value, again when a busy disk keeps etcd from answering in the store's time.
async fn put(store: &impl Store, key: &str, value: &[u8]) -> u64 {
    answered(async || {
        let operations = vec![Operation::Put(key.to_owned(), value.to_vec())];
        store.commit(Transaction { compares: Vec::new(), operations }).await
    })
    .await
    .revision
}

async fn answered<R>(mut ask: impl AsyncFnMut() -> Result<R, store::Error>) -> R {
    let began = Instant::now();
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(error) => assert!(began.elapsed() < PATIENCE, "{error:?}"),
        }
    }
}

async fn state(store: &impl Store) -> BTreeMap<String, Vec<u8>> {
    let (entries, _) = answered(async || store.list("").await).await;
    entries.into_iter().filter(|it| is_state(&it.key)).map(|it| (it.key, it.value)).collect()
}

fn entries(items: &[(&str, &str)]) -> Entries {
    let items: Vec<_> =
        items.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect();
    Box::new(items.into_iter().map(Ok))
}

/// The store of a coordinator that goes by this etcd.
fn of(etcd: &Config) -> config::Store {
    config::Store::Etcd { folder: "nowhere".into(), etcd: etcd.clone() }
}

/// A folder of backups.
struct Backups {
    folder: tempfile::TempDir,
}

impl Backups {
    fn new() -> Backups {
        Backups { folder: tempfile::tempdir().unwrap() }
    }

    fn target(&self) -> Target {
        self.folder.path().display().to_string().parse().unwrap()
    }

    async fn take(&self, store: &config::Store) -> backup::Report {
        let settings = s3::Settings::default();
        let report =
            backup::back_up(store, &[self.target()], None, &settings, Timestamp::now()).await.unwrap();
        assert!(report.copies[0].outcome.is_ok(), "{report:?}");
        report
    }

    async fn restore(&self, store: &config::Store, old: Old) -> Result<Restored, Error> {
        let fetched = backup::fetch(&self.target(), &s3::Settings::default()).await.unwrap();
        backup::restore(&fetched, store, old, Timestamp::now()).await
    }
}

/// Takes part in the election until it leads, writes under its term, and leaves. Gives the term.
async fn lead_once(etcd: &Config) -> u64 {
    let shutdown = CancellationToken::new();
    let election = ostler_core::lead::Config::try_new("me", PREFIX, TTL).unwrap();
    let lead = Lead::with_etcd(election, etcd, shutdown.clone()).unwrap();
    let (leadership, mut standing) = (lead.leadership(), lead.standing());
    let led = standing.wait_for(|it| it.leader.as_deref() == Some("me"));
    tokio::time::timeout(PATIENCE, led).await.expect("it leads in time").expect("it runs");
    let store = Etcd::open(etcd).unwrap();
    let read = store.get("zones/a").await.unwrap();
    let write = leadership
        .act(|token| Fenced::put(token, "zones/a", read.as_ref(), token.term().0.to_be_bytes().to_vec()));
    let verdict = write.clone().expect("it leads").commit(&store).await.unwrap();
    assert!(matches!(verdict, Verdict::Applied { .. }), "{verdict:?}");
    let term = leadership.act(|token| token.term().0).expect("it leads");
    shutdown.cancel();
    lead.into_thread().join().unwrap();
    assert_eq!(write.expect("it led").commit(&store).await.unwrap(), Verdict::Deposed);
    term
}

#[tokio::test]
async fn terms_go_on_rising_in_a_new_etcd_also_above_those_after_the_backup_and_when_restored_twice() {
    let backups = Backups::new();
    let first = Server::start().await;
    let mut terms = vec![lead_once(&first.config()).await];
    put(&first.store(), "policies/a", b"{}").await;
    let report = backups.take(&of(&first.config())).await;
    assert_eq!(report.contents.header.term, terms[0]);
    assert!(report.contents.header.revision > terms[0]);
    // What nobody will remember: more terms, and more revisions than a new etcd has.
    for _ in 0..100 {
        put(&first.store(), "zones/b", b"x").await;
    }
    terms.push(lead_once(&first.config()).await);
    drop(first);
    for _ in 0..2 {
        let next = Server::start().await;
        let low = lead_once(&next.config()).await;
        assert!(low < terms[1], "a new etcd begins with low terms: {low}");
        let restored = backups.restore(&of(&next.config()), Old::Removed).await.unwrap();
        assert_eq!((restored.entries, restored.removed), (2, 1));
        terms.push(lead_once(&next.config()).await);
        terms.push(lead_once(&next.config()).await);
        assert!(terms.last() > Some(&restored.revision));
    }
    assert!(terms.is_sorted_by(|a, b| a < b), "{terms:?}");
}

#[tokio::test]
async fn state_moves_from_etcd_to_a_file_and_back_with_rising_terms() {
    let (backups, folder) = (Backups::new(), tempfile::tempdir().unwrap());
    let (first, second) = (Server::start().await, Server::start().await);
    let mut terms = vec![lead_once(&first.config()).await];
    for number in 0..200 {
        put(&first.store(), &format!("policies/{number:03}"), &vec![number; 3_000]).await;
    }
    let before = state(&first.store()).await;
    backups.take(&of(&first.config())).await;
    let file = config::Store::Folder(folder.path().to_owned());
    let restored = backups.restore(&file, Old::Refused).await.unwrap();
    assert_eq!(restored.entries, 201);
    let embedded = Embedded::open(&folder.path().join(FILE)).unwrap();
    assert_eq!(state(&embedded).await, before);
    terms.push(alone_once(&embedded).await);
    drop(embedded);
    std::fs::read_dir(backups.folder.path())
        .unwrap()
        .for_each(|it| std::fs::remove_file(it.unwrap().path()).unwrap());
    let report = backups.take(&file).await;
    assert_eq!((report.contents.header.store, report.contents.header.term), (Origin::Embedded, terms[1]));
    backups.restore(&of(&second.config()), Old::Refused).await.unwrap();
    assert_eq!(state(&second.store()).await, before);
    terms.push(lead_once(&second.config()).await);
    assert!(terms.is_sorted_by(|a, b| a < b), "{terms:?}");
}

/// The term of a replica that is alone with a file.
async fn alone_once(store: &Embedded) -> u64 {
    let shutdown = CancellationToken::new();
    let election = ostler_core::lead::Config::try_new("me", PREFIX, TTL).unwrap();
    let lead = Lead::alone(election, store.clone(), shutdown.clone()).unwrap();
    let mut standing = lead.standing();
    let led = standing.wait_for(|it| it.leader.is_some());
    let term = tokio::time::timeout(PATIENCE, led).await.expect("in time").expect("it runs").term.0;
    shutdown.cancel();
    lead.into_thread().join().unwrap();
    term
}

#[tokio::test]
async fn a_store_that_was_filled_does_what_every_store_must_do() {
    let server = Server::start().await;
    let other = Etcd::open(&Config { prefix: "ostler2/".to_owned(), ..server.config() }).unwrap();
    put(&other, "policies/a", b"of another fleet").await;
    let floor = 1 << 50;
    let filled = server.store().fill(entries(&[]), Old::Refused, floor).await.unwrap();
    assert!(filled.revision > floor);
    let store = server.store();
    conformance::check(&store).await;
    assert!(matches!(store.watch("", 3).await, Err(store::Error::Compacted { .. })));
    let again = store.fill(entries(&[("a", "b")]), Old::Removed, floor + (1 << 40)).await.unwrap();
    assert!(again.removed > 100 && again.revision > floor + (1 << 40));
    assert_eq!(state(&server.store()).await, BTreeMap::from([("a".to_owned(), b"b".to_vec())]));
    assert_eq!(state(&other).await.len(), 1);
    assert!(other.position().await.unwrap().revision < floor, "the other fleet's terms are its own");
}

#[tokio::test]
async fn a_backup_is_of_one_revision_whatever_is_written_while_it_is_read() {
    let server = Server::start().await;
    let store = server.store();
    for number in 0..150 {
        put(&store, &format!("k/{number:03}"), b"before").await;
    }
    let before = state(&store).await;
    let mut reading = store.read().await.unwrap();
    let mut read = reading.next().await.unwrap();
    assert!(read.len() < 150, "there are more pages");
    for number in 0..150 {
        let key = format!("k/{number:03}");
        let operation =
            if number % 2 == 0 { Operation::Delete(key) } else { Operation::Put(key, b"after".to_vec()) };
        store.commit(Transaction { compares: Vec::new(), operations: vec![operation] }).await.unwrap();
    }
    put(&store, "k/0755", b"new").await;
    loop {
        let page = reading.next().await.unwrap();
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    let read: BTreeMap<_, _> = read.into_iter().map(|it| (it.key, it.value)).collect();
    assert_eq!(read, before);
    assert!(state(&store).await != before);
}

#[tokio::test]
async fn nobody_leads_in_a_store_that_was_filled_in_part_until_it_is_filled_again() {
    let (server, backups) = (Server::start().await, Backups::new());
    lead_once(&server.config()).await;
    put(&server.store(), "policies/a", b"old").await;
    backups.take(&of(&server.config())).await;
    let floor = 1 << 50;
    let broken = entries(&[("policies/a", "new")]).chain([Err("the medium is gone".into())]);
    let error = server.store().fill(Box::new(broken), Old::Removed, floor).await.unwrap_err();
    assert!(matches!(error, store::Error::Source(_)), "{error}");
    let settings = s3::Settings::default();
    let taken =
        backup::back_up(&of(&server.config()), &[backups.target()], None, &settings, Timestamp::now()).await;
    assert!(matches!(taken, Err(Error::Store(store::Error::HalfFilled))), "{taken:?}");
    let error = server.store().fill(entries(&[]), Old::Refused, floor).await.unwrap_err();
    assert!(matches!(error, store::Error::HalfFilled) && error.to_string().contains("--replace"), "{error}");
    assert_eq!(claim(&server.config()).await, Answer::Epoch { value: Some(floor.to_be_bytes().into()) });
    let restored = backups.restore(&of(&server.config()), Old::Removed).await.unwrap();
    assert_eq!(restored.entries, 2);
    assert_eq!(state(&server.store()).await["policies/a"], b"old");
    assert!(lead_once(&server.config()).await > floor);
}

#[tokio::test]
async fn a_replica_that_was_up_during_a_restore_leads_only_after_it_was_started_again() {
    let server = Server::start().await;
    lead_once(&server.config()).await;
    let up = Electorate::open(&server.config()).unwrap();
    assert_eq!(claim_by(&up).await, Answer::Claimed);
    let floor = 1 << 50;
    let filled = server.store().fill(entries(&[]), Old::Removed, floor).await;
    filled.expect("it has no candidate at this moment, so nothing stands against it");
    assert_eq!(claim_by(&up).await, Answer::Epoch { value: Some(floor.to_be_bytes().into()) });
    assert_eq!(claim(&server.config()).await, Answer::Claimed);
    assert!(lead_once(&server.config()).await > floor);
}

/// What a candidate of a replica that has just started is told.
async fn claim(etcd: &Config) -> Answer {
    claim_by(&Electorate::open(etcd).unwrap()).await
}

/// What a candidate is told that claims the lead; it gives its lease back.
async fn claim_by(electorate: &Electorate) -> Answer {
    let Answer::Granted { lease, .. } = electorate.ask(Request::Grant { ttl: TTL }).await else {
        panic!("no lease")
    };
    let config = ostler_core::lead::Config::try_new("me", PREFIX, TTL).unwrap();
    let (key, epoch_key) = (config.candidate(lease), config.epoch());
    let put = Request::PutIfAbsent { key: key.clone(), value: "me".into(), lease };
    let Answer::Key { create_revision } = electorate.ask(put).await else { panic!("no number") };
    let epoch = create_revision.to_be_bytes();
    let answer = electorate.ask(Request::Claim { key, create_revision, epoch_key, epoch }).await;
    electorate.ask(Request::Revoke { lease }).await;
    answer
}

/// Puts a candidate's key, as a coordinator does that starts.
async fn join(etcd: &Config, name: &str) -> (Electorate, LeaseId) {
    let electorate = Electorate::open(etcd).unwrap();
    let ttl = Duration::from_secs(60);
    let Answer::Granted { lease, .. } = electorate.ask(Request::Grant { ttl }).await else {
        panic!("no lease")
    };
    let key = ostler_core::lead::Config::try_new(name, PREFIX, TTL).unwrap().candidate(lease);
    electorate.ask(Request::PutIfAbsent { key, value: name.into(), lease }).await;
    (electorate, lease)
}

#[tokio::test]
async fn a_store_that_a_coordinator_uses_is_left_alone() {
    let server = Server::start().await;
    put(&server.store(), "policies/a", b"old").await;
    let (electorate, lease) = join(&server.config(), "zone-a").await;
    for old in [Old::Refused, Old::Removed] {
        let error = server.store().fill(entries(&[]), old, 1 << 50).await.unwrap_err();
        assert!(error.to_string().contains("(zone-a)"), "{error}");
        let rehearsed = server.store().would_remove(old).await.unwrap_err();
        assert_eq!(rehearsed.to_string(), error.to_string());
    }
    assert_eq!(state(&server.store()).await.len(), 1, "nothing was touched");
    electorate.ask(Request::Revoke { lease }).await;
    assert!(server.store().would_remove(Old::Refused).await.is_err());
    assert_eq!(server.store().would_remove(Old::Removed).await.unwrap(), 1);
    assert_eq!(state(&server.store()).await.len(), 1, "nothing was touched");
    server.store().fill(entries(&[]), Old::Removed, 1 << 50).await.unwrap();
}

#[tokio::test]
async fn keys_of_state_are_counted_also_where_they_are_no_text_and_large() {
    let server = Server::start().await;
    for number in 0..100 {
        put(&server.store(), &format!("k/{number:03}"), &vec![0; 100_000]).await;
    }
    put(&server.store(), "store/x", b"the store's own").await;
    put(&server.store(), "lead/x", b"the election's").await;
    // The key "ostler/" with the bytes ff fe after it, which no text has.
    server.post("/v3/kv/put", r#"{"key": "b3N0bGVyL//+", "value": "eA=="}"#);
    let error = server.store().fill(entries(&[]), Old::Refused, 1 << 50).await.unwrap_err();
    assert!(matches!(error, store::Error::NotEmpty { keys: 101 }), "{error}");
    let removed = server.store().fill(entries(&[]), Old::Removed, 1 << 50).await.unwrap().removed;
    assert_eq!(removed, 101, "what is counted is what is removed");
}

#[tokio::test]
async fn a_coordinator_that_starts_while_a_store_is_filled_stops_that() {
    let server = Server::start().await;
    let etcd = server.config();
    let mut late = Some(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(join(&etcd, "late"));
    });
    // It comes after the first of three transactions was put together.
    let many = (0..300).map(|number| Ok((format!("k/{number:03}"), Vec::new())));
    let many = many.enumerate().map(move |(at, item)| {
        if let Some(late) = (at == 130).then(|| late.take()).flatten() {
            std::thread::spawn(late).join().unwrap();
        }
        item
    });
    let error = server.store().fill(Box::new(many), Old::Refused, 1 << 50).await.unwrap_err();
    assert!(error.to_string().contains("(late)"), "{error}");
    assert!(matches!(server.store().read().await, Err(store::Error::HalfFilled)));
}
