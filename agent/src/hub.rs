//! What the sampling loop, the streams and the server share: the newest sample, the journal, the agent's own counters.
//!
//! Locks are held for microseconds and never across an await. Time here is the agent's monotonic clock, counted from
//! its start; nothing an agent reports depends on the wall clock.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use ostler_proto::v1;
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::Instant,
};

use crate::{
    buffer::{self, Events, Journal},
    sample::{NodeSample, Source},
    state::{self, Store, Stored},
    table::{self, Table},
};

/// Orders waiting for the sampling loop, which takes them once an interval: a few from each coordinator.
const ORDERS_MAX: usize = 16;

/// Who this agent is: what every Hello says.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// All of Hello but the term and the sources, which change.
    pub hello: v1::Hello,
}

/// What waits to be sent.
#[derive(Debug)]
pub struct Outbox {
    /// Readings.
    pub journal: Journal,
    /// Events.
    pub events: Events,
}

/// What the agent last read.
#[derive(Clone, Debug)]
pub struct Latest {
    /// The reading; empty before the first.
    pub sample: Arc<NodeSample>,
    /// When; `None` before the first.
    pub taken: Option<Duration>,
}

/// An order for the sampling loop: let go of NVML for so long.
#[derive(Debug)]
pub struct Release {
    /// For how long.
    pub hold: Duration,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Result<(), String>>,
}

/// How a stream is doing, for the agent's own metrics.
#[derive(Debug, Default)]
pub struct Stream {
    /// The coordinator's address.
    pub url: String,
    /// 1 while the coordinator has welcomed us.
    pub up: AtomicU64,
    /// Connections that ended after they had been up, or never came to be.
    pub breaks: AtomicU64,
    /// Rows sent, those in backlogs included.
    pub rows_sent: AtomicU64,
    /// Rows this coordinator will never see.
    pub rows_dropped: AtomicU64,
    /// Snapshots sent.
    pub snapshots_sent: AtomicU64,
    /// Events sent, repeats included.
    pub events_sent: AtomicU64,
    /// Snapshots that the coordinator asked for.
    pub resyncs: AtomicU64,
    /// Orders refused.
    pub orders_refused: AtomicU64,
    /// The interval this coordinator asked for, in milliseconds; 0 while it has not.
    pub interval_ms: AtomicU64,
    /// Why the stream is down; empty while it is up.
    pub reason: Mutex<String>,
}

/// All of it.
#[derive(Debug)]
pub struct Hub {
    identity: Identity,
    started: Instant,
    /// The interval used while no coordinator has asked for another.
    interval: Duration,
    outbox: Mutex<Outbox>,
    latest: Mutex<Latest>,
    /// One for each coordinator, in the order of the configuration.
    streams: Vec<Stream>,
    /// Rises with each reading.
    news: watch::Sender<u64>,
    /// Rises with each tick of the sampling loop.
    ticks: AtomicU64,
    /// The last XID of each GPU that had one, by UUID.
    xids: Mutex<BTreeMap<String, u32>>,
    /// Told when the interval in use may have changed.
    retimed: Notify,
    orders: mpsc::Sender<Release>,
    store: Store,
    /// What is on disk, or would be. Held while the disk is written to.
    stored: tokio::sync::Mutex<Stored>,
    /// The highest term in `stored`, to look up without waiting for the disk.
    highest_term: AtomicU64,
}

/// Locks without regard to poisoning: what is guarded is whole after every statement.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// A hub for streams to these coordinators, and where its orders come out.
    #[must_use]
    pub fn new(
        identity: Identity,
        interval: Duration,
        limits: buffer::Limits,
        coordinators: &[String],
        store: (Store, Stored),
    ) -> (Arc<Self>, mpsc::Receiver<Release>) {
        let (orders, taken) = mpsc::channel(ORDERS_MAX);
        let count = coordinators.len();
        let streams =
            coordinators.iter().map(|url| Stream { url: url.clone(), ..Stream::default() }).collect();
        let hub = Self {
            identity,
            started: Instant::now(),
            interval,
            outbox: Mutex::new(Outbox {
                journal: Journal::new(limits, count),
                events: Events::new(limits, count),
            }),
            latest: Mutex::new(Latest { sample: Arc::default(), taken: None }),
            streams,
            news: watch::Sender::new(0),
            ticks: AtomicU64::new(0),
            xids: Mutex::default(),
            retimed: Notify::new(),
            orders,
            store: store.0,
            highest_term: AtomicU64::new(store.1.highest_term),
            stored: tokio::sync::Mutex::new(store.1),
        };
        (Arc::new(hub), taken)
    }

    /// Time since the agent started.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// The moment on the runtime's clock that `now` would give then.
    #[must_use]
    pub fn instant(&self, at: Duration) -> Instant {
        self.started + at
    }

    /// Who this agent is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What waits to be sent.
    pub fn outbox(&self) -> MutexGuard<'_, Outbox> {
        lock(&self.outbox)
    }

    /// What was last read.
    #[must_use]
    pub fn latest(&self) -> Latest {
        lock(&self.latest).clone()
    }

    /// The streams, in the order of the configuration.
    #[must_use]
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// Tells of each reading from now on.
    #[must_use]
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Readings taken so far.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// The interval in use: the shortest that a coordinator asked for, or the configured one.
    #[must_use]
    pub fn interval(&self) -> Duration {
        let asked = self.streams.iter().map(|stream| stream.interval_ms.load(Ordering::Relaxed));
        asked.filter(|ms| *ms > 0).min().map_or(self.interval, Duration::from_millis)
    }

    /// A coordinator asks for an interval; `None`: it has gone, and its wish with it.
    pub fn ask_interval(&self, stream: usize, interval: Option<Duration>) {
        let ms = interval.map_or(0, |interval| u64::try_from(interval.as_millis()).unwrap_or(0));
        if self.streams[stream].interval_ms.swap(ms, Ordering::Relaxed) != ms {
            self.retimed.notify_one();
        }
    }

    /// Publishes a reading to the streams and the server.
    pub fn publish(&self, table: &mut Table, mut sample: NodeSample) {
        let now = self.now();
        let mut events = std::mem::take(&mut sample.events);
        events.extend(overtaken(&events, &sample.sources));
        self.note_xids(&sample, &events);
        let step = table.fold(&sample);
        {
            let mut outbox = self.outbox();
            for event in events {
                outbox.events.push(event, now);
            }
            outbox.journal.push(step, now);
        }
        *lock(&self.latest) = Latest { sample: Arc::new(sample), taken: Some(now) };
        let ticks = self.ticks.fetch_add(1, Ordering::Relaxed) + 1;
        self.news.send_replace(ticks);
    }

    /// The last XID of each GPU that had one, by UUID.
    #[must_use]
    pub fn last_xids(&self) -> BTreeMap<String, u32> {
        lock(&self.xids).clone()
    }

    fn note_xids(&self, sample: &NodeSample, events: &[v1::agent_event::Kind]) {
        for event in events {
            let v1::agent_event::Kind::Xid(xid) = event else { continue };
            // Only GPUs that are there, so that the map stays as small as the node.
            if sample.gpus.iter().any(|gpu| gpu.info.uuid == xid.gpu_uuid) {
                lock(&self.xids).insert(xid.gpu_uuid.clone(), xid.xid);
            }
        }
    }

    /// Passes an order to the sampling loop.
    ///
    /// # Errors
    /// Says why NVML was not let go of.
    pub async fn release_nvml(&self, hold: Duration) -> Result<(), String> {
        let (answer, answered) = oneshot::channel();
        self.orders
            .try_send(Release { hold, answer })
            .map_err(|_| "too many orders wait for the sampling loop; repeat it later".to_owned())?;
        answered.await.unwrap_or_else(|_| Err("the agent is shutting down".to_owned()))
    }

    /// Makes `term` the highest term seen, durably, unless a higher one was.
    ///
    /// # Errors
    /// [`TermError::Deposed`] when a higher one was seen, [`TermError::NotStored`] when it could not be stored.
    pub async fn accept_term(&self, term: u64) -> Result<(), TermError> {
        let mut stored = self.stored.lock().await;
        if term < stored.highest_term {
            return Err(TermError::Deposed { term, highest: stored.highest_term });
        }
        if term > stored.highest_term {
            let next = Stored { highest_term: term, ..*stored };
            let store = self.store.clone();
            let written = tokio::task::spawn_blocking(move || store.write(next)).await;
            written.map_err(|_| TermError::Stopping)?.map_err(TermError::NotStored)?;
            *stored = next;
            self.highest_term.store(term, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The highest term seen.
    #[must_use]
    pub fn highest_term(&self) -> u64 {
        self.highest_term.load(Ordering::Relaxed)
    }
}

/// Why a term was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TermError {
    /// It belongs to a leader that has been replaced.
    #[error("term {term} is over: a leader of term {highest} has been seen")]
    Deposed {
        /// The term of the order.
        term: u64,
        /// The highest seen.
        highest: u64,
    },
    /// It must be on disk before an order is carried out.
    #[error("the term cannot be stored, and an order is not carried out before it is")]
    NotStored(#[source] state::Error),
    /// The agent is shutting down.
    #[error("the agent is shutting down")]
    Stopping,
}

/// The present state of sources that an event says are in another: what is over before the reading changes nothing from row
/// to row, so without a second event a coordinator would believe the first one for ever.
fn overtaken(events: &[v1::agent_event::Kind], sources: &[v1::SourceStatus]) -> Vec<v1::agent_event::Kind> {
    let mut told = BTreeMap::new();
    for event in events {
        if let v1::agent_event::Kind::Source(status) = event {
            told.insert(status.name.as_str(), status.state);
        }
    }
    let overtaken =
        sources.iter().filter(|now| told.get(now.name.as_str()).is_some_and(|told| *told != now.state));
    overtaken.map(|now| v1::agent_event::Kind::Source(table::bounded(now))).collect()
}

/// The least time between two readings, when news come in between: rows stay below the messages a second of the wire.
const READING_SPACING: Duration = Duration::from_millis(100);

/// Reads the source at the interval in use, and at once when it has news, until the task is dropped.
pub async fn sample(hub: Arc<Hub>, mut source: Box<dyn Source>, mut orders: mpsc::Receiver<Release>) {
    let news = source.news();
    let mut table = Table::default();
    let mut next = Instant::now();
    let mut last = next;
    let mut interval = hub.interval();
    loop {
        let told = async {
            match &news {
                Some(news) => {
                    news.notified().await;
                    tokio::time::sleep_until(last + READING_SPACING).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = tokio::time::sleep_until(next) => {
                // From the planned time, so that readings do not drift; from now on after a stall, so that they do not bunch.
                next = (next + interval).max(Instant::now());
            }
            () = hub.retimed.notified() => {
                interval = hub.interval();
                source.set_interval(interval);
                next = next.min(last + interval);
                continue;
            }
            () = told => {}
            Some(order) = orders.recv() => {
                // The receiver may have gone with its stream; the order stands.
                let _ = order.answer.send(source.release_nvml(order.hold));
                continue;
            }
        }
        last = Instant::now();
        hub.publish(&mut table, source.read());
    }
}
