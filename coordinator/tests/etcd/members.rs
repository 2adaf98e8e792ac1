//! An etcd of three members, which lose one after the other, and then two at once.

use std::time::{Duration, Instant};

use ostler_coordinator::store::etcd::{Config, Etcd};
use ostler_coordinator::store::fenced::{Fenced, Verdict};
use ostler_coordinator::store::{Error, Store};

use crate::election::{Replica, until};
use crate::server::{PATIENCE, Server, free_port};

const MEMBERS: usize = 3;

/// Three members of one etcd.
struct Cluster {
    members: Vec<Server>,
    arguments: Vec<Vec<String>>,
}

impl Cluster {
    async fn start() -> Cluster {
        let peers: Vec<String> = (0..MEMBERS).map(|_| format!("http://127.0.0.1:{}", free_port())).collect();
        let named: Vec<String> = peers.iter().enumerate().map(|(at, peer)| format!("m{at}={peer}")).collect();
        // What is said later counts.
        let arguments = |(at, peer): (usize, &String)| {
            let name = format!("m{at}");
            let urls = ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer];
            let of = ["--name", &name, "--initial-cluster", &named.join(",")];
            [urls, of].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let arguments: Vec<_> = peers.iter().enumerate().map(arguments).collect();
        let launch = |arguments: &Vec<String>| {
            let config = Config::new(vec![format!("http://127.0.0.1:{}", free_port())]);
            Server::launch(tempfile::tempdir().unwrap(), config, arguments)
        };
        let mut members: Vec<Server> = arguments.iter().map(launch).collect();
        for member in &mut members {
            member.wait().await;
        }
        Cluster { members, arguments }
    }

    /// How to reach all of them.
    fn config(&self) -> Config {
        Config::new(self.members.iter().map(Server::endpoint).collect())
    }

    async fn restart(&mut self, member: usize) {
        self.members[member].relaunch(&self.arguments[member]);
        self.members[member].wait().await;
    }
}

/// Writes under the token of whoever leads, as often as the outcome asks for.
async fn write(store: &Etcd, replicas: &[Replica], key: &str) {
    let began = Instant::now();
    loop {
        let write = |it: &Replica| it.leadership.act(|token| Fenced::put(token, key, None, Vec::new()));
        if let Some(write) = replicas.iter().find_map(write) {
            match write.commit(store).await {
                // Conflict: an earlier try had happened although no answer came.
                Ok(Verdict::Applied { .. } | Verdict::Conflict { .. }) => return,
                Ok(Verdict::Deposed) | Err(Error::OutcomeUnknown(_) | Error::Unreachable(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert!(began.elapsed() < PATIENCE, "{key} is not written in {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn leading(replicas: &[Replica]) -> usize {
    replicas.iter().filter(|replica| replica.term().is_some()).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_election_and_fenced_writes_outlive_any_member_and_stop_without_a_majority() {
    let mut cluster = Cluster::start().await;
    let store = Etcd::open(&cluster.config()).unwrap();
    let replicas: Vec<_> =
        ["a", "b", "c"].iter().map(|name| Replica::join_at(&cluster.config(), name)).collect();
    write(&store, &replicas, "before").await;
    // One of them is etcd's own leader, and one is whom everybody asks first.
    for member in 0..MEMBERS {
        cluster.members[member].kill();
        write(&store, &replicas, &format!("without-{member}")).await;
        assert!(leading(&replicas) <= 1);
        cluster.restart(member).await;
    }
    let began = Instant::now();
    let keys = loop {
        match store.list("without-").await {
            Ok((keys, _)) => break keys,
            Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
        }
    };
    assert_eq!(keys.len(), MEMBERS, "nothing that was acknowledged is lost");

    cluster.members[0].pause();
    cluster.members[1].pause();
    until("nobody leads without a majority", || leading(&replicas) == 0).await;
    cluster.members[0].resume();
    cluster.members[1].resume();
    write(&store, &replicas, "after").await;
    until("one leads", || leading(&replicas) == 1).await;
}
