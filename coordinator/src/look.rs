//! What this replica looks at for its engine: silent nodes, other replicas, and its own key in the election.

use ostler_core::detect::{Action, Fact, Own};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::config::Store;
use crate::driver::Driver;
use crate::ingest;
use crate::lead::Fitness;
use crate::peers::{Peers, Questions, ticks};
use crate::probe;
use crate::tls::Addresses;

/// What is looked with.
pub(crate) struct Looker {
    pub(crate) driver: Driver,
    pub(crate) ingest: ingest::Service,
    pub(crate) fitness: Fitness,
    pub(crate) electorate: Electorate,
}

/// Whether others can take the lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Electorate {
    Alone,
    Shared,
}

impl Electorate {
    /// That of the replicas that use such a store.
    pub(crate) fn of(store: &Store) -> Electorate {
        match store {
            Store::Memory | Store::Folder(_) => Electorate::Alone,
            Store::Etcd { .. } => Electorate::Shared,
        }
    }
}

/// Does what the engine asks for, and asks the replicas at these addresses each second, until shut down.
pub(crate) async fn run(
    looker: Looker,
    actions: mpsc::Receiver<Action>,
    peers: Addresses,
    shutdown: CancellationToken,
) {
    let Looker { driver, ingest, fitness, electorate } = looker;
    let questions = Questions::default();
    let probing = probe::run(driver.clone(), ingest, actions, questions.clone(), shutdown);
    let proving = async {
        if electorate == Electorate::Shared {
            prove_key(&driver, &fitness).await;
        }
    };
    let exchanging = async {
        if electorate == Electorate::Shared || !peers.uris().is_empty() {
            let exchange = Peers { driver: driver.clone(), questions, fitness: fitness.clone() };
            exchange.run(peers).await;
        }
    };
    tokio::pin!(probing);
    tokio::select! {
        () = &mut probing => return,
        _ = futures_util::future::join(proving, exchanging) => {}
    }
    probing.await;
}

/// Proves to the engine each second that this replica's key is in etcd while it leads.
async fn prove_key(driver: &Driver, fitness: &Fitness) {
    let mut ticks = ticks();
    loop {
        ticks.tick().await;
        if let Some(held) = fitness.key_held() {
            driver.learn(Fact::Own(if held { Own::KeyHeld } else { Own::KeyMissing }));
        }
    }
}
