//! The store on a real etcd does what every store must do, and what only etcd can get wrong.

use std::time::Duration;

use ostler_coordinator::store::etcd::{Config, Etcd};
use ostler_coordinator::store::{Error, Operation, Outcome, Store, Transaction, Watch, conformance};

use crate::server::{Server, free_port};

async fn put(store: &Etcd, key: &str, value: &[u8]) -> Result<Outcome, Error> {
    let operations = vec![Operation::Put(key.to_owned(), value.to_vec())];
    store.commit(Transaction { compares: Vec::new(), operations }).await
}

#[tokio::test]
async fn the_store_on_etcd_conforms() {
    let server = Server::start().await;
    conformance::check(&server.store()).await;
}

#[tokio::test]
async fn a_list_of_many_pages_is_of_one_revision_and_knows_its_prefix_only() {
    let server = Server::start().await;
    let store = server.store();
    let other = Etcd::open(&Config { prefix: "ostler2/".to_owned(), ..server.config() }).unwrap();
    put(&other, "k/000", b"of another fleet").await.unwrap();
    for number in 0..150 {
        put(&store, &format!("k/{number:03}"), b"v").await.unwrap();
    }
    let (entries, revision) = store.list("k/").await.unwrap();
    let keys: Vec<_> = entries.iter().map(|it| it.key.clone()).collect();
    let expected: Vec<_> = (0..150).map(|number| format!("k/{number:03}")).collect();
    assert_eq!(keys, expected);
    assert_eq!(entries.last().unwrap().mod_revision, revision);
    assert_eq!(other.list("").await.unwrap().0.len(), 1);
}

#[tokio::test]
async fn a_member_that_says_nothing_costs_one_time_limit_and_the_next_one_answers() {
    let (first, second) = (Server::start().await, Server::start().await);
    let mut config = first.config();
    config.endpoints.push(second.endpoint());
    // Paid once in full, and so wide because a write that the disk keeps waiting must not be taken for silence.
    config.timeout = Duration::from_secs(5);
    let store = Etcd::open(&config).unwrap();
    put(&store, "k", b"first").await.unwrap();
    first.pause();
    let error = put(&store, "k", b"again").await.unwrap_err();
    assert!(
        matches!(error, Error::OutcomeUnknown(_)),
        "a write without an answer may have happened: {error:?}"
    );
    assert_eq!(
        store.get("k").await.unwrap(),
        None,
        "the second one is asked now, which is another cluster here"
    );
    first.resume();
}

#[tokio::test]
async fn a_read_without_an_answer_is_no_unknown_outcome_and_a_refusal_is_neither() {
    let nobody = Etcd::open(&Config::new(vec![format!("http://127.0.0.1:{}", free_port())])).unwrap();
    let error = nobody.get("k").await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    let server = Server::start().await;
    let login = ostler_coordinator::store::etcd::User { name: "a".into(), password: "b".into() };
    let store = Etcd::open(&Config { user: Some(login), ..server.config() }).unwrap();
    let error = put(&store, "k", b"v").await.unwrap_err();
    assert!(matches!(error, Error::Backend(_)), "etcd without users refuses a login: {error:?}");
}

#[tokio::test]
async fn a_watch_ends_when_etcd_does() {
    let mut server = Server::start().await;
    let store = server.store();
    let first = put(&store, "w/1", b"1").await.unwrap().revision;
    let mut watch = store.watch("w/", first).await.unwrap();
    let second = put(&store, "w/2", b"2").await.unwrap().revision;
    assert_eq!(watch.next().await.unwrap()[0].revision, second);
    server.kill();
    let error = watch.next().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn a_watch_that_etcd_stopped_serving_is_given_up() {
    let server = Server::start().await;
    let store = server.store();
    let revision = put(&store, "w/1", b"1").await.unwrap().revision;
    let mut watch = store.watch("w/", revision).await.unwrap();
    server.pause();
    let error = watch.next().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    server.resume();
}

#[tokio::test]
async fn a_watch_from_before_a_compaction_is_told_so_and_one_from_the_list_goes_on() {
    let server = Server::start().await;
    let store = server.store();
    let first = put(&store, "w/1", b"1").await.unwrap().revision;
    put(&store, "w/1", b"2").await.unwrap();
    let third = put(&store, "w/1", b"3").await.unwrap().revision;
    server.post("/v3/kv/compaction", &format!("{{\"revision\": {third}}}"));
    let mut late = store.watch("w/", first).await.unwrap();
    let error = late.next().await.unwrap_err();
    assert!(matches!(error, Error::Compacted { oldest } if oldest == third), "{error:?}");
    let (entries, revision) = store.list("w/").await.unwrap();
    assert_eq!(entries[0].value, b"3");
    let mut watch = store.watch("w/", revision).await.unwrap();
    let fourth = put(&store, "w/1", b"4").await.unwrap().revision;
    assert_eq!(watch.next().await.unwrap()[0].revision, fourth);
}
