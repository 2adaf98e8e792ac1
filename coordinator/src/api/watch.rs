//! Watches: everything that matches, then what changes, resumable by revision.
//!
//! A watch is level-triggered. It remembers the revision that its client has and, when the client has taken the answer
//! before, asks the fleet what changed since; so a slow client gets the newest state later instead of a queue.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ostler_proto::v1;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::Api;
use super::entity;
use crate::sys::thread_time;
use collect::Round;
use query::{Query, Watched};

mod collect;
mod query;

/// Answers on the way to the client: one that it takes and one that is ready.
const ANSWERS_MAX: usize = 1;

/// Changes in one answer. At some 400 bytes a node that is 200 kB, far under the 4 MB that clients accept by default.
const CHANGES_MAX: usize = 500;

/// Longest `interval_ms`, as `fleet.proto` says.
const INTERVAL_MS_MAX: u32 = 60_000;

/// How long a client may take for one answer. Longer, and it is gone or stuck, and another may have its place.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(60);

/// How soon zones and pools are looked at again when they were computed before the newest change.
const SUMMARY_AGAIN: Duration = Duration::from_millis(100);

/// Share of one core that all watches together may take, as one in so many. Beyond it they answer less often, each with the
/// newest state, instead of holding up reports.
const SHARE_OF_CORE: u32 = 2;

/// Longest pause that this makes.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How often a narrow watch looks for entries that have moved out of its sight. Machines seldom change their zone.
const STRAY_INTERVAL: Duration = Duration::from_secs(5);

/// The answers of one watch.
pub type Watching = ReceiverStream<Result<v1::WatchResponse, Status>>;

/// Opens a watch.
pub(super) fn open(api: &Api, request: &v1::WatchRequest) -> Result<Watching, Status> {
    let query = Query::parse(request)?;
    if request.interval_ms > INTERVAL_MS_MAX {
        let problem = format!("interval_ms: {} is more than {INTERVAL_MS_MAX}", request.interval_ms);
        return Err(Status::invalid_argument(problem));
    }
    let permit = Arc::clone(&api.watchers).try_acquire_owned().map_err(|_| {
        Status::resource_exhausted(format!(
            "{} watches are open, as many as this replica allows (watchers_max); close some or ask another replica",
            api.watchers_max
        ))
    })?;
    let (answers, stream) = mpsc::channel(ANSWERS_MAX);
    let known = request.resume_epoch == api.driver.epoch() && request.resume_revision > 0;
    let watcher = Watcher {
        api: api.clone(),
        query,
        revision: if known { request.resume_revision } else { 0 },
        summary_revision: if known { request.resume_revision } else { 0 },
        sent: BTreeSet::new(),
        interval: Duration::from_millis(request.interval_ms.into()),
        busy: Duration::ZERO,
        searched: Instant::now(),
        changes: api.driver.changes(),
        answers,
        _permit: permit,
    };
    tokio::spawn(watcher.run());
    Ok(ReceiverStream::new(stream))
}

/// The client is gone, or so slow that it is taken for gone.
struct Gone;

struct Watcher {
    api: Api,
    query: Query,
    /// Nodes, GPUs, engines and events up to this revision were sent; 0 before the first.
    revision: u64,
    /// Zones and pools as they were at this revision were sent.
    summary_revision: u64,
    /// What the client has, kept only where a filter can make an entry leave.
    sent: BTreeSet<(v1::Kind, String)>,
    /// Least time between two rounds of answers.
    interval: Duration,
    /// Time that a processor worked for the newest round. Time by the wall would count what else the machine was doing,
    /// and one turn that the thread waited for would become a pause of a second for the client.
    busy: Duration,
    /// When it last looked for entries out of its sight.
    searched: Instant,
    changes: watch::Receiver<u64>,
    answers: mpsc::Sender<Result<v1::WatchResponse, Status>>,
    /// Counts this watch among those open.
    _permit: OwnedSemaphorePermit,
}

impl Watcher {
    async fn run(mut self) {
        let shutdown = self.api.shutdown.clone();
        tokio::select! {
            _ = self.follow() => {}
            () = shutdown.cancelled() => {
                let bye = Status::unavailable("this replica is stopping; connect again, and send resume_revision and resume_epoch");
                let _ = self.answers.try_send(Err(bye));
            }
        }
    }

    async fn follow(&mut self) -> Result<(), Gone> {
        let known = self.revision > 0 && self.api.driver.view(|view| view.fleet.remembers(self.revision));
        if known {
            self.catch_up(Synced::Yes).await?;
        } else {
            self.everything().await?;
        }
        loop {
            let answered = Instant::now();
            self.wait().await?;
            let rest = self.interval.max(self.pause()).saturating_sub(answered.elapsed());
            self.or_gone(tokio::time::sleep(rest)).await?;
            self.changes.mark_unchanged();
            self.catch_up(Synced::No).await?;
        }
    }

    /// Waits for a change; for zones and pools that lag behind the fleet only a while.
    async fn wait(&mut self) -> Result<(), Gone> {
        let lagging = self.query.summarized() && self.summary_revision < self.api.driver.revision();
        let limit = if lagging { SUMMARY_AGAIN } else { Duration::MAX };
        let answers = self.answers.clone();
        tokio::select! {
            _ = self.changes.changed() => Ok(()),
            () = tokio::time::sleep(limit) => Ok(()),
            () = answers.closed() => Err(Gone),
        }
    }

    /// What keeps all watches together within their share: each rests for as long as all the others may take.
    fn pause(&self) -> Duration {
        let open = u32::try_from(self.api.watchers()).unwrap_or(u32::MAX).max(1);
        self.busy.saturating_mul(open.saturating_mul(SHARE_OF_CORE)).min(PAUSE_MAX)
    }

    async fn or_gone(&self, wait: impl Future<Output = ()>) -> Result<(), Gone> {
        tokio::select! {
            () = wait => Ok(()),
            () = self.answers.closed() => Err(Gone),
        }
    }

    /// Sends all that there is, in the order in which things contain each other. Until the last answer the revision is 0,
    /// so that a client that breaks off in the middle begins again.
    async fn everything(&mut self) -> Result<(), Gone> {
        self.sent.clear();
        let revision = self.api.driver.revision();
        let summary = self.api.summaries.get();
        self.send(0, Start::Reset, Synced::No, Vec::new()).await?;
        self.all_of::<v1::Zone>().await?;
        self.all_of::<v1::Pool>().await?;
        self.all_of::<v1::Node>().await?;
        self.all_of::<v1::Gpu>().await?;
        self.all_of::<v1::Engine>().await?;
        self.all_of::<v1::Event>().await?;
        (self.revision, self.summary_revision) = (revision, summary.revision);
        let told = self.told();
        self.send(told, Start::Goes, Synced::Yes, Vec::new()).await
    }

    async fn all_of<M: Watched>(&mut self) -> Result<(), Gone> {
        let Some(selection) = M::selection(&self.query).cloned() else { return Ok(()) };
        let mut after: Option<String> = None;
        loop {
            let node = selection.place.node();
            let chunk = entity::after::<M>(&self.api, node, after.as_deref(), CHANGES_MAX, &selection.build);
            after = chunk.last().map(|last| last.name().to_owned());
            let ended = chunk.len() < CHANGES_MAX;
            let mut round = Round::new(&self.query, &mut self.sent);
            chunk.into_iter().for_each(|entry| round.entry(entry));
            let changes = round.changes;
            if !changes.is_empty() {
                self.send(0, Start::Goes, Synced::No, changes).await?;
            }
            if ended {
                return Ok(());
            }
        }
    }

    /// Sends what changed since the revision that the client has.
    async fn catch_up(&mut self, synced: Synced) -> Result<(), Gone> {
        let began = thread_time();
        let Some((pending, revision)) = collect::pending(&self.api, &self.query, self.revision) else {
            return self.everything().await;
        };
        let before = self.told();
        let strayed = self.strayed();
        let mut round = Round::new(&self.query, &mut self.sent);
        pending.removed.into_iter().chain(strayed).for_each(|(kind, name)| round.removed(kind, name));
        let summary = if self.query.summarized() { Some(self.api.summaries.get()) } else { None };
        if let Some(summary) = &summary {
            round.summary(summary, self.summary_revision);
        }
        pending.events.into_iter().for_each(|event| round.entry(event));
        let mut changes = round.changes;
        self.busy = thread_time().saturating_sub(began);
        for keys in pending.nodes.chunks(collect::NODES_AT_ONCE) {
            let began = thread_time();
            let mut round = Round::new(&self.query, &mut self.sent);
            round.nodes(&self.api, keys, self.revision);
            changes.append(&mut round.changes);
            self.busy += thread_time().saturating_sub(began);
            while changes.len() > CHANGES_MAX {
                let rest = changes.split_off(CHANGES_MAX);
                self.send(before, Start::Goes, Synced::No, std::mem::replace(&mut changes, rest)).await?;
            }
            tokio::task::yield_now().await;
        }
        self.revision = revision;
        self.summary_revision = summary.map_or(revision, |summary| summary.revision);
        while changes.len() > CHANGES_MAX {
            let rest = changes.split_off(CHANGES_MAX);
            self.send(before, Start::Goes, Synced::No, std::mem::replace(&mut changes, rest)).await?;
        }
        if changes.is_empty() && synced == Synced::No {
            return Ok(());
        }
        let told = self.told();
        self.send(told, Start::Goes, synced, changes).await
    }

    fn strayed(&mut self) -> Vec<(v1::Kind, String)> {
        if !self.query.is_narrow() || self.sent.is_empty() || self.searched.elapsed() < STRAY_INTERVAL {
            return Vec::new();
        }
        self.searched = Instant::now();
        collect::strayed(&self.api, &self.query, &self.sent)
    }

    /// The revision from which the client can resume without missing anything.
    fn told(&self) -> u64 {
        if self.query.summarized() { self.revision.min(self.summary_revision) } else { self.revision }
    }

    async fn send(
        &self,
        revision: u64,
        start: Start,
        synced: Synced,
        changes: Vec<v1::Change>,
    ) -> Result<(), Gone> {
        let response = v1::WatchResponse {
            revision,
            epoch: self.api.driver.epoch().to_owned(),
            reset: start == Start::Reset,
            synced: synced == Synced::Yes,
            changes,
        };
        match tokio::time::timeout(ANSWER_TIME_MAX, self.answers.send(Ok(response))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Gone),
        }
    }
}

/// Whether an answer replaces all that was sent before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Start {
    Reset,
    Goes,
}

/// Whether an answer completes what there was at the beginning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Synced {
    Yes,
    No,
}
