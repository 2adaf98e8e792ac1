//! Watches what replicas and etcd say, and writes it down.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use ostler_proto::v1;
use ostler_proto::v1::fleet_client::FleetClient;
use ostler_tests::history::{Fact, Moment, Recorder};
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

use crate::etcd;

/// How often each replica is asked who leads.
const ASK_EVERY: Duration = Duration::from_millis(50);

/// How often etcd is asked for the highest term.
const READ_EVERY: Duration = Duration::from_millis(250);

/// How long an answer may take; who is asked may be stopped.
const ANSWER_MAX: Duration = Duration::from_secs(1);

/// A watch on which nothing comes for so long is opened again, since its replica may have been cut off without a word.
/// What was missed comes then, because a watch begins with all events.
const QUIET_MAX: Duration = Duration::from_secs(5);

/// Verdicts that nobody who is well may get.
const ACCUSALS: [&str; 2] = ["NODE_UNREACHABLE", "NODE_DEAD"];

/// What a replica said last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) leader: String,
    pub(crate) term: u64,
    /// Nodes that it hears.
    pub(crate) fresh: u32,
}

/// What the watchers know beside the history.
#[derive(Debug, Default)]
struct Known {
    /// By replica; none while it does not answer.
    seen: BTreeMap<String, Option<Seen>>,
    /// By name, how often a verdict was told by any replica.
    verdicts: BTreeMap<String, usize>,
}

/// Tasks that watch until this is dropped.
#[derive(Debug)]
pub(crate) struct Watchers {
    known: Arc<Mutex<Known>>,
    recorder: Recorder,
    tasks: JoinSet<()>,
}

impl Watchers {
    /// Watches these replicas, by name and address, and these members of etcd.
    pub(crate) fn start(
        recorder: &Recorder,
        replicas: &[(String, SocketAddr)],
        members: &[SocketAddr],
    ) -> anyhow::Result<Watchers> {
        let mut watchers =
            Watchers { known: Arc::default(), recorder: recorder.clone(), tasks: JoinSet::new() };
        for (name, address) in replicas {
            let channel = Endpoint::from_shared(format!("http://{address}"))?.connect_timeout(ANSWER_MAX);
            watchers.lock().seen.insert(name.clone(), None);
            let one = One {
                name: name.clone(),
                channel,
                recorder: recorder.clone(),
                known: Arc::clone(&watchers.known),
            };
            watchers.tasks.spawn(one.clone().ask());
            watchers.tasks.spawn(one.follow());
        }
        watchers.tasks.spawn(read_terms(recorder.clone(), members.to_vec()));
        Ok(watchers)
    }

    /// The leader, if all replicas answer, agree on it, and hear so many nodes.
    pub(crate) fn agreed(&self, nodes: u32) -> Option<Seen> {
        let known = self.lock();
        let mut seen = known.seen.values();
        let first = seen.next()?.clone().filter(|it| !it.leader.is_empty() && it.fresh == nodes)?;
        seen.all(|it| it.as_ref() == Some(&first)).then_some(first)
    }

    /// How often each verdict was told.
    pub(crate) fn verdicts(&self) -> BTreeMap<String, usize> {
        self.lock().verdicts.clone()
    }

    /// What each replica said last, for a person.
    pub(crate) fn told(&self) -> String {
        let known = self.lock();
        format!("{}: {:?}", self.recorder.now(), known.seen)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One replica.
#[derive(Clone)]
struct One {
    name: String,
    channel: Endpoint,
    recorder: Recorder,
    known: Arc<Mutex<Known>>,
}

impl One {
    /// Asks again and again who leads.
    async fn ask(self) {
        let mut client = FleetClient::new(self.channel.connect_lazy());
        loop {
            let asked = self.recorder.now();
            let answer = client.get_fleet(v1::GetFleetRequest::default());
            let seen = match tokio::time::timeout(ANSWER_MAX, answer).await {
                Ok(Ok(fleet)) => Some(self.hear(asked, fleet.into_inner())),
                Ok(Err(_)) | Err(_) => {
                    // A connection may be dead without knowing.
                    client = FleetClient::new(self.channel.connect_lazy());
                    None
                }
            };
            self.lock().seen.insert(self.name.clone(), seen);
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    fn hear(&self, asked: Moment, fleet: v1::FleetSummary) -> Seen {
        if fleet.leader == self.name {
            self.recorder.answer(asked, Fact::Claimed { replica: self.name.clone(), term: fleet.term });
        }
        let fresh = fleet.counts.map_or(0, |counts| counts.nodes_fresh);
        Seen { leader: fleet.leader, term: fleet.term, fresh }
    }

    /// Follows its events, each once however often it is told.
    async fn follow(self) {
        let mut known = BTreeSet::new();
        loop {
            let _ = self.events(&mut known).await;
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    async fn events(&self, known: &mut BTreeSet<String>) -> anyhow::Result<()> {
        let mut client: FleetClient<Channel> = FleetClient::new(self.channel.connect_lazy());
        let request = v1::WatchRequest { kinds: vec![v1::Kind::Event as i32], ..v1::WatchRequest::default() };
        let watch = tokio::time::timeout(ANSWER_MAX, client.watch(request)).await??;
        let mut watch = watch.into_inner();
        loop {
            let answer = tokio::time::timeout(QUIET_MAX, watch.message()).await??;
            for change in answer.context("the watch ended")?.changes {
                if let Some(v1::change::Entry::Event(event)) = change.entry
                    && known.insert(event.name.clone())
                {
                    self.note(&event);
                }
            }
        }
    }

    fn note(&self, event: &v1::Event) {
        let Some(verdict) = event.attributes.get("verdict") else { return };
        *self.lock().verdicts.entry(verdict.clone()).or_default() += 1;
        if ACCUSALS.contains(&verdict.as_str()) {
            let at = self.recorder.now().0.saturating_sub(Duration::from_millis(event.age_ms));
            let (replica, node) = (self.name.clone(), event.node.clone());
            self.recorder.note_at(Moment(at), Fact::Accused { replica, node, verdict: verdict.clone() });
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the highest term again and again, from whichever member answers.
async fn read_terms(recorder: Recorder, members: Vec<SocketAddr>) {
    for member in members.iter().cycle() {
        let asked = recorder.now();
        if let Ok(Ok(Some(term))) = tokio::time::timeout(ANSWER_MAX, etcd::highest_term(*member)).await {
            recorder.answer(asked, Fact::Stored { term });
        }
        tokio::time::sleep(READ_EVERY).await;
    }
}
