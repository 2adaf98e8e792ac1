//! Elections over a real etcd: threads of this process that each take part as a replica would.

use std::time::{Duration, Instant};

use ostler_coordinator::lead::{Lead, Leadership, PREFIX, Standing};
use ostler_coordinator::store::etcd;
use ostler_coordinator::store::fenced::{Fenced, Verdict};
use ostler_coordinator::store::{Operation, Store, Transaction};
use ostler_core::id::Term;
use ostler_core::lead::{Boot, Config};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::server::{PATIENCE, Server};

const TTL: Duration = Duration::from_secs(3);

/// One replica's part, and who it says leads.
pub(crate) struct Replica {
    name: String,
    pub(crate) leadership: Leadership,
    pub(crate) standing: watch::Receiver<Standing>,
    shutdown: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Replica {
    fn join(server: &Server, name: &str) -> Replica {
        Replica::join_at(&server.config(), name)
    }

    pub(crate) fn join_at(etcd: &etcd::Config, name: &str) -> Replica {
        let shutdown = CancellationToken::new();
        let config = Config::try_new(name, PREFIX, TTL).unwrap();
        let lead = Lead::with_etcd(config, etcd, shutdown.clone()).unwrap();
        let (leadership, standing) = (lead.leadership(), lead.standing());
        Replica { name: name.to_owned(), leadership, standing, shutdown, thread: Some(lead.into_thread()) }
    }

    /// Waits until it says that someone leads, in a later term than this.
    async fn told(&mut self, after: Term) -> Standing {
        let told = self.standing.wait_for(|it| it.leader.is_some() && it.term > after);
        let told = tokio::time::timeout(PATIENCE, told).await.expect("a leader in time").expect("it runs");
        told.clone()
    }

    pub(crate) fn term(&self) -> Option<Term> {
        self.leadership.act(|token| token.term())
    }

    fn leave(&mut self) {
        self.shutdown.cancel();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.leave();
    }
}

/// The same clock as the election's, to 10 ms, as the system tells it.
fn boot_now() -> Boot {
    let text = std::fs::read_to_string("/proc/uptime").unwrap();
    let seconds: f64 = text.split_whitespace().next().unwrap().parse().unwrap();
    Boot::from_millis((seconds * 1_000.0) as u64)
}

pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what}: not in {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn exactly_one_of_three_leads_and_all_say_the_same() {
    let server = Server::start().await;
    let mut replicas: Vec<_> = ["a", "b", "c"].iter().map(|name| Replica::join(&server, name)).collect();
    let mut told = Vec::new();
    for replica in &mut replicas {
        told.push(replica.told(Term(0)).await);
    }
    assert!(told.iter().all(|it| *it == told[0]), "{told:?}");
    let leading: Vec<_> = replicas.iter().filter(|it| it.term().is_some()).collect();
    assert_eq!(leading.len(), 1);
    assert_eq!((Some(&leading[0].name), leading[0].term()), (told[0].leader.as_ref(), Some(told[0].term)));
}

#[tokio::test]
async fn who_leaves_hands_over_and_the_next_term_is_higher() {
    let server = Server::start().await;
    let mut first = Replica::join(&server, "first");
    let before = first.told(Term(0)).await;
    let mut second = Replica::join(&server, "second");
    assert_eq!(second.told(Term(0)).await, before, "a follower sees who leads");
    first.leave();
    assert_eq!(first.term(), None);
    let after = second.told(before.term).await;
    assert_eq!(after.leader.as_deref(), Some("second"));
    assert_eq!(second.term(), Some(after.term));
    assert!(server.store().list("lead/candidates/").await.unwrap().0.len() == 1, "the lease was given back");
}

#[tokio::test]
async fn a_write_of_a_leader_that_was_replaced_is_refused() {
    let server = Server::start().await;
    let store = server.store();
    let mut old = Replica::join(&server, "old");
    let before = old.told(Term(0)).await;
    let write = |leadership: &Leadership, value: &str| {
        let value = value.as_bytes().to_vec();
        leadership.act(|token| Fenced::put(token, "work", None, value)).expect("it leads")
    };
    let late = write(&old.leadership, "late");
    let key = old.leadership.act(|token| token.key().to_owned()).expect("it leads");
    let mut new = Replica::join(&server, "new");
    new.told(Term(0)).await;
    // What a person could do with etcdctl: the old leader does not know yet when the next one leads.
    let delete = Transaction { compares: Vec::new(), operations: vec![Operation::Delete(key)] };
    store.commit(delete).await.unwrap();
    let after = new.told(before.term).await;
    assert_eq!(after.leader.as_deref(), Some("new"));
    assert_eq!(late.clone().commit(&store).await.unwrap(), Verdict::Deposed);
    assert_eq!(store.get("work").await.unwrap(), None, "nothing of it happened");

    let current = write(&new.leadership, "current");
    let applied = current.clone().commit(&store).await.unwrap();
    assert!(matches!(applied, Verdict::Applied { .. }), "{applied:?}");
    let repeated = current.commit(&store).await.unwrap();
    assert!(matches!(repeated, Verdict::Conflict { .. }), "the key was there already: {repeated:?}");
    assert_eq!(late.commit(&store).await.unwrap(), Verdict::Deposed);
    until("the old leader hears of it", || old.term().is_none_or(|term| term > before.term)).await;
}

#[tokio::test]
async fn a_leader_whose_etcd_says_nothing_steps_down_before_its_lease_expires_and_leads_again_later() {
    let server = Server::start().await;
    let mut replica = Replica::join(&server, "alone");
    let before = replica.told(Term(0)).await;
    // The lease expires a second after what the token says, at the earliest.
    let mut deadline = Boot::default();
    server.pause();
    until("it acts no more", || {
        let now = boot_now();
        match replica.leadership.act(|token| token.deadline()) {
            Some(until) => {
                assert!(now < until, "it acts at {now} under a token that lived until {until}");
                deadline = until;
                false
            }
            None => true,
        }
    })
    .await;
    assert!(deadline > Boot::default(), "it led when etcd stopped");
    until("it says so", || replica.standing.borrow().leader.is_none()).await;
    server.resume();
    let after = replica.told(before.term).await;
    assert_eq!(after.leader.as_deref(), Some("alone"));
}
