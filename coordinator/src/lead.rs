//! Whether this replica leads: runs the pure election of [`ostler_core::lead`] over etcd, or over the file of a replica
//! that is alone.
//!
//! It has a thread, a runtime and connections of its own, so that nothing that the replica does can hold up a keepalive.
//! What others see is a [`Leadership`], through which a leader borrows its token, and a [`Standing`], which says who leads.
//! The clock is the one that goes on while the machine is suspended; because timers stand still meanwhile, the clock is
//! looked at several times a second, and by every borrower of the token.
//!
//! It never writes for others, and it never keeps the token from being taken back: a step down that takes longer than
//! [`ostler_core::lead::STOP_MAX`] ends the process.

mod alone;
mod leadership;
mod observer;
mod runner;

use std::thread::JoinHandle;
use std::time::Duration;

use ostler_core::id::Term;
use ostler_core::lead::{Answer, Boot, Config, Election, Input, Request};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

pub use self::alone::Alone;
pub use self::leadership::Leadership;
use self::runner::Runner;
use crate::store::embedded::Embedded;
use crate::store::{self, etcd};
use crate::sys;

/// Begin of the election's keys in the store.
pub const PREFIX: &str = "lead/";

/// How old the answer that the own key is there may be: a look is asked for each second and takes a second at most.
const KEY_FRESH: Duration = Duration::from_secs(3);

/// How long the end of the thread waits for what still runs on it.
const STOP_TIME_MAX: Duration = Duration::from_millis(100);

/// Where the election is held.
pub trait Electorate: Clone + Send + Sync + 'static {
    /// Carries a request out; whatever does not tell what happened is [`Answer::Unknown`]. Takes a bounded time.
    fn ask(&self, request: Request) -> impl Future<Output = Answer> + Send;

    /// Ends once the key was deleted after a revision; fails when a deletion could be missed.
    fn deleted(
        &self,
        key: &str,
        after_revision: u64,
    ) -> impl Future<Output = Result<(), store::Error>> + Send;
}

/// Who leads, as far as this replica knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The leader's name; none while there is no leader, or etcd does not say who.
    pub leader: Option<String>,
    /// The term of the leader, or of the last one.
    pub term: Term,
}

/// Tells an election how fit its replica is to lead, and asks it whether its key is there; clones reach the same one.
#[derive(Clone, Debug)]
pub struct Fitness {
    inputs: mpsc::Sender<Input>,
    /// When the leader's key was last found to be there; none while it does not lead or has not looked.
    confirmed: watch::Receiver<Option<Boot>>,
}

impl Fitness {
    /// Tells the replica's local health score, how many nodes it reaches, and how many the one does that reaches most.
    pub fn tell(&self, score: u8, own: u32, best: u32) {
        // Told again in a second; an election that has ended needs none.
        let _ = self.inputs.try_send(Input::Health { score });
        let _ = self.inputs.try_send(Input::Reach { own, best });
    }

    /// Has the election look whether its key is there, and says whether it was when it last looked, at most
    /// [`KEY_FRESH`] ago. None when it does not lead.
    pub fn key_held(&self) -> Option<bool> {
        let _ = self.inputs.try_send(Input::Confirm);
        let confirmed = *self.confirmed.borrow();
        confirmed.map(|at| sys::boot_now().since(at) <= KEY_FRESH)
    }
}

/// Why there is no election.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store's settings are wrong.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The thread does not start.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
}

/// An election that runs until it is shut down.
pub struct Lead {
    leadership: Leadership,
    standing: watch::Receiver<Standing>,
    fitness: Fitness,
    thread: JoinHandle<()>,
}

impl Lead {
    /// Takes part in the election of the replicas that share this etcd.
    pub fn with_etcd(
        config: Config,
        etcd: &etcd::Config,
        shutdown: CancellationToken,
    ) -> Result<Lead, Error> {
        let electorate = etcd::Electorate::open(etcd)?;
        let store = etcd::Etcd::open(etcd)?;
        let (seen, observed) = watch::channel(Standing::default());
        let observe = observer::observe(store, config.clone(), seen);
        Lead::start(config, electorate, observe, observed, shutdown)
    }

    /// Leads at once, as the only replica: whoever has the store's file open is alone.
    pub fn alone(config: Config, store: Embedded, shutdown: CancellationToken) -> Result<Lead, Error> {
        let electorate = Alone::new(config.clone(), store);
        let (_, observed) = watch::channel(Standing::default());
        Lead::start(config, electorate, std::future::pending(), observed, shutdown)
    }

    /// The lead, to act under.
    pub fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Who leads, now and whenever it changes.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Whom to tell how fit this replica is to lead.
    pub fn fitness(&self) -> Fitness {
        self.fitness.clone()
    }

    /// The thread, which ends after the shutdown once the lease is given back.
    pub fn into_thread(self) -> JoinHandle<()> {
        self.thread
    }

    fn start(
        config: Config,
        electorate: impl Electorate,
        observe: impl Future<Output = ()> + Send + 'static,
        observed: watch::Receiver<Standing>,
        shutdown: CancellationToken,
    ) -> Result<Lead, Error> {
        let (told, standing) = watch::channel(Standing::default());
        let leadership = Leadership::default();
        let replica = config.replica().to_owned();
        let election = Election::new(config, sys::boot_now());
        let (runner, inputs, fitness) = Runner::new(election, electorate, leadership.clone(), told, replica);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
        let body = move || {
            runtime.block_on(async {
                tokio::select! {
                    () = runner.run(inputs, observed, shutdown) => {}
                    () = observe => {}
                }
            });
            runtime.shutdown_timeout(STOP_TIME_MAX);
        };
        let thread =
            std::thread::Builder::new().name("lead".to_owned()).spawn(body).map_err(Error::Thread)?;
        Ok(Lead { leadership, standing, fitness, thread })
    }
}
